import Testing

@testable import MockServeCore

/// The digests are in every cassette, so they must not change. These were computed by a separate program.
struct CanonicalJSONTests {
    @Test(
        arguments: [
            (#"{}"#, "d433b5fbace692d4"),
            (#"[]"#, "6dccfa8712f2d7c9"),
            (#"null"#, "74234e98afe7498f"),
            (#"true"#, "b5bea41b6c623f7c"),
            (#""a""#, "e34d1fb77f49bbb6"),
            (#""""#, "fb912574cecad54c"),
            (#"-0"#, "406b2b52b84c9e25"),
            (#"1.50e3"#, "149386a1913b6d0c"),
            (#"{"b":1,"a":[true,null,"x"]}"#, "57f46360f89d791a"),
            (#"{"a":1,"a":2}"#, "687e7f03fbd8d75d"),
            (#"{"a":2,"a":1}"#, "951cd376908f98fd"),
            (#"{"deep":[[[{"x":{"y":{"z":[1,2,{}]}}}]]],"long name of a member":"value"}"#, "af4cfcb887c9d9d1"),
            (#""\u00e9\n\ud83d\ude00\/""#, "e32cd44572cf7bd5"),
            (#"[0.1,10,1e1,100e-1,12345678901234567890.5]"#, "ab57567a60dd6d70"),
            (#"{"ab":1,"a":2,"abc":3,"":4,"b":5,"\u0061b":6}"#, "013b62f6b17e156a"),
        ]
    )
    func digestsAsEver(_ text: String, _ digest: String) {
        #expect(CanonicalJSON.digest(of: Array(text.utf8))?.prefix(8).map(hex).joined() == digest)
    }

    /// Names that begin alike, are shorter or longer than a machine word, or hold zeros.
    @Test func theOrderOfMembersDoesNotCount() throws {
        let names = [
            "", "a", "a\\u0000", "a\\u0000b", "member1", "member10", "member100", "member2", "longer name 1",
            "longer name 10",
            "longer name 2", "longer n", "longer na", "\u{FFFF}", "é", "1234567", "12345678", "123456789",
        ]
        var generator = SystemRandomNumberGenerator()
        func text() -> [UInt8] {
            let members = names.shuffled(using: &generator).map { "\"\($0)\":\"value of \($0)\"" }
            return Array("{\(members.joined(separator: ","))}".utf8)
        }
        let digest = try #require(CanonicalJSON.digest(of: text()))
        for _ in 0..<200 { #expect(CanonicalJSON.digest(of: text()) == digest) }
        // Members of one name keep their order.
        let (one, other) = (Array(#"{"name":1,"name":2}"#.utf8), Array(#"{"name":2,"name":1}"#.utf8))
        #expect(CanonicalJSON.digest(of: one) != CanonicalJSON.digest(of: other))
    }

    @Test func theEndOfPlainTextIsFoundWhereverItIs() {
        for length in 0..<40 {
            for byte in UInt8.min...UInt8.max {
                for place in 0..<length {
                    var text = Array(repeating: UInt8(ascii: "x"), count: length)
                    text[place] = byte
                    // What comes later does not count.
                    if place + 1 < length { text[place + 1] = UInt8(ascii: "\"") }
                    let isEnd = byte < 0x20 || byte == 0x22 || byte == 0x5C
                    let next = min(place + 1, length)
                    let ends = text.withUnsafeBufferPointer { text in
                        [false, true].map { endOfPlainText(in: text, from: 0, isASCII: $0) }
                    }
                    #expect(ends == [isEnd ? place : next, isEnd || byte >= 0x80 ? place : next])
                }
            }
        }
    }

    @Test func digestsAPlaceThatRulesIgnoreAsEver() throws {
        let rules = try RuleSet([Rule(.ignore, part: "json:$.a.*"), Rule(.ignore, part: "json:$.b[1]")]).json
        let digest = CanonicalJSON.digest(of: Array(#"{"b":[1,2,3],"a":{"x":1,"y":2},"c":true}"#.utf8), rules)
        #expect(digest?.prefix(8).map(hex).joined() == "908ee59509bd23fe")
    }

    @Test(arguments: ["", "{", "[1,]", "{\"a\":1,}", "{\"a\" 1}", "\"\\x\"", "tru", "01", "1.", "[1] x", "\"\u{1}\""])
    func isNotJSON(_ text: String) {
        #expect(CanonicalJSON.digest(of: Array(text.utf8)) == nil)
    }

    private func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
}
