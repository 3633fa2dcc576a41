import HTTPMessages
import MockServeCore
import Testing

@Suite struct MessageSplitterTests {
    private static let body: [UInt8] =
        [0, 0, 0, 0, 3, 1, 2, 3, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0] + [UInt8](repeating: 9, count: 256)

    private static func parts(_ pieces: [[UInt8]]) -> (parts: [MessageSplitter.Part], payload: [UInt8], isWithin: Bool)
    {
        var splitter = MessageSplitter()
        var (parts, payload) = ([MessageSplitter.Part](), [UInt8]())
        for piece in pieces {
            piece.withUnsafeBytes { bytes in
                _ = splitter.push(bytes) {
                    payload.append(contentsOf: $0)
                } _: {
                    parts.append($0)
                }
            }
        }
        return (parts, payload, splitter.isWithin)
    }

    @Test func findsMessagesHoweverTheBodyIsCut() {
        let whole = Self.parts([Self.body])
        #expect(
            whole.parts == [
                .begin(size: 8, isCompressed: false), .end, .begin(size: 5, isCompressed: true), .end,
                .begin(size: 261, isCompressed: false), .end,
            ]
        )
        #expect(whole.payload == [1, 2, 3] + [UInt8](repeating: 9, count: 256))
        #expect(!whole.isWithin)
        for cut in 1..<Self.body.count {
            let split = Self.parts([Array(Self.body[..<cut]), Array(Self.body[cut...])])
            #expect(split.parts == whole.parts)
            #expect(split.payload == whole.payload)
        }
        #expect(Self.parts(Self.body.map { [$0] }).parts == whole.parts)
    }

    @Test func anIncompleteMessageHasNoEnd() {
        #expect(Self.parts([[0, 0, 0, 0, 2, 1]]).parts == [.begin(size: 7, isCompressed: false)])
        #expect(Self.parts([[0, 0, 0]]).isWithin)
        #expect(GRPCMessage.all(in: [0, 0, 0, 0, 2, 1]).isEmpty)
        #expect(GRPCMessage.all(in: [0, 255, 255, 255, 255, 1]).isEmpty)
    }

    @Test func aWholeBodyGivesTheSameMessages() {
        let messages = GRPCMessage.all(in: Self.body)
        #expect(messages.map(\.range) == [0..<8, 8..<13, 13..<274])
        #expect(messages.map(\.isCompressed) == [false, true, false])
        #expect(GRPCMessage.framed(Array(messages[0].payload)) == Array(Self.body[..<8]))
    }

    @Test(arguments: [
        ("application/grpc", GRPCForm.binary), ("Application/gRPC+proto", .binary), ("application/grpc+json", .binary),
        ("application/grpc;charset=utf-8", .binary), ("application/grpc-web+proto", .binary),
        ("application/grpc-web-text", .text), ("application/grpc-web-text+proto", .text), ("application/grpcish", nil),
        ("application/grp", nil), ("application/json", nil), ("", nil),
    ])
    func mediaTypesTell(_ type: String, _ expected: GRPCForm?) {
        #expect(Fields([("Content-Type", type)]).formOfGRPC == expected)
    }
}

@Suite struct ConversationStateTests {
    private static let client = ConversationStep(.client, .grpc, offset: 0)
    private static let server = ConversationStep(.server, .grpc, offset: 0)
    private static let clientEnd = ConversationStep(.client, .end, offset: 0)
    private static let serverEnd = ConversationStep(.server, .end, offset: 0)
    private static let turns = [client, server, client, server, clientEnd, serverEnd]

    private static func recorded(
        _ id: Int64,
        _ steps: [ConversationStep] = turns,
        _ client: [UInt8] = [1, 2],
        _ server: [UInt8] = [11, 12]
    ) -> RecordedConversation {
        RecordedConversation(id: id, steps: steps, client: client.map { [$0] }, server: server.map { [$0] })
    }

    @Test func theSidesTakeTurns() {
        var state = ConversationState([Self.recorded(7)])
        #expect(state.begin() == .wait)
        #expect(!state.hasBegun)
        #expect(state.receive([1]) == .send(of: 7, upTo: 1))
        #expect(state.hasBegun)
        #expect(state.receive([2]) == .send(of: 7, upTo: 2))
        #expect(state.end() == .finish(of: 7, upTo: 2))
    }

