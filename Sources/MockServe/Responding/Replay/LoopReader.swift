import CassetteStore
import NIOCore
import NIOPosix

/// The connection to a cassette that one event loop reads with. It never waits: it is opened on another thread, and a
/// locked file is `PlaybackReader.Busy`.
final class LoopReader {
    private enum State {
        case closed
        case opening([(Result<Void, any Error>) -> Void])
        case open(PlaybackReader)
        case ended
    }

    /// Made on one thread, which then drops it, and used on another.
    private struct Made: @unchecked Sendable {
        let reader: PlaybackReader
    }

    private let replayer: Replayer
    private let caches: ReplayCaches
    private let freshness: TimeAmount
    private let eventLoop: any EventLoop
    private var state = State.closed
    private var isReading = false
    /// Of what is read now (`ReplayCaches.generation`); -1 if that may not be the newest.
    private(set) var generation = -1
    /// Called when somebody has changed the file.
    var whenChanged: (PlaybackReader) throws -> Void = { _ in }

    init(_ replayer: Replayer, on eventLoop: any EventLoop) {
        self.replayer = replayer
        caches = replayer.caches
        freshness = replayer.options.freshness
        self.eventLoop = eventLoop
    }

    var isOpen: Bool { if case .open = state { true } else { false } }

    // MARK: Opening

    func whenOpen(_ body: @escaping (Result<Void, any Error>) -> Void) {
        switch state {
        case .open: body(.success(()))
        case .ended: body(.failure(ended))
        case .opening(let waiting): state = .opening(waiting + [body])
        case .closed:
            state = .opening([body])
            open()
        }
    }

    private var ended: CassetteError {
        CassetteError(.unreadable, path: replayer.path, "was closed: the server has stopped.")
    }

    private func open() {
        let replayer = replayer
        if replayer.options.opensOnLoop { return opened(Result { try Self.make(replayer) }) }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) { try Self.make(replayer) }
            .whenComplete { bound.value.opened($0) }
    }

    private static func make(_ replayer: Replayer) throws -> Made {
        let reader = try PlaybackReader(path: replayer.file, newest: replayer.newest, memory: replayer.pageMemory)
        do {
            try replayer.identity.check(.replay)
        } catch {
            reader.close()
            throw error
        }
        return Made(reader: reader)
    }

    private func opened(_ result: Result<Made, any Error>) {
        guard case .opening(let waiting) = state else {
            if case .success(let made) = result { made.reader.close() }
            return
        }
        switch result {
        case .success(let made): state = .open(made.reader)
        // The next one tries again.
        case .failure: state = .closed
        }
        for body in waiting { body(result.map { _ in }) }
    }

    func close() {
        let before = state
        state = .ended
        isReading = false
        switch before {
        case .open(let reader):
            reader.end()
            reader.close()
        case .opening(let waiting): for body in waiting { body(.failure(ended)) }
        case .closed, .ended: break
        }
    }

    // MARK: Reading

    /// A reader within a window of reading, which ends when the event loop has done its current work.
    ///
    /// - Throws: `PlaybackReader.Busy`; `CassetteError`.
    func reading() throws -> PlaybackReader {
        guard case .open(let reader) = state else { throw ended }
        guard !isReading else { return reader }
        try replayer.identity.check(.replay)
        let newest = caches.generation
        if try reader.begin() {
            generation = caches.renew()
            // Another event loop has seen a change at the same time, perhaps a later one, so what is read here is not
            // kept.
            if generation != newest + 1 { generation = -1 }
            do {
                try whenChanged(reader)
            } catch {
                reader.end()
                // The next read must see the change too.
                reader.forgetVersion()
                throw error
            }
        } else {
            // The file is unchanged, so nothing that others have read since is older than what is read here.
            generation = newest
        }
        isReading = true
        caches.noteCheck()
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        bound.execute { $0.endReading() }
        return reader
    }

    private func endReading() {
        guard isReading, case .open(let reader) = state else { return }
        isReading = false
        reader.end()
    }

    /// Checks whether the file has changed, unless an event loop has done that recently.
    func refresh() throws {
        guard !isReading, caches.isFresh(generation, within: freshness) else {
            _ = try reading()
            return
        }
    }
}
