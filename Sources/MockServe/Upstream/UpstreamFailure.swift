import Foundation
import HTTPMessages
import MockServeCore
import NIOCore
import NIOPosix
import NIOSSL

/// Why an upstream gave no complete answer.
struct UpstreamFailure: Error, Sendable {
    /// What the client is told: 502, or 504 for a timeout.
    let status: Int
    /// One line: what happened, on which upstream.
    let message: String
    /// How the connection ended, if an answer had begun on it.
    let end: AnswerCut.End
    /// Whether it says nothing about the upstream, which has not seen the request as far as is known. A request that
    /// may be repeated can then be sent on another connection.
    var saysNothing = false

    init(status: Int = 502, _ message: String, end: AnswerCut.End = .close) {
        self.status = status
        self.message = message
        self.end = end
    }

    /// A body that is not as long as its request announced. It is never sent whole, because its end would be read as
    /// another request.
    static let brokenRequest = UpstreamFailure("the request body is not as long as was said; please report this")

    /// A server that forwarded to itself would do so without end.
    static func isThisServer(_ origin: Origin) -> UpstreamFailure {
        UpstreamFailure("\(origin) is this server itself; name the real service as the upstream")
    }

    /// Says in words for users what SwiftNIO said.
    init(_ error: any Error, upstream: String) {
        switch error {
        case let error as UpstreamFailure: self = error
        case let error as ChannelError:
            switch error {
            case .connectTimeout(let after):
                let seconds = Double(after.nanoseconds) / 1e9
                self.init(status: 504, "\(upstream) did not accept a connection within \(seconds) s")
            default: self.init("\(upstream) closed the connection")
            }
        case let error as NIOConnectionError:
            if let single = error.connectionErrors.first?.error ?? error.dnsAError ?? error.dnsAAAAError {
                self.init(single, upstream: upstream)
            } else {
                self.init("\(upstream) cannot be reached")
            }
        case let error as IOError:
            let reason = String(cString: strerror(error.errnoCode))
            self.init("\(upstream): \(reason)", end: error.errnoCode == ECONNRESET ? .reset : .close)
        case let error as SocketAddressError: self.init("\(upstream): \(error)")
        case let error as NIOSSLError: self.init("\(upstream): TLS failed: \(error)")
        case let error as BoringSSLError: self.init("\(upstream): TLS failed: \(error)")
        case let error as NIOSSLExtraError: self.init("\(upstream): TLS failed: \(error)")
        default: self.init("\(upstream): \(error)")
        }
    }
}
