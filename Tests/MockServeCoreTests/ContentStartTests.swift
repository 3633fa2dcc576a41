import ContentCoding
import Testing

@testable import MockServeCore

@Suite struct ContentStartTests {
    @Test(arguments: [
        ("{}", ContentStart.json), (" \t\r\n[1]", .json), ("\u{FEFF}{\"a\":1}", .json), ("\u{1E}{}", .json),
        ("<a/>", .markup),
        ("\u{FEFF} <html>", .markup), ("text", .other), ("1", .other), ("\u{0}{", .other), ("\u{0C}{", .other),
    ])
    func isToldByTheFirstByte(_ text: String, _ start: ContentStart) {
        #expect(ContentStart(Array(text.utf8)) == start)
        for codings in [[], [ContentCoding.gzip], [.brotli, .gzip], [.zstd]] as [[ContentCoding]] {
            var coded = Array(text.utf8)
            for coding in codings { coded = coding.encode(coded) ?? [] }
            var peek = ContentPeek(codings)
            // Byte by byte, as a slow upstream sends it.
            var found: ContentStart?
            for byte in coded where found == nil { found = peek.look(at: [byte]) }
            #expect(found == start, "\(codings)")
        }
    }

    @Test func whiteSpaceSaysNothingForAWhileAndThenSomethingElse() {
        #expect(ContentStart(Array(" \n\t".utf8)) == nil)
        #expect(ContentStart([]) == nil)
        var peek = ContentPeek([])
        #expect(peek.look(at: Array(repeating: 0x20, count: 500)) == nil)
        #expect(peek.look(at: Array(repeating: 0x20, count: 500)) == .other)
    }

    @Test func whatIsNotCodedAsItSaysIsSomethingElse() {
        var peek = ContentPeek([.gzip])
        #expect(peek.look(at: Array("{\"plain\": true}".utf8)) == .other)
    }

    @Test func aBodyThatGrowsWhenDecodedIsNotDecodedFurtherThanNeeded() {
        let coded = ContentCoding.gzip.encode(Array("{".utf8) + Array(repeating: 0x20, count: 2 << 20)) ?? []
        var peek = ContentPeek([.gzip])
        #expect(peek.look(at: coded) == .json)
    }
}
