package import HTTPMessages

/// Messages of gRPC as lines of text: in the text format of Protocol Buffers where their schema is known, otherwise with the
/// numbers of the fields, and as what their bytes look like.
package struct MessageText {
    /// How deep messages within messages are shown.
    private static let depthLimit = 32
    /// Bytes of a value that are shown.
    private static let valueLimit = 4096

    private let schema: ProtobufSchema?

    package init(_ schema: ProtobufSchema? = nil) { self.schema = schema }

    /// The messages of a body; nil if it does not consist of messages.
    ///
    /// - Parameters:
    ///   - fields: of the message of HTTP.
    ///   - type: of the messages, by its name in the schema.
    package func lines(_ body: [UInt8], _ fields: Fields, type: String? = nil) -> [String]? {
        guard let payloads = Self.payloads(of: body, fields) else { return nil }
        return payloads.enumerated().flatMap { index, payload in
            ["message \(index + 1), \(Counted.text(payload.count, "byte"))"]
                + lines(payload, type: type).map { "  " + $0 }
        }
    }

    /// The payloads of a body, without compression; nil if it does not consist of messages.
    static func payloads(of body: [UInt8], _ fields: Fields) -> [[UInt8]]? {
        guard let binary = fields.formOfGRPC?.binary(body) else { return nil }
        let messages = GRPCMessage.all(in: binary)
        guard !messages.isEmpty, messages.last?.range.upperBound == binary.count else { return nil }
        let encoding = fields.first("grpc-encoding")
        return messages.map { message in
            let payload = Array(message.payload)
            return message.isCompressed ? GRPCMessage.decoded(payload, encoding) : payload
        }
    }

    private func lines(_ payload: [UInt8], type: String?) -> [String] {
        guard let message = WireMessage(payload[...]) else { return [Self.shown(payload[...])] }
        return lines(message, type: type, depth: 0)
    }

    private func lines(_ message: WireMessage, type: String?, depth: Int) -> [String] {
        let known = type.flatMap { schema?.fields(of: $0) }
        var groups = 0
        return message.fields.flatMap { field -> [String] in
            // What is in a group has numbers of its own.
            let own = groups == 0 ? known?[field.number] : nil
            let name = own?.name ?? String(field.number)
            let isGroup = field.value == .groupStart
            if isGroup || field.value == .groupEnd {
                groups += isGroup ? 1 : -1
                return [isGroup ? "\(name) {" : "}"]
            }
            guard case .bytes(let bytes) = field.value else { return ["\(name): \(scalar(field.value, own?.kind))"] }
            guard let nested = nested(bytes, own?.kind, depth) else {
                return ["\(name): \(value(bytes, own?.kind))"]
            }
            var nestedType: String?
            if case .message(let type) = own?.kind { nestedType = type }
            let inner = lines(nested, type: nestedType, depth: depth + 1)
            return ["\(name) {"] + inner.map { "  " + $0 } + ["}"]
        }
    }

    /// The message that a field holds; nil if it is none, as far as is known.
    private func nested(_ bytes: ArraySlice<UInt8>, _ kind: ProtobufSchema.Field.Kind?, _ depth: Int) -> WireMessage? {
        guard depth < Self.depthLimit else { return nil }
        switch kind {
        case .message: return WireMessage(bytes)
        case nil: return bytes.isEmpty || Self.isText(bytes) ? nil : WireMessage(bytes)
        default: return nil
        }
    }

    private func value(_ bytes: ArraySlice<UInt8>, _ kind: ProtobufSchema.Field.Kind?) -> String {
        switch kind {
        case .text: Self.quoted(bytes)
        case .bytes: Self.isText(bytes) ? Self.quoted(bytes) : Self.hex(bytes)
        // Numbers in one field.
        case .signed, .unsigned, .zigzag, .bool, .enumeration, .float, .double: packed(bytes, kind)
        case .message, nil: Self.shown(bytes)
        }
    }

    private func packed(_ bytes: ArraySlice<UInt8>, _ kind: ProtobufSchema.Field.Kind?) -> String {
        // Each as if it were a field of its own.
        var values: [String] = []
        var rest = bytes
        while !rest.isEmpty {
            let tag: UInt8
            let count: Int
            switch kind {
            case .float: (tag, count) = (0x0D, 4)
            case .double: (tag, count) = (0x09, 8)
            default: (tag, count) = (0x08, (rest.firstIndex { $0 < 0x80 } ?? rest.endIndex - 1) - rest.startIndex + 1)
            }
            guard let field = WireMessage(([tag] + rest.prefix(count))[...])?.fields.first else {
                return Self.hex(bytes)
            }
            values.append(scalar(field.value, kind))
            rest = rest.dropFirst(count)
        }
        return "[\(values.joined(separator: ", "))]"
    }

    private func scalar(_ value: WireMessage.Value, _ kind: ProtobufSchema.Field.Kind?) -> String {
        switch (value, kind) {
        case (.varint(let number), .bool): number == 0 ? "false" : "true"
        case (.varint(let number), .signed): String(Int64(bitPattern: number))
        case (.varint(let number), .zigzag): String(Int64(bitPattern: number >> 1) ^ -Int64(bitPattern: number & 1))
        case (.varint(let number), .enumeration(let name)):
            schema?.name(Int(truncatingIfNeeded: number), of: name) ?? String(Int64(bitPattern: number))
        case (.varint(let number), _): String(number)
        case (.fixed64(let bits), .double): Double(bitPattern: bits).description
        case (.fixed64(let bits), .signed): String(Int64(bitPattern: bits))
        case (.fixed64(let bits), _): String(bits)
        case (.fixed32(let bits), .float): Float(bitPattern: bits).description
        case (.fixed32(let bits), .signed): String(Int32(bitPattern: bits))
        case (.fixed32(let bits), _): String(bits)
        case (.bytes(let bytes), _): Self.shown(bytes)
        case (.groupStart, _): "{"
        case (.groupEnd, _): "}"
        }
    }

    private static func isText(_ bytes: ArraySlice<UInt8>) -> Bool { BodyText.isText(Array(bytes)) }

    private static func shown(_ bytes: ArraySlice<UInt8>) -> String { isText(bytes) ? quoted(bytes) : hex(bytes) }

    private static func quoted(_ bytes: ArraySlice<UInt8>) -> String {
        let text = String(decoding: bytes.prefix(valueLimit), as: UTF8.self)
        return JSONText.string(text) + more(bytes)
    }

    private static func hex(_ bytes: ArraySlice<UInt8>) -> String {
        let digits = bytes.prefix(valueLimit).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return "0x" + digits + more(bytes)
    }

    private static func more(_ bytes: ArraySlice<UInt8>) -> String {
        bytes.count > valueLimit ? " (\(bytes.count) bytes)" : ""
    }

    // MARK: Differences

    /// How the messages of two requests differ, field by field; nil if they do not both consist of messages.
    static func differences(
        _ asked: (body: [UInt8], fields: Fields),
        _ recorded: (body: [UInt8], fields: Fields)
    ) -> [Difference]? {
        guard let one = payloads(of: asked.body, asked.fields), let other = payloads(of: recorded.body, recorded.fields)
        else { return nil }
        var found: [Difference] = []
        for index in 0..<max(one.count, other.count) {
            let place = "message \(index + 1)"
            guard index < one.count, index < other.count else {
                let sizes = [one, other].map { index < $0.count ? Counted.text($0[index].count, "byte") : nil }
                found.append(Difference(place, asked: sizes[0], recorded: sizes[1]))
                continue
            }
            guard one[index] != other[index] else { continue }
            let (left, right) = (leaves(one[index]), leaves(other[index]))
            for name in (left.map(\.name) + right.map(\.name)).reduce(
                into: [String](),
                { if !$0.contains($1) { $0.append($1) } }
            ) {
                let values = [left, right].map { side in
                    let own = side.filter { $0.name == name }.map(\.value)
                    return own.isEmpty ? nil : own.joined(separator: ", ")
                }
                guard values[0] != values[1] else { continue }
                found.append(
                    Difference(name.isEmpty ? place : "\(place) field \(name)", asked: values[0], recorded: values[1])
                )
            }
        }
        return found
    }

    /// The fields of a message that hold no messages, with the way to them. Only the first are looked at.
    private static func leaves(_ payload: [UInt8]) -> [(name: String, value: String)] {
        guard let message = WireMessage(payload[...]), !message.fields.isEmpty else {
            return [("", shown(payload[...]))]
        }
        var found: [(name: String, value: String)] = []
        func add(_ message: WireMessage, _ path: String, _ depth: Int) {
            for field in message.fields where found.count < 200 {
                let name = path + String(field.number)
                if case .bytes(let bytes) = field.value, let nested = MessageText().nested(bytes, nil, depth) {
                    add(nested, name + ".", depth + 1)
                } else {
                    found.append((name, MessageText().scalar(field.value, nil)))
                }
            }
        }
        add(message, "", 0)
        return found
    }
}
