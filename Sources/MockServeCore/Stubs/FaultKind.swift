/// What goes wrong with an answer. Lengths are bytes of the body as it is sent: with its content coding, without chunks.
package enum FaultKind: Hashable, Sendable {
    case reset
    case close(after: Int)
    case stall(after: Int)
    case delay(FaultWait)
    case status(Int, retryAfter: Int?)
    case garbage
    case unfinishedChunks
    case wrongLength(by: Int)
    case slow(bytesPerSecond: Int)

    /// As it is written in a `FaultPlan`.
    package var text: String {
        switch self {
        case .reset: "reset"
        case .close(let bytes): bytes == 0 ? "close" : "close after \(bytes)"
        case .stall(let bytes): bytes == 0 ? "stall" : "stall after \(bytes)"
        case .delay(let wait): "delay \(wait.text)"
        case .status(let code, let seconds): "status \(code)" + (seconds.map { " retry-after \($0)" } ?? "")
        case .garbage: "garbage"
        case .unfinishedChunks: "unfinished-chunks"
        case .wrongLength(let bytes): bytes == 1 ? "wrong-length" : "wrong-length \(bytes)"
        case .slow(let rate): "slow \(rate)"
        }
    }
}

/// How long an answer waits.
package enum FaultWait: Hashable, Sendable {
    case fixed(Duration)
    case uniform(ClosedRange<Duration>)
    case logNormal(median: Duration, sigma: Double)

    package static let usualSigma = 0.5
    package static let limit = Duration.seconds(3600)

    package var text: String {
        switch self {
        case .fixed(let time): Self.text(time)
        case .uniform(let range): "\(Self.text(range.lowerBound))..\(Self.text(range.upperBound))"
        case .logNormal(let median, let sigma):
            "about \(Self.text(median))" + (sigma == Self.usualSigma ? "" : " sigma \(sigma)")
        }
    }

    /// Reads a time such as `200ms` or `1.5s`, an hour at most.
    ///
    /// - Returns: nil if it is none.
    package static func time(_ text: Substring) -> Duration? {
        let isShort = text.hasSuffix("ms")
        let digits = text.dropLast(isShort ? 2 : 1)
        guard text.hasSuffix("s"), digits.allSatisfy({ $0.isASCII && $0.isNumber || $0 == "." }),
            let number = Double(digits).map({ isShort ? $0 / 1000 : $0 }), number <= limit / .seconds(1)
        else { return nil }
        return .nanoseconds(Int64((number * 1e9).rounded()))
    }

    private static func text(_ time: Duration) -> String {
        let microseconds = Int((min(time, limit) / .microseconds(1)).rounded())
        let isLong = microseconds >= 1_000_000
        let (unit, digits) = isLong ? (1_000_000, 6) : (1000, 3)
        var text = String(microseconds / unit)
        if microseconds % unit > 0 {
            let rest = String(microseconds % unit)
            text += "." + String(repeating: "0", count: digits - rest.count) + rest
            while text.hasSuffix("0") { text.removeLast() }
        }
        return text + (isLong ? "s" : "ms")
    }
}

/// A fault, and which of the requests that it is for it happens to. It is written as
///
/// - `reset`, `close [after BYTES]`, `stall [after BYTES]`, `status CODE [retry-after SECONDS]`, `garbage`,
///   `unfinished-chunks`, `wrong-length [BYTES]`, `slow BYTES` (a second), or `delay TIME`, where the time is `200ms`, `1.5s`,
///   `100ms..2s` (any between) or `about 200ms [sigma NUMBER]` (log-normal, with this median),
/// - and then any of `on N` (only to the Nth request), `every N` (to every Nth one), `times N` (so often at most),
///   `probability P` (from 0 to 1) and `seed N` (what chance begins with).
package struct FaultPlan: Hashable, Sendable {
    /// Bytes, requests and seconds are no more than that.
    package static let numberLimit = 1 << 40

    package static let syntax = """
        reset, close [after BYTES], stall [after BYTES], delay 200ms (or 100ms..2s, or about 200ms), status CODE \
        [retry-after SECONDS], garbage, unfinished-chunks, wrong-length [BYTES] or slow BYTES-PER-SECOND, and then any of \
        on N, every N, times N, probability P, seed N
        """

    package var kind: FaultKind
    /// Counted from 1.
    package var nth: Int?
    package var every: Int?
    package var times: Int?
    package var probability: Double?
    package var seed: UInt64?

    package init(
        _ kind: FaultKind,
        nth: Int? = nil,
        every: Int? = nil,
        times: Int? = nil,
        probability: Double? = nil,
        seed: UInt64? = nil
    ) {
        (self.kind, self.nth, self.every, self.times) = (kind, nth, every, times)
        (self.probability, self.seed) = (probability, seed)
    }

    /// - Throws: `RuleError` if `text` is not such a plan.
    package init(_ text: String) throws(RuleError) {
        var words = FaultWords(text)
        self.init(try words.kind())
        while let word = words.next() {
            switch word {
            case "on" where nth == nil: nth = try words.number("on", 1...FaultPlan.numberLimit)
            case "every" where every == nil: every = try words.number("every", 1...FaultPlan.numberLimit)
            case "times" where times == nil: times = try words.number("times", 0...FaultPlan.numberLimit)
            case "seed" where seed == nil: seed = UInt64(try words.number("seed", 0...Int.max))
            case "probability" where probability == nil: probability = try words.decimal("probability", 0...1)
            default: throw words.problem("`\(word)` is not expected there")
            }
        }
    }

    /// Whether what it does depends on the seed.
    package var usesChance: Bool {
        switch kind {
        case .delay(.uniform), .delay(.logNormal): true
        default: probability != nil
        }
    }

    /// As it is written.
    package var text: String {
        var text = kind.text
        if let nth { text += " on \(nth)" }
        if let every { text += " every \(every)" }
        if let times { text += " times \(times)" }
        if let probability { text += " probability \(probability)" }
        if let seed { text += " seed \(seed)" }
        return text
    }
}

