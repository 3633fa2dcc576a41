import ContentCoding
import Testing

@Suite struct ContentCodingTests {
    private static let codings: [ContentCoding] = [.gzip, .deflate, .brotli, .zstd]

    @Test(arguments: codings, [0, 1, 100, 200_000])
    func decodesWhatItEncoded(_ coding: ContentCoding, _ size: Int) throws {
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) }
        let coded = try #require(coding.encode(bytes))
        #expect(try coding.decode(coded, limit: size) == bytes)
        let decoder = Decoder(coding)
        var output: [UInt8] = []
        for byte in coded { try decoder.decode([byte], into: &output) }
        #expect(output == bytes && decoder.isFinished)
    }

    @Test(arguments: codings)
    func refusesBombsAndBrokenInput(_ coding: ContentCoding) throws {
        let bomb = try #require(coding.encode(Array(repeating: 0, count: 10_000_000)))
        #expect(throws: ContentCodingError.tooLarge(limit: 1000)) { try coding.decode(bomb, limit: 1000) }
        #expect(throws: ContentCodingError.malformed(coding)) { try coding.decode(bomb.dropLast(), limit: .max) }
        #expect(throws: ContentCodingError.self) { try coding.decode(Array("no such thing at all".utf8), limit: .max) }
    }

    @Test func readsSeveralGzipMembersAndRawDeflate() throws {
        let one = try #require(ContentCoding.gzip.encode(Array("one ".utf8)))
        let two = try #require(ContentCoding.gzip.encode(Array("two".utf8)))
        #expect(try ContentCoding.gzip.decode(one + two, limit: 100) == Array("one two".utf8))
        let zlib = try #require(ContentCoding.deflate.encode(Array("raw".utf8)))
        // A zlib stream without its header and checksum is a raw one (RFC 1950 §2.2).
        #expect(try ContentCoding.deflate.decode(zlib[2..<(zlib.count - 4)], limit: 100) == Array("raw".utf8))
    }

    /// For zstd, anything that follows is another frame, or malformed.
    @Test(arguments: [ContentCoding.gzip, .deflate, .brotli], [[0x20], [0, 0x1F], Array("more".utf8)] as [[UInt8]])
    func whatFollowsTheCodedDataIsNoticed(_ coding: ContentCoding, _ rest: [UInt8]) throws {
        let coded = try #require(coding.encode(Array("coded".utf8)))
        for cut in [coded.count - 1, coded.count, coded.count + 1] {
            let decoder = Decoder(coding)
            var output: [UInt8] = []
            try decoder.decode(Array((coded + rest)[..<cut]), into: &output)
            try decoder.decode(Array((coded + rest)[cut...]), into: &output)
            #expect(output == Array("coded".utf8) && decoder.isFinished)
            #expect(decoder.hasTrailingBytes, "cut at \(cut)")
        }
    }

    @Test func readsSeveralZstdFrames() throws {
        let one = try #require(ContentCoding.zstd.encode(Array("one ".utf8)))
        let two = try #require(ContentCoding.zstd.encode(Array("two".utf8)))
        #expect(try ContentCoding.zstd.decode(one + two, limit: 100) == Array("one two".utf8))
    }

    @Test func whatSmallBodiesDecodeToComesInBlocks() throws {
        var coded = Array(repeating: UInt8(ascii: "a"), count: 20 << 20)
        for _ in 0..<2 { coded = try #require(ContentCoding.gzip.encode(coded)) }
        #expect(coded.count < 1000)
        let chain = DecoderChain([.gzip, .gzip])
        var total = 0
        for byte in coded {
            chain.feed([byte])
            while let block = try chain.next() {
                #expect(block.count <= 64 << 10)
                total += block.count
            }
        }
        #expect(total == 20 << 20 && chain.isWhole)
        let limited = DecoderChain([.gzip, .gzip], limit: 1 << 20)
        limited.feed(coded)
        #expect(throws: ContentCodingError.tooLarge(limit: 1 << 20)) { while try limited.next() != nil {} }
    }

    @Test func knowsCodingsByTheirNames() {
        #expect(ContentCoding("X-GZip".utf8) == .gzip && ContentCoding("br".utf8) == .brotli)
        #expect(ContentCoding("compress".utf8) == nil && ContentCoding("".utf8) == nil)
    }
}
