/// A recorded conversation, as far as it decides what is answered.
package struct RecordedConversation: Sendable, Equatable {
    /// What the server has said by some moment.
    struct Said: Sendable, Equatable {
        var messages = 0
        var hasEnded = false
    }

    /// Number of the interaction.
    package let id: Int64
    /// Digests of the messages of each side, as they are compared.
    package let client: [[UInt8]]
    package let server: [[UInt8]]
    /// Milliseconds between each message of the server and the step before it.
    package let pauses: [Int]
    /// What the server said before the client went on: after none of its messages, after one, and so on.
    let saidAfter: [Said]
    /// What it said in the end.
    let saidInAll: Said

    package init(id: Int64, steps: [ConversationStep], client: [[UInt8]], server: [[UInt8]]) {
        (self.id, self.client, self.server) = (id, client, server)
        var (said, after, pauses, last) = (Said(), [Said](), [Int](), 0)
        for step in steps {
            switch (step.sender, step.kind) {
            case (.client, .grpc): after.append(said)
            // What comes after it is said in the end.
            case (.client, .end): if after.count == client.count { after.append(said) }
            case (.server, .grpc):
                said.messages += 1
                pauses.append(max(0, step.offset - last))
            case (.server, .end): said.hasEnded = true
            }
            last = step.offset
        }
        // A recording that does not say so is no less over.
        said.hasEnded = true
        saidInAll = said
        while after.count <= client.count { after.append(said) }
        (saidAfter, self.pauses) = (after, pauses)
    }
}

/// Which recorded conversation goes on with a client, and how far it has come: a state machine that is told what the client
/// says.
///
/// A message of the server goes out when the client has sent what came before it in the recording. What the client says
/// narrows down which recordings it may be; where several say different things next, the first of them that was not played
/// yet speaks, and the others are out.
package struct ConversationState: Sendable {
    package enum Action: Equatable, Sendable {
        /// The client has to go on.
        case wait
        /// The server's messages up to this number, counted from 0 and without it, of an interaction.
        case send(of: Int64, upTo: Int)
        /// The same, and then the end of the answer.
        case finish(of: Int64, upTo: Int)
        /// No recording goes on like this. The interaction that was the last one, and the number, from 1, of the message of
        /// the client that is not in it; nil if the client has said too little.
        case miss(instead: Int64, message: Int?)
    }

    /// In the order in which they are to be played.
    private var alive: [RecordedConversation]
    /// What the client has said.
    private var received = 0
    private var hasEnded = false
    /// Messages of the server that were sent.
    private var sent = 0
    private var isOver = false

    /// - Parameter candidates: in the order in which they are to be played.
    package init(_ candidates: [RecordedConversation]) { alive = candidates }

    /// Whether the server has spoken, so that it is one of these conversations.
    package var hasBegun: Bool { sent > 0 || isOver }

    /// Whether nothing that the client says changes what is answered.
    package var isIdle: Bool { alive.isEmpty }

    /// Nothing has been said yet.
    package mutating func begin() -> Action { speak() }

    /// - Parameter digest: of a message of the client.
    package mutating func receive(_ digest: [UInt8]) -> Action {
        let last = alive.first
        alive.removeAll { $0.client.count <= received || $0.client[received] != digest }
        received += 1
        return alive.isEmpty ? miss(last, message: received) : speak()
    }

    /// The client says no more.
    package mutating func end() -> Action {
        let last = alive.first
        hasEnded = true
        alive.removeAll { $0.client.count != received }
        return alive.isEmpty ? miss(last, message: nil) : speak()
    }

    /// As long as the server has said nothing, the call may be something else.
    private mutating func miss(_ last: RecordedConversation?, message: Int?) -> Action {
        guard sent > 0, !isOver, let last else { return .wait }
        isOver = true
        return .miss(instead: last.id, message: message)
    }

    /// What the server says before the client has to go on.
    private mutating func speak() -> Action {
        guard !isOver, let index = alive.firstIndex(where: hasMore) else { return .wait }
        let first = alive.remove(at: index)
        let said = due(first)
        // What was sent before is the same for all.
        let new = first.server[sent..<said.messages]
        alive.removeAll { $0.server.count < said.messages || $0.server[sent..<said.messages] != new }
        // Whoever has spoken is the one that goes on.
        alive.insert(first, at: 0)
        sent = said.messages
        guard said.hasEnded else { return .send(of: first.id, upTo: sent) }
        isOver = true
        return .finish(of: first.id, upTo: sent)
    }

    private func hasMore(_ conversation: RecordedConversation) -> Bool {
        let said = due(conversation)
        return said.messages > sent || said.messages == sent && said.hasEnded
    }

    /// What the server has said when the client has said what it has.
    private func due(_ conversation: RecordedConversation) -> RecordedConversation.Said {
        hasEnded ? conversation.saidInAll : conversation.saidAfter[min(received, conversation.client.count)]
    }
}