/// The words of a `FaultPlan`.
private struct FaultWords {
    private let text: String
    private var rest: ArraySlice<Substring>

    init(_ text: String) {
        self.text = text
        rest = text.split(separator: " ")[...]
    }

    mutating func next() -> Substring? { rest.popFirst() }

    func problem(_ reason: String) -> RuleError {
        RuleError("`\(text)` is not a fault: \(reason). Write \(FaultPlan.syntax)")
    }

    mutating func kind() throws(RuleError) -> FaultKind {
        switch next() {
        case "reset": return .reset
        case "close": return .close(after: try optional("after", 0...FaultPlan.numberLimit) ?? 0)
        case "stall": return .stall(after: try optional("after", 0...FaultPlan.numberLimit) ?? 0)
        case "garbage": return .garbage
        case "unfinished-chunks": return .unfinishedChunks
        case "slow": return .slow(bytesPerSecond: try number("slow", 1...FaultPlan.numberLimit))
        case "wrong-length":
            guard let word = rest.first, Int(word) != nil else { return .wrongLength(by: 1) }
            return .wrongLength(by: try number("wrong-length", 1...FaultPlan.numberLimit))
        case "status":
            let code = try number("status", 200...999)
            return .status(code, retryAfter: try optional("retry-after", 0...FaultPlan.numberLimit))
        case "delay": return .delay(try wait())
        case let word: throw problem(word.map { "there is no fault `\($0)`" } ?? "it is empty")
        }
    }

    private mutating func wait() throws(RuleError) -> FaultWait {
        guard let word = next() else { throw problem("`delay` wants a time") }
        if word == "about" {
            let median = try time(next() ?? "")
            guard rest.first == "sigma" else { return .logNormal(median: median, sigma: FaultWait.usualSigma) }
            rest = rest.dropFirst()
            return .logNormal(median: median, sigma: try decimal("sigma", 0...10))
        }
        guard let dots = word.firstRange(of: "..") else { return .fixed(try time(word)) }
        let (first, last) = (try time(word[..<dots.lowerBound]), try time(word[dots.upperBound...]))
        guard first <= last else { throw problem("`\(word)` ends before it begins") }
        return .uniform(first...last)
    }

    private func time(_ text: Substring) throws(RuleError) -> Duration {
        guard let time = FaultWait.time(text) else {
            throw problem("`\(text)` is not a time, such as 200ms or 1.5s, an hour at most")
        }
        return time
    }

    private mutating func optional(_ word: Substring, _ range: ClosedRange<Int>) throws(RuleError) -> Int? {
        guard rest.first == word else { return nil }
        rest = rest.dropFirst()
        return try number(String(word), range)
    }

    mutating func number(_ word: String, _ range: ClosedRange<Int>) throws(RuleError) -> Int {
        guard let text = next(), let number = Int(text), range.contains(number) else {
            throw problem("`\(word)` wants a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    mutating func decimal(_ word: String, _ range: ClosedRange<Double>) throws(RuleError) -> Double {
        guard let text = next(), let number = Double(text), range.contains(number) else {
            throw problem("`\(word)` wants a number from \(Int(range.lowerBound)) to \(Int(range.upperBound))")
        }
        return number
    }
}
