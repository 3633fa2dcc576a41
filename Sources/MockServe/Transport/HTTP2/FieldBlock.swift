import HTTPMessages
import HTTPWire
import NIOHPACK

/// Fields as HTTP/2 sends them (RFC 9113 §8.2), and as all else here has them.
enum FieldBlock {
    /// A name as HTTP/2 writes it.
    static func name(_ name: UnsafeRawBufferPointer) -> String {
        String(unsafeUninitializedCapacity: name.count) { output in
            for (index, byte) in name.enumerated() { output[index] = byte &- 0x41 < 26 ? byte | 0x20 : byte }
            return name.count
        }
    }

    /// The library holds UTF-8. Other bytes (RFC 9110 §5.5, `obs-text`) are taken for Latin-1, so that they stay readable.
    static func text(_ value: UnsafeRawBufferPointer) -> String {
        if let text = String(validating: value, as: UTF8.self) { return text }
        return Latin1.string(value)
    }

    /// Adds the fields that HTTP/2 knows: those for one connection only are left out (RFC 9113 §8.2.2), as are names that
    /// are not tokens.
    ///
    /// - Parameter isLeftOut: further fields that are left out.
    static func append(
        _ fields: Fields,
        to block: inout HPACKHeaders,
        without isLeftOut: (Fields.RawField) -> Bool = { _ in false }
    ) {
        let nominated = fields.nominatedNames
        fields.forEachRaw { field in
            guard !field.endsHere(nominated), isToken(field.name), !isLeftOut(field) else { return }
            block.add(name: name(field.name), value: text(field.value))
        }
    }

    /// The fields of a block, in order, without pseudo-header fields; the pieces of `Cookie` are joined (RFC 9113 §8.2.3).
    ///
    /// - Parameter isStrict: whether white space around a value is refused (RFC 9113 §8.2.1), rather than left out.
    /// - Throws: `WireError` if there are too many, or if their bytes cannot be kept as they were sent.
    static func fields(
        of block: HPACKHeaders,
        _ limits: WireLimits,
        isStrict: Bool = false
    ) throws(WireError) -> Fields {
        var fields = Fields()
        var cookie: [UInt8] = []
        var hasCookies = false
        for (name, value, _) in block where name.utf8.first != UInt8(ascii: ":") {
            if name == "cookie" {
                if hasCookies { cookie += "; ".utf8 }
                hasCookies = true
                cookie += value.utf8
            }
            guard isAsSent(value) else {
                throw WireError("the field \(name) has bytes that are not UTF-8, which are only kept in HTTP/1.1")
            }
            let bytes = Array(value.utf8)
            let trimmed = trimmingSpace(bytes[...])
            guard !isStrict || trimmed.count == bytes.count else {
                throw WireError("white space around the value of \(name)")
            }
            fields.append(name: Array(name.utf8), value: trimmed)
            guard fields.count <= limits.fieldCount else {
                throw WireError(status: 431, "more than \(limits.fieldCount) fields")
            }
        }
        guard fields.wireSize <= limits.fieldSection else {
            throw WireError(status: 431, "the fields are longer than \(limits.fieldSection) bytes")
        }
        guard hasCookies, fields.values("cookie").count > 1 else { return fields }
        return joining(fields, cookie)
    }

    /// The fields at the end of a message.
    ///
    /// - Parameter isStrict: whether it is a request.
    static func trailers(
        of block: HPACKHeaders,
        _ limits: WireLimits,
        isStrict: Bool = false
    ) throws(WireError) -> Fields {
        let trailers = try fields(of: block, limits)
        try trailers.checkTrailers(isStrict: isStrict)
        return trailers
    }

    /// The library has replaced what is not UTF-8.
    static func isAsSent(_ value: String) -> Bool {
        !value.utf8.contains(0xEF) || !value.unicodeScalars.contains("\u{FFFD}")
    }

    private static func joining(_ fields: Fields, _ cookie: [UInt8]) -> Fields {
        var joined = Fields()
        var isJoined = false
        fields.forEachRaw { field in
            guard field.isNamed("cookie") else { return joined.append(name: field.name, value: field.value) }
            if !isJoined { joined.append(name: field.name, value: cookie) }
            isJoined = true
        }
        return joined
    }
}
