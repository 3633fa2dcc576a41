import Foundation
import HTTPMessages

/// What a request must have, besides method and path, for a stub to answer it.
package struct StubConditions: Sendable, Hashable {
    /// What the body must be.
    package enum Body: Sendable, Hashable {
        /// JSON with this value: the order of members and white space do not count.
        case json(JSONValue)
        /// JSON that has this in it: an object may have more members, at every depth.
        case containing(JSONValue)
        /// A form with these fields, and perhaps others.
        case form([String: String])
        /// Exactly these bytes.
        case bytes([UInt8])
    }

    /// Parameters that the query must have, among others.
    package var query: [String: String]
    /// Fields that it must have, among others. Case does not count in names.
    package var fields: [String: String]
    /// Nil for any.
    package var body: Body?

    package init(query: [String: String] = [:], fields: [String: String] = [:], body: Body? = nil) {
        (self.query, self.fields, self.body) = (query, fields, body)
    }

    package var isEmpty: Bool { query.isEmpty && fields.isEmpty && body == nil }

    package func areMet(by request: AskedRequest) -> Bool {
        areMetByHead(of: request) && body?.isMet(by: request) ?? true
    }

    package func areMetByHead(of request: AskedRequest) -> Bool {
        query.allSatisfy { Self.has($0, $1, request.query) }
            && fields.allSatisfy { name, value in request.field(name) == Array(value.utf8) }
    }

    fileprivate static func has(_ name: String, _ value: String, _ pairs: [FormPair]) -> Bool {
        pairs.contains(FormPair(name: Array(name.utf8), value: Array(value.utf8)))
    }
}

extension StubConditions.Body {
    package func isMet(by request: AskedRequest) -> Bool {
        switch self {
        case .json(let value): request.json == value
        case .containing(let value): request.json?.contains(value) ?? false
        case .form(let fields): fields.allSatisfy { StubConditions.has($0, $1, request.form) }
        case .bytes(let bytes): request.body == bytes
        }
    }
}

// MARK: As the cassette keeps them

/// A JSON object with any of `query` and `fields`, objects of strings, and one of `json`, `json_containing`, `form` (an object
/// of strings), `text` and `base64`.
extension StubConditions: Codable {
    private enum Key: String, CodingKey, CaseIterable {
        case query
        case fields
        case json
        case containing = "json_containing"
        case form
        case text
        case base64
    }

    private struct AnyKey: CodingKey {
        let stringValue: String
        let intValue: Int? = nil

        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// - Throws: `DecodingError`, also if there is a condition that is not known: without it, the stub would answer too much.
    package init(from decoder: any Decoder) throws {
        func problem(_ text: String) -> DecodingError {
            .dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: text))
        }
        let names = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
        if let unknown = names.first(where: { Key(rawValue: $0) == nil }) {
            throw problem("`\(unknown)` is no condition that is known")
        }
        let container = try decoder.container(keyedBy: Key.self)
        let bodies = container.allKeys.filter { ![.query, .fields].contains($0) }
        guard bodies.count <= 1 else { throw problem("there is more than one condition of the body") }
        query = try container.decodeIfPresent([String: String].self, forKey: .query) ?? [:]
        fields = try container.decodeIfPresent([String: String].self, forKey: .fields) ?? [:]
        switch bodies.first {
        case .json: body = .json(try container.decode(JSONValue.self, forKey: .json))
        case .containing: body = .containing(try container.decode(JSONValue.self, forKey: .containing))
        case .form: body = .form(try container.decode([String: String].self, forKey: .form))
        case .text: body = .bytes(Array(try container.decode(String.self, forKey: .text).utf8))
        case .base64: body = .bytes(Array(try container.decode(Data.self, forKey: .base64)))
        case .query, .fields, nil: body = nil
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        if !query.isEmpty { try container.encode(query, forKey: .query) }
        if !fields.isEmpty { try container.encode(fields, forKey: .fields) }
        switch body {
        case .json(let value): try container.encode(value, forKey: .json)
        case .containing(let value): try container.encode(value, forKey: .containing)
        case .form(let fields): try container.encode(fields, forKey: .form)
        case .bytes(let bytes):
            if let text = String(validating: bytes, as: UTF8.self) {
                try container.encode(text, forKey: .text)
            } else {
                try container.encode(Data(bytes), forKey: .base64)
            }
        case nil: break
        }
    }

    /// - Throws: `StubError` if `json` is not of this shape.
    package init(json: String) throws(StubError) {
        do {
            self = try JSONDecoder().decode(StubConditions.self, from: Data(json.utf8))
        } catch DecodingError.dataCorrupted(let context) {
            throw StubError("its conditions cannot be read: \(context.debugDescription)")
        } catch {
            throw StubError("its conditions cannot be read: they are not of a shape that is known")
        }
    }

    /// Equal conditions give equal text. Those of a `StubDefinition` can be written; of others, the text cannot be read.
    package var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
