/// Which of several answers to the same request is given.
package enum PlaybackMode: String, Sendable, CaseIterable {
    /// In order; the last one repeats. A write moves time forward: what was recorded after it is given only once it was
    /// answered, and then replaces what was recorded before, as far as the recording allows.
    case timeline
    /// In order; the last one repeats. Writes do not count.
    case sequence
    /// Each once; after the last, a miss.
    case once
    /// In order, and again from the first.
    case cycle
    /// Always the first.
    case first
    /// Only the next of all recorded interactions; a request out of the recorded order is a miss.
    case strict
}

/// What a playback looks up in a recording: numbers of interactions, in recording order. Bounds are exclusive.
package protocol PlaybackIndex {
    /// The first interaction with `key` between the bounds.
    func first(_ key: PlaybackKey, after low: Int64, before high: Int64) throws -> Int64?
    /// The last interaction with `key` below the bound.
    func last(_ key: PlaybackKey, before high: Int64) throws -> Int64?
    /// The first interaction after `low` whose method is not safe (RFC 9110 §9.2.1).
    func firstWrite(after low: Int64) throws -> Int64?
    /// The first of all interactions after `low`, if it has `key`; the variant does not count.
    func next(after low: Int64, ifIts key: MatchKey) throws -> Int64?
}

/// The position of one scope in a recording. A pure state machine: it keeps a number for every key that it is asked
/// about. Usually it need not be asked about a key with only one interaction (see `isFixed`).
package struct PlaybackState: Sendable {
    private let mode: PlaybackMode
    private var lastPlayed: [PlaybackKey: Int64] = [:]
    /// The newest write that was answered, and the first one after it.
    private var time: Int64 = 0
    private var nextWrite: Int64?
    private var newest: Int64 = 0
    /// How the last step departed from the recorded order; nil if it did not.
    package private(set) var departure: Departure?

    /// An answer from another moment: the client sends writes in another order than they were recorded in, or not at
    /// all.
    package enum Departure: Sendable, Equatable {
        /// It was recorded before this write, which has already been answered.
        case behind(Int64)
        /// It was recorded after this write, which has not been requested yet.
        case ahead(Int64)
    }

    package init(_ mode: PlaybackMode = .timeline) {
        self.mode = mode
    }

    /// Steps to the interaction that answers a request.
    ///
    /// - Parameters:
    ///   - isWrite: whether the request's method is not safe.
    ///   - ownMode: of a rule for this request; ignored in a `strict` scope, which is about the order of all requests.
    /// - Returns: its number; nil for a miss, which changes nothing.
    package mutating func step(
        _ key: PlaybackKey,
        isWrite: Bool,
        by ownMode: PlaybackMode? = nil,
        _ index: some PlaybackIndex
    ) throws -> Int64? {
        let mode = mode == .strict ? .strict : ownMode ?? mode
        let position = lastPlayed[key] ?? 0
        departure = nil
        let found: Int64?
        switch mode {
        case .timeline where !isWrite: found = try read(key, after: position, index)
        case .timeline, .sequence:
            found = try index.first(key, after: position, before: .max) ?? index.last(key, before: .max)
        case .once: found = try index.first(key, after: position, before: .max)
        case .cycle:
            found = try index.first(key, after: position, before: .max) ?? index.first(key, after: 0, before: .max)
        case .first: found = try index.first(key, after: 0, before: .max)
        case .strict: found = try index.next(after: newest, ifIts: key.match)
        }
        guard let found else { return nil }
        if mode == .timeline {
            if found < time {
                departure = .behind(time)
            } else if !isWrite, let nextWrite, found > nextWrite {
                departure = .ahead(nextWrite)
            }
        }
        // Not kept where it does not matter, so that the position of a long replay stays small.
        if mode != .strict, mode != .first { lastPlayed[key] = found }
        newest = max(newest, found)
        if isWrite { answerWrite(found) }
        return found
    }

    /// Whether a key with only one interaction is always answered by it, whatever was asked before. Then `step` need
    /// not be called, but for writes `answerWrite` must be.
    package static func isFixed(_ mode: PlaybackMode, by ownMode: PlaybackMode? = nil) -> Bool {
        mode != .strict && (ownMode ?? mode) != .once
    }

    /// Notes that interaction `number` answers a request that is not safe.
    package mutating func answerWrite(_ number: Int64) {
        guard number > time else { return }
        time = number
        nextWrite = nil
    }

    /// What was true between the last write that was answered and the next one that was recorded; if nothing was
    /// recorded there, the state before. If there is none, the client does only a part of what was recorded, or in
    /// another order: then what was true when the key was first recorded.
    private mutating func read(_ key: PlaybackKey, after position: Int64, _ index: some PlaybackIndex) throws -> Int64?
    {
        let end = try nextWrite ?? index.firstWrite(after: time) ?? .max
        nextWrite = end
        if let number = try index.first(key, after: max(position, time), before: end) ?? index.last(key, before: end) {
            return number
        }
        guard let earliest = try index.first(key, after: 0, before: .max) else { return nil }
        let laterEnd = try index.firstWrite(after: earliest) ?? .max
        return try index.first(key, after: position, before: laterEnd) ?? index.last(key, before: laterEnd)
    }
}
