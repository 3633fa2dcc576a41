import CassetteFormats
import CassetteStore
import Foundation
import HTTPMessages
import MockServe
import MockServeCore
import Testing

/// Files of other tools become cassettes, all of them or none.
@Suite(.timeLimit(.minutes(5)))
struct ImportTests {
    private func vcr(_ path: String, _ body: String, field: String = "X-Id: [\"1\"]") -> String {
        """
        http_interactions:
        - request:
            method: get
            uri: https://api.example.com\(path)
            body: {encoding: UTF-8, string: ""}
            headers: {\(field)}
          response:
            status: {code: 200, message: OK}
            headers: {Content-Type: [text/plain]}
            body: {encoding: UTF-8, string: \(body)}
          recorded_at: Mon, 06 May 2024 07:08:09 GMT
        recorded_with: VCR 6.2.0
        """
    }

    private func write(_ text: String, _ name: String, _ folder: URL) throws -> String {
        let file = folder.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
        return file.path
    }

    private func settings(_ change: (inout CassetteImport.Settings) -> Void = { _ in }) throws
        -> CassetteImport.Settings
    {
        var settings = CassetteImport.Settings()
        settings.rules = [try Rule(.redact, part: "catalog:\(RedactionCatalog.version)")]
        change(&settings)
        return settings
    }

    private func targets(_ path: String) throws -> [String] {
        let reader = try CassetteReader(path: path)
        defer { reader.close() }
        var targets: [String] = []
        try reader.forEach {
            targets.append(Latin1.string($0.request.target))
            return true
        }
        return targets
    }

