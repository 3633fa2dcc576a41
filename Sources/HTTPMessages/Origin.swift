/// Scheme, host and port of a server (RFC 6454, RFC 9110 §4.3.1).
package struct Origin: Hashable, Sendable, CustomStringConvertible {
    package enum Scheme: String, Sendable {
        case http
        case https

        package var defaultPort: Int { self == .http ? 80 : 443 }
    }

    package let scheme: Scheme
    /// Lower case; an IPv6 address without its brackets.
    package let host: String
    package let port: Int

    package init(scheme: Scheme, host: String, port: Int) {
        self.scheme = scheme
        self.host = host.lowercased()
        self.port = port
    }

    /// Reads `http://host`, `https://host:port`, `http://[::1]:8000`, with or without a final slash.
    ///
    /// - Returns: nil for anything else: another scheme, a path, a query, user information.
    package init?(_ text: String) {
        let lower = text.lowercased()
        let scheme: Scheme
        if lower.hasPrefix("http://") {
            scheme = .http
        } else if lower.hasPrefix("https://") {
            scheme = .https
        } else {
            return nil
        }
        var authority = lower.dropFirst(scheme.rawValue.count + 3)
        if authority.hasSuffix("/") { authority.removeLast() }
        self.init(scheme: scheme, authority: authority)
    }

    /// Reads `host`, `host:port` or `[address]:port`.
    package init?(scheme: Scheme, authority: some StringProtocol) {
        let allowed = authority.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"/?#@\\\"<>{}|^`%,;".utf8.contains($0) }
        guard allowed, !authority.isEmpty else { return nil }
        var host = String(authority)
        var port = scheme.defaultPort
        let bracket = host.lastIndex(of: "]")
        if let colon = host.lastIndex(of: ":"), bracket.map({ $0 < colon }) ?? true {
            let digits = host[host.index(after: colon)...]
            guard let number = digits.isEmpty ? port : Int(digits), digits.allSatisfy(\.isASCII),
                (1...65535).contains(number)
            else { return nil }
            port = number
            host = String(host[..<colon])
        }
        if host.hasPrefix("[") || host.hasSuffix("]") {
            guard host.hasPrefix("["), host.hasSuffix("]") else { return nil }
            host = String(host.dropFirst().dropLast())
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self.init(scheme: scheme, host: host, port: port)
    }

    /// `host` or `host:port` as in a `Host` field: the scheme's default port is left out.
    package var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == scheme.defaultPort ? name : "\(name):\(port)"
    }

    /// The serialisation of RFC 6454 §6.2: `scheme://host[:port]`, no final slash.
    package var description: String { "\(scheme.rawValue)://\(authority)" }
}
