import Crypto
package import HTTPWire

/// What tells requests of one match key apart where the recorded response says that it depends on fields (`Vary`, RFC 9110
/// §12.5.5).
package struct Variant: Hashable, Sendable {
    /// Names that a response's `Vary` may have; more of them are as none.
    private static let nameLimit = 32

    /// Names of the fields in lower case, sorted, separated by commas.
    package let names: String
    /// 16 bytes, equal for requests that agree in these fields.
    package let key: [UInt8]

    /// - Returns: nil if the response does not vary, or by more than fields (`*`).
    package init?(of response: Fields, to request: Fields) {
        let names = Set(listMembers(response.values("vary")).map { Latin1.string($0.map(lowercased)) })
        guard !names.isEmpty, names.count <= Self.nameLimit, names.allSatisfy({ isToken(Array($0.utf8)) && $0 != "*" })
        else {
            return nil
        }
        self.init(names.sorted().joined(separator: ","), of: request)
    }

    /// As it is kept in a cassette.
    package init(names: String, key: [UInt8]) {
        self.names = names
        self.key = key
    }

    /// The variant that a request asks for where answers vary by `names`.
    package init(_ names: String, of request: Fields) {
        self.names = names
        var input = DigestInput()
        for name in names.split(separator: ",") {
            // Lines of one name are one list (RFC 9111 §4.1).
            let values = request.filter { equalsIgnoringCase($0.name, name.utf8) }.map { trimmingSpace($0.value) }
            input.add("vary name", name.utf8)
            input.add("vary value", values.isEmpty ? [0] : [1] + Array(values.joined(separator: ", ".utf8)))
        }
        key = Array(input.digest.prefix(16))
    }
}

/// What the answers to a request are found by.
package struct PlaybackKey: Hashable, Sendable {
    package let match: MatchKey
    /// Set if some of the recorded requests agree with this one in the fields that their answers vary by: then it is answered
    /// from those.
    package let variant: Variant?

    package init(_ match: MatchKey, _ variant: Variant? = nil) {
        self.match = match
        self.variant = variant
    }
}
