import CassetteFormats
import Foundation
import HTTPMessages
import MockServeCore
import Testing

/// Files that could be taken for something else, or lose something without a word.
@Suite struct MisreadingTests {
    private func har(
        _ content: String,
        _ field: String = "Content-Encoding",
        _ value: String = "br",
        _ rest: String = ""
    ) -> [UInt8] {
        Array(
            """
            {"log": {"entries": [{"request": {"method": "GET", "url": "http://a/"}, "response": {"status": 200,
            "headers": [{"name": "\(field)", "value": "\(value)"}], "content": \(content)}}]}}\(rest)
            """.utf8
        )
    }

    @Test(arguments: ["[]", #"["deadbeef","cafe"]"#, #"["00"]"#]) func aListIsNotTakenForPieces(_ body: String) throws {
        let text = String(decoding: try JSONEncoder().encode(body), as: UTF8.self)
        let reading = try Reading(har(#"{"text": \#(text)}"#))
        #expect(reading.interactions.first?.responseBody == Array(body.utf8))
        #expect(reading.interactions.first?.response.fields.contains("content-encoding") == false)
    }

    @Test func anUnknownCharsetIsALoss() throws {
        let reading = try Reading(har(#"{"text": "中文"}"#, "Content-Type", "text/html; charset=gb2312"))
        #expect(reading.losses.map(\.what) == ["the charset gb2312 of a text (it is UTF-8 now)"])
        #expect(try Reading(har(#"{"text": "text"}"#, "Content-Type", "text/html; charset=gb2312")).losses.isEmpty)
    }

    @Test func binaryCharactersAreBytesButTextIsNot() throws {
        let binary = try Reading(har(#"{"size": 3, "text": "\u0000é\u00ff"}"#, "Content-Type", "image/png"))
        #expect(binary.interactions.first?.responseBody == [0, 0xE9, 0xFF])
        let text = try Reading(har(#"{"size": 4, "text": "café"}"#, "Content-Type", "text/plain"))
        #expect(text.interactions.first?.responseBody == Array("café".utf8))
    }

    @Test(arguments: [#"{"log": {"entries": []}}"#, "junk"]) func whatFollowsIsALoss(_ rest: String) throws {
        let reading = try Reading(har(#"{"text": "a"}"#, "X", "1", "\n" + rest))
        #expect(reading.interactions.count == 1)
        #expect(reading.losses.map(\.what) == ["what comes after the first value of the file"])
    }

    @Test func anyObjectIsNotAMapping() {
        #expect(throws: FormatError.self) { try Reading(har("{}"), format: WireMock()) }
        #expect(throws: FormatError.self) { try Reading(Array("{}".utf8), format: WireMock()) }
    }

    @Test func plainValuesOfYAMLAreTextsOfJSON() throws {
        let mapping =
            "request: {url: /a}\nresponse:\n  jsonBody: {name: Ada, zip: 02134, on: yes, n: 1.50, x: 0x1F, no: null, t: true}\n"
        let reading = try Reading(Array(mapping.utf8))
        let body = #"{"name":"Ada","zip":"02134","on":"yes","n":1.50,"x":"0x1F","no":null,"t":true}"#
        #expect(reading.stubs.first?.body == Array(body.utf8))
    }

    @Test func wireMockListsTheNewestFirst() throws {
        func mapping(_ body: String) -> String { #"{"request": {"url": "/a"}, "response": {"body": "\#(body)"}}"# }
        let list = #""mappings": [\#(mapping("one")), \#(mapping("two"))]"#
        func bodies(_ text: String) throws -> [String] {
            try Reading(Array(text.utf8)).stubs.map { String(decoding: $0.body, as: UTF8.self) }
        }
        // The one added last is asked first.
        #expect(try bodies("{\(list)}") == ["one", "two"])
        #expect(try bodies("{\(list), \"meta\": {\"total\": 2}}") == ["two", "one"])
    }

    @Test func cassettesWithoutRequestBodiesAreToldApart() throws {
        let text = """
            version: 1
            interactions:
            - request: {method: GET, uri: "http://a/"}
              response: {status: 200, headers: {}, body: {type: text, content: hello}}
            """
        let reading = try Reading(Array(text.utf8))
        #expect(reading.format == "cassetter" && reading.interactions.first?.responseBody == Array("hello".utf8))
        #expect(throws: FormatError.self) { try Reading(Array(text.utf8), format: VCRPy()) }
    }

    @Test(
        arguments: [
            "1e400", "-1e300", "99999999999999999999", "NaN", "-1", "9223372036854775807",
        ]
    )
    func numbersOfAnySizeAreRead(_ number: String) throws {
        let texts = [
            "when: {path: /a}\nthen: {status: 200, delay: {secs: \(number), nanos: \(number)}}\n",
            "when: {path: /a}\nthen: {status: 200, delay: \(number)}\n",
            #"{"request": {"url": "/a"}, "priority": \#(number), "response": {"fixedDelayMilliseconds": \#(number), "delayDistribution": {"type": "uniform", "lower": \#(number), "upper": \#(number)}}}"#,
            #"{"request": {"url": "/a"}, "response": {"body": "x", "chunkedDribbleDelay": {"totalDuration": \#(number)}}}"#,
            #"{"data": {"pairs": [{"request": {}, "response": {"status": 200, "fixedDelay": \#(number), "logNormalDelay": {"median": \#(number), "mean": \#(number)}}}]}}"#,
            "version: 2\ninteractions:\n- request: {url: 'http://a/', method: GET}\n  response: {code: 200, duration: \(number)s}\n",
            #"{"log": {"entries": [{"timings": {"wait": \#(number)}, "request": {"method": "GET", "url": "http://a/", "bodySize": \#(number)}, "response": {"status": \#(number)}}]}}"#,
            #"{"openapi": "3.0.0", "paths": {"/a": {"get": {"responses": {"200": {"content": {"application/json": {"schema": {"type": "array", "minItems": \#(number), "items": {"type": "string", "minLength": \#(number)}}}}}}}}}}"#,
        ]
        for text in texts {
            do { _ = try Reading(Array(text.utf8)) } catch is FormatError { continue }
        }
        func string(_ text: String, _ type: String) -> String { "\(text.utf8.count):\(text)\(type)" }
        func object(_ members: String...) -> String { string(members.joined(), "}") }
        let flow = object(
            string("type", ";"),
            string("http", ";"),
            string("request", ";"),
            object(
                string("scheme", ";"),
                string("http", ";"),
                string("host", ";"),
                string("a", ";"),
                string("port", ";"),
                string("80", "#"),
                string("path", ";"),
                string("/", ";"),
                string("method", ";"),
                string("GET", ","),
                string("content", ";"),
                string("", ","),
                string("timestamp_end", ";"),
                string("-9e15", "^")
            ),
            string("response", ";"),
            object(
                string("status_code", ";"),
                string("200", "#"),
                string("content", ";"),
                string("", ","),
                string("timestamp_start", ";"),
                string("9e15", "^")
            )
        )
        #expect(try Reading(Array(flow.utf8)).interactions.count == 1)
    }

    /// Small descriptions that stand for very much.
    @Test func whatIsMadeOfSchemasIsBounded() throws {
        var schema = #"{"type": "string"}"#
        for _ in 0..<25 { schema = #"{"type": "array", "minItems": 10, "items": \#(schema)}"# }
        let names = (0..<20_000).map { #""p\#($0)": {"type": "string"}"# }.joined(separator: ",")
        let operations = (0..<20).map {
            #""/o\#($0)": {"get": {"responses": {"200": {"content": {"application/json": {"schema": {"$ref": "HASH/s"}}}}}}}"#
        }
        let variables = (0..<40).map { #""v\#($0)": {"default": "{v\#($0 + 1)}{v\#($0 + 1)}"}"# }.joined(separator: ",")
        let started = ContinuousClock.now
        for text in [
            #"{"openapi": "3.0.0", "paths": {"/a": {"get": {"responses": {"200": {"content": {"application/json": {"schema": \#(schema)}}}}}}}}"#,
            #"{"openapi": "3.0.0", "s": {"type": "object", "properties": {\#(names)}}, "paths": {\#(operations.joined(separator: ","))}}"#
                .replacing("HASH", with: "#"),
            #"{"openapi": "3.0.0", "servers": [{"url": "http://a/{v0}", "variables": {\#(variables)}}], "paths": {"/a": {"get": {"responses": {"200": {}}}}}}"#,
        ] {
            let stubs = try Reading(Array(text.utf8)).stubs
            #expect(stubs.count >= 1 && stubs.allSatisfy { $0.body.count < 1 << 20 })
        }
        let growing = (0..<40).map { #"{"key": "v\#($0)", "value": "{{v\#($0 + 1)}}{{v\#($0 + 1)}}"}"# }.joined(
            separator: ","
        )
        let collection = """
            {"info": {"schema": "https://schema.getpostman.com/json/collection/v2.1.0/"}, "variable": [\(growing)],
             "item": [{"request": {"url": "http://a/"}, "response": [{"code": 200, "body": "{{v0}}"}]}]}
            """
        #expect(try Reading(Array(collection.utf8)).stubs.first?.body.count ?? 0 <= 8 << 20)
        #expect(ContinuousClock.now - started < .seconds(60))
    }
}
