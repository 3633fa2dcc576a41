import HTTPMessages
package import MockServeCore

/// Changes how requests are matched or answers are played, for all requests or for those that match a pattern.
///
/// ```swift
/// configuration.rules = [
///     .ignore("query:ts"),
///     .ignore("json:$..nonce", for: "POST /v1/**"),
///     .require("Accept"),
///     .map("path", "[0-9a-f]{8}-[0-9a-f-]{27}", to: "UUID"),
///     .play(.cycle, for: "GET /status"),
/// ]
/// ```
///
/// A pattern is a method and a path, `GET /users/*`: `*` matches any method, and anything within one segment of the
/// path; a segment `**` matches any number of segments. An invalid rule is an error when the server starts
/// (``MockServeError/Code/invalidConfiguration``).
public struct CassetteRule: Sendable {
    /// The rule, or why it is invalid.
    let rule: Result<Rule, RuleError>

    package init(_ rule: Rule) { self.rule = .success(rule) }

    private init(_ action: Rule.Action, _ part: String, _ scope: String?, map: (pattern: String, to: String)? = nil) {
        rule = Result { () throws(RuleError) in
            let pattern = scope.flatMap { RequestPattern($0) }
            guard scope == nil || pattern != nil else {
                throw RuleError("`\(scope ?? "")` is no pattern of requests: write METHOD PATH, such as `GET /users/*`")
            }
            guard let map else { return try Rule(action, part: part, scope: pattern) }
            return try Rule(action, part: part, map: ValueMap(map.pattern, to: map.to), scope: pattern)
        }
    }

    /// Leaves a part of requests out of matching.
    ///
    /// - Parameters:
    ///   - part: `query:NAME`, `query`, `json:PATH` (RFC 9535: `$.a.b`, `$..id`, `$.items[*].at`), `form:NAME`,
    ///     `part:NAME` of a multipart body, `body`, or `field:NAME` for a field that counts by default.
    ///   - requests: a pattern; nil for all requests.
    public static func ignore(_ part: String, for requests: String? = nil) -> CassetteRule {
        CassetteRule(.ignore, part, requests)
    }

    /// Makes a field count in matching. By default `Range` counts, and in new cassettes also fields that name the
    /// operation, such as `X-Amz-Target` and `SOAPAction`.
    public static func require(_ field: String, for requests: String? = nil) -> CassetteRule {
        CassetteRule(.require, "field:\(field)", requests)
    }

    /// Replaces what a regular expression matches in a part of requests, before they are compared.
    ///
    /// - Parameters:
    ///   - part: as for ``ignore(_:for:)``, and `path` or `field:NAME`.
    ///   - pattern: in the syntax of RE2 (<https://github.com/google/re2/wiki/Syntax>); a byte is a character.
    ///   - replacement: what replaces every match; `\0` is the match, `\1` its first group.
    ///   - requests: a pattern; nil for all requests.
    public static func map(
        _ part: String,
        _ pattern: String,
        to replacement: String,
        for requests: String? = nil
    ) -> CassetteRule {
        CassetteRule(.map, part, requests, map: (pattern, replacement))
    }

    /// Plays the answers to some requests in a way of their own. Cannot be ``Playback/strict``, and has no effect in a
    /// scope with that playback, which is about the order of all requests.
    public static func play(_ playback: Playback, for requests: String) -> CassetteRule {
        CassetteRule(.play, playback.rawValue, requests)
    }
}
