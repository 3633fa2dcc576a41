import ArgumentParser
import CassetteStore
import Foundation
import HTTPMessages
import MockServe
import MockServeCore

/// What the commands that write answers by hand have in common.
enum WrittenAnswer {
    /// The rules to add: what was asked for, and in a new or empty cassette the default redaction, as in a recording.
    static func rules(_ redaction: RedactOptions, _ secrets: SecretOptions, for cassette: String) throws -> [Rule] {
        let asked = try redaction.rules + secrets.declared().map { try Rule(.redact, part: "secret:\($0.kind)") }
        let older = try existing(cassette)
        defer { older?.close() }
        guard !redaction.noDefaultRedaction else {
            if let error = try older.flatMap({ try MockServeError(stoppingRedactionOf: $0) }) { throw error }
            return asked
        }
        guard try older.map({ try $0.isEmpty() && $0.stubCount() == 0 }) ?? true else { return asked }
        return [try Rule(.redact, part: "catalog:\(RedactionCatalog.version)")] + asked
    }

    /// Nil if there is no file, or it is empty.
    static func existing(_ cassette: String) throws -> CassetteReader? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: cassette)
        guard let size = attributes?[.size] as? Int, size > 0 else { return nil }
        return try CassetteReader(path: cassette)
    }

    static func say(redacted: [String: Int]) {
        let told = redacted.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        if !told.isEmpty { Console.say("mockserve: redacted: " + told.joined(separator: ", ")) }
    }
}
