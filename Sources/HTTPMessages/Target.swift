/// A request target split into path and query, and the normal form of each that matching compares.
package struct Target: Sendable {
    package let path: ArraySlice<UInt8>
    /// After the first `?`, nil if there is none.
    package let query: ArraySlice<UInt8>?

    /// - Parameter target: origin-form or `*`; see `originForm(_:)` for absolute-form.
    package init(_ target: [UInt8]) {
        if let mark = target.firstIndex(of: UInt8(ascii: "?")) {
            path = target[..<mark]
            query = target[(mark + 1)...]
        } else {
            path = target[...]
            query = nil
        }
    }

    /// Cuts scheme and authority off an absolute-form target (RFC 9112 §3.2.2); other forms stay as they are.
    package static func originForm(_ target: [UInt8]) -> [UInt8] {
        guard let first = target.first, first != UInt8(ascii: "/"),
            let colon = target.firstIndex(of: UInt8(ascii: ":")), target[colon...].starts(with: "://".utf8)
        else { return target }
        let rest = target[(colon + 3)...]
        guard let end = rest.firstIndex(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }) else {
            return [UInt8(ascii: "/")]
        }
        return target[end] == UInt8(ascii: "/") ? Array(target[end...]) : [UInt8(ascii: "/")] + target[end...]
    }

    /// The path with escapes of unreserved characters decoded and the others in upper case (RFC 3986 §6.2.2). Dot
    /// segments and doubled slashes stay, because servers distinguish them.
    package var normalPath: [UInt8] {
        guard path.contains(UInt8(ascii: "%")) else { return Array(path) }
        var output: [UInt8] = []
        output.reserveCapacity(path.count)
        var index = path.startIndex
        while index < path.endIndex {
            let byte = path[index]
            guard byte == UInt8(ascii: "%"), let decoded = percentDecoded(path, at: index) else {
                output.append(byte)
                index += 1
                continue
            }
            if isUnreserved(decoded) {
                output.append(decoded)
            } else {
                output.append(byte)
                output.append(contentsOf: path[(index + 1)...(index + 2)].map(uppercased))
            }
            index += 3
        }
        return output
    }

    package var pairs: [FormPair] { query.map(FormPair.parse) ?? [] }
}

/// A name and its value in a query or a form body, decoded as `application/x-www-form-urlencoded` (WHATWG URL §5.1).
/// `a` and `a=` are the same pair; empty pairs (`&&`) do not count.
package struct FormPair: Hashable, Sendable {
    package let name: [UInt8]
    package let value: [UInt8]

    package init(name: [UInt8], value: [UInt8]) {
        self.name = name
        self.value = value
    }

    package static func parse(_ bytes: ArraySlice<UInt8>) -> [FormPair] {
        bytes.split(separator: UInt8(ascii: "&")).map { pair in
            let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
            return FormPair(name: formDecoded(pair[..<equals]), value: formDecoded(pair[equals...].dropFirst()))
        }
    }

    /// The pairs in an order that depends only on their content.
    package static func sorted(_ pairs: [FormPair]) -> [FormPair] {
        pairs.sorted { left, right in
            left.name == right.name
                ? left.value.lexicographicallyPrecedes(right.value) : left.name.lexicographicallyPrecedes(right.name)
        }
    }
}

/// Decodes `+` and percent escapes; a `%` without two hexadecimal digits stays.
package func formDecoded(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var output: [UInt8] = []
    output.reserveCapacity(bytes.count)
    var index = bytes.startIndex
    while index < bytes.endIndex {
        if let decoded = percentDecoded(bytes, at: index) {
            output.append(decoded)
            index += 3
        } else {
            output.append(bytes[index] == UInt8(ascii: "+") ? 0x20 : bytes[index])
            index += 1
        }
    }
    return output
}

private func percentDecoded(_ bytes: ArraySlice<UInt8>, at index: Int) -> UInt8? {
    guard bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.endIndex,
        let high = hexDigit(bytes[index + 1]), let low = hexDigit(bytes[index + 2])
    else { return nil }
    return high << 4 | low
}

private func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): true
    default: false
    }
}

private func uppercased(_ byte: UInt8) -> UInt8 {
    byte &- 0x61 < 26 ? byte & 0xDF : byte
}
