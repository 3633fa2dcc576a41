import CassetteSchema
import ContentCoding
import Foundation
import GRDB
import HTTPMessages
import MockServeCore
import Synchronization
import Testing

@testable import CassetteStore

func withPath<Result>(_ body: (String) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mockserve-store-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder.appendingPathComponent("a.cassette").path)
}

func exchanged(_ target: String, status: Int = 200, chunks: [ResponseChunk] = []) -> InteractionContent {
    let request = RequestHead(method: Array("GET".utf8), target: Array(target.utf8), fields: ["Host": "a"])
    return InteractionContent(
        origin: "http://a",
        request: request,
        response: ResponseHead(status: status, reason: Array("OK".utf8), fields: ["X": "y"]),
        matchKey: MatchKeyBuilder(request).key(origin: "http://a"),
        recordedAt: 1_000,
        firstByte: 3,
        chunks: chunks
    )
}

extension CassetteWriter {
    static func make(_ path: String, _ mode: EpisodeMode = .once) throws -> CassetteWriter {
        let upstreams = Origin("http://a").map { [Upstream(name: "default", origin: $0)] } ?? []
        return try CassetteWriter(path: path, mode: mode, upstreams: upstreams, now: 1_000)
    }

    /// Commits an interaction. `outcomes` gets its outcome.
    func record(_ exchanged: InteractionContent, response: [UInt8] = [], _ outcomes: Outcomes = Outcomes()) {
        let made = try? interaction(
            origin: exchanged.origin,
            request: exchanged.request,
            response: exchanged.response,
            responseBody: response,
            recordedAt: exchanged.recordedAt,
            firstByte: exchanged.firstByte,
            chunks: exchanged.chunks
        )
        guard let made else {
            Issue.record("a body was refused")
            return
        }
        commit(made) { outcomes.add($0) }
    }
}

final class Outcomes: Sendable {
    private let results = Mutex<[Result<Int64, CassetteError>]>([])

    func add(_ result: Result<Int64, CassetteError>) { results.withLock { $0.append(result) } }
    var numbers: [Int64] { results.withLock { $0.compactMap { try? $0.get() } } }
    var failures: Int { results.withLock { $0.count { if case .failure = $0 { true } else { false } } } }
}

@Suite struct CassetteTests {
    /// The log is moved into the file while it is written, by another thread and then by the writer, and starts over.
    @Test func theLogDoesNotGrowWithTheRecording() throws {
        try withPath { path in
            let (queue, _) = try CassetteFile.openForWriting(path)
            let checkpointer = Checkpointer(path: path, threshold: 100, limit: 400)
            var (rests, largest) = (0, 0)
            try queue.inDatabase { db in
                try db.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
                checkpointer.watch(db)
                for number in 1...2_000 {
                    try db.inTransaction(.immediate) {
                        try db.query(
                            "INSERT INTO body (size, bytes) VALUES (8000, ?1)",
                            [.bytes(Array(repeating: UInt8(truncatingIfNeeded: number), count: 8000))]
                        )
                        return .commit
                    }
                    if checkpointer.next() {
                        rests += 1
                        try Checkpointer.moveRest(db)
                    }
                    let size = try FileManager.default.attributesOfItem(atPath: path + "-wal")[.size] as? Int
                    largest = max(largest, size ?? 0)
                }
            }
            checkpointer.close()
            // Each commit writes three pages or more: 6,000 in all.
            #expect(rests >= 6_000 / 500, "\(rests)")
            #expect(largest < 500 * 4_200, "\(largest)")
            let count = try queue.inDatabase {
                try $0.firstInteger("SELECT count(*) FROM body WHERE length(bytes) = 8000")
            }
            #expect(count == 2_000)
            try queue.close()
            #expect(!FileManager.default.fileExists(atPath: path + "-wal"))
        }
    }

