import HTTPMessages
import Foundation
import MockServeCore

/// The proxies in the environment, as curl reads them: `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`, in upper or lower case.
struct ProxySettings: Sendable {
    /// A proxy, which is spoken to without TLS.
    struct Proxy: Sendable, Hashable {
        let host: String
        let port: Int
        /// The value of `Proxy-Authorization`, if the URL holds user information.
        let authorization: String?
    }

    private let http: Proxy?
    private let https: Proxy?
    private let exceptions: [String]

    init(environment: [String: String]) throws(MockServeError) {
        func value(_ name: String) -> (name: String, text: String)? {
            for name in [name.lowercased(), name] {
                if let text = environment[name], !text.isEmpty { return (name, text) }
            }
            return nil
        }
        http = try value("HTTP_PROXY").map(Self.parse)
        https = try value("HTTPS_PROXY").map(Self.parse)
        exceptions = (value("NO_PROXY")?.text ?? "").split(separator: ",").map {
            $0.trimmingCharacters(in: .whitespaces).lowercased()
        }
    }

    private static func parse(_ variable: (name: String, text: String)) throws(MockServeError) -> Proxy {
        let text = variable.text.contains("://") ? variable.text : "http://" + variable.text
        guard let url = URLComponents(string: text), url.scheme?.lowercased() == "http", let host = url.host,
            !host.isEmpty
        else {
            throw MockServeError(
                .invalidConfiguration,
                "\(variable.name) is not the URL of an http proxy (http://host:port)."
            )
        }
        let bare = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        let authorization = url.user.map { user in
            "Basic " + Data("\(user):\(url.password ?? "")".utf8).base64EncodedString()
        }
        return Proxy(host: bare, port: url.port ?? 80, authorization: authorization)
    }

    /// The proxy for `origin`; nil to connect directly. Loopback is never reached through a proxy.
    func proxy(for origin: Origin) -> Proxy? {
        guard let proxy = origin.scheme == .http ? http : https else { return nil }
        return HostPolicy.isLoopback(origin.host) || exceptions.contains(where: { Self.excepts($0, origin) })
            ? nil : proxy
    }

    private static func excepts(_ exception: String, _ origin: Origin) -> Bool {
        if exception == "*" || exception == origin.host || exception == "\(origin.host):\(origin.port)" { return true }
        let suffix = exception.hasPrefix(".") ? exception : "." + exception
        return exception.isEmpty ? false : origin.host.hasSuffix(suffix)
    }
}
