import NIOCore

extension MockServer {
    /// Accepts no new connections, and waits until exchanges under way have ended, until the deadline at most: after that,
    /// the journal is complete. The recording has not ended yet.
    func drain() -> EventLoopFuture<Void> {
        let eventLoop = listeners[0].channel.eventLoop
        let deadline = NIODeadline.now() + TimeAmount(stopDeadline)
        let closed = listeners.map { listener in
            listener.channel.close(mode: .all).flatMapErrorThrowing { _ in }
        }
        let registry = registry
        return EventLoopFuture.andAllComplete(closed, on: eventLoop)
            .flatMap { registry.quiesce(deadline: deadline, on: eventLoop) }
    }

    /// Waits for what is under way, as `drain` says.
    package func finishExchanges() async { _ = try? await drain().get() }

    /// The same, blocking.
    @available(*, noasync, message: "Use `await server.finishExchanges()`.")
    package func finishExchangesBlocking() { _ = try? drain().wait() }
}
