import Foundation
package import MockServeCore

/// Something that must not reach the disk.
///
/// ```swift
/// configuration.redact = [.secret("API_TOKEN", token), .field("X-Session"), .json("pin")]
/// ```
///
/// It is replaced by `[redacted:KIND:NUMBER]`, with the same number for the same value. Requests are redacted in the same way
/// before they are matched, and all secrets of a kind are equal there.
public struct RedactionTarget: Sendable {
    /// The rule that is kept in the cassette, or why it is none.
    let rule: Result<Rule, RuleError>
    package let secret: DeclaredSecret?

    /// Why there is none; nil if all is well.
    package var problem: String? { if case .failure(let error) = rule { error.description } else { nil } }

    private init(_ part: String, secret: DeclaredSecret? = nil) {
        rule = Result { () throws(RuleError) in try Rule(.redact, part: part) }
        self.secret = secret
    }

    private init(_ error: RuleError) {
        rule = .failure(error)
        secret = nil
    }

    package init(_ rule: Rule) {
        self.rule = .success(rule)
        secret = nil
    }

    /// A secret that is not known: an error only where something is recorded.
    package static func missing(_ reason: String) -> RedactionTarget { RedactionTarget(RuleError(reason)) }

    package init(_ secret: DeclaredSecret) {
        self.init("secret:\(secret.kind)", secret: secret)
    }

    /// A value, wherever it stands: also percent-encoded, in base64, as part of a JSON string, and in compressed bodies. Declare
    /// it when replaying too, so that requests with it match; its value may have changed.
    ///
    /// - Parameters:
    ///   - name: what it is shown by. It is kept in the cassette.
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

    /// The strings and numbers that are members of this name of JSON objects, at any depth. Case, `-` and `_` in names do not
    /// count.
    public static func json(_ name: String) -> RedactionTarget { RedactionTarget("json:\(name)") }
}
