import Testing

@testable import MockServeCore

/// The digests are in every cassette: they must not change. These were computed by a program of its own.
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
