/// The schema of messages of gRPC, from a `FileDescriptorSet`, as `protoc --include_imports --descriptor_set_out` writes it.
package struct ProtobufSchema: Sendable {
    /// A field of a message, as far as it is shown.
    struct Field: Sendable {
        enum Kind: Sendable {
            case text
            case bytes
            case bool
            case signed
            /// In zigzag encoding.
            case zigzag
            case unsigned
            case float
            case double
            /// By its full name.
            case message(String)
            case enumeration(String)
        }

        let name: String
        let kind: Kind
    }

    /// Fields by number, of messages by full name, with a leading dot.
    private var messages: [String: [Int: Field]] = [:]
    private var enumerations: [String: [Int: String]] = [:]
    /// The types that a method takes and gives, by its path: `/package.Service/Method`.
    private var methods: [String: (input: String, output: String)] = [:]

    /// Nil if these bytes are no such set, or one without messages.
    package init?(_ bytes: [UInt8]) {
        guard let set = WireMessage(bytes[...]) else { return nil }
        for file in set.messages(1) { add(file: file) }
        if messages.isEmpty { return nil }
    }

    private mutating func add(file: WireMessage) {
        let package = file.text(2).map { "." + $0 } ?? ""
        for message in file.messages(4) { add(message, in: package, depth: 0) }
        for enumeration in file.messages(5) { add(enumeration: enumeration, in: package) }
        for service in file.messages(6) {
            for method in service.messages(2) {
                let path = "/\((package + "." + (service.text(1) ?? "")).dropFirst())/\(method.text(1) ?? "")"
                methods[path] = (method.text(2) ?? "", method.text(3) ?? "")
            }
        }
    }

    private mutating func add(_ message: WireMessage, in scope: String, depth: Int) {
        let name = "\(scope).\(message.text(1) ?? "")"
        var fields: [Int: Field] = [:]
        for field in message.messages(2) {
            guard let number = field.number(3) else { continue }
            let kind = Self.kind(field.number(5) ?? 0, field.text(6) ?? "")
            fields[number] = Field(name: field.text(1) ?? String(number), kind: kind)
        }
        messages[name] = fields
        for enumeration in message.messages(4) { add(enumeration: enumeration, in: name) }
        guard depth < 64 else { return }
        for nested in message.messages(3) { add(nested, in: name, depth: depth + 1) }
    }

    private mutating func add(enumeration: WireMessage, in scope: String) {
        var names: [Int: String] = [:]
        for value in enumeration.messages(2) { names[value.number(2) ?? 0] = value.text(1) }
        enumerations["\(scope).\(enumeration.text(1) ?? "")"] = names
    }

    /// `FieldDescriptorProto.Type`.
    private static func kind(_ type: Int, _ name: String) -> Field.Kind {
        switch type {
        case 1: .double
        case 2: .float
        case 3, 5, 15, 16: .signed
        case 8: .bool
        case 9: .text
        case 11: .message(name)
        case 12: .bytes
        case 14: .enumeration(name)
        case 17, 18: .zigzag
        default: .unsigned
        }
    }

    /// The name of the type of a call's messages; nil if the schema does not have it.
    ///
    /// - Parameter target: of the call.
    package func type(of target: [UInt8], isRequest: Bool) -> String? {
        guard let method = methods[String(decoding: target, as: UTF8.self)] else { return nil }
        return isRequest ? method.input : method.output
    }

    func fields(of type: String) -> [Int: Field]? { messages[type] }

    func name(_ value: Int, of enumeration: String) -> String? { enumerations[enumeration]?[value] }
}

extension WireMessage {
    fileprivate func messages(_ number: Int) -> [WireMessage] {
        fields.compactMap { field in
            guard field.number == number, case .bytes(let bytes) = field.value else { return nil }
            return WireMessage(bytes)
        }
    }

    fileprivate func text(_ number: Int) -> String? {
        for field in fields where field.number == number {
            if case .bytes(let bytes) = field.value { return String(decoding: bytes, as: UTF8.self) }
        }
        return nil
    }

    fileprivate func number(_ number: Int) -> Int? {
        for field in fields where field.number == number {
            if case .varint(let value) = field.value { return Int(truncatingIfNeeded: value) }
        }
        return nil
    }
}
