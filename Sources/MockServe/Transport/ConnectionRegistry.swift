import NIOCore
import Synchronization

/// The open connections of a server, so that stopping it can finish or cut them.
final class ConnectionRegistry: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isQuiescing = false
        var whenEmpty: [EventLoopPromise<Void>] = []
    }

    private let state = Mutex(State())

    /// Adds a new connection. It is closed at once if the server is stopping.
    func add(_ channel: any Channel) {
        let id = ObjectIdentifier(channel)
        let isQuiescing = state.withLock { state in
            state.channels[id] = channel
            return state.isQuiescing
        }
        channel.closeFuture.whenComplete { _ in self.remove(id) }
        if isQuiescing { channel.close(promise: nil) }
    }

    private func remove(_ id: ObjectIdentifier) {
        let promises = state.withLock { state in
            state.channels[id] = nil
            guard state.channels.isEmpty else { return [EventLoopPromise<Void>]() }
            defer { state.whenEmpty = [] }
            return state.whenEmpty
        }
        for promise in promises { promise.succeed() }
    }

    /// Lets every connection finish its exchange, and cuts those that are not done by `deadline`.
    func quiesce(deadline: NIODeadline, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        let channels = state.withLock { state in
            state.isQuiescing = true
            if !state.channels.isEmpty { state.whenEmpty.append(promise) }
            return Array(state.channels.values)
        }
        guard !channels.isEmpty else {
            promise.succeed()
            return promise.futureResult
        }
        for channel in channels { channel.pipeline.fireUserInboundEventTriggered(QuiesceEvent()) }
        let cut = eventLoop.scheduleTask(deadline: deadline) { self.closeAll() }
        promise.futureResult.whenComplete { _ in cut.cancel() }
        return promise.futureResult
    }

    private func closeAll() {
        for channel in state.withLock({ Array($0.channels.values) }) { channel.close(promise: nil) }
    }
}
