import HTTPMessages
import HTTPWire
import NIOCore

/// A short cut: a request for which nothing must be awaited or made is answered with a prepared response, before there is
/// an exchange. Only connections and a replay know of it; other services do not.
protocol PreparedAnswers: AnyObject {
    /// Whether it is worth asking.
    var arePrepared: Bool { get }

    /// The whole response to a request without a body; nil if there is none.
    ///
    /// - Parameters:
    ///   - sent: the bytes of the request in HTTP/1, which identify it when it is sent again; nil in other versions.
    ///   - origin: under which the client knows the server.
    func preparedAnswer(
        to request: RequestHead,
        sent: ByteBuffer?,
        from origin: Origin,
        _ upstream: ServedUpstream?,
        at entrance: Entrance
    ) -> PreparedAnswer?

    /// The same for a request with the bytes of an earlier one, before any of it is parsed.
    func preparedAnswer(toSame sent: ByteBuffer, at entrance: Entrance) -> PreparedAnswer?
}

/// A transport that can send a prepared response in an exchange that has begun.
protocol PreparedAnswerTransport: AnyObject {
    /// Whether an answer that was prepared for any client fits this one.
    var takesPrepared: Bool { get }

    /// Nothing may have been sent before, and nothing may follow.
    func sendPrepared(_ answer: PreparedAnswer)
}

extension RequestHead {
    /// Whether an answer that was prepared for any client fits: not HTTP/1.0, not `HEAD`, and the connection is kept
    /// afterwards.
    var takesPrepared: Bool { version != .http10 && !isHEAD && keepsAlive }
}
