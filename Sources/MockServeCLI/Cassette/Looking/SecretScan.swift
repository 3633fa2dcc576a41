import CassetteStore
import HTTPMessages
import MockServeCore

/// Looks for what recording would have redacted.
enum SecretScan {
    enum Subject {
        case interaction(Int64)
        case stub(Int64)

        /// As `list` shows it.
        var short: String {
            switch self {
            case .interaction(let number): "#\(number)"
            case .stub(let number): "stub \(number)"
            }
        }
    }

    struct Findings {
        var notes: [(Subject, RedactionNotes.Note)] = []
        /// What could not be looked at.
        var unread: [(Subject, place: String, reason: String)] = []
    }

    /// How often it begins again because it has learned something.
    private static let passes = 4

    /// What kind of secret it is.
    static func kind(of note: RedactionNotes.Note) -> String {
        // The number means nothing here.
        note.placeholder.split(separator: ".").dropFirst().first.map(String.init) ?? "secret"
    }

    /// - Parameter rules: by which is looked, with those by which the cassette redacts; what it keeps on purpose is no finding.
    static func findings(_ reader: CassetteReader, _ rules: [Rule], _ known: KnownSecrets) throws -> Findings {
        // Of the catalog, the version that is asked for counts.
        let own = try reader.rules().rules.filter { $0.redaction != nil && !$0.isDefaultRedaction }
        guard let all = RuleSet(rules + own, secrets: known).redactor else { return Findings() }
        // What one shows to be secret may be in another: then all of them are looked at again.
        var found = Findings()
        for _ in 0..<passes {
            let version = all.learnedVersion
            found = try findings(all, reader)
            if all.learnedVersion == version { break }
        }
        return found
    }

    private static func findings(_ all: Redactor, _ reader: CassetteReader) throws -> Findings {
        var found = Findings()
        // Beyond all numbers that are there.
        let book = PlaceholderBook(["": 1 << 40])
        try reader.forEach { interaction in
            var content = interaction.content
            let redactor = all.applying(to: content.request)
            func body(_ reference: BodyReference?, _ fields: Fields, _ place: String) throws -> BodyRedaction? {
                guard let reference else { return nil }
                var redaction = BodyRedaction(redactor, fields, place, book)
                for number in 0..<BodySlices.count(of: reference.size) {
                    _ = redaction.push(try reader.slice(number, of: reference))
                }
                do {
                    _ = try redaction.finish()
                } catch {
                    found.unread.append((.interaction(interaction.id), place, String(describing: error)))
                    return nil
                }
                return redaction
            }
            let request = try body(interaction.requestBody, content.request.fields, "request body")
            let response = try body(interaction.responseBody, content.response.fields, "response body")
            content.redact(redactor, book, request, response)
            found.notes += content.redactions.notes.map { (.interaction(interaction.id), $0) }
            return true
        }
        for stored in try reader.stubs() {
            var (stub, body) = (stored.stub, try reader.body(of: stored))
            do {
                let notes = try stub.redact(all, &body, book)
                found.notes += notes.notes.map { (.stub(stored.number), $0) }
            } catch let refusal as BodyRedaction.Refusal {
                found.unread.append((.stub(stored.number), "response body", refusal.description))
            }
        }
        return found
    }
}