    @Test func keepsEveryPartOfAnExchange() throws {
        try withPath { path in
            var fields = Fields()
            fields.append(name: [0x58, 0xE9], value: [0xFF, 0x22, 0x5C, 0x09, 0x80])
            fields.append("x", "")
            fields.append("X", "1")
            let request = RequestHead(
                method: Array("BREW".utf8),
                target: [0x2F, 0xE9, 0x3F, 0x25],
                version: .http10,
                fields: fields
            )
            let response = ResponseHead(
                version: .http10,
                status: 799,
                reason: [0xE8, 0x20],
                fields: ["Transfer-Encoding": "chunked", "A": "b"],
                bodyLength: .unknown
            )
            let key = MatchKeyBuilder(request)
            [UInt8]([0, 1, 2]).withUnsafeBytes { key.update($0) }
            let original = InteractionContent(
                origin: "http://a",
                request: request,
                requestTrailers: ["T": "1"],
                informational: [ResponseHead(status: 103, reason: nil, fields: fields)],
                response: response,
                responseTrailers: ["U": "2", "u": "3"],
                matchKey: key.key(origin: "http://a"),
                recordedAt: 1_700_000_000_123,
                firstByte: 17,
                chunks: [ResponseChunk(offset: 0, size: 2), ResponseChunk(offset: 9, size: 1)]
            )
            let writer = try CassetteWriter.make(path)
            writer.commit(
                NewInteraction(
                    content: original,
                    requestBody: .whole([0, 1, 2]),
                    responseBody: .whole([3, 4, 5])
                )
            ) { _ in }
            try writer.finish(keeping: true, now: 2_000)

            let reader = try CassetteReader(path: path)
            let read = try #require(try reader.interaction(1))
            #expect(read.request == request)
            #expect(read.response == response)
            #expect(read.content.requestTrailers == original.requestTrailers)
            #expect(read.content.informational == original.informational)
            #expect(read.content.responseTrailers == original.responseTrailers)
            #expect(read.content.matchKey == original.matchKey)
            #expect(read.content.recordedAt == 1_700_000_000_123 && read.content.firstByte == 17)
            #expect(read.content.chunks == original.chunks)
            #expect(try reader.bytes(of: read.requestBody, limit: 10) == [0, 1, 2])
            #expect(try reader.bytes(of: read.responseBody, limit: 10) == [3, 4, 5])
            #expect(try reader.upstreams().map(\.name) == ["default"])
        }
    }

    @Test(arguments: [0, 1, BodySlices.size - 1, BodySlices.size, BodySlices.size + 1, BodySlices.size * 3])
    func keepsBodiesOfEverySize(_ size: Int) throws {
        try withPath { path in
            let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
            let writer = try CassetteWriter.make(path)
            writer.record(exchanged("/1"), response: body)
            writer.record(exchanged("/2"), response: body)
            try writer.finish(keeping: true, now: 2_000)
            let reader = try CassetteReader(path: path)
            let first = try #require(try reader.interaction(1)).responseBody
            #expect(try reader.bytes(of: first, limit: .max) == body)
            #expect(try reader.interaction(2)?.responseBody == first, "equal bodies are stored once")
            #expect(first?.size == (size == 0 ? nil : size))
        }
    }

    @Test func leavesOneFileWithoutUnusedPages() throws {
        try withPath { path in
            let writer = try CassetteWriter.make(path)
            for number in 0..<50 {
                writer.record(exchanged("/\(number)"), response: Array(repeating: 7, count: 600_000))
            }
            try writer.finish(keeping: true, now: 2_000)
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
            let files = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(files == ["a.cassette"])
            let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
            #expect(size < 750_000)
        }
    }

    @Test func equalRecordingsAreEqualBytes() throws {
        func record(_ path: String) throws -> Data {
            let writer = try CassetteWriter.make(path)
            for number in 0..<200 {
                writer.record(exchanged("/\(number)"), response: Array(repeating: 1, count: number))
            }
            try writer.finish(keeping: true, now: 2_000)
            return try Data(contentsOf: URL(fileURLWithPath: path))
        }
        let one = try withPath(record)
        let two = try withPath(record)
        #expect(one.count == two.count)
        // SQLite counts changes of the file in its header (offsets 24 and 92); commits are grouped as they come.
        let differing = zip(one, two).enumerated().filter { $1.0 != $1.1 }.map(\.offset)
        #expect(differing.allSatisfy { (24..<28).contains($0) || (92..<96).contains($0) }, "\(differing.prefix(20))")
    }

