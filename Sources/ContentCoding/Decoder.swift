import CBrotli
import CZlib
import CZstd

/// Decodes a body piece by piece. Not for use from two threads at once.
package final class Decoder {
    private enum Engine {
        case zlib(UnsafeMutablePointer<z_stream>)
        case brotli(OpaquePointer?)
        case zstd(OpaquePointer?)
    }

    let coding: ContentCoding
    private var engine: Engine
    private var produced = 0
    private var hasInput = false
    private var input: [UInt8] = []
    private var offset = 0
    private var needsInput = true
    private var isMalformed = false
    private var block: [UInt8] = []
    /// Whether the end of the coded data was seen.
    package private(set) var isFinished = false
    /// Whether bytes that do not belong to the coded data came after its end. These and all that follow are ignored, as
    /// browsers and curl do.
    package private(set) var hasTrailingBytes = false

    private static let blockSize = 64 << 10

    package init(_ coding: ContentCoding) {
        self.coding = coding
        switch coding {
        case .brotli: engine = .brotli(BrotliDecoderCreateInstance(nil, nil, nil))
        case .zstd: engine = .zstd(Self.makeZstd())
        case .gzip: engine = .zlib(Self.makeInflate(windowBits: 15 + 32))
        case .deflate: engine = .zlib(Self.makeInflate(windowBits: 15))
        }
    }

    deinit {
        switch engine {
        case .zlib(let stream):
            inflateEnd(stream)
            stream.deallocate()
        case .brotli(let state): BrotliDecoderDestroyInstance(state)
        case .zstd(let state): ZSTD_freeDStream(state)
        }
    }

    /// Appends what `input` decodes to.
    ///
    /// - Parameter limit: bytes that all calls together may return.
    package func decode(
        _ input: [UInt8],
        into output: inout [UInt8],
        limit: Int = .max
    ) throws(ContentCodingError) {
        feed(input)
        while let bytes = try next(limit: limit) { output += bytes }
    }

    /// Takes the next piece of coded data. `next` returns what it decodes to; it must have returned nil for the piece
    /// before.
    package func feed(_ piece: [UInt8]) {
        guard let first = piece.first, !hasTrailingBytes else { return }
        if isFinished, coding == .gzip, first == 0x1F, case .zlib(let stream) = engine {
            inflateReset(stream)
            isFinished = false
        }
        if isFinished, coding == .zstd { isFinished = false }
        if !hasInput {
            hasInput = true
            useRawDeflateIfNeeded(first: piece)
        }
        (input, offset) = (piece, 0)
        needsInput = false
        hasTrailingBytes = isFinished
    }

    /// Some of what was fed, decoded: at most 64 KiB; nil if more must be fed.
    ///
    /// - Parameter limit: bytes that all calls together may return.
    package func next(limit: Int = .max) throws(ContentCodingError) -> [UInt8]? {
        while !isFinished, !needsInput {
            // Thrown only now, because what came before the error was returned first.
            guard !isMalformed else { throw .malformed(coding) }
            if block.isEmpty { block = Array(repeating: 0, count: Self.blockSize) }
            let step = advance(&input, &offset, &block)
            produced += step.produced
            guard produced <= limit else { throw .tooLarge(limit: limit) }
            needsInput = step.needsInput
            isMalformed = step.isMalformed
            hasTrailingBytes = isFinished && offset < input.count
            if step.produced > 0 { return Array(block[..<step.produced]) }
        }
        return nil
    }

    private struct Step {
        var produced: Int
        var needsInput: Bool
        var isMalformed = false
    }

    private func advance(
        _ input: inout [UInt8],
        _ offset: inout Int,
        _ block: inout [UInt8]
    ) -> Step {
        switch engine {
        case .zlib(let stream): inflateStep(stream, &input, &offset, &block)
        case .brotli(let state): brotliStep(state, &input, &offset, &block)
        case .zstd(let state): zstdStep(state, &input, &offset, &block)
        }
    }

    private func inflateStep(
        _ stream: UnsafeMutablePointer<z_stream>,
        _ input: inout [UInt8],
        _ offset: inout Int,
        _ block: inout [UInt8]
    ) -> Step {
        let result = input.withUnsafeMutableBufferPointer { input in
            block.withUnsafeMutableBufferPointer { block in
                stream.pointee.next_in = input.baseAddress.map { $0 + offset }
                stream.pointee.avail_in = UInt32(clamping: input.count - offset)
                stream.pointee.next_out = block.baseAddress
                stream.pointee.avail_out = UInt32(block.count)
                let given = stream.pointee.avail_in
                let status = inflate(stream, Z_NO_FLUSH)
                offset += Int(given - stream.pointee.avail_in)
                return status
            }
        }
        let produced = block.count - Int(stream.pointee.avail_out)
        switch result {
        case Z_STREAM_END:
            // A gzip body may consist of several members (RFC 1952 §2.2).
            if coding == .gzip, offset < input.count, input[offset] == 0x1F,
                offset + 1 == input.count || input[offset + 1] == 0x8B
            {
                inflateReset(stream)
                return Step(produced: produced, needsInput: false)
            }
            isFinished = true
            return Step(produced: produced, needsInput: true)
        case Z_OK, Z_BUF_ERROR:
            return Step(produced: produced, needsInput: offset == input.count && stream.pointee.avail_out > 0)
        default: return Step(produced: produced, needsInput: false, isMalformed: true)
        }
    }

    private func brotliStep(
        _ state: OpaquePointer?,
        _ input: inout [UInt8],
        _ offset: inout Int,
        _ block: inout [UInt8]
    ) -> Step {
        var produced = 0
        let result = input.withUnsafeBufferPointer { input in
            block.withUnsafeMutableBufferPointer { block in
                var available = input.count - offset
                var next = input.baseAddress.map { $0 + offset }
                var room = block.count
                var out = block.baseAddress
                let result = BrotliDecoderDecompressStream(state, &available, &next, &room, &out, nil)
                offset = input.count - available
                produced = block.count - room
                return result
            }
        }
        switch result {
        case BROTLI_DECODER_RESULT_SUCCESS:
            isFinished = true
            return Step(produced: produced, needsInput: true)
        case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT: return Step(produced: produced, needsInput: true)
        case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT: return Step(produced: produced, needsInput: false)
        default: return Step(produced: produced, needsInput: false, isMalformed: true)
        }
    }

    private func zstdStep(
        _ state: OpaquePointer?,
        _ input: inout [UInt8],
        _ offset: inout Int,
        _ block: inout [UInt8]
    ) -> Step {
        var produced = 0
        let result = input.withUnsafeBytes { input in
            block.withUnsafeMutableBytes { block in
                var from = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: offset)
                var into = ZSTD_outBuffer(dst: block.baseAddress, size: block.count, pos: 0)
                let result = ZSTD_decompressStream(state, &into, &from)
                offset = from.pos
                produced = into.pos
                return result
            }
        }
        guard ZSTD_isError(result) == 0 else { return Step(produced: produced, needsInput: false, isMalformed: true) }
        // A body may consist of several frames (RFC 8878 §3.1).
        if result == 0, offset == input.count { isFinished = true }
        return Step(produced: produced, needsInput: offset == input.count && produced < block.count)
    }

    private static func makeZstd() -> OpaquePointer? {
        let state = ZSTD_createDStream()
        // The `zstd` coding allows windows of up to 8 MiB (RFC 9659 §3); a larger one would only cost memory.
        ZSTD_DCtx_setParameter(state, ZSTD_d_windowLogMax, 23)
        return state
    }

    /// "deflate" is the zlib format (RFC 9110 §8.4.1.2), but some servers send raw deflate, which browsers accept.
    private func useRawDeflateIfNeeded(first input: [UInt8]) {
        guard coding == .deflate, case .zlib(let stream) = engine else { return }
        let isZlib = input[0] & 0x0F == 8 && (input.count < 2 || (Int(input[0]) << 8 | Int(input[1])) % 31 == 0)
        guard !isZlib else { return }
        inflateEnd(stream)
        stream.deallocate()
        engine = .zlib(Self.makeInflate(windowBits: -15))
    }

    private static func makeInflate(windowBits: Int32) -> UnsafeMutablePointer<z_stream> {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        inflateInit2_(stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        return stream
    }
}