    @Test func whatWasImportedIsReplayed() async throws {
        try await withFolder { folder in
            let file = try write(vcr("/a?b=1", "hello"), "a.yml", folder)
            let cassette = folder.appendingPathComponent("a.cassette").path
            let report = try CassetteImport.run(try ForeignFile.all([file]), into: cassette, try settings())
            #expect(report.interactions == 1 && report.files == ["vcr": 1] && report.losses.isEmpty)
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["a.cassette", "a.yml"]
            )
            try await withMockServer(.replay(cassette)) { (server: MockServer) async throws in
                #expect(server.upstreamNames == ["default"])
                let answer = try RawClient.exchange(
                    server.port,
                    "GET /a?b=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                )
                #expect(
                    answer.hasPrefix("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n") && answer.contains("hello"),
                    "\(answer)"
                )
            }
        }
    }

    @Test func anImportIsAddedAndTakenBack() async throws {
        try await withFolder { folder in
            let cassette = folder.appendingPathComponent("a.cassette").path
            for name in ["a", "b"] {
                let file = try write(vcr("/\(name)", name), "\(name).yml", folder)
                _ = try CassetteImport.run(try ForeignFile.all([file]), into: cassette, try settings())
            }
            #expect(try targets(cassette) == ["/a", "/b"])
            try CassetteEditor.undo(cassette, force: false)
            #expect(try targets(cassette) == ["/a"])
        }
    }

    @Test func serversAreUpstreams() async throws {
        try await withFolder { folder in
            let cassette = folder.appendingPathComponent("a.cassette").path
            let two =
                vcr("/a", "a") + "\n"
                + vcr("/b", "b").replacing("api.example.com", with: "cdn.example.net:8443")
                .split(separator: "\n").dropFirst().dropLast().joined(separator: "\n")
            let first = try write(two.replacing("recorded_with: VCR 6.2.0\n", with: ""), "a.yml", folder)
            let other = try write(vcr("/c", "c").replacing("api.example.com", with: "third.example"), "b.yml", folder)
            let report = try CassetteImport.run(try ForeignFile.all([first]), into: cassette, try settings())
            #expect(report.upstreams.map(\.name) == ["default", "cdn-example-net"])
            let more = try CassetteImport.run(try ForeignFile.all([other, first]), into: cassette, try settings())
            #expect(more.upstreams.map(\.name) == ["default", "cdn-example-net", "third-example"])
            try await withMockServer(.replay(cassette)) { (server: MockServer) async throws in
                #expect(server.upstreamNames == ["default", "cdn-example-net", "third-example"])
            }
        }
    }

    @Test func aBadFileLeavesEverythingAsItWas() async throws {
        try await withFolder { folder in
            let good = try write(vcr("/a", "a"), "files/1.yml", folder)
            let cassette = folder.appendingPathComponent("a.cassette").path
            _ = try CassetteImport.run(try ForeignFile.all([good]), into: cassette, try settings())
            let before = try Data(contentsOf: URL(fileURLWithPath: cassette))
            let bad = try write(vcr("/b", "b") + "\n- x: [", "files/2.yml", folder)
            _ = try write(vcr("/c", "c"), "files/3.yml", folder)
            _ = try write("# Read me", "files/README.md", folder)
            _ = try write(#"{"name": "package"}"#, "files/package.json", folder)
            let all = try ForeignFile.all([folder.appendingPathComponent("files").path])
            #expect(all.map(\.name) == ["1.yml", "2.yml", "3.yml", "package.json"])
            let error = #expect(throws: FormatError.self) {
                try CassetteImport.run(all, into: cassette, try settings())
            }
            #expect(error?.file == bad && error?.line == 13, "\(error?.description ?? "")")
            #expect(try Data(contentsOf: URL(fileURLWithPath: cassette)) == before)
            let new = folder.appendingPathComponent("new.cassette").path
            #expect(throws: FormatError.self) { try CassetteImport.run(all, into: new, try settings()) }
            #expect(!FileManager.default.fileExists(atPath: new))
            let report = try CassetteImport.run(all, into: new, try settings { $0.keepsGoing = true })
            #expect(report.failures.map(\.file) == [bad] && report.others.count == 1)
            // What came before the mistake is there.
            #expect(try targets(new) == ["/a", "/b", "/c"])
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == [
                    "a.cassette", "files", "new.cassette",
                ]
            )
        }
    }

    @Test func lossCanBeRefused() async throws {
        try await withFolder { folder in
            let har =
                #"{"log": {"entries": [{"request": {"method": "GET", "url": "http://a/"}, "response": {"status": 0}}]}}"#
            let file = try write(har, "a.har", folder)
            let good = try write(vcr("/a", "a"), "a.yml", folder)
            let cassette = folder.appendingPathComponent("a.cassette").path
            let files = try ForeignFile.all([good, file])
            let error = #expect(throws: FormatError.self) {
                try CassetteImport.run(files, into: cassette, try settings { $0.refusesLoss = true })
            }
            #expect(error?.reason.contains("a request without a response") == true)
            #expect(!FileManager.default.fileExists(atPath: cassette))
            let report = try CassetteImport.run(files, into: cassette, try settings())
            #expect(report.losses.losses.map(\.count) == [1] && report.losses.losses.first?.line == 1)
        }
    }

    /// What formats give must be what a cassette can hold.
    @Test func whatIsImportedCanBeRead() async throws {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let fixtures = tests.appendingPathComponent("CassetteFormatsTests/Fixtures")
        try await withFolder { folder in
            let cassette = folder.appendingPathComponent("a.cassette").path
            let all = try ForeignFile.all([fixtures.path])
            let report = try CassetteImport.run(all, into: cassette, try settings { $0.keepsGoing = true })
            #expect(
                report.interactions > 100 && report.stubs > 40 && report.files.count > 10,
                "\(report.interactions) \(report.stubs)"
            )
            #expect(report.failures.count < 5, "\(report.failures)")
            let reader = try CassetteReader(path: cassette)
            defer { reader.close() }
            #expect(try targets(cassette).count == report.interactions && reader.stubs().count == report.stubs)
            var blocks = 0
            try reader.writeText { _ in blocks += 1 }
            #expect(blocks > report.interactions + report.stubs)
            for format in KnownFormats.writable {
                let target = folder.appendingPathComponent("out-\(format.name)").path
                _ = try CassetteExport.run(reader, as: format, to: target, overwrites: false)
            }
        }
    }

    @Test func nothingIsAnError() async throws {
        try await withFolder { folder in
            let cassette = folder.appendingPathComponent("a.cassette").path
            for (name, text, reason) in [
                ("e.yml", "", "is empty"), ("e.json", #"{"a": 1}"#, "of no format that is known"),
                ("f.json", "{,", "was expected"),
                ("g.yml", "http_interactions: []", "nothing to import"),
            ] {
                let file = try write(text, name, folder)
                let error = #expect(throws: FormatError.self) {
                    try CassetteImport.run(try ForeignFile.all([file]), into: cassette, try settings())
                }
                #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
            }
            #expect(throws: FormatError.self) { try ForeignFile.all([folder.appendingPathComponent("none").path]) }
            #expect(!FileManager.default.fileExists(atPath: cassette))
        }
    }

    @Test func secretsAreRedacted() async throws {
        try await withFolder { folder in
            let secret = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
            let file = try write(
                vcr("/a", "'the token \(secret)'", field: "Authorization: [\"Bearer \(secret)\"]"),
                "a.yml",
                folder
            )
            let mapping = """
                {"request": {"method": "GET", "url": "/b", "headers": {"Authorization": {"equalTo": "Bearer \(secret)"}}},
                 "response": {"body": "\(secret)"}}
                """
            let stub = try write(mapping, "b.json", folder)
            let cassette = folder.appendingPathComponent("a.cassette").path
            let report = try CassetteImport.run(try ForeignFile.all([file, stub]), into: cassette, try settings())
            #expect(report.losses.losses.map(\.what) == ["a secret that a stub asks for (any value meets it)"])
            let bytes = try Data(contentsOf: URL(fileURLWithPath: cassette))
            #expect(bytes.range(of: Data("0123456789abcdefghij".utf8)) == nil)
            #expect(report.redactions.values.reduce(0, +) >= 2, "\(report.redactions)")
        }
    }

    @Test func aTemporaryCassetteGoesAway() async throws {
        try await withFolder { folder in
            let file = try write(vcr("/a", "a"), "a.yml", folder)
            #expect(TemporaryCassette.isForeign(file) && TemporaryCassette.isForeign(folder.path))
            let (cassette, report) = try TemporaryCassette.make(of: folder.path, rules: [])
            #expect(report.interactions == 1 && !TemporaryCassette.isForeign(cassette.path))
            cassette.remove()
            #expect(!FileManager.default.fileExists(atPath: cassette.path))
        }
    }

    @Test func anExportIsWholeOrNotThere() async throws {
        try await withFolder { folder in
            let file = try write(vcr("/a", "a"), "a.yml", folder)
            let cassette = folder.appendingPathComponent("a.cassette").path
            _ = try CassetteImport.run(try ForeignFile.all([file]), into: cassette, try settings())
            let reader = try CassetteReader(path: cassette)
            defer { reader.close() }
            let output = folder.appendingPathComponent("out/a.har").path
            _ = try CassetteExport.run(reader, as: HAR(), to: output, overwrites: false)
            #expect(throws: MockServeError.self) {
                try CassetteExport.run(reader, as: HAR(), to: output, overwrites: false)
            }
            _ = try CassetteExport.run(reader, as: HAR(), to: output, overwrites: true)
            let mappings = folder.appendingPathComponent("out/wiremock").path
            for overwrites in [false, true] {
                _ = try CassetteExport.run(reader, as: WireMock(), to: mappings, overwrites: overwrites)
                let names = try FileManager.default.subpathsOfDirectory(atPath: mappings).sorted()
                #expect(names == ["mappings", "mappings/00001-get-a.json"])
            }
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: folder.appendingPathComponent("out").path).sorted()
                    == ["a.har", "wiremock"]
            )
        }
    }
}