    @Test func theServerMaySpeakFirstAndEndFirst() {
        let steps = [Self.server, Self.client, Self.server, Self.serverEnd, Self.clientEnd]
        var state = ConversationState([Self.recorded(7, steps, [1])])
        #expect(state.begin() == .send(of: 7, upTo: 1))
        #expect(state.receive([1]) == .finish(of: 7, upTo: 2))
        #expect(state.end() == .wait)
    }

    @Test func whatTheClientSaysNarrowsDown() {
        var state = ConversationState([
            Self.recorded(1, Self.turns, [1, 2], [11, 12]), Self.recorded(2, Self.turns, [1, 3], [11, 13]),
            Self.recorded(3, Self.turns, [4, 2], [14, 12]),
        ])
        #expect(state.receive([1]) == .send(of: 1, upTo: 1))
        #expect(state.receive([3]) == .send(of: 2, upTo: 2))
        #expect(state.end() == .finish(of: 2, upTo: 2))
    }

    /// Both go on alike, but one has said something that the other had not.
    @Test func whoeverHasSpokenGoesOn() {
        var state = ConversationState([
            Self.recorded(1, Self.turns, [1, 2], [11, 12]), Self.recorded(2, Self.turns, [1, 3], [99, 13]),
        ])
        #expect(state.receive([1]) == .send(of: 1, upTo: 1))
        #expect(state.receive([3]) == .miss(instead: 1, message: 2))
        #expect(state.receive([3]) == .wait)
        #expect(state.end() == .wait)
    }

    @Test func oneThatHasNotSpokenYetDoesNotGoBack() {
        let later = [Self.client, Self.client, Self.server, Self.server, Self.clientEnd, Self.serverEnd]
        var state = ConversationState([Self.recorded(1), Self.recorded(2, later, [1, 5], [11, 15])])
        #expect(state.receive([1]) == .send(of: 1, upTo: 1))
        #expect(state.receive([5]) == .send(of: 2, upTo: 2))
    }

    @Test func anEndThatIsTooEarlyOrTooLateIsAMiss() {
        var early = ConversationState([Self.recorded(1)])
        _ = early.receive([1])
        #expect(early.end() == .miss(instead: 1, message: nil))
        var late = ConversationState([Self.recorded(1)])
        _ = late.receive([1])
        _ = late.receive([2])
        #expect(late.receive([3]) == .miss(instead: 1, message: 3))
    }

    /// Then the whole call may be that of another recording.
    @Test func aFirstMessageThatIsNotKnownIsNoMiss() {
        var state = ConversationState([Self.recorded(1)])
        #expect(state.receive([9]) == .wait)
        #expect(state.isIdle)
        #expect(state.receive([1]) == .wait)
        #expect(state.end() == .wait)
        #expect(!state.hasBegun)
    }

    @Test func longConversationsTakeNoLonger() {
        let count = 50_000
        let steps = (0..<count).flatMap { _ in [Self.client, Self.server] } + [Self.clientEnd, Self.serverEnd]
        let digests = (0..<count).map { [UInt8(truncatingIfNeeded: $0)] }
        var state = ConversationState(
            (0..<4).map { id in
                RecordedConversation(id: id, steps: steps, client: digests, server: digests)
            }
        )
        for number in 0..<count { #expect(state.receive(digests[number]) == .send(of: 0, upTo: number + 1)) }
        #expect(state.end() == .finish(of: 0, upTo: count))
    }

    @Test func pausesAreBetweenSteps() {
        let offsets = [5, 25, 30, 31, 40, 90]
        let steps = zip(Self.turns, offsets).map { ConversationStep($0.sender, $0.kind, offset: $1) }
        #expect(Self.recorded(1, steps).pauses == [20, 1])
    }

    @Test func withoutRecordingsNothingHappens() {
        var state = ConversationState([])
        #expect(state.begin() == .wait)
        #expect(state.receive([1]) == .wait)
        #expect(state.end() == .wait)
        #expect(!state.hasBegun)
    }

    @Test func onlyTurnsAreAConversation() {
        #expect(Self.turns.isInterleaved)
        #expect([Self.client, Self.server, Self.clientEnd, Self.serverEnd].isInterleaved)
        #expect(![Self.client, Self.client, Self.clientEnd, Self.server, Self.server, Self.serverEnd].isInterleaved)
        #expect([Self.client, Self.serverEnd].isInterleaved)
        #expect(![ConversationStep]().isInterleaved)
    }
}
