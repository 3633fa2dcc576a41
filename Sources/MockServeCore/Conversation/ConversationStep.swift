/// One step of a conversation: an exchange in which both sides go on speaking.
package struct ConversationStep: Sendable, Equatable {
    package enum Sender: String, Sendable {
        case client
        case server
    }

    package enum Kind: String, Sendable {
        /// A message of gRPC. It stands in the body of its sender, after those that the sender has sent before.
        case grpc
        /// The sender says no more.
        case end
    }

    package let sender: Sender
    package let kind: Kind
    /// Milliseconds after the head of the request.
    package let offset: Int

    package init(_ sender: Sender, _ kind: Kind, offset: Int) {
        (self.sender, self.kind, self.offset) = (sender, kind, offset)
    }
}

extension [ConversationStep] {
    /// Whether the server has said something before the client had said all, or has not let it say all. Otherwise the order
    /// says nothing that the two bodies do not say.
    package var isInterleaved: Bool {
        guard let first = firstIndex(where: { $0.sender == .server }) else { return false }
        return !self[..<first].contains { $0.sender == .client && $0.kind == .end }
    }
}
