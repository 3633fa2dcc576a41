import HTTPMessages
import MockServeCore

/// The names under which clients may address a server (RFC 9110 §7.2, §7.4).
struct HostPolicy: Sendable {
    private let names: Set<String>
    private let allowsAll: Bool

    /// - Parameter names: in addition to loopback; `*` for any.
    init(_ names: [String]) {
        self.names = Set(names.map { $0.lowercased() })
        allowsAll = names.contains("*")
    }

    /// - Parameter own: the origin of the listener.
    func allows(_ request: RequestHead, own: Origin) -> Bool {
        guard !allowsAll else { return true }
        // A request without `Host` is not from a browser.
        let hosts = request.fields.values("host").map { Latin1.string($0) }
        return (hosts + Self.authority(of: request.target)).allSatisfy { allows($0, own) }
    }

    private func allows(_ authority: String, _ own: Origin) -> Bool {
        // An empty `Host` says nothing (RFC 9112 §3.2).
        guard !authority.isEmpty else { return true }
        guard let host = Origin(scheme: .http, authority: authority)?.host else { return false }
        return host == own.host || names.contains(host) || Self.isLoopback(host)
    }

    /// The authority of a target in absolute-form.
    private static func authority(of target: [UInt8]) -> [String] {
        guard target.first != UInt8(ascii: "/"), let start = target.firstOffset(of: Array("://".utf8)) else {
            return []
        }
        return [Latin1.string(target[(start + 3)...].prefix { !"/?".utf8.contains($0) })]
    }

    /// `localhost` and the names below it (RFC 6761 §6.3), 127.0.0.0/8 and ::1.
    static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host.hasSuffix(".localhost") || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    static func refusal(_ request: RequestHead) -> Problem {
        let host = request.fields.first("host").map { Latin1.string($0) } ?? ""
        return Problem(
            status: 421,
            title: "This server is not known by that name",
            detail: "Host is `\(host)`. Allow it with --allow-host, or `allowedHosts`, if clients are to use it."
        )
    }
}
