/// Where a server listens.
public struct ListenAddress: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        case address(host: String, port: Int)
        case socket(CInt)
    }

    let kind: Kind

    /// `127.0.0.1`, on a port that the operating system picks.
    public static let loopback = address("127.0.0.1")

    /// An IPv4 or IPv6 address or a name, and a port; 0 lets the operating system pick one. With several upstreams, the
    /// port is for the first; the operating system picks ports for the others.
    public static func address(_ host: String, port: Int = 0) -> ListenAddress {
        ListenAddress(kind: .address(host: host, port: port))
    }

    /// The address or name that was given; none for a socket.
    var names: [String] {
        if case .address(let host, _) = kind { [host] } else { [] }
    }

    /// The address or name; `127.0.0.1` for a socket.
    var host: String {
        if case .address(let host, _) = kind { host } else { "127.0.0.1" }
    }

    /// The requested port; 0 for a socket.
    package var port: Int {
        if case .address(_, let port) = kind { port } else { 0 }
    }

    /// A TCP socket that the caller has bound. The server takes it over, listens on it and closes it.
    public static func socket(_ descriptor: CInt) -> ListenAddress {
        ListenAddress(kind: .socket(descriptor))
    }
}
