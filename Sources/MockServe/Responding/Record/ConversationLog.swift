import MockServeCore

/// Who says what when, in an exchange of gRPC that is recorded.
struct ConversationLog {
    /// Steps that are kept; beyond that the exchange is recorded without them.
    private static let limit = 100_000

    private var steps: [ConversationStep] = []
    private var client = MessageSplitter()
    private var server = MessageSplitter()
    private var isTooLong = false

    mutating func append(request bytes: UnsafeRawBufferPointer, at offset: Int) {
        for _ in 0..<client.push(bytes, { _ in }) { add(.client, .grpc, offset) }
    }

    /// - Parameter begin: called with the size of each message that begins.
    mutating func append(response bytes: UnsafeRawBufferPointer, at offset: Int, begin: (Int) -> Void) {
        let ended = server.push(bytes) { part in
            if case .begin(let size, _) = part { begin(size) }
        }
        for _ in 0..<ended { add(.server, .grpc, offset) }
    }

    mutating func end(_ sender: ConversationStep.Sender, at offset: Int) { add(sender, .end, offset) }

    private mutating func add(_ sender: ConversationStep.Sender, _ kind: ConversationStep.Kind, _ offset: Int) {
        guard steps.count < Self.limit else { return isTooLong = true }
        steps.append(ConversationStep(sender, kind, offset: offset))
    }

    /// Empty if the sides did not take turns.
    var conversation: [ConversationStep] { !isTooLong && steps.isInterleaved ? steps : [] }
}
