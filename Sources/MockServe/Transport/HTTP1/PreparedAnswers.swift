import HTTPMessages
import HTTPWire
import NIOCore

/// The short cut of HTTP/1: a request that nothing has to be awaited or made for is answered by bytes that are ready, before there is
/// an exchange. A private matter between the handler of a connection and a replay; responders, and what stands before them, do not
/// know of it.
protocol PreparedAnswers: AnyObject {
    /// Whether it is worth asking.
    var arePrepared: Bool { get }

    /// The whole response to a request without a body, as it goes over the wire.
    ///
    /// - Parameters:
    ///   - sent: its bytes, to know it by when it comes again.
    ///   - origin: by which the client knows the server.
    ///   - listener: by which the request came in.
    func preparedAnswer(
        to request: RequestHead,
        sent: ByteBuffer,
        from origin: Origin,
        _ upstream: ServedUpstream?,
        listener: Int
    ) -> ByteBuffer?

    /// The same for a request of which the bytes are those of an earlier one, before anything of it is read.
    func preparedAnswer(toSame sent: ByteBuffer, listener: Int) -> ByteBuffer?
}

/// A transport that can send such bytes in an exchange that has begun.
protocol PreparedAnswerTransport: AnyObject {
    /// Whether an answer as it was prepared for any client fits this one.
    var takesPrepared: Bool { get }

    /// The whole response. Nothing may have been sent before, and nothing may follow.
    func sendPrepared(_ bytes: ByteBuffer)
}

extension RequestHead {
    /// Whether an answer as it was prepared for any client fits: `GET` or the like in HTTP/1.1, with the connection kept
    /// afterwards.
    var takesPrepared: Bool { version == .http11 && !isHEAD && keepsAlive }
}
