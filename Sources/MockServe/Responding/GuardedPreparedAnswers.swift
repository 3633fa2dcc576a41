import HTTPMessages
import NIOCore

/// The short cut is not for a server that has stubs or faults.
final class GuardedPreparedAnswers: PreparedAnswers {
    private let stubs: StubStore
    private let faults: FaultStore
    private let answers: any PreparedAnswers

    init(_ stubs: StubStore, _ faults: FaultStore, _ answers: any PreparedAnswers) {
        (self.stubs, self.faults, self.answers) = (stubs, faults, answers)
    }

    private var isFree: Bool { stubs.isEmpty && faults.isEmpty }

    var arePrepared: Bool { isFree && answers.arePrepared }

    func preparedAnswer(
        to request: RequestHead,
        sent: ByteBuffer,
        from origin: Origin,
        _ upstream: ServedUpstream?,
        listener: Int
    ) -> ByteBuffer? {
        guard isFree else { return nil }
        return answers.preparedAnswer(to: request, sent: sent, from: origin, upstream, listener: listener)
    }

    func preparedAnswer(toSame sent: ByteBuffer, listener: Int) -> ByteBuffer? {
        isFree ? answers.preparedAnswer(toSame: sent, listener: listener) : nil
    }
}
