import Foundation

/// A JWT (RFC 7519) that libraries parse, and that says nothing of whom it was for.
enum JWTPlaceholder {
    private static let limit = 16 << 10
    /// Claims that do not say who it is (RFC 7519 §4.1; OpenID Connect Core §2; IANA, "JSON Web Token Claims").
    private static let kept: Set<String> = [
        "iss", "aud", "azp", "scope", "scp", "typ", "ver", "acr", "amr", "token_use", "client_id", "nonce",
        // Of the header (RFC 7515 §4.1; RFC 7516 §4.1).
        "alg", "kid", "cty", "enc", "zip",
        // What he may do, and where (RFC 9068 §2.2.3.1, and what services call it).
        "roles", "role", "groups", "permissions", "entitlements", "authorities", "realm_access", "resource_access",
        "cognito:groups", "tenant", "tenant_id", "tid", "org", "org_id",
    ]
    /// Digests of what is replaced, which would not fit any more (OpenID Connect Core §3.3.2.11).
    private static let dropped: Set<String> = ["at_hash", "c_hash", "s_hash"]
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
        func replaced(_ claim: Any, _ name: String) -> Any {
            if let text = claim as? String {
                let isPlain = kept.contains(name) && !isSecret(text)
                return isPlain ? text : book.placeholder("claim", Array(text.utf8), isOwn: placeholder.isOwn).text
            }
            if let number = claim as? NSNumber {
                guard !times.contains(name), !kept.contains(name), !CFBoolean.isBoolean(number) else { return number }
                let own = book.placeholder("claim", Array("\(number)".utf8), isOwn: placeholder.isOwn)
                return NSNumber(value: own.number)
            }
            if let list = claim as? [Any] { return list.map { replaced($0, name) } }
            // Within what is kept, all is.
            if let object = claim as? [String: Any] {
                return object.reduce(into: [String: Any]()) { made, member in
                    made[member.key] = replaced(member.value, kept.contains(name) ? name : member.key)
                }
            }
            return claim
        }
        func part(_ object: [String: Any]) -> [UInt8]? {
            var changed: [String: Any] = [:]
            for (name, claim) in object where !dropped.contains(name) { changed[name] = replaced(claim, name) }
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
