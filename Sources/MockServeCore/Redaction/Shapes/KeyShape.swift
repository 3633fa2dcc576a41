/// What a kind of key looks like: by this it is recognised anywhere.
///
/// Patterns are not regular expressions; they are matched from left to right without going back, so the time is linear.
/// Literal characters stand for themselves (a backslash takes away the meaning of the next); `[A-Za-z0-9_-]` is a class,
/// which `{n}`, `{n,m}` or `{n,}` follows; `(a|b)` are literals of which one is meant.
struct KeyShape: Sendable {
    let kind: String
    let pattern: String
    /// A word that must be in the name of the value, for shapes that say nothing alone.
    let beside: String?
    /// A key whose checksum is wrong is replaced too: it may be of a newer kind. A right one says that it is real.
    let check: KeyChecksum?
    /// Where the shape is described.
    let source: String

    init(_ kind: String, _ pattern: String, beside: String? = nil, check: KeyChecksum? = nil, source: String) {
        (self.kind, self.pattern, self.beside, self.check, self.source) = (kind, pattern, beside, check, source)
    }

    static let all: [KeyShape] = cloud + code + models + money + messages + operations + other
}
