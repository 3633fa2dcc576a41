import Foundation

/// A JWT (RFC 7519) that libraries parse, and that says nothing of whom it was for.
enum JWTPlaceholder {
    private static let limit = 16 << 10
    /// Claims that do not say who it is (RFC 7519 §4.1; OpenID Connect Core §2; IANA, "JSON Web Token Claims").
    private static let kept: Set<String> = [
        "iss", "aud", "azp", "scope", "scp", "typ", "ver", "acr", "amr", "token_use", "client_id", "nonce",
        // Of the header (RFC 7515 §4.1; RFC 7516 §4.1).
        "alg", "kid", "cty", "enc", "zip",
    ]
    private static let times: Set<String> = ["exp", "nbf", "iat", "auth_time", "updated_at"]

    static func canBe(_ header: ArraySlice<UInt8>, _ claims: ArraySlice<UInt8>) -> Bool {
        header.count <= limit && claims.count <= limit && object(header) != nil && object(claims) != nil
    }

    private static func object(_ part: ArraySlice<UInt8>) -> [String: Any]? {
        guard let bytes = Base64.decode(part) else { return nil }
        return try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
    }

    /// - Parameters:
    ///   - book: numbers whom it was for, so that it is the same one in all his tokens.
    ///   - isSecret: whether a text holds a known secret.
    static func make(
        _ placeholder: Placeholder,
        _ value: ArraySlice<UInt8>,
        _ book: PlaceholderBook,
        _ isSecret: (String) -> Bool
    ) -> [UInt8]? {
        let parts = value.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let header = object(parts[0]), let claims = object(parts[1]) else { return nil }
        func part(_ object: [String: Any]) -> [UInt8]? {
            var changed: [String: Any] = [:]
            for (name, claim) in object {
                if let text = claim as? String {
                    let isPlain = kept.contains(name) && !isSecret(text)
                    changed[name] =
                        isPlain ? text : book.placeholder("claim", Array(text.utf8), isOwn: placeholder.isOwn).text
                } else if let number = claim as? NSNumber {
                    let isPlain = times.contains(name) || CFBoolean.isBoolean(number)
                    let own = book.placeholder("claim", Array("\(number)".utf8), isOwn: placeholder.isOwn)
                    changed[name] = isPlain ? number : NSNumber(value: own.number)
                } else if kept.contains(name), let texts = claim as? [String], !texts.contains(where: isSecret) {
                    changed[name] = texts
                }
            }
            let options: JSONSerialization.WritingOptions = [.sortedKeys, .withoutEscapingSlashes]
            let data = try? JSONSerialization.data(withJSONObject: changed, options: options)
            return data.map { Base64.encode(Array($0), isURLSafe: true) }
        }
        guard let first = part(header), let second = part(claims) else { return nil }
        return first + [UInt8(ascii: ".")] + second + [UInt8(ascii: ".")] + placeholder.signature
    }
}

private enum CFBoolean {
    /// JSON's `true` and `false` are numbers of a kind of their own.
    static func isBoolean(_ number: NSNumber) -> Bool { String(cString: number.objCType) == "c" }
}