    /// What becomes a secret later is looked for in what was compressed before, and a digest that does not fit goes.
    @Test func aCompressedBodyIsSearchedForWhatBecomesKnownLater() throws {
        try withPath { path in
            let secrets = KnownSecrets(learned: LearnedSecrets())
            let rules = [try Rule(.redact, "catalog:4")]
            let writer = try CassetteWriter(
                path: path,
                mode: .once,
                upstreams: [],
                rules: rules,
                secrets: secrets,
                now: 1_000
            )
            let text = Array("it is Zk3-late-Secret9, is it not".utf8)
            var early = exchanged("/early")
            early.response.fields = ["Content-Encoding": "gzip", "Content-MD5": "x", "X": "y"]
            let coding = try #require(ContentCoding(Array("gzip".utf8)[...]))
            writer.record(early, response: try #require(coding.encode(text)))
            var late = exchanged("/late")
            late.response.fields = ["Content-Type": "application/json"]
            writer.record(late, response: Array(#"{"access_token":"Zk3-late-Secret9"}"#.utf8))
            try writer.finish(keeping: true, now: 2_000)
            let reader = try CassetteReader(path: path)
            defer { reader.close() }
            var bodies: [String] = []
            try reader.forEach { interaction in
                let body = try #require(interaction.responseBody)
                var bytes = try reader.slice(0, of: body)
                if bodies.isEmpty { bytes = try coding.decode(bytes, limit: 1 << 20) }
                bodies.append(String(decoding: bytes, as: UTF8.self))
                #expect(!interaction.response.fields.contains("content-md5"))
                return true
            }
            #expect(
                bodies == ["it is redacted.access_token.1, is it not", #"{"access_token":"redacted.access_token.1"}"#]
            )
        }
    }

    /// A digest gets its salt once, however often a recording asks for it.
    @Test func aCassetteHasOneSalt() throws {
        try withPath { path in
            let rules = [try Rule(.redact, "digest:json:password")]
            for _ in 0..<2 {
                let writer = try CassetteWriter(path: path, mode: .all, upstreams: [], rules: rules, now: 1_000)
                writer.record(exchanged("/a"))
                try writer.finish(keeping: true, now: 2_000)
            }
            let reader = try CassetteReader(path: path)
            defer { reader.close() }
            let own = try reader.rules().rules.filter { $0.action == .redact }
            #expect(own.count == 1 && own[0].partText.count == "digest::json:password".count + 16)
            #expect(try reader.lacking(rules).isEmpty)
        }
    }

    /// What waits to be written counts with all the memory it takes.
    @Test func answersOfManyKilobytesCongestTheWriterToo() throws {
        var exchanged = exchanged("/a")
        exchanged.response.fields.append("X-Long", String(repeating: "x", count: 1 << 20))
        func memory(_ body: [UInt8]) -> Int {
            NewInteraction(content: exchanged, requestBody: .whole(body), responseBody: .whole(body)).memory
        }
        #expect(memory([]) > 1 << 20)
        #expect(memory(Array(repeating: 7, count: 200_000)) >= memory([]) + 400_000)
    }

    @Test func isAskedForWhatIsPlayed() throws {
        try withPath { path in
            let writer = try CassetteWriter.make(path)
            for target in ["/x", "/y", "/x"] { writer.record(exchanged(target)) }
            var write = exchanged("/x")
            write.request.method = Array("POST".utf8)
            write.matchKey = MatchKeyBuilder(write.request).key(origin: "http://a")
            writer.record(write)
            writer.record(exchanged("/x"))
            try writer.finish(keeping: true, now: 2_000)
            let (x, y) = (PlaybackKey(exchanged("/x").matchKey), exchanged("/y").matchKey)
            let recording = try PlaybackReader(path: path)
            #expect(try recording.first(x, after: 0, before: .max) == 1)
            #expect(try recording.first(x, after: 1, before: .max) == 3)
            #expect(try recording.first(x, after: 3, before: 5) == nil)
            #expect(try recording.last(x, before: 5) == 3 && recording.last(x, before: .max) == 5)
            #expect(try recording.first(PlaybackKey(exchanged("/z").matchKey), after: 0, before: .max) == nil)
            #expect(try recording.firstWrite(after: 0) == 4 && recording.firstWrite(after: 4) == nil)
            #expect(try recording.next(after: 1, ifIts: y) == 2 && recording.next(after: 1, ifIts: x.match) == nil)
            // What is being recorded is not played.
            let older = try PlaybackReader(path: path, newest: 2)
            #expect(try older.first(x, after: 1, before: .max) == nil && older.last(x, before: .max) == 1)
            #expect(try older.firstWrite(after: 0) == nil && older.next(after: 2, ifIts: x.match) == nil)
        }
    }

    @Test func aDroppedEpisodeLeavesWhatWasThere() throws {
        try withPath { path in
            let first = try CassetteWriter.make(path)
            first.record(exchanged("/x"), response: [1])
            try first.finish(keeping: true, now: 2_000)
            let second = try CassetteWriter.make(path, .missing)
            second.record(exchanged("/y"), response: [2])
            try second.finish(keeping: false, now: 3_000)
            let reader = try CassetteReader(path: path)
            #expect(try reader.count() == 1)
        }
    }

    @Test func aDroppedFirstEpisodeLeavesNoFile() throws {
        try withPath { path in
            let writer = try CassetteWriter.make(path)
            writer.record(exchanged("/x"))
            try writer.finish(keeping: false, now: 2_000)
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test func anEpisodeOfTheModeAllReplacesOlderAnswersToItsRequests() throws {
        try withPath { path in
            let first = try CassetteWriter.make(path)
            for target in ["/x", "/y", "/x"] { first.record(exchanged(target, status: 200), response: [1]) }
            try first.finish(keeping: true, now: 2_000)
            let second = try CassetteWriter.make(path, .all)
            second.record(exchanged("/x", status: 201), response: [2])
            try second.finish(keeping: true, now: 3_000)
            let reader = try CassetteReader(path: path)
            var found: [String] = []
            try reader.forEach {
                found.append("\(Latin1.string($0.request.target)) \($0.response.status)")
                return true
            }
            // It takes the place of the first.
            #expect(found == ["/x 201", "/y 200"])
        }
    }

    @Test func aDiscardedBodyLeavesNothing() throws {
        try withPath { path in
            let writer = try CassetteWriter.make(path)
            let upload = writer.newUpload()
            for _ in 0..<8 { writer.append(slice: Array(repeating: 9, count: BodySlices.size), to: upload) }
            writer.discard(upload: upload)
            writer.record(exchanged("/x"))
            try writer.finish(keeping: true, now: 2_000)
            let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
            #expect(size < 200_000)
        }
    }

    @Test func whatComesAfterTheEndIsRefused() throws {
        try withPath { path in
            let outcomes = Outcomes()
            let writer = try CassetteWriter.make(path)
            writer.record(exchanged("/x"), outcomes)
            try writer.finish(keeping: true, now: 2_000)
            try writer.finish(keeping: true, now: 2_000)
            writer.record(exchanged("/y"), outcomes)
            #expect(outcomes.numbers == [1] && outcomes.failures == 1)
        }
    }

    @Test func keepsRulesAsTheyAre() throws {
        try withPath { path in
            try CassetteWriter.make(path).finish(keeping: true, now: 2_000)
            let texts: [(Rule.Action, String)] = [
                (.ignore, "json:$['a b'] for GET /x"), (.map, "path s/[0-9]+/N\\0/ for * /**"),
                (.play, "once for GET /"),
            ]
            let rules = try texts.map { try Rule($0.0, $0.1) }
            let writer = try CassetteWriter.make(path)
            writer.record(exchanged("/x"))
            try writer.finish(keeping: true, now: 2_000)
            _ = try CassetteEditor.add(rules, to: path)
            _ = try CassetteEditor.add(rules, to: path)
            let version = try Rule(.require, "key:\(KeyVersion.current)")
            #expect(try CassetteReader(path: path).numberedRules().map(\.rule) == [version] + rules)
        }
    }

    @Test func findsTheAnswersOfAVariant() throws {
        try withPath { path in
            let writer = try CassetteWriter.make(path)
            for (language, vary) in [
                ("de", "Accept-Language"), ("en", "accept-language, x"), ("de", "Accept-Language"),
            ] {
                var one = exchanged("/x")
                one.request.fields = ["Accept-Language": "\(language)"]
                one.response.fields = ["Vary": "\(vary)"]
                writer.record(one)
            }
            try writer.finish(keeping: true, now: 2_000)
            let recording = try PlaybackReader(path: path)
            #expect(recording.hasVariants)
            func numbers(_ language: String) throws -> [Int64?] {
                var request = exchanged("/x").request
                request.fields = ["ACCEPT-LANGUAGE": "\(language)"]
                let key = try recording.playbackKey(exchanged("/x").matchKey, for: MatchKeyBuilder(request))
                return [
                    try recording.first(key, after: 0, before: .max), try recording.first(key, after: 1, before: .max),
                    try recording.last(key, before: .max),
                ]
            }
            #expect(try numbers("de") == [1, 3, 3])
            #expect(try numbers("en") == [2, 2, 2])
            #expect(try numbers("fr") == [1, 2, 3])
        }
    }

    @Test func readsBesideAWriter() throws {
        try withPath { path in
            let writer = try CassetteWriter.make(path)
            let reader = try CassetteReader(path: path)
            #expect(try reader.isEmpty())
            writer.record(exchanged("/x"))
            writer.record(exchanged("/y"))
            while try reader.count() < 2 {}
            reader.close()
            try writer.finish(keeping: true, now: 2_000)
            #expect(try CassetteReader(path: path).newestID() == 2)
        }
    }

    /// Runs that come and go on one file, half of them for nothing: each must find a whole cassette, and what one
    /// records must not be lost with a file that another removes.
    @Test func emptyRunsTakeNothingOfOthersWithThem() throws {
        try withPath { path in
            let (rounds, outcomes) = (40, Outcomes())
            DispatchQueue.concurrentPerform(iterations: rounds) { round in
                do {
                    let writer = try CassetteWriter.make(path, .missing)
                    if !round.isMultiple(of: 3) { writer.record(exchanged("/\(round)"), outcomes) }
                    try writer.finish(keeping: true, now: 2_000)
                } catch {
                    Issue.record(error)
                }
            }
            #expect(outcomes.failures == 0)
            let count = try CassetteReader(path: path).count()
            #expect(count == rounds - (rounds + 2) / 3)
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
            let files = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(files == ["a.cassette"])
        }
    }

    @Test func removesInteractionsAndTheirBodies() throws {
        try withPath { path in
            let writer = try CassetteWriter.make(path)
            let marker = Array("a text that must be gone".utf8)
            writer.record(exchanged("/x"), response: marker)
            writer.record(exchanged("/y"), response: [1])
            try writer.finish(keeping: true, now: 2_000)
            #expect(throws: CassetteError.self) { try CassetteEditor.remove([1...1, 9...9], from: path) }
            #expect(throws: CassetteError.self) { try CassetteEditor.remove([1...9], from: path) }
            #expect(try CassetteReader(path: path).count() == 2)
            #expect(try CassetteEditor.remove([1...1], from: path) == 1)
            #expect(try CassetteReader(path: path).count() == 1)
            let file = try Data(contentsOf: URL(fileURLWithPath: path))
            #expect(file.range(of: Data(marker)) == nil)
        }
    }

    /// Pages are split while rows move, so a redacted file must have no copies in its gaps.
    @Test func nothingIsLeftOfWhatWasRedactedLater() throws {
        try withPath { path in
            let secret = "hT5jR8wE1qNs6VbK3mXd"
            let writer = try CassetteWriter.make(path)
            for number in 0..<60 {
                writer.record(exchanged("/l/\(number)?who=\(secret)"), response: Array("you are \(secret)".utf8))
            }
            try writer.finish(keeping: true, now: 2_000)
            func copies() throws -> Int {
                let file = try Data(contentsOf: URL(fileURLWithPath: path))
                return String(decoding: file, as: UTF8.self).split(separator: secret, omittingEmptySubsequences: false)
                    .count - 1
            }
            #expect(try copies() > 60)
            let declared = try DeclaredSecret("who", Array(secret.utf8))
            try CassetteEditor.redact([try Rule(.redact, part: "secret:who")], secrets: [declared], in: path)
            #expect(try copies() == 0)
        }
    }

    /// Small ones are committed beside tests; pages of large ones are of the usual size.
    @Test func aSmallCassetteIsSmall() throws {
        try withPath { path in
            func size() throws -> Int { try Data(contentsOf: URL(fileURLWithPath: path)).count }
            func pageSize() throws -> Int64? {
                try DatabaseQueue(path: path).read { try $0.firstInteger("PRAGMA page_size") }
            }
            let writer = try CassetteWriter.make(path)
            writer.record(exchanged("/x"), response: Array(repeating: 0x61, count: 1024))
            try writer.finish(keeping: true, now: 2_000)
            #expect(try size() <= 24 << 10)
            #expect(try pageSize() == 512)

            let later = try CassetteWriter.make(path, .missing)
            for number in 0..<100 {
                later.record(exchanged("/y/\(number)"), response: Array(repeating: UInt8(number), count: 8192))
            }
            try later.finish(keeping: true, now: 3_000)
            #expect(try pageSize() == 4096)
            #expect(try CassetteReader(path: path).count() == 101)

            #expect(try CassetteEditor.remove([2...101], from: path) == 100)
            #expect(try size() <= 24 << 10)
            #expect(try CassetteReader(path: path).count() == 1)
        }
    }

    @Test func aRecordingThatWouldMissItselfFailsLoudly() throws {
        try withPath { path in
            let writer = try CassetteWriter.make(path)
            var wrong = exchanged("/x")
            wrong.matchKey = exchanged("/y").matchKey
            writer.commit(NewInteraction(content: wrong, requestBody: .none, responseBody: .none)) { _ in }
            let error = #expect(throws: CassetteError.self) { try writer.finish(keeping: true, now: 2_000) }
            #expect(error?.reason.contains("interaction 1") == true)
            // It is kept, as one file.
            #expect(try CassetteReader(path: path).count() == 1)
            #expect(!FileManager.default.fileExists(atPath: path + "-wal"))
        }
    }

    @Test func rulesTravelInTheCassetteAndChangeItsKeys() throws {
        try withPath { path in
            let writer = try CassetteWriter.make(path)
            for target in ["/x?ts=1", "/x?ts=2", "/y"] { writer.record(exchanged(target)) }
            try writer.finish(keeping: true, now: 2_000)
            let (version, rule) = (try Rule(.require, "key:\(KeyVersion.current)"), try Rule(.ignore, "query:ts"))
            #expect(try CassetteEditor.add([rule], to: path) == KeyChanges(merged: [[1, 2]], parted: []))
            #expect(try CassetteEditor.add([rule], to: path) == KeyChanges())
            let reader = try CassetteReader(path: path)
            #expect(try reader.rules().rules == [version, rule])
            let keys = try (1...3).map { try reader.interaction($0)?.content.matchKey }
            #expect(keys[0] == keys[1] && keys[0] == exchanged("/x").matchKey && keys[2] == exchanged("/y").matchKey)
            reader.close()

            // Another episode records by the same rules.
            let later = try CassetteWriter.make(path, .missing)
            #expect(later.rules.rules == [version, rule])
            try later.finish(keeping: true, now: 3_000)

            #expect(throws: CassetteError.self) { try CassetteEditor.removeRules([2, 9], from: path) }
            #expect(try CassetteEditor.removeRules([2], from: path) == KeyChanges(merged: [], parted: [[1, 2]]))
            #expect(try CassetteReader(path: path).interaction(1)?.content.matchKey == exchanged("/x?ts=1").matchKey)
        }
    }
}
