import HTTPMessages
import MockServeCore

/// The web pages whose requests are forwarded: a foreign page must not make a recording send and write what it likes
/// (`Origin`, RFC 6454 §7; browsers send it with every request of a page except plain navigation and reads).
struct OriginPolicy: Sendable {
    private let allowed: Set<Origin>
    /// `null`, `*`, and origins with schemes other than HTTP's, such as those of extensions; in lower case.
    private let allowedTexts: Set<String>

    /// - Parameter allowed: origins in addition to loopback and the host under which the server is addressed, on any
    ///   port; `*` for any.
    /// - Throws: `MockServeError` if one is not an origin.
    init(_ allowed: [String]) throws {
        func origin(_ text: String) -> Origin? { text.contains("*") ? nil : Origin(text) }
        self.allowed = Set(allowed.compactMap(origin))
        let others = allowed.filter { origin($0) == nil }.map { $0.lowercased() }
        for text in others {
            let isOfOtherScheme = text.wholeMatch(of: /[a-z][a-z0-9+.\-]*:\/\/[^\/?#\s]+/) != nil
            guard text == "*" || text == "null" || isOfOtherScheme && !text.hasPrefix("http") && !text.contains("*")
            else {
                throw MockServeError(
                    .invalidConfiguration,
                    "`\(text)` is no origin of web pages: give scheme, host and port only, such as https://app.example.com, or `null`, or `*`."
                )
            }
        }
        allowedTexts = Set(others)
    }

    /// - Returns: nil if the request may be forwarded.
    func refusal(_ request: RequestHead, servedBy served: Origin) -> Problem? {
        let origins = request.fields.values("origin").map { Latin1.string($0).lowercased() }
        guard let foreign = origins.first(where: { !allows($0, served) }) else { return nil }
        return Problem(
            status: 403,
            title: "This page may not use the recording",
            detail:
                "Origin is `\(foreign)`. Allow it with --allow-origin, or `allowedOrigins`, if its requests are to be forwarded."
        )
    }

    private func allows(_ origin: String, _ served: Origin) -> Bool {
        if allowedTexts.contains("*") || allowedTexts.contains(origin) { return true }
        guard let page = Origin(origin) else { return false }
        return allowed.contains(page) || HostPolicy.isLoopback(page.host) || page.host == served.host
    }
}
