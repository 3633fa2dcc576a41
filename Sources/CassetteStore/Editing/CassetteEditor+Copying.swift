import GRDB
package import HTTPMessages
import MockServeCore

extension CassetteEditor {
    /// Copies interactions into another cassette, in their order, after what is there. A new cassette gets the rules and stubs
    /// of the first one; in others, their own rules hold: also those of redaction.
    ///
    /// - Parameters:
    ///   - numbers: in the source.
    ///   - path: of the other cassette, which is made if it is not there.
    /// - Returns: the numbers that they have there.
    /// - Throws: `CassetteError`; then nothing was changed.
    @discardableResult
    package static func copy(_ numbers: [Int64], from source: CassetteReader, to path: String) throws -> [Int64] {
        if let error = CassetteError.unresolved(try source.conflicts(), path: source.path) { throw error }
        return try change(path, creates: true) { db in
            try EpisodeSQL.refuseWhileOpen(db, path: path)
            return try source.read { other in
                let isNew = try ["episode", "rule", "stub"].allSatisfy { table in
                    try db.firstInteger("SELECT 1 FROM \(table) LIMIT 1") == nil
                }
                if !numbers.isEmpty { try PlaceholderSQL.refuseMixed(nil, db, path: path, other, path: source.path) }
                var copy = try RowCopy(from: other, to: db)
                let theirs = try RuleSQL.all(other, path: source.path).rules
                if isNew {
                    _ = try RuleSQL.add(theirs, db, path: path)
                    try StubSQL.forEach(other, path: source.path) { try copy.stub($0.number, as: $0.number) }
                }
                var last = try db.firstInteger("SELECT max(id) FROM interaction") ?? 0
                guard last < MergeEntries.largest else { throw InteractionRow.Malformed(column: "id", id: last) }
                var copied: [Int64] = []
                for number in numbers {
                    last += 1
                    try copy.interaction(number, as: last)
                    copied.append(last)
                }
                let used = "SELECT DISTINCT origin FROM interaction WHERE id >= ?1"
                var origins: Set<String> = []
                try db.query(used, [.integer(copied.first ?? 0)]) { row in
                    origins.insert(row.text(0))
                    return true
                }
                let upstreams = try CassetteReader.upstreams(other, path: source.path)
                try EpisodeSQL.register(upstreams.filter { origins.contains($0.origin.description) }, db, path: path)
                try PlaceholderSQL.raise(try PlaceholderSQL.last(other), db)
                let rules = try RuleSQL.all(db, path: path)
                if rules.rules != theirs {
                    let known = KnownSecrets([], learned: LearnedSecrets())
                    if let redactor = try RuleSQL.all(db, path: path, secrets: known).redactor {
                        let book = PlaceholderBook(try PlaceholderSQL.last(db))
                        try RedactionSQL.redactAll(redactor, rules, db, path: path, book).refuse(path: path)
                        try EpisodeSQL.removeUnused(db)
                    }
                    _ = try RuleSQL.recomputeKeys(db, path: path)
                }
                return copied
            }
        }
    }

    /// Gives an upstream another origin: what was recorded from it, and where its origin occurs in fields and in bodies that
    /// are text.
    ///
    /// - Returns: how many interactions were changed.
    /// - Throws: `CassetteError`, also if there is nothing from `old`, or there is an upstream with the new origin already; then
    ///   nothing was changed.
    package static func renameOrigin(_ old: Origin, to new: Origin, isDryRun: Bool = false, in path: String) throws
        -> Int
    {
        try change(path, isDryRun: isDryRun) { db in
            try EpisodeSQL.refuseWhileOpen(db, path: path)
            let (from, to) = (old.description, new.description)
            guard try db.firstInteger("SELECT 1 FROM upstream WHERE origin = ?1", [.text(from)]) != nil else {
                throw CassetteError(.unreadable, path: path, "has no upstream \(from); nothing was changed.")
            }
            guard try db.firstInteger("SELECT 1 FROM upstream WHERE origin = ?1", [.text(to)]) == nil else {
                throw CassetteError(.unwritable, path: path, "has an upstream \(to) already; nothing was changed.")
            }
            try db.query("UPDATE upstream SET origin = ?2 WHERE origin = ?1", [.text(from), .text(to)])
            let map = OriginText(old, new)
            var bodies = BodyWriter()
            var last: Int64 = 0
            var count = 0
            while let interaction = try RuleSQL.next(db, after: last) {
                last = interaction.id
                guard let edit = try map.edit(interaction, db, path: path) else { continue }
                try EditSQL.write(interaction.id, edit, &bodies, db, path: path)
                count += 1
            }
            try EpisodeSQL.removeUnused(db)
            _ = try RuleSQL.recomputeKeys(db, path: path)
            return count
        }
    }

