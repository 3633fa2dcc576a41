/// A message in the encoding of Protocol Buffers, as far as that can be read without its schema: numbered fields, of which
/// some hold bytes. Whether these are a text, bytes or a message of their own, only the schema says.
package struct WireMessage: Sendable, Equatable {
    package enum Value: Sendable, Equatable {
        case varint(UInt64)
        case fixed64(UInt64)
        case fixed32(UInt32)
        case bytes(ArraySlice<UInt8>)
        /// The fields up to the end of the group are in it. Groups are of earlier versions than proto3.
        case groupStart
        case groupEnd
    }

    package struct Field: Sendable, Equatable {
        package let number: Int
        package let value: Value
        /// Number and wire type, as they were written.
        fileprivate let tag: ArraySlice<UInt8>
        /// What follows the tag.
        fileprivate let raw: ArraySlice<UInt8>
    }

    /// How deep messages within messages are looked at.
    private static let depthLimit = 64

    package let fields: [Field]

    /// Nil if these bytes are not such a message, from their first to their last.
    package init?(_ bytes: ArraySlice<UInt8>) {
        var fields: [Field] = []
        var rest = bytes
        var groups: [Int] = []
        while !rest.isEmpty {
            guard let field = Self.field(&rest, of: bytes) else { return nil }
            switch field.value {
            case .groupStart: groups.append(field.number)
            case .groupEnd: guard groups.popLast() == field.number else { return nil }
            case .varint, .fixed64, .fixed32, .bytes: break
            }
            fields.append(field)
        }
        guard groups.isEmpty else { return nil }
        self.fields = fields
    }

    private static func field(_ rest: inout ArraySlice<UInt8>, of bytes: ArraySlice<UInt8>) -> Field? {
        let start = rest.startIndex
        guard let tag = varint(&rest), tag >> 3 > 0, tag >> 3 < 1 << 29 else { return nil }
        let tagBytes = bytes[start..<rest.startIndex]
        let begin = rest.startIndex
        let value: Value
        switch tag & 7 {
        case 0:
            guard let number = varint(&rest) else { return nil }
            value = .varint(number)
        case 1:
            guard let number: UInt64 = fixed(&rest) else { return nil }
            value = .fixed64(number)
        case 2:
            guard let length = varint(&rest), length <= UInt64(rest.count) else { return nil }
            value = .bytes(rest.prefix(Int(length)))
            rest = rest.dropFirst(Int(length))
        case 5:
            guard let number: UInt32 = fixed(&rest) else { return nil }
            value = .fixed32(number)
        case 3: value = .groupStart
        case 4: value = .groupEnd
        default: return nil
        }
        return Field(number: Int(tag >> 3), value: value, tag: tagBytes, raw: bytes[begin..<rest.startIndex])
    }

    private static func varint(_ rest: inout ArraySlice<UInt8>) -> UInt64? {
        var result: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            if shift == 63, byte > 1 { return nil }
            result |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return result }
        }
        return nil
    }

    private static func fixed<Number: FixedWidthInteger>(_ rest: inout ArraySlice<UInt8>) -> Number? {
        let size = Number.bitWidth / 8
        guard rest.count >= size else { return nil }
        defer { rest = rest.dropFirst(size) }
        return rest.prefix(size).reversed().reduce(0) { $0 << 8 | Number($1) }
    }

    /// The message with other bytes in its innermost fields, and all lengths put right. What stays the same is written as it
    /// was.
    ///
    /// - Parameter map: gets the bytes of a field that holds no message.
    package func mapped(_ map: (ArraySlice<UInt8>) -> [UInt8]) -> [UInt8] { mapped(0, map) }

    private func mapped(_ depth: Int, _ map: (ArraySlice<UInt8>) -> [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        for field in fields {
            output += field.tag
            guard case .bytes(let bytes) = field.value, !bytes.isEmpty else {
                output += field.raw
                continue
            }
            let new = Self.mapped(bytes, depth, map)
            if new.elementsEqual(bytes) {
                output += field.raw
            } else {
                Self.append(varint: UInt64(new.count), to: &output)
                output += new
            }
        }
        return output
    }

    /// A text may read as a message by chance. It is looked at both ways.
    private static func mapped(
        _ bytes: ArraySlice<UInt8>,
        _ depth: Int,
        _ map: (ArraySlice<UInt8>) -> [UInt8]
    ) -> [UInt8] {
        if depth < depthLimit, let message = WireMessage(bytes) {
            let mapped = message.mapped(depth + 1, map)
            if !mapped.elementsEqual(bytes) { return mapped }
        }
        return map(bytes)
    }

    private static func append(varint number: UInt64, to output: inout [UInt8]) {
        var rest = number
        while rest > 0x7F {
            output.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        output.append(UInt8(rest))
    }
}
