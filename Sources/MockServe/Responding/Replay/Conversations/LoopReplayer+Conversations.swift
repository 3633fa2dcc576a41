import CassetteStore
import Crypto
import HTTPMessages
import MockServeCore
import NIOCore

extension LoopReplayer {
    /// Conversations of one target that are looked at, the earliest.
    private static let conversationLimit = 256
    /// Bytes of the bodies of one conversation whose messages are compared. A longer one is played only as a whole.
    static let conversationSize = 4 << 20
    /// The same of all of them together, so that the event loop does not read for long.
    private static let conversationsSize = 16 << 20

    /// The recorded conversations that a call may become, in the order in which they are to be played: those that were not
    /// played yet come first.
    ///
    /// - Throws: `PlaybackReader.Busy`; `CassetteError`.
    func conversations(for exchange: Exchange) throws -> [RecordedConversationAnswer] {
        try refresh()
        let reader = try reading()
        guard reader.hasConversations else { return [] }
        let map = map(for: exchange.servedOrigin, exchange.upstream)
        let asked = MatchKeyBuilder(exchange.request, rules, mappedBy: map).request
        let found = try reader.conversations(
            method: asked.method,
            target: Target.originForm(asked.target),
            origin: exchange.originText,
            limit: Self.conversationLimit
        )
        var left = Self.conversationsSize
        let answers = try found.compactMap { interaction, steps in
            left -= (interaction.requestBody?.size ?? 0) + (interaction.responseBody?.size ?? 0)
            return left < 0 ? nil : try recorded(interaction, steps, reader)
        }
        let played = replayer.playedConversations
        return answers.filter { !played.contains($0.conversation.id) }
            + answers.filter { played.contains($0.conversation.id) }
    }

    private func recorded(
        _ interaction: Interaction,
        _ steps: [ConversationStep],
        _ reader: PlaybackReader
    ) throws -> RecordedConversationAnswer? {
        guard !steps.isEmpty, let request = try bytes(interaction.requestBody, reader),
            let response = try bytes(interaction.responseBody, reader)
        else { return nil }
        let encoding = interaction.request.fields.first("grpc-encoding")
        let client = GRPCMessage.all(in: request).map { message in
            let payload =
                message.isCompressed
                ? GRPCMessage.decoded(Array(message.payload), encoding) : Array(message.payload)
            return digest(payload, of: interaction.request)
        }
        let server = GRPCMessage.all(in: response)
        let said = steps.filter { $0.kind == .grpc }
        // What was changed by hand may have other messages than were recorded.
        guard said.count(where: { $0.sender == .client }) == client.count,
            said.count(where: { $0.sender == .server }) == server.count
        else { return nil }
        return RecordedConversationAnswer(
            conversation: RecordedConversation(
                id: interaction.id,
                steps: steps,
                client: client,
                server: server.map { Array(SHA256.hash(data: response[$0.range])) }
            ),
            answer: try reader.answer(interaction.id).0,
            messages: server.map(\.range),
            rest: (server.last?.range.upperBound ?? 0)..<response.count
        )
    }

    /// Nil if it is too long.
    private func bytes(_ body: BodyReference?, _ reader: PlaybackReader) throws -> [UInt8]? {
        guard let body else { return [] }
        guard body.size <= Self.conversationSize else { return nil }
        var bytes: [UInt8] = []
        for number in 0..<((body.size + BodySlices.size - 1) / BodySlices.size) {
            bytes += try reader.slice(number, of: body).readableBytesView
        }
        return bytes
    }

    /// A digest of a message of a client, as it is compared.
    func digest(_ message: [UInt8], of request: RequestHead) -> [UInt8] {
        Array(SHA256.hash(data: rules.comparable(GRPCMessage.framed(message), request.fields) as [UInt8]))
    }

    /// A conversation is going to its end.
    func noteConversation(_ exchange: Exchange, _ id: Int64, status: Int) {
        replayer.play(conversation: id)
        let map = map(for: exchange.servedOrigin, exchange.upstream)
        note(MatchKeyBuilder(exchange.request, rules, mappedBy: map), exchange, id, status: status, nil)
    }
}
