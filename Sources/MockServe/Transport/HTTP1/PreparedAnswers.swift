import HTTPMessages
import HTTPWire
import NIOCore

/// The short cut of HTTP/1: a request for which nothing must be awaited or made is answered with prepared bytes, before
/// there is an exchange. Only the handler of a connection and a replay know of it; other services do not.
protocol PreparedAnswers: AnyObject {
    /// Whether it is worth asking.
    var arePrepared: Bool { get }

    /// The whole response to a request without a body, as it is sent over the wire; nil if there is none.
    ///
    /// - Parameters:
    ///   - sent: the bytes of the request, which identify it when it is sent again.
    ///   - origin: under which the client knows the server.
    ///   - listener: the listener that accepted the connection.
    func preparedAnswer(
        to request: RequestHead,
        sent: ByteBuffer,
        from origin: Origin,
        _ upstream: ServedUpstream?,
        listener: Int
    ) -> ByteBuffer?

    /// The same for a request with the bytes of an earlier one, before any of it is parsed.
    func preparedAnswer(toSame sent: ByteBuffer, listener: Int) -> ByteBuffer?
}

/// A transport that can send prepared bytes in an exchange that has begun.
protocol PreparedAnswerTransport: AnyObject {
    /// Whether an answer that was prepared for any client fits this one.
    var takesPrepared: Bool { get }

    /// The whole response. Nothing may have been sent before, and nothing may follow.
    func sendPrepared(_ bytes: ByteBuffer)
}

extension RequestHead {
    /// Whether an answer that was prepared for any client fits: HTTP/1.1, not `HEAD`, and the connection is kept
    /// afterwards.
    var takesPrepared: Bool { version == .http11 && !isHEAD && keepsAlive }
}
