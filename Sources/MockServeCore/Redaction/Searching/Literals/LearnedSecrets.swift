import Synchronization

/// The secrets that a scope has come across: what was recognised once by its place is a secret wherever it turns up
/// afterwards. They are kept in memory only.
package final class LearnedSecrets: Sendable {
    /// Bytes that a value may have.
    static let sizes = 8...4096
    /// Values that are kept, and bytes of all of them. When they are used up, nothing more is learned.
    static let countLimit = 20_000
    static let memoryLimit = 4 << 20
    /// How much larger each list of literals is than the one before.
    private static let growth = 8

    /// What is known at one moment.
    final class Snapshot: Sendable {
        let version: Int
        /// The oldest and largest first. Lists are made anew only when they are merged, so learning many is cheap.
        let lists: [LiteralList]

        init(_ version: Int, _ lists: [LiteralList]) {
            (self.version, self.lists) = (version, lists)
            longest = lists.reduce(0) { max($0, $1.longest) }
            beginnings = lists.count == 1 ? lists[0].beginnings : PrefixFilter(lists.map(\.beginnings))
        }

        /// Of all lists.
        let beginnings: PrefixFilter
        private let withDeclared = AtomicLazyReference<PrefixFilter>()

        /// Of all lists and of the declared secrets of the scope.
        func beginnings(with declared: LiteralList) -> PrefixFilter {
            withDeclared.load() ?? withDeclared.storeIfNil(PrefixFilter([declared.beginnings, beginnings]))
        }

        /// Bytes of the longest value.
        let longest: Int
    }

    private struct State {
        /// Secrets by which requests are told apart, numbered in order of first use.
        var ordinals: [String: [[UInt8]: Int]] = [:]
        var lastOrdinals: [String: Int] = [:]
        var known: Set<[UInt8]> = []
        var memory = 0
        var isFull = false
        var spared: Set<String> = []
        var snapshot = Snapshot(0, [])
    }

    private let state = Mutex(State())
    private let count = Atomic(0)

    private let countLimit: Int

    package convenience init() { self.init(countLimit: Self.countLimit) }

    /// - Parameter countLimit: values that are kept.
    init(countLimit: Int) { self.countLimit = countLimit }

    /// Changes whenever something is learned.
    package var version: Int { count.load(ordering: .acquiring) }

    /// Whether something was not learned because the limits are used up.
    package var isFull: Bool { state.withLock { $0.isFull } }

    /// Nil if nothing was learned yet.
    var snapshot: Snapshot? { version == 0 ? nil : state.withLock { $0.snapshot } }

    /// Names that are near to those of secrets, but whose values were left alone, as they would be shown.
    package var spared: [String] { state.withLock { $0.spared.sorted() } }

    private static let sparedLimit = 100

    func noteSpared(_ names: Set<String>) {
        state.withLock { if $0.spared.count < Self.sparedLimit { $0.spared.formUnion(names) } }
    }

    /// A secret that was found, to be learned.
    struct Lesson {
        let kind: String
        let value: [UInt8]
        /// How it was found, if that is not the value itself.
        var spellings: [[UInt8]] = []
        /// Whether it has the shape of a key, which nothing else has, however it looks otherwise.
        var isKey = false

        fileprivate func admits(_ spelling: [UInt8]) -> Bool {
            guard isKey else { return LearnedSecrets.isDistinctive(spelling) }
            return (16...LearnedSecrets.sizes.upperBound).contains(spelling.count)
                && Placeholder.form(of: spelling[...]) == nil
        }
    }

    func learn(_ kind: String, _ value: [UInt8], _ spellings: [[UInt8]] = []) {
        learn([Lesson(kind: kind, value: value, spellings: spellings)])
    }

    func learn(_ lessons: [Lesson]) {
        var new: [(spelling: [UInt8], secret: DeclaredSecret)] = []
        for lesson in lessons {
            for spelling in [lesson.value] + lesson.spellings where lesson.admits(spelling) {
                new.append((spelling, DeclaredSecret(learned: lesson.kind, lesson.value, spelling)))
            }
        }
        guard !new.isEmpty else { return }
        state.withLock { state in
            var secrets: [DeclaredSecret] = []
            for (spelling, secret) in new where !state.known.contains(spelling) {
                guard state.known.count < countLimit, state.memory + spelling.count <= Self.memoryLimit else {
                    state.isFull = true
                    break
                }
                state.known.insert(spelling)
                state.memory += spelling.count
                secrets.append(secret)
            }
            guard !secrets.isEmpty else { return }
            var lists = state.snapshot.lists
            // The small ones become one.
            var limit = Self.growth
            while limit <= secrets.count { limit *= Self.growth }
            while let last = lists.last, last.secrets.count < limit {
                secrets = last.secrets + secrets
                lists.removeLast()
                if secrets.count >= limit { limit *= Self.growth }
            }
            lists.append(LiteralList(secrets))
            let version = state.known.count
            state.snapshot = Snapshot(version, lists)
            count.store(version, ordering: .releasing)
        }
    }

    /// A word with a number (`user-00042`, `bootstrap5`), a version, or a host with a port.
    private static func isOrdinary(_ value: [UInt8]) -> Bool {
        guard value.count < 40, !SecretName.isOfNoWords(value) else { return false }
        func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }
        func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
        let rest = value.drop { isLetter($0) || $0 == 0x2D || $0 == 0x5F || $0 == 0x20 }
        if rest.count < value.count, rest.count < 8, rest.allSatisfy(isDigit) {
            return !rest.isEmpty || !SecretName.looksRandom(value)
        }
        let parts = value.split(whereSeparator: { ".:-_/; ,=".utf8.contains($0) })
        // Parts of one kind each, as in `v2.10.3-beta`, `localhost:8080`, `en-US,en;q=0.9`.
        return parts.count > 1
            && parts.allSatisfy { part in
                let tail = part.first.map { $0 | 0x20 == UInt8(ascii: "v") } == true ? part.dropFirst() : part
                return part.count < 12 && (part.allSatisfy(isLetter) || tail.allSatisfy(isDigit))
            }
    }

    /// The number of a secret in order of first use.
    ///
    /// - Parameters:
    ///   - space: whatever has numbers of its own.
    ///   - identities: all that is known of the secret: itself, and what stands for it.
    @discardableResult
    func ordinal(_ space: String, _ identities: [[UInt8]]) -> Int {
        state.withLock { state in
            let numbers = state.ordinals[space] ?? [:]
            let next = (state.lastOrdinals[space] ?? 0) + 1
            let known = identities.lazy.compactMap { numbers[$0] }.first ?? next
            guard known <= Self.countLimit else { return known }
            for identity in identities { state.ordinals[space, default: [:]][identity] = known }
            state.lastOrdinals[space] = max(known, next - 1)
            return known
        }
    }

    /// Whether a value is too rare to be anything but this secret. Short values, numbers, dates, words, addresses and
    /// paths turn up everywhere, so to replace them would break ordinary answers.
    static func isDistinctive(_ value: [UInt8]) -> Bool {
        guard sizes.contains(value.count), Placeholder.form(of: value[...]) == nil else { return false }
        var (digits, upper, lower, other, foreign, seen) = (0, 0, 0, 0, 0, Set<UInt8>())
        for byte in value {
            seen.insert(byte)
            switch byte {
            case 0x30...0x39: digits += 1
            case 0x41...0x5A: upper += 1
            case 0x61...0x7A: lower += 1
            case 0x80...: foreign += 1
            default: other += 1
            }
        }
        guard seen.count >= 5, !isOrdinary(value) else { return false }
        let letters = upper + lower + foreign
        // A number that nobody counts to.
        if digits == value.count { return digits >= 15 }
        // Numbers, dates, versions, addresses of networks.
        if letters == 0
            || letters <= 2 && digits + other > letters && value.count < 30 && digits < value.count - 2
                && other > 1
        {
            return false
        }
        // A path, unless a part of it is long and of all kinds, as in base64.
        if value.first == UInt8(ascii: "/") {
            return value.split(separator: UInt8(ascii: "/")).contains { part in
                part.count >= 12 && part.contains { $0 &- 0x30 < 10 } && part.contains { $0 &- 0x41 < 26 }
                    && part.contains { $0 &- 0x61 < 26 }
            }
        }
        if value.contains(UInt8(ascii: "@")), value.contains(UInt8(ascii: ".")), letters > other + digits,
            value.count < 40, !value.contains(UInt8(ascii: ":"))
        {
            return false
        }
        if digits > 0 { return true }
        if SecretName.looksRandom(value) { return true }
        // Several words are a passphrase if they are many; one is a word, a name of a place or of a language.
        let signs = value.filter { "!@#$%^&*+={}[]|\\:;\"'<>?~`".utf8.contains($0) }.count
        return value.count >= 12 && (signs >= 2 || value.filter { $0 == 0x20 }.count >= 3 || foreign > 0 && other > 0)
    }
}
