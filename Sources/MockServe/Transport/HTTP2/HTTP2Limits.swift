import HTTPWire
import NIOCore
import NIOHTTP2

/// What a peer that speaks HTTP/2 may ask of this side (RFC 9113 §6.5, §10.5).
enum HTTP2Limits {
    /// Exchanges of one connection at the same time. Further ones are refused, and may be sent again.
    static let streams = 256
    /// Bytes of one message body that may be on their way: the window of a stream.
    static let streamWindow = 256 << 10
    /// The same for all streams of a connection.
    static let connectionWindow = 1 << 20
    /// Bytes of a body that wait for the peer to take them, over which its sender pauses.
    static let outputLimit = 64 << 10
    private static let frameSize = 16 << 10

    /// - Parameter fieldSection: bytes of fields that are taken. Messages up to twice as long are refused one by one;
    ///   beyond that the connection ends, because a compressed field section cannot be skipped.
    static func codec(
        _ mode: NIOHTTP2Handler.ParserMode,
        fieldSection: Int,
        _ delegate: any NIOHTTP2FrameDelegate
    ) -> NIOHTTP2Handler {
        let listSize = 2 * fieldSection + (64 << 10)
        var connection = NIOHTTP2Handler.ConnectionConfiguration()
        connection.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: streams),
            HTTP2Setting(parameter: .initialWindowSize, value: streamWindow),
            HTTP2Setting(parameter: .maxHeaderListSize, value: listSize),
        ]
        if mode == .client {
            connection.initialSettings[0] = HTTP2Setting(parameter: .enablePush, value: 0)
        }
        // The lengths of bodies are checked where they are read, and wrong ones may have to be sent on purpose.
        connection.contentLengthValidation = .disabled
        connection.maximumSequentialContinuationFrames = listSize / frameSize + 1
        connection.maximumSequentialEmptyDataFrames = 64
        connection.maximumBufferedControlFrames = 1000
        connection.controlFrameRateLimit.maximumCount = 2000
        connection.controlFrameRateLimit.windowLength = .seconds(10)
        var stream = NIOHTTP2Handler.StreamConfiguration()
        stream.streamResetFrameRateLimit.maximumCount = 2000
        stream.streamResetFrameRateLimit.windowLength = .seconds(10)
        return NIOHTTP2Handler(
            mode: mode,
            frameDelegate: delegate,
            connectionConfiguration: connection,
            streamConfiguration: stream
        )
    }
}
