import Foundation

/// Any value of JSON (RFC 8259), which can be written as a literal: `["id": 1, "tags": ["a", nil]]`.
public enum JSONValue: Sendable, Hashable, Codable {
    /// `null`
    case null
    /// `true` or `false`
    case bool(Bool)
    /// A number without a fraction, from -2⁶³ to 2⁶³ - 1.
    case integer(Int64)
    /// Any other number.
    case number(Double)
    /// A string.
    case string(String)
    /// An array; the order counts.
    case array([JSONValue])
    /// An object; the order of its members does not count.
    case object([String: JSONValue])

    /// - Throws: `DecodingError` if it is none of these.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = Int64(exactly: value).map { .integer($0) } ?? .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    /// Writes the value as it is.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }

    /// The value of a text of JSON; nil if it is none, or nests too deeply.
    package init?(_ text: [UInt8]) {
        let value = text.withUnsafeBufferPointer { text in
            var reader = JSONReader(text)
            return reader.document()
        }
        guard let value else { return nil }
        self = value
    }

    /// As text of JSON, with the members of objects in the order of their names.
    package var text: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Numbers that JSON does not have cannot be written, and cannot be read either.
        return (try? encoder.encode(self)).map { Array($0) } ?? Array("null".utf8)
    }

    /// Whether it has all that another one has: members of objects at least, everything else exactly. Arrays have the same
    /// number of elements, each of which contains the other.
    package func contains(_ other: JSONValue) -> Bool {
        switch (self, other) {
        case (.object(let own), .object(let wanted)):
            wanted.allSatisfy { name, value in own[name]?.contains(value) ?? false }
        case (.array(let own), .array(let wanted)):
            own.count == wanted.count && zip(own, wanted).allSatisfy { $0.contains($1) }
        default: self == other
        }
    }
}

extension JSONValue {
    /// Whether they are the same value. Strings are compared as they are: two that only look the same differ.
    public static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.integer(let left), .integer(let right)): left == right
        case (.number(let left), .number(let right)): left == right
        case (.string(let left), .string(let right)): left.utf8.elementsEqual(right.utf8)
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        default: false
        }
    }
}

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// `nil`
    public init(nilLiteral: ()) { self = .null }
    /// `true`
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// `1`
    public init(integerLiteral value: Int64) { self = .integer(value) }
    /// `1.5`
    public init(floatLiteral value: Double) { self = Int64(exactly: value).map { .integer($0) } ?? .number(value) }
    /// `"text"`
    public init(stringLiteral value: String) { self = .string(value) }
    /// `[1, "two"]`
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    /// `["name": 1]`. Of a name that is there twice, the last value counts.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(Dictionary(elements, uniquingKeysWith: { $1 }))
    }
}
