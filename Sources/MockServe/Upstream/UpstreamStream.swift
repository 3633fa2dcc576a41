import HTTPMessages
import NIOCore

/// One request on its way to an upstream, and its answer, in any version of HTTP. Belongs to one event loop.
protocol UpstreamStream: AnyObject {
    var isWritable: Bool { get }

    /// Sends the head of the request. Only `bodyLength` says how long its body will be.
    func begin(_ request: RequestHead, receiver: any UpstreamReceiver)

    func send(_ bytes: ByteBuffer)

    func finish(trailers: Fields)

    /// Pauses or resumes reading the answer.
    func pause(_ isPaused: Bool)

    /// Gives up the exchange.
    func cancel()
}

/// Takes the answer of an upstream. All calls are made on the event loop of the stream.
protocol UpstreamReceiver: AnyObject {
    func receiveInformational(_ head: ResponseHead)
    func receiveHead(_ head: ResponseHead)
    /// The next `size` bytes of the body are one piece: a chunk of HTTP/1.1. Other versions need not have marks.
    func receiveMark(piece size: Int)
    func receiveBody(_ bytes: ByteBuffer)
    func receiveResponseEnd(trailers: Fields)
    /// Everything that has arrived was handed over. Not called after the end.
    func receivedAll()
    /// No calls follow.
    func receiveFailure(_ failure: UpstreamFailure)
    func upstreamWritabilityRestored()
}
