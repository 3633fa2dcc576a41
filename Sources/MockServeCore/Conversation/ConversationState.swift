/// A recorded conversation, as far as it decides what is answered.
package struct RecordedConversation: Sendable, Equatable {
    /// Number of the interaction.
    package let id: Int64
    package let steps: [ConversationStep]
    /// Digests of the messages of each side, as they are compared.
    package let client: [[UInt8]]
    package let server: [[UInt8]]

    package init(id: Int64, steps: [ConversationStep], client: [[UInt8]], server: [[UInt8]]) {
        (self.id, self.steps, self.client, self.server) = (id, steps, client, server)
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
        /// No recording goes on like this. The interaction that was the last one, and the number of the message that the
        /// client sent instead of what it has there; nil if it said that it says no more.
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

    /// The recording that goes on as far as is known; nil if there is none.
    package var current: Int64? { alive.first?.id }

    /// Nothing has been said yet.
    package mutating func begin() -> Action { speak() }

    /// - Parameter digest: of a message of the client.
    package mutating func receive(_ digest: [UInt8]) -> Action {
        let last = alive.first
        alive.removeAll { $0.client.count <= received || $0.client[received] != digest }
        received += 1
        guard let last else { return .wait }
        return alive.isEmpty ? miss(last, message: received - 1) : speak()
    }

    /// The client says no more.
    package mutating func end() -> Action {
        let last = alive.first
        hasEnded = true
        alive.removeAll { $0.client.count != received }
        guard let last else { return .wait }
        return alive.isEmpty ? miss(last, message: nil) : speak()
    }

    private mutating func miss(_ last: RecordedConversation, message: Int?) -> Action {
        isOver = true
        return .miss(instead: last.id, message: message)
    }

    /// What the server says before the client has to go on.
    private mutating func speak() -> Action {
        guard !isOver, let first = alive.first(where: { hasMore($0) }) else { return .wait }
        let (upTo, isEnd) = due(first)
        let said = first.server[..<min(upTo, first.server.count)]
        alive.removeAll { other in
            other.id != first.id && !(other.server.count >= upTo && other.server[..<upTo] == said)
        }
        // Whoever has spoken is the one that goes on.
        alive.sort { $0.id == first.id && $1.id != first.id }
        sent = upTo
        guard isEnd else { return .send(of: first.id, upTo: upTo) }
        isOver = true
        return .finish(of: first.id, upTo: upTo)
    }

    private func hasMore(_ conversation: RecordedConversation) -> Bool {
        let (upTo, isEnd) = due(conversation)
        return upTo > sent || upTo == sent && isEnd
    }

    /// How many messages the server has said, and whether it has ended, when the client has said what it has.
    private func due(_ conversation: RecordedConversation) -> (Int, Bool) {
        var (client, server) = (0, 0)
        for step in conversation.steps {
            switch (step.sender, step.kind) {
            case (.client, .grpc):
                guard client < received else { return (server, false) }
                client += 1
            case (.client, .end): guard hasEnded else { return (server, false) }
            case (.server, .grpc): server += 1
            case (.server, .end): return (server, true)
            }
        }
        return (server, true)
    }
}
