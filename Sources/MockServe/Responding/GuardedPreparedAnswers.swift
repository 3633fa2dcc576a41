import HTTPMessages
import NIOCore

/// The short cut is not for a server that has stubs of its own.
final class GuardedPreparedAnswers: PreparedAnswers {
    private let stubs: StubStore
    private let answers: any PreparedAnswers

    init(_ stubs: StubStore, _ answers: any PreparedAnswers) { (self.stubs, self.answers) = (stubs, answers) }

    var arePrepared: Bool { stubs.isEmpty && answers.arePrepared }

    func preparedAnswer(
        to request: RequestHead,
        sent: ByteBuffer?,
        from origin: Origin,
        _ upstream: ServedUpstream?,
        at entrance: Entrance
    ) -> PreparedAnswer? {
        guard stubs.isEmpty else { return nil }
        return answers.preparedAnswer(to: request, sent: sent, from: origin, upstream, at: entrance)
    }

    func preparedAnswer(toSame sent: ByteBuffer, at entrance: Entrance) -> PreparedAnswer? {
        stubs.isEmpty ? answers.preparedAnswer(toSame: sent, at: entrance) : nil
    }
}
