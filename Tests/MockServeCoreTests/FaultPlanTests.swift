import MockServeCore
import Testing

/// Faults as they are written: on the command line, in a cassette, in the journal.
@Suite struct FaultPlanTests {
    @Test(
        arguments: [
            ("reset", FaultPlan(.reset)),
            ("reset on 2", FaultPlan(.reset, nth: 2)),
            ("close", FaultPlan(.close(after: 0))),
            ("close after 100 every 3", FaultPlan(.close(after: 100), every: 3)),
            ("stall after 7 times 2", FaultPlan(.stall(after: 7), times: 2)),
            ("delay 200ms", FaultPlan(.delay(.fixed(.milliseconds(200))))),
            ("delay 1.5s", FaultPlan(.delay(.fixed(.milliseconds(1500))))),
            ("delay 0.05ms", FaultPlan(.delay(.fixed(.microseconds(50))))),
            ("delay 100ms..2s", FaultPlan(.delay(.uniform(.milliseconds(100)...(.seconds(2)))))),
            ("delay about 50ms", FaultPlan(.delay(.logNormal(median: .milliseconds(50), sigma: 0.5)))),
            ("delay about 50ms sigma 0.25", FaultPlan(.delay(.logNormal(median: .milliseconds(50), sigma: 0.25)))),
            ("status 503", FaultPlan(.status(503, retryAfter: nil))),
            ("status 503 retry-after 1 times 2", FaultPlan(.status(503, retryAfter: 1), times: 2)),
            ("garbage", FaultPlan(.garbage)),
            ("unfinished-chunks", FaultPlan(.unfinishedChunks)),
            ("wrong-length", FaultPlan(.wrongLength(by: 1))),
            ("wrong-length 5 on 1", FaultPlan(.wrongLength(by: 5), nth: 1)),
            ("slow 1000 probability 0.2 seed 7", FaultPlan(.slow(bytesPerSecond: 1000), probability: 0.2, seed: 7)),
        ]
    )
    func isReadAsItIsWritten(_ text: String, _ plan: FaultPlan) throws {
        #expect(try FaultPlan(text) == plan)
        #expect(plan.text == text)
    }

    @Test(
        arguments: [
            ("", "it is empty"), ("rest", "there is no fault `rest`"), ("reset 2", "`2` is not expected there"),
            ("reset on", "`on` wants a whole number from 1 to 1099511627776"),
            ("reset on 0", "`on` wants a whole number from 1 to 1099511627776"),
            ("reset on 2 on 3", "`on` is not expected there"), ("delay", "`delay` wants a time"),
            ("delay 5", "`5` is not a time"), ("delay 2h", "`2h` is not a time"), ("delay 3601s", "an hour at most"),
            ("delay " + String(repeating: "9", count: 400) + "s", "an hour at most"),
            ("delay 999999999999999999999s", "an hour at most"),
            ("delay 2s..1s", "ends before it begins"), ("delay nans", "is not a time"),
            ("delay 5mins", "is not a time"), ("delay 2m30s", "is not a time"),
            ("delay 0x10ms", "is not a time"), ("delay 1s..2mixs", "is not a time"),
            ("wrong-length 9223372036854775807", "wants a whole number from 1 to 1099511627776"),
            ("status", "`status` wants"),
            ("status 99", "`status` wants a whole number from 200"),
            ("status 1000", "`status` wants a whole number from 200 to 999"),
            ("slow 0", "`slow` wants a whole number from 1"), ("reset probability 2", "wants a number from 0 to 1"),
            ("close after -1", "`after` wants a whole number from 0"), ("reset seed -1", "`seed` wants"),
        ]
    )
    func anotherTextIsAnErrorThatSaysWhatToWrite(_ text: String, _ reason: String) {
        let error = #expect(throws: RuleError.self) { try FaultPlan(text) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
        #expect(error?.description.contains("Write reset, close [after BYTES]") == true)
    }

    @Test func aRuleSaysForWhichRequests() throws {
        let rule = try Rule(.fault, "GET /v1/a:b/*: reset on 2")
        #expect(rule.fault?.plan == FaultPlan(.reset, nth: 2))
        #expect(rule.fault?.scope.text == "GET /v1/a:b/*")
        #expect(rule.text == "reset on 2 for GET /v1/a:b/*")
        #expect(try Rule(.fault, rule.text) == rule)
        let error = #expect(throws: RuleError.self) { try Rule(.fault, "reset") }
        #expect(error?.description == "for which requests? Write `GET /path: reset`, or `* /**: reset` for all")
    }

    @Test(arguments: ["GET x: reset", "GET /x : reset", "GET /x:reset", "reset:"])
    func aPatternThatIsNoneIsSaid(_ text: String) {
        let error = #expect(throws: RuleError.self) { try Rule(.fault, text) }
        #expect(error?.description.contains("is not a method and a path") == true, "\(error?.description ?? "")")
    }
}
