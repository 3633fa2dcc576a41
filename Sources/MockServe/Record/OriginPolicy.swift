import HTTPWire
import MockServeCore

/// From which web pages requests are forwarded: a page of somebody else must not make a recording send and write what it likes
/// (`Origin`, RFC 6454 §7; browsers send it with every request of a page that is not a plain navigation or read).
struct OriginPolicy: Sendable {
    private let allowed: Set<String>

    /// - Parameter allowed: origins in addition to loopback and the server's own; `*` for any.
    init(_ allowed: [String]) {
        self.allowed = Set(allowed.map { $0.lowercased() })
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
        if allowed.contains("*") || allowed.contains(origin) { return true }
        guard let page = Origin(origin) else { return false }
        return HostPolicy.isLoopback(page.host) || page.host == served.host
    }
}
