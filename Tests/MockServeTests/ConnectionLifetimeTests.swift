import NIOCore
import Testing

@testable import MockServe

/// Timeouts by a clock that is turned by hand.
@Suite struct ConnectionLifetimeTests {
    private static let timeouts: ConnectionTimeouts = {
        var limits = RequestLimits()
        limits.headTimeout = .seconds(30)
        limits.stallTimeout = .seconds(300)
        limits.idleTimeout = .seconds(600)
        return ConnectionTimeouts(limits)
    }()

    private func at(_ seconds: Int) -> NIODeadline { .uptimeNanoseconds(UInt64(seconds) * 1_000_000_000) }

    private func lifetime() -> ConnectionLifetime { ConnectionLifetime(Self.timeouts, now: at(0)) }

    @Test func aConnectionOnWhichNothingIsAskedIsIdle() {
        var lifetime = lifetime()
        #expect(lifetime.verdict(at(600), awaiting: .request, buffered: 0, isOpen: true) == .goOn)
        #expect(lifetime.verdict(at(601), awaiting: .request, buffered: 0, isOpen: true) == .idle)
        // A connection that is already ending is left alone.
        #expect(lifetime.verdict(at(601), awaiting: .request, buffered: 0, isOpen: false) == .goOn)
        lifetime.received(at(500), beginsHead: true)
        lifetime.endedExchange(at(590))
        #expect(lifetime.verdict(at(1190), awaiting: .request, buffered: 0, isOpen: true) == .goOn)
        #expect(lifetime.verdict(at(1191), awaiting: .request, buffered: 0, isOpen: true) == .idle)
    }

    @Test func aHeadMayNotTrickleForEver() {
        var lifetime = lifetime()
        lifetime.received(at(100), beginsHead: true)
        for second in 101...130 {
            lifetime.received(at(second), beginsHead: false)
            #expect(lifetime.verdict(at(second), awaiting: .head, buffered: 0, isOpen: true) == .goOn)
        }
        #expect(lifetime.verdict(at(131), awaiting: .head, buffered: 0, isOpen: true) == .tooSlow)
    }

    /// A pipelined request has arrived before, but could not be read.
    @Test func timeThatAnAnswerTakesDoesNotCountForTheNextRequest() {
        var lifetime = lifetime()
        lifetime.received(at(0), beginsHead: true)
        lifetime.endedExchange(at(100))
        #expect(lifetime.verdict(at(130), awaiting: .head, buffered: 0, isOpen: true) == .goOn)
        #expect(lifetime.verdict(at(131), awaiting: .head, buffered: 0, isOpen: true) == .tooSlow)
    }

    @Test func aBodyMayTakeLongButNotBeSilent() {
        var lifetime = lifetime()
        for second in stride(from: 0, through: 3000, by: 300) {
            #expect(lifetime.verdict(at(second), awaiting: .body, buffered: 0, isOpen: true) == .goOn)
            lifetime.received(at(second), beginsHead: false)
        }
        #expect(lifetime.verdict(at(3301), awaiting: .body, buffered: 0, isOpen: true) == .tooSlow)
        // While the server does not read, it causes the silence itself.
        #expect(lifetime.verdict(at(9000), awaiting: .nothing, buffered: 0, isOpen: true) == .goOn)
        lifetime.resumedReading(at(9000))
        #expect(lifetime.verdict(at(9300), awaiting: .body, buffered: 0, isOpen: true) == .goOn)
        #expect(lifetime.verdict(at(9301), awaiting: .body, buffered: 0, isOpen: true) == .tooSlow)
    }

    @Test(arguments: [true, false])
    func whoReadsNothingOfAnAnswerHasStalled(_ isOpen: Bool) {
        var lifetime = lifetime()
        lifetime.wrote(1000)
        func verdict(_ second: Int, buffered: Int) -> ConnectionLifetime.Verdict {
            lifetime.verdict(at(second), awaiting: .nothing, buffered: buffered, isOpen: isOpen)
        }
        #expect(verdict(0, buffered: 1000) == .goOn)
        #expect(verdict(300, buffered: 1000) == .goOn)
        // One byte is enough.
        #expect(verdict(301, buffered: 999) == .goOn)
        #expect(verdict(600, buffered: 999) == .goOn)
        lifetime.wrote(5)
        #expect(verdict(601, buffered: 1004) == .goOn)
        #expect(verdict(602, buffered: 1004) == .stalled)
        #expect(verdict(603, buffered: 0) == .goOn)
        #expect(verdict(5000, buffered: 0) == .goOn)
    }

    @Test func anEndIsBegunOnceAndLingersWhileInputMayCome() {
        var ending = ConnectionEnding()
        #expect(ending.isOpen && ending.begin() && !ending.begin() && !ending.isOpen)
        #expect(!ending.discard(17 << 20) && ending.holdsInput)
        #expect(ending.linger() && !ending.linger() && !ending.holdsInput)
        #expect(ending.discard(1) && ending.closeInput())
        var closed = ConnectionEnding()
        #expect(!closed.closeInput() && closed.isInputClosed && closed.begin() && !closed.linger())
    }
}
