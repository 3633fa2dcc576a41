import Foundation
import GRDB
import HTTPMessages
import MockServeCore

/// The proof that a recording holds none of the secrets that the scope knows: they are looked for in the bytes of the
/// file, whatever its structure, and in the write-ahead log if there is one.
struct SecretProof {
    private static let piece = 1 << 20

    let redactor: Redactor
    let path: String

    /// - Returns: what kind of secret is in the files of the cassette; nil if there is none.
    func find() throws -> String? {
        for name in [path, path + "-wal"] where FileManager.default.fileExists(atPath: name) {
            if let kind = try find(in: name) { return kind }
        }
        return nil
    }

    private func find(in name: String) throws -> String? {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: name))
        defer { try? file.close() }
        // So much of the last piece goes with the next one that nothing is missed between them.
        let overlap = redactor.longestKnown
        var text: [UInt8] = []
        while let data = try file.read(upToCount: Self.piece), !data.isEmpty {
            text += data
            if let kind = redactor.knownSecret(in: text) { return kind }
            text.removeFirst(max(0, text.count - overlap))
        }
        return nil
    }

    /// The stub that holds one, and what kind it is.
    func locateStub(_ db: Database) throws -> (id: Int64, kind: String)? {
        for (stored, body) in try StubSQL.loaded(db, path: path) {
            let stub = stored.stub
            let texts = [
                Array(stub.pattern.utf8), Array(stub.conditions.json.utf8), Array(stub.behavior.json.utf8),
                stub.response.reason ?? [],
                Array(FieldsJSON.encode(stub.response.fields).utf8), Array(FieldsJSON.encode(stub.trailers).utf8), body,
            ]
            for text in texts { if let kind = redactor.knownSecret(in: text) { return (stored.number, kind) } }
        }
        return nil
    }

    /// The interaction that holds one, and where.
    func locate(_ db: Database) throws -> (id: Int64, place: String, kind: String)? {
        var last: Int64 = 0
        while let interaction = try RuleSQL.next(db, after: last) {
            last = interaction.id
            let content = interaction.content
            let texts: [(String, [UInt8])] = [
                ("request target", content.request.target),
                ("request fields", Array(FieldsJSON.encode(content.request.fields).utf8)),
                ("response fields", Array(FieldsJSON.encode(content.response.fields).utf8)),
                ("response reason", content.response.reason ?? []),
                ("trailers", Array(FieldsJSON.encode(content.requestTrailers).utf8)),
                ("trailers", Array(FieldsJSON.encode(content.responseTrailers).utf8)),
            ]
            for (place, text) in texts {
                if let kind = redactor.knownSecret(in: text) { return (interaction.id, place, kind) }
            }
            let bodies = [("request body", interaction.requestBody), ("response body", interaction.responseBody)]
            for (place, body) in bodies {
                guard let body else { continue }
                var text: [UInt8] = []
                for number in 0..<BodySlices.count(of: body.size) {
                    text += try BodySQL.slice(number, of: body, db, path: path)
                    if let kind = redactor.knownSecret(in: text) { return (interaction.id, place, kind) }
                    text.removeFirst(max(0, text.count - redactor.longestKnown))
                }
            }
        }
        return nil
    }
}
