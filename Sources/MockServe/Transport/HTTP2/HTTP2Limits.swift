import HTTPWire
import NIOCore
import NIOHPACK
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
    /// Bytes of the table for compressing fields (RFC 7541 §4.2), beyond which a connection ends after so many answers, as
    /// all their fields may be in it.
    static let tableSize = 64 << 10
    static let rememberedAnswers = 1000
    /// What is read of a request whose answer was sent already. Then the stream is reset.
    static let discardLimit = 1 << 20

    /// Whether a field section can be sent: the library writes it in one frame, of the size that every peer takes.
    static func fits(_ block: HPACKHeaders) -> Bool {
        let size = block.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
        // No byte takes more than 30 bits (RFC 7541 Appendix B).
        guard size > frameSize / 4 else { return true }
        var encoder = HPACKEncoder(allocator: ByteBufferAllocator(), maxDynamicTableSize: 0)
        var buffer = ByteBuffer()
        guard (try? encoder.encode(headers: block, to: &buffer)) != nil else { return false }
        return buffer.readableBytes <= frameSize
    }

    /// Streams with errors in 30 s, and in all.
    private static let streamErrors = 200
    private static let resets = 2000
    private static let controlFrames = 2000
    private static let rateWindow = TimeAmount.seconds(10)

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
        connection.maximumSequentialEmptyDataFrames = 1000
        connection.maximumBufferedControlFrames = 1000
        connection.maximumConnectionGlitches = streamErrors
        connection.controlFrameRateLimit.maximumCount = controlFrames
        connection.controlFrameRateLimit.windowLength = rateWindow
        var stream = NIOHTTP2Handler.StreamConfiguration()
        stream.streamResetFrameRateLimit.maximumCount = resets
        stream.streamResetFrameRateLimit.windowLength = rateWindow
        stream.streamErrorRateLimit.maximumCount = streamErrors
        stream.streamErrorRateLimit.windowLength = .seconds(30)
        return NIOHTTP2Handler(
            mode: mode,
            frameDelegate: delegate,
            connectionConfiguration: connection,
            streamConfiguration: stream
        )
    }
}

extension HTTP2Settings {
    /// Whether a peer asks for more of the fields that it is sent to be remembered than is good for long.
    var remembersMuch: Bool { contains { $0.parameter == .headerTableSize && $0.value > HTTP2Limits.tableSize } }
}
