import Foundation
package import MockServeCore

/// Something that must not be written to disk.
///
/// ```swift
/// configuration.redact = [.secret("API_TOKEN", token), .field("X-Session"), .json("pin")]
/// ```
///
/// It is replaced by a placeholder in the form of the value, such as `redacted.KIND.NUMBER` for a text, with the same number for
/// the same value. Requests are redacted in the same way before they are matched: there, all secrets of a client's own are equal, and
/// placeholders that it was given tell its session apart from others.
public struct RedactionTarget: Sendable {
    /// The rule that is kept in the cassette, or why it is invalid.
    let rule: Result<Rule, RuleError>
    package let secret: DeclaredSecret?
    /// Whether it is a secret whose value is not known: an error only where something is recorded.
    package let isMissing: Bool

    /// Why the rule is invalid; nil if it is valid.
    package var problem: String? { if case .failure(let error) = rule { error.description } else { nil } }

    private init(_ part: String, secret: DeclaredSecret? = nil) {
        rule = Result { () throws(RuleError) in try Rule(.redact, part: part) }
        self.secret = secret
        isMissing = false
    }

    private init(_ error: RuleError, isMissing: Bool = false) {
        rule = .failure(error)
        secret = nil
        self.isMissing = isMissing
    }

    package init(_ rule: Rule) {
        self.rule = .success(rule)
        secret = nil
        isMissing = false
    }

    /// A secret whose value is not known.
    package static func missing(_ reason: String) -> RedactionTarget {
        RedactionTarget(RuleError(reason), isMissing: true)
    }

    /// A secret that cannot be one.
    package static func invalid(_ reason: String) -> RedactionTarget { RedactionTarget(RuleError(reason)) }

    package init(_ secret: DeclaredSecret) {
        self.init("secret:\(secret.kind)", secret: secret)
    }

    /// A value, wherever it occurs: also percent-encoded, in base64, as part of a JSON string or of HTML, and in
    /// compressed bodies. Declare it for a replay too, so that requests with it match; its value may have changed.
    ///
    /// - Parameters:
    ///   - name: shown instead of the value. It is kept in the cassette.
    ///   - value: 4 bytes to 16 KiB. It is kept in memory only.
    public static func secret(_ name: String, _ value: String) -> RedactionTarget {
        do {
            return RedactionTarget(try DeclaredSecret(name, Array(value.utf8)))
        } catch {
            return RedactionTarget(error)
        }
    }

    /// The value of a field.
    public static func field(_ name: String) -> RedactionTarget { RedactionTarget("field:\(name)") }

    /// The value of a query parameter. Case, `-` and `_` in names do not count.
    public static func query(_ name: String) -> RedactionTarget { RedactionTarget("query:\(name)") }

    /// The value of a form field or of a part of multipart form data. Case, `-` and `_` in names do not count.
    public static func form(_ name: String) -> RedactionTarget { RedactionTarget("form:\(name)") }

    /// Something that is not a secret, although its name says so.
    ///
    /// - Parameter part: `cookie:NAME`, `field:NAME`, `query:NAME`, `form:NAME` or `json:NAME`.
    public static func keep(_ part: String) -> RedactionTarget { RedactionTarget("keep:\(part)") }

    /// A secret by which requests are told apart, such as the wrong password and the right one: in order of first use,
    /// so the first value that a client sends in a replay counts as the first that was recorded.
    ///
    /// Instead of a value's number, 12 bits of a salted digest of it may be kept. Then the order does not matter, but whoever
    /// has the cassette can rule out most guesses of the value.
    ///
    /// - Parameters:
    ///   - part: as for ``keep(_:)``.
    ///   - byDigest: whether a digest is kept. Default: false.
    public static func tellApart(_ part: String, byDigest: Bool = false) -> RedactionTarget {
        RedactionTarget("\(byDigest ? "digest" : "apart"):\(part)")
    }

    /// The same for some requests only. What is declared by its value is redacted in all.
    ///
    /// - Parameter requests: a method and a path, such as `POST /login` or `* /v1/**`.
    public func `for`(_ requests: String) -> RedactionTarget {
        guard case .success(let rule) = rule else { return self }
        guard let scope = RequestPattern(requests) else {
            return .invalid("`\(requests)` is no METHOD PATH, such as `POST /login` or `* /v1/**`")
        }
        do {
            return RedactionTarget(try Rule(.redact, part: rule.partText, scope: scope))
        } catch {
            return RedactionTarget(error)
        }
    }

    /// Whatever has this name in JSON objects, at any depth; of an object or a list, everything in it. Case, `-` and `_` in names do not count.
    public static func json(_ name: String) -> RedactionTarget { RedactionTarget("json:\(name)") }
}
