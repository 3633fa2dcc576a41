import HTTPMessages
import NIOCore

/// One request on its way to an upstream and its answer, whatever version of HTTP carries them. Belongs to one event loop.
protocol UpstreamStream: AnyObject {
    var isWritable: Bool { get }

    /// Sends the head of the request. How long its body will be is said by `bodyLength` alone.
    func begin(_ request: RequestHead, receiver: any UpstreamReceiver)

    func send(_ bytes: ByteBuffer)

    func finish(trailers: Fields)

    /// Stops and starts reading the answer.
    func pause(_ isPaused: Bool)

    /// Gives the exchange up.
    func cancel()
}

/// Takes what an upstream answers. All calls come on the event loop of the stream.
protocol UpstreamReceiver: AnyObject {
    func receiveInformational(_ head: ResponseHead)
    func receiveHead(_ head: ResponseHead)
    /// The next `size` bytes of the body are one piece: a chunk of HTTP/1.1. What carries the answer need not have such marks.
    func receiveMark(piece size: Int)
    func receiveBody(_ bytes: ByteBuffer)
    func receiveResponseEnd(trailers: Fields)
    /// What has arrived so far was handed over. Not called after the end.
    func receivedAll()
    /// Nothing comes after this.
    func receiveFailure(_ failure: UpstreamFailure)
    func upstreamWritabilityRestored()
}
