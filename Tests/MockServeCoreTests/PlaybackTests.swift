import HTTPWire
import MockServeCore
import Testing

@Suite struct PlaybackTests {
    private let key = Asked.get("/a").key
    private let other = Asked.get("/b").key

    @Test func everyKeyHasItsOwnPosition() {
        var playback = Playback()
        let isTaken = playback.advance(key, from: 0, to: 3)
        #expect(isTaken)
        #expect(playback.position(of: key) == 3 && playback.position(of: other) == 0)
    }

    @Test func aStepIsTakenOnce() {
        var playback = Playback()
        let steps = [
            playback.advance(key, from: 0, to: 1),
            playback.advance(key, from: 0, to: 1),
            playback.advance(key, from: 1, to: 2),
        ]
        #expect(steps == [true, false, true])
        #expect(playback.position(of: key) == 2)
    }
}

@Suite struct FieldsJSONTests {
    @Test func everyByteSurvives() throws {
        let bytes = (0...255).map { UInt8($0) }
        var original = Fields()
        original.append(name: bytes, value: bytes.reversed())
        original.append("", "")
        let json = FieldsJSON.encode(original)
        #expect(FieldsJSON.decode(json) == original)
    }

    @Test(arguments: [
        "", "[", "[]x", "[[]]", "[[\"a\"]]", "[[\"a\",\"b\",\"c\"]]", "[[\"a\",1]]", "[[\"\\u0100\",\"\"]]",
        "[[\"\u{100}\",\"\"]]", "{}", "[[\"a\",\"b\"],]", "[[\"a\",\"\\x\"]]",
    ])
    func otherShapesAreRefused(_ json: String) {
        #expect(FieldsJSON.decode(json) == nil)
    }
}
