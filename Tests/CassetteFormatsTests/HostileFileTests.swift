import CassetteFormats
import Foundation
import Testing

/// Files that mean harm end in an error or a result, in bounded time and memory.
@Suite(.timeLimit(.minutes(5)))
struct HostileFileTests {
    private func error(_ text: String, _ format: (any ReadableFormat)? = nil, folder: String? = nil) -> FormatError? {
        do {
            _ = try Reading(Array(text.utf8), format: format, folder: folder)
            return nil
        } catch {
            return error as? FormatError
        }
    }

    @Test(arguments: [VCRPy() as any ReadableFormat, RubyVCR(), GoVCR(), OpenAPI(), HTTPMock()].map(\.name))
    func aliasesCountAsOftenAsTheyAreUsed(_ name: String) throws {
        let format = try #require(KnownFormats.readable(name))
        var bomb = "openapi: 3.0.0\nwhen:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            bomb += "  a\(level): &a\(level) [\((0..<10).map { _ in "*a\(level - 1)" }.joined(separator: ", "))]\n"
        }
        for text in [bomb, "interactions:\n- \(bomb.replacing("\n", with: "\n  "))\n", "? *a\n: 1\n"] {
            let started = ContinuousClock.now
            let found = error(text, format)
            #expect(ContinuousClock.now - started < .seconds(20))
            if text.contains("*a8") {
                #expect(found?.reason.contains("1000000 values") == true, "\(found?.description ?? "")")
            }
        }
        // Also in the name of a member, and in itself.
        #expect(error("http_interactions:\ninteractions:\n- &a [*a]\n", VCRPy())?.reason.contains("alias") == true)
        #expect(error("interactions:\n- x: &a [1]\n  ? *a\n  : 1\n", VCRPy())?.reason.contains("not a text") == true)
    }

    @Test func depthIsBounded() {
        for (open, close) in [("[", "]"), (#"{"a":"#, "}")] {
            let deep = String(repeating: open, count: 200_000) + String(repeating: close, count: 200_000)
            #expect(error(#"{"log":{"entries":[\#(deep)]}}"#)?.reason.contains("deeper") == true)
            #expect(error("interactions:\n- \(deep)", VCRPy()) != nil)
        }
        let indented = (0..<3000).map { String(repeating: " ", count: $0) + "a:" }.joined(separator: "\n")
        #expect(error("interactions:\n- x:\n\(indented.replacing("\n", with: "\n   "))", VCRPy()) != nil)
        #expect(error(String(repeating: "9:", count: 2000), MitmproxyFlows()) != nil)
        let nested = (0..<2000).reduce("0:]") { text, _ in "\(text.utf8.count):\(text)]" }
        #expect(error(nested, MitmproxyFlows())?.reason.contains("deeper") == true)
    }

    @Test func valuesOfOneInteractionAreBounded() {
        let many = String(repeating: "[],", count: 1_100_000) + "1"
        #expect(error(#"{"log":{"entries":[{"a":[\#(many)]}]}}"#)?.reason.contains("values in one interaction") == true)
        #expect(error("interactions:\n- [\(many)]\n", VCRPy())?.reason.contains("values in one interaction") == true)
    }

    @Test func aLongLineIsRead() throws {
        let body = String(repeating: "x", count: 20 << 20)
        let har =
            #"{"log":{"entries":[{"request":{"method":"GET","url":"http://a/"},"response":{"status":200,"content":{"text":"\#(body)"}}}]}}"#
        #expect(try Reading(Array(har.utf8)).interactions.first?.responseBody.count == 20 << 20)
        let yaml =
            "interactions:\n- request: {method: GET, uri: 'http://a/', body: null, headers: {}}\n  response: {status: {code: 200}, headers: {}, body: {string: '\(body)'}}\n"
        #expect(try Reading(Array(yaml.utf8)).interactions.first?.responseBody.count == 20 << 20)
    }

    @Test(
        arguments: [
            ("../secret", "not within"), ("a/../../secret", "not within"), ("/etc/hostname", "not within"),
            ("link", "leads out"),
            ("folder", "not a regular file"), ("none", "not there"), ("", "not within"), ("a\0b", "not within"),
        ]
    )
    func namedFilesAreWithinTheirFolder(_ name: String, _ reason: String) throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("mockserve-tests-\(UUID().uuidString)")
        let files = root.appendingPathComponent("stubs/__files")
        try FileManager.default.createDirectory(
            at: files.appendingPathComponent("folder"),
            withIntermediateDirectories: true
        )
        defer { try? FileManager.default.removeItem(at: root) }
        try Data("secret".utf8).write(to: root.appendingPathComponent("secret"))
        try Data("good".utf8).write(to: files.appendingPathComponent("good"))
        try FileManager.default.createSymbolicLink(
            at: files.appendingPathComponent("link"),
            withDestinationURL: root.appendingPathComponent("secret")
        )
        func mapping(_ name: String) -> String {
            let coded = String(decoding: (try? JSONEncoder().encode(name)) ?? Data(), as: UTF8.self)
            return #"{"request": {"url": "/a"}, "response": {"bodyFileName": \#(coded)}}"#
        }
        let folder = root.appendingPathComponent("stubs/mappings").path
        #expect(try Reading(Array(mapping("good").utf8), folder: folder).stubs.first?.body == Array("good".utf8))
        let found = error(mapping(name), folder: folder)
        #expect(found?.reason.contains(reason) == true, "\(found?.description ?? "")")
        #expect(error(mapping("good"), folder: root.path)?.reason.contains("no folder __files") == true)
    }

    @Test(
        arguments: [
            (
                #"{"log":{"entries":[{"request":{"method":"GET","url":"http://a/"},"response":{"status":200,"content":{"text":"?","encoding":"base64"}}}]}}"#,
                1, "not base64"
            ),
            (
                "http_interactions:\n- request: {method: get, uri: 'http://a/', body: {base64_string: '*'}}\n  response: {status: {code: 200}}\n",
                2, "not base64"
            ),
            ("interactions:\n- request:\n    body: !!binary \"*\"\n", 3, "not base64"),
            ("{\"log\":{\"entries\":[\n\n{\"request\":1,}]}}", 3, "name of a member"),
            ("{\"log\":{\"entries\":[tru]}}", 1, "`tru`"),
            ("{\"log\":{\"entries\":[\"\\q\"]}}", 1, "escape"),
            ("{\"log\":{\"entries\":[\"abc", 1, "ends within the string"),
            (
                "{\"log\":{\"entries\":[{\"request\":{\"method\":\"GET\",\"url\":\"http://a/\"},\"response\":{\"status\":12}}]}}",
                1, "100 to 999"
            ),
            (
                "{\"log\":{\"entries\":[{\"request\":{\"method\":\"G T\",\"url\":\"http://a/\"},\"response\":{\"status\":200}}]}}",
                1, "method"
            ),
            (
                "{\"log\":{\"entries\":[{\"request\":{\"method\":\"GET\",\"url\":\"http://a b/\"},\"response\":{\"status\":200}}]}}",
                1, "makes no sense"
            ),
            (
                "interactions:\n- request: {method: GET, uri: 'http://a/'}\n  response: {status: {code: x}}\n", 3,
                "100 to 999"
            ),
            ("interactions:\n- request: {method: GET, uri: 'http://a/'}\n", 2, "without a request or a response"),
            ("interactions:\n\t- a\n", 2, "not YAML"),
        ]
    )
    func mistakesAreNamedByLine(_ text: String, _ line: Int, _ reason: String) {
        let formats: [any ReadableFormat] = [HAR(), RubyVCR(), VCRPy()]
        let format = formats[text.hasPrefix("{") ? 0 : text.hasPrefix("http") ? 1 : 2]
        let found = error(text, format)
        #expect(found?.line == line && found?.reason.contains(reason) == true, "\(found?.description ?? "nothing")")
    }

    @Test func whatIsNotTextIsAnError() {
        let latin = Array("interactions:\n- request: {uri: 'caf".utf8) + [0xE9] + Array("'}\n".utf8)
        #expect(throws: FormatError.self) { try Reading(latin, format: VCRPy()) }
        #expect(throws: FormatError.self) {
            try Reading(Array(#"{"log":{"entries":[""#.utf8) + [0xE9] + Array(#""]}}"#.utf8), format: HAR())
        }
        #expect(throws: FormatError.self) { try Reading([0xFF, 0xFE, 0, 0xD8], format: VCRPy()) }
    }

    @Test func loneSurrogatesAreReplaced() throws {
        let har =
            #"{"log":{"entries":[{"request":{"method":"GET","url":"http://a/"},"response":{"status":200,"content":{"text":"\ud83d\ude00 \ud800 \udc00x"}}}]}}"#
        #expect(
            try Reading(Array(har.utf8)).interactions.first?.responseBody == Array("\u{1F600} \u{FFFD} \u{FFFD}x".utf8)
        )
    }

    /// Every format meets every prefix and many mutations of every fixture without a crash.
    @Test(arguments: FixtureTests.names) func cutFilesAreAnErrorOrAResult(_ name: String) throws {
        let bytes = Array(try Data(contentsOf: FixtureTests.folder.appendingPathComponent(name)))
        let start = try FileStart(ByteSource(bytes, name: name))
        var state: UInt64 = 7
        for step in 0..<60 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let place = Int(state >> 33) % max(bytes.count, 1)
            var cut = bytes
            if step.isMultiple(of: 2) {
                cut = Array(bytes.prefix(place))
            } else if !cut.isEmpty {
                cut[place] = UInt8(truncatingIfNeeded: state >> 20)
            }
            for format in KnownFormats.readable where step < 4 || format.recognizes(start) {
                do {
                    _ = try Reading(cut, name: name, format: format)
                } catch is FormatError {}
            }
        }
    }
}
