import GRDB
import HTTPMessages
import MockServeCore

/// What redacting a cassette did.
package struct RedactionChanges: Sendable {
    /// How many secrets were replaced, by kind.
    package var counts: [String: Int] = [:]
    /// Bodies that could not be searched, and stay as they are, each with the reason.
    package var unread: [(interaction: Int64, reason: String)] = []
    /// Stubs in which something stays: a body that could not be searched, or a secret that is asked for.
    package var keptInStubs: [(stub: Int64, reason: String)] = []

    mutating func add(_ more: RedactionChanges) {
        counts.merge(more.counts, uniquingKeysWith: +)
        unread += more.unread
        keptInStubs += more.keptInStubs
    }

    /// What stays, in words.
    package var left: [(subject: String, reason: String)] {
        unread.map { ("interaction \($0.interaction)", $0.reason) } + keptInStubs.map { ("stub \($0.stub)", $0.reason) }
    }

    /// - Throws: `CassetteError` if something stays.
    func refuse(path: String) throws {
        guard let (subject, reason) = left.first else { return }
        throw CassetteError(.unwritable, path: path, "was not changed: \(subject) cannot be redacted: \(reason).")
    }

    /// Adds what a further pass over the same did.
    mutating func follow(_ next: RedactionChanges) {
        (unread, keptInStubs) = ([], [])
        add(next)
    }
}

/// Redacts what is already in a cassette.
enum RedactionSQL {
    /// Replaces the secrets in every interaction. Bodies that nothing refers to any more are left to
    /// `EpisodeSQL.removeUnused`.
    ///
    /// - Parameters:
    ///   - numbers: of the interactions that are looked at.
    ///   - each: called with what was replaced in an interaction.
    /// - Returns: what was replaced, and the bodies that could not be redacted and stay as they are.
    static func redact(
        _ all: Redactor,
        _ rules: RuleSet,
        in numbers: ClosedRange<Int64> = 1...Int64.max,
        _ db: Database,
        path: String,
        _ book: PlaceholderBook,
        _ each: (Int64, RedactionNotes.Note) -> Void = { _, _ in }
    ) throws -> RedactionChanges {
        var bodies = BodyWriter()
        var changes = RedactionChanges()
        var last = numbers.lowerBound - 1
        while let interaction = try RuleSQL.next(db, after: last), interaction.id <= numbers.upperBound {
            last = interaction.id
            let redactor = all.applying(to: interaction.request)
            let fields = (request: interaction.request.fields, response: interaction.response.fields)
            let request = try body(interaction.requestBody, interaction.id) {
                BodyRedaction(redactor, fields.request, "request body", book)
            }
            let response = try body(interaction.responseBody, interaction.id) {
                BodyRedaction(redactor, fields.response, "response body", book)
            }
            var content = interaction.content
            content.redact(redactor, book, request.redaction, response.redaction)
            guard !content.redactions.isEmpty else { continue }
            changes.counts.merge(content.redactions.counts, uniquingKeysWith: +)
            for note in content.redactions.notes { each(interaction.id, note) }
            try InteractionRow.update(
                interaction.id,
                content,
                requestBody: request.id,
                responseBody: response.id,
                rules,
                db
            )
        }
        return changes

        /// The number of the redacted body, and its redaction; nil if there is no body.
        func body(
            _ reference: BodyReference?,
            _ interaction: Int64,
            _ make: () -> BodyRedaction
        ) throws -> (id: Int64?, redaction: BodyRedaction?) {
            guard let reference else { return (nil, nil) }
            var redaction = make()
            var upload = BodyUpload()
            do {
                for number in 0..<BodySlices.count(of: reference.size) {
                    let slice = try BodySQL.slice(number, of: reference, db, path: path)
                    try upload.append(redaction.push(slice), &bodies, db)
                }
                try upload.append(redaction.finish(), &bodies, db)
            } catch let refusal as BodyRedaction.Refusal {
                try upload.discard(&bodies, db)
                changes.unread.append((interaction, refusal.description))
                return (reference.id, nil)
            }
            guard !redaction.notes.isEmpty else {
                try upload.discard(&bodies, db)
                return (reference.id, redaction)
            }
            return (try upload.finish(&bodies, db), redaction)
        }
    }

    /// Replaces the secrets in everything. What a later one shows to be secret may be in an earlier one.
    static func redactAll(
        _ redactor: Redactor,
        _ rules: RuleSet,
        _ db: Database,
        path: String,
        _ book: PlaceholderBook,
        _ each: (Int64, RedactionNotes.Note) -> Void = { _, _ in },
        ofStub eachOfStub: (Int64, RedactionNotes.Note) -> Void = { _, _ in }
    ) throws -> RedactionChanges {
        var changes = RedactionChanges()
        var version: Int
        // It ends, because what can be learned is bounded.
        repeat {
            version = redactor.learnedVersion
            changes.follow(try redact(redactor, rules, db, path: path, book, each))
            changes.add(try redactStubs(redactor, db, path: path, book, eachOfStub))
        } while redactor.learnedVersion != version
        return changes
    }

    /// The same in the answers of stubs. What a stub asks for stays, because requests are compared with it.
    static func redactStubs(
        _ redactor: Redactor,
        _ db: Database,
        path: String,
        _ book: PlaceholderBook,
        _ each: (Int64, RedactionNotes.Note) -> Void = { _, _ in }
    ) throws -> RedactionChanges {
        var bodies = BodyWriter()
        var changes = RedactionChanges()
        for (stored, original) in try StubSQL.loaded(db, path: path) {
            var (stub, body) = (stored.stub, original)
            do {
                let notes = try stub.redact(redactor, &body, book)
                if let note = notes.notes.first(where: \.isOfRequest) {
                    changes.keptInStubs.append((stored.number, "it asks for a secret (\(note.place)); remove it"))
                }
                guard stub.response != stored.stub.response || stub.trailers != stored.stub.trailers || body != original
                else { continue }
                guard body.count <= StubSQL.bodyLimit else {
                    changes.keptInStubs.append(
                        (stored.number, "its body would be too long with what replaces the secrets")
                    )
                    continue
                }
                changes.counts.merge(notes.counts, uniquingKeysWith: +)
                for note in notes.notes where !note.isOfRequest { each(stored.number, note) }
                try StubSQL.update(stored.number, stub, body: try bodies.write(body, db), db)
                try PlaceholderSQL.raise(notes.highest, db)
            } catch let refusal as BodyRedaction.Refusal {
                changes.keptInStubs.append((stored.number, refusal.description))
            }
        }
        return changes
    }
}