    /// Writes the file anew, without what nothing refers to and without unused pages.
    ///
    /// - Throws: `CassetteError`, also if somebody else is recording into it.
    package static func compact(_ path: String) throws {
        _ = try change(path, allowsConflicts: true, rewritesIf: { true }) { db in
            try EpisodeSQL.removeUnused(db)
        }
    }

    /// Brings a cassette up to the newest version of the schema.
    ///
    /// - Parameter backup: where a copy of it as it is goes first; nil for none.
    /// - Returns: its version before.
    package static func upgrade(_ path: String, backup: String?) throws -> Int {
        let before = try CassetteReader(path: path).version()
        guard before < CassetteReader.newestVersion else { return before }
        if let backup { try CassetteCopy.make(of: path, to: backup) { _ in } }
        try change(path, allowsConflicts: true) { _ in }
        return before
    }
}

/// Replaces one origin by another where it occurs.
private struct OriginText {
    private let old: Origin
    private let new: Origin

    init(_ old: Origin, _ new: Origin) { (self.old, self.new) = (old, new) }

    /// Nil if it does not occur in an interaction.
    func edit(_ interaction: Interaction, _ db: Database, path: String) throws -> InteractionEdit? {
        var content = interaction.content
        let isOwn = content.origin == old.description
        if isOwn { content.origin = new.description }
        content.request.fields = replaced(content.request.fields, isHost: isOwn)
        content.response.fields = replaced(content.response.fields)
        let request = try body(interaction.requestBody, &content.request.fields, db, path: path)
        let response = try body(interaction.responseBody, &content.response.fields, db, path: path)
        if response != .unchanged { content.chunks = [] }
        guard
            isOwn || request != .unchanged || response != .unchanged
                || content.request.fields != interaction.request.fields
                || content.response.fields != interaction.response.fields
        else { return nil }
        return InteractionEdit(content, requestBody: request, responseBody: response)
    }

    private func replaced(_ fields: Fields, isHost: Bool = false) -> Fields {
        var output = Fields()
        for field in fields {
            let isName = isHost && field.isNamed("host")
            let value = isName ? Array(new.authority.utf8) : replaced(Array(field.value))
            output.append(name: field.name, value: value)
        }
        return output
    }

    /// As it is, and as JSON may escape it.
    private func replaced(_ text: [UInt8]) -> [UInt8] {
        let escaped = [old, new].map { Array($0.description.replacing("/", with: "\\/").utf8) }
        let plain = replaced(text, Array(old.description.utf8), Array(new.description.utf8))
        return replaced(plain, escaped[0], escaped[1])
    }

    private func replaced(_ text: [UInt8], _ from: [UInt8], _ to: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        var start = 0
        while let found = text.firstOffset(of: from, from: start) {
            output += text[start..<found]
            let end = found + from.count
            output += Self.goesOn(text[end...]) ? from : to
            start = end
        }
        return output + text[start...]
    }

    /// Whether it is the beginning of another host or port.
    private static func goesOn(_ rest: ArraySlice<UInt8>) -> Bool {
        func isOfName(_ byte: UInt8?) -> Bool {
            guard let byte else { return false }
            return (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || byte == UInt8(ascii: "-")
        }
        if isOfName(rest.first) { return true }
        let next = rest.dropFirst().first
        return rest.first == UInt8(ascii: ".") && isOfName(next)
            || rest.first == UInt8(ascii: ":") && next.map { $0 &- 0x30 < 10 } == true
    }

    private func body(
        _ body: BodyReference?,
        _ fields: inout Fields,
        _ db: Database,
        path: String
    ) throws -> InteractionEdit.Body {
        guard let body, let stored = try BodySQL.bytes(of: body, limit: AnswerLikeness.bodyLimit, db, path: path),
            let decoded = BodyText.decoded(stored, fields), BodyText.isText(decoded)
        else { return .unchanged }
        let changed = replaced(decoded)
        guard changed != decoded, let bytes = BodyText.coded(changed, fields) else { return .unchanged }
        if fields.contains("content-length") { fields = fields.settingContentLength(bytes.count) }
        return .bytes(bytes)
    }
}
