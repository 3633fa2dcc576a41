import Foundation
import HTTPMessages
import HTTPWire
import MockServeCore
import NIOCore
import NIOHTTP2
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
    /// Whether the upstream has said that it did not look at the request (RFC 9113 §8.7): it can be sent again, whatever
    /// it is.
    var wasRefused = false

    init(status: Int = 502, _ message: String, end: AnswerCut.End = .close) {
        self.status = status
        self.message = message
        self.end = end
    }

    static func longFields(_ origin: Origin) -> UpstreamFailure {
        UpstreamFailure(
            "the fields of the request to \(origin) take more than one frame of HTTP/2 (16 KiB); --no-upstream-http2 sends them over HTTP/1.1"
        )
    }

    static func brokenPath(_ origin: Origin) -> UpstreamFailure {
        UpstreamFailure(
            "the request target has bytes that are not UTF-8, which \(origin) cannot be sent over HTTP/2; --no-upstream-http2 sends them over HTTP/1.1"
        )
    }

    static func sentNothing(_ origin: Origin, _ readTimeout: TimeAmount) -> UpstreamFailure {
        UpstreamFailure(status: 504, "\(origin) sent nothing for \(Double(readTimeout.nanoseconds) / 1e9) s")
    }

    static func tookNothing(_ origin: Origin, _ readTimeout: TimeAmount) -> UpstreamFailure {
        let seconds = Double(sendPatience(readTimeout).nanoseconds) / 1e9
        return UpstreamFailure(status: 504, "\(origin) took nothing of the request for \(seconds) s")
    }

    /// An upstream may take nothing of an upload for this many times the time for an answer: a slow one takes it only in
    /// steps.
    private static let patience: Int64 = 4

    static func sendPatience(_ readTimeout: TimeAmount) -> TimeAmount {
        let (long, isTooLong) = readTimeout.nanoseconds.multipliedReportingOverflow(by: patience)
        return .nanoseconds(isTooLong ? .max : long)
    }

    /// A body that is not as long as its request announced. It is never sent whole, because its end would be read as
    /// another request.
    static let brokenRequest = UpstreamFailure("the request body is not as long as was said; please report this")

    /// A server that forwarded to itself would do so without end.
    static func isThisServer(_ origin: Origin) -> UpstreamFailure {
        UpstreamFailure("\(origin) is this server itself; name the real service as the upstream")
    }

    /// The library names its reason in capitals, among numbers and lines of its own source.
    private static func tlsReason(_ error: any Error) -> String {
        let text = String(describing: error)
        guard let reason = text.firstMatch(of: /OPENSSL_internal:([A-Z0-9_]+)/)?.output.1 else { return text }
        if reason == "CERTIFICATE_VERIFY_FAILED" {
            return "its certificate is not trusted; --upstream-ca names a file with the authority to trust"
        }
        return reason.lowercased().replacing("_", with: " ")
    }

    /// The library has a type for each reason, and no text for users.
    private static func http2Reason(_ error: any NIOHTTP2Error) -> String {
        String(describing: type(of: error)).replacing(/[A-Z]/) { " " + $0.output.lowercased() }
            .trimmingCharacters(in: .whitespaces)
    }

    static func isNotHTTP2(_ origin: Origin) -> UpstreamFailure {
        let advice =
            origin.scheme == .http
            ? "; an upstream that speaks HTTP/1.1 is named with http://" : " as it has promised"
        return UpstreamFailure("\(origin) does not speak HTTP/2\(advice)")
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
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError:
            self.init("\(upstream): TLS failed: \(Self.tlsReason(error))")
        case let error as any NIOHTTP2Error:
            self.init("\(upstream) does not speak HTTP/2 as it should: \(Self.http2Reason(error))")
        default: self.init("\(upstream): \(error)")
        }
    }
}

extension UpstreamFailure {
    /// An answer that is not valid HTTP.
    init(_ error: WireError, upstream: String) {
        self.init("\(upstream) sent an invalid response: \(error.message)")
    }
}
