import HTTPMessages
import MockServeCore
import Testing

/// A recording in memory: who was asked, and whether it was a write.
private struct Recording: PlaybackIndex {
    let interactions: [(key: MatchKey, isWrite: Bool)]

    /// Words such as "get a" and "post b": method and path.
    init(_ words: String) {
        interactions = words.split(separator: ",").map { word in
            let parts = word.split(separator: " ")
            let isWrite = parts[0] != "get"
            return (Self.key(String(parts[1]), isWrite: isWrite), isWrite)
        }
    }

    static func key(_ path: String, isWrite: Bool) -> MatchKey {
        Asked(method: isWrite ? "POST" : "GET", target: "/" + path).key
    }

    private func numbers(_ isWanted: (Int64, MatchKey, Bool) -> Bool) -> [Int64] {
        interactions.enumerated().compactMap { index, interaction in
            let number = Int64(index + 1)
            return isWanted(number, interaction.key, interaction.isWrite) ? number : nil
        }
    }

    func first(_ key: PlaybackKey, after low: Int64, before high: Int64) -> Int64? {
        numbers { number, other, _ in other == key.match && number > low && number < high }.first
    }

    func last(_ key: PlaybackKey, before high: Int64) -> Int64? {
        numbers { number, other, _ in other == key.match && number < high }.last
    }

    func firstWrite(after low: Int64) -> Int64? { numbers { number, _, isWrite in isWrite && number > low }.first }

    func next(after low: Int64, ifIts key: MatchKey) -> Int64? {
        interactions.indices.contains(Int(low)) && interactions[Int(low)].key == key ? low + 1 : nil
    }
}

@Suite struct PlaybackTests {
    /// The numbers of the interactions that are played; zero for a miss.
    private func play(_ mode: PlaybackMode, _ recording: Recording, _ requests: String) throws -> [Int64] {
        var playback = PlaybackState(mode)
        return try requests.split(separator: ",").map { word in
            let parts = word.split(separator: " ")
            let isWrite = parts[0] != "get"
            return try playback.step(
                PlaybackKey(Recording.key(String(parts[1]), isWrite: isWrite)),
                isWrite: isWrite,
                recording
            )
                ?? 0
        }
    }

    private func polled(_ mode: PlaybackMode, _ requests: String) throws -> [Int64] {
        // A list, asked for twice, changed, asked for twice, changed, asked for once.
        try play(mode, Recording("get l,get l,post a,get l,get l,post b,get l"), requests)
    }

    @Test func aWriteMovesTimeForward() throws {
        #expect(try polled(.timeline, "get l,post a,get l,post b,get l") == [1, 3, 4, 6, 7])
        #expect(try polled(.timeline, "post a,post b,get l,get l") == [3, 6, 7, 7])
    }

    @Test func pollingDoesNotMoveTimeForward() throws {
        #expect(try polled(.timeline, "get l,get l,get l,get l,get l") == [1, 2, 2, 2, 2])
        #expect(
            try polled(.timeline, "get l,get l,get l,post a,get l,get l,get l,get l,post b,get l,get l")
                == [1, 2, 2, 3, 4, 5, 5, 5, 6, 7, 7]
        )
    }

    @Test func aRepeatedWriteDoesNotTurnTimeBack() throws {
        #expect(try polled(.timeline, "post a,post b,post a,get l") == [3, 6, 3, 7])
    }

    @Test func whatDidNotChangeIsStillTrue() throws {
        let recording = Recording("get x,post a,get l")
        #expect(try play(.timeline, recording, "get x,post a,get x,get l,get x") == [1, 2, 1, 3, 1])
    }

    @Test func whatWasRecordedLaterIsGivenWhenThereIsNothingElse() throws {
        let recording = Recording("post a,get x")
        #expect(try play(.timeline, recording, "get x,post a,get x") == [2, 1, 2])
    }

    @Test func aPartOfTheRecordingIsPlayedInOrderToo() throws {
        let recording = Recording("post a,get x,get x,post b,get x")
        #expect(try play(.timeline, recording, "get x,get x,get x,post a,get x,post b,get x") == [2, 3, 3, 1, 3, 4, 5])
    }

    @Test func sequenceIgnoresWrites() throws {
        #expect(try polled(.sequence, "get l,get l,get l,post a,get l,get l,get l") == [1, 2, 4, 3, 5, 7, 7])
    }

    @Test func onceMissesAfterTheLast() throws {
        #expect(try polled(.once, "post a,post a,get l,get l,get l,get l,get l,get l") == [3, 0, 1, 2, 4, 5, 7, 0])
    }

    @Test func cycleBeginsAgain() throws {
        #expect(try polled(.cycle, "get l,get l,get l,get l,get l,get l,post a,post a") == [1, 2, 4, 5, 7, 1, 3, 3])
    }

    @Test func firstStays() throws {
        #expect(try polled(.first, "get l,post a,get l,post a") == [1, 3, 1, 3])
    }

    @Test func strictKeepsTheRecordedOrder() throws {
        #expect(try polled(.strict, "get l,post a,get l,post a,get l,get l") == [1, 0, 2, 3, 4, 5])
    }

    @Test func anUnknownRequestIsAMissAndChangesNothing() throws {
        for mode in PlaybackMode.allCases {
            #expect(try polled(mode, "get q,post q,get l") == [0, 0, 1])
        }
    }

    /// Against a model: whatever the interleaving, a read is answered with what was recorded between the last answered
    /// write and the next one, unless nothing was recorded there; and no read there is skipped.
    @Test func timelineHoldsForRandomInterleavings() throws {
        var state: UInt64 = 7
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        for _ in 0..<300 {
            let recording = Recording(
                (0..<(1 + random(20))).map { _ in
                    random(3) == 0 ? "post \(random(3))" : "get \(random(3))"
                }.joined(separator: ",")
            )
            var playback = PlaybackState(.timeline)
            var time: Int64 = 0
            var played: [MatchKey: Int64] = [:]
            for _ in 0..<60 {
                let isWrite = random(4) == 0
                let key = Recording.key("\(random(3))", isWrite: isWrite)
                let number = try playback.step(PlaybackKey(key), isWrite: isWrite, recording)
                let isKnown = recording.first(PlaybackKey(key), after: 0, before: .max) != nil
                #expect((number != nil) == isKnown)
                guard let number else { continue }
                if isWrite {
                    time = max(time, number)
                    continue
                }
                let end = recording.firstWrite(after: time) ?? .max
                let inside = (1..<Int64(recording.interactions.count + 1)).filter {
                    $0 > time && $0 < end && recording.interactions[Int($0 - 1)].key == key
                }
                if let last = inside.last {
                    let expected = inside.first { $0 > played[key] ?? 0 } ?? last
                    #expect(number == expected)
                } else if let before = recording.last(PlaybackKey(key), before: end) {
                    #expect(number == before)
                }
                played[key] = number
            }
        }
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
