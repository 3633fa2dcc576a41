import Foundation
import HTTPMessages

/// An absolute URL, cut into origin and target without changing either.
struct AbsoluteURL {
    /// Empty if the URL has no scheme.
    let origin: String
    let target: [UInt8]
    /// Whether there was user information, which is not part of a request.
    let hadUser: Bool

    /// Reads `http://host/path?query`, also with a fragment, which is not sent; or a path alone.
    ///
    /// - Returns: nil for another scheme, and if the host makes no sense.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard let separator = text.range(of: "://"),
            text[..<separator.lowerBound].allSatisfy({ $0.isLetter || $0 == "+" })
        else {
            guard bytes.first == UInt8(ascii: "/") || bytes.first == UInt8(ascii: "?") || bytes == [UInt8(ascii: "*")]
            else { return nil }
            (origin, target, hadUser) = ("", Self.target(bytes[...]), false)
            return
        }
        let rest = text[separator.upperBound...]
        let authorityEnd = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        var authority = rest[..<authorityEnd]
        let user = authority.lastIndex(of: "@")
        if let user { authority = authority[authority.index(after: user)...] }
        guard let scheme = Origin.Scheme(rawValue: text[..<separator.lowerBound].lowercased()),
            let origin = Origin(scheme: scheme, authority: authority)
        else { return nil }
        self.origin = origin.description
        hadUser = user != nil
        target = Self.target(Array(rest[authorityEnd...].utf8)[...])
    }

    /// Without the fragment; what cannot stand in a request line is percent-encoded, as clients do (WHATWG URL §4.4).
    private static func target(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        let sent = bytes.prefix { $0 != UInt8(ascii: "#") }
        var target: [UInt8] =
            sent.first == UInt8(ascii: "/") || sent.first == UInt8(ascii: "*") ? [] : [UInt8(ascii: "/")]
        for byte in sent {
            if byte > 0x20, byte < 0x7F { target.append(byte) } else { target += percentEncoded(byte) }
        }
        return target
    }

    private static func percentEncoded(_ byte: UInt8) -> [UInt8] {
        let digits = String(byte, radix: 16, uppercase: true)
        return Array("%\(byte < 16 ? "0" : "")\(digits)".utf8)
    }

    /// The URL of a request as other tools keep it: absolute, and ASCII.
    ///
    /// - Parameter origin: empty for an answer for any upstream, which other tools do not have.
    static func text(_ origin: String, _ target: [UInt8]) -> String {
        // A crafted cassette may have anything for an origin.
        (Origin(origin)?.description ?? anyOrigin) + text(Target.originForm(target))
    }

    /// A path, or a target, in ASCII.
    static func text(_ target: some Sequence<UInt8>) -> String {
        String(decoding: target.flatMap { $0 < 0x80 ? [$0] : percentEncoded($0) }, as: UTF8.self)
    }

    /// What stands for any upstream in formats that want one.
    static let anyOrigin = "http://localhost"
}
