import HTTPMessages
import NIOCore

/// An established connection to an upstream.
enum UpstreamLink {
    case http1(UpstreamConnection)
    case http2(HTTP2UpstreamConnection)

    var origin: Origin {
        switch self {
        case .http1(let connection): connection.origin
        case .http2(let connection): connection.origin
        }
    }

    /// Closes the connection at once.
    func cancel() {
        switch self {
        case .http1(let connection): connection.cancel()
        case .http2(let connection): connection.cancel()
        }
    }
}
