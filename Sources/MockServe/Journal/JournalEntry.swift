import HTTPMessages
public import Foundation
import MockServeCore

/// One request a server was asked, and what became of it.
public struct JournalEntry: Sendable, Equatable, CustomStringConvertible {
    /// What became of a request. More kinds may come.
    ///
    /// ```swift
    /// #expect(entry.outcome == .replayed(interaction: 3))
    /// ```
    public struct Outcome: Sendable, Equatable, CustomStringConvertible {
        enum Kind: Sendable, Equatable {
            case replayed(interaction: Int)
            case recorded(interaction: Int)
            case forwarded
            case responded
            indirect case missed(Miss)
            case failed(String)
        }

        let kind: Kind

        /// Answered from the cassette, by the interaction of this number.
        public static func replayed(interaction: Int) -> Outcome { Outcome(kind: .replayed(interaction: interaction)) }

        /// Answered by the upstream, and recorded as the interaction of this number.
        public static func recorded(interaction: Int) -> Outcome { Outcome(kind: .recorded(interaction: interaction)) }

        /// Answered by the upstream, and not recorded.
        public static let forwarded = Outcome(kind: .forwarded)

        /// Answered by a ``Responder``.
        public static let responded = Outcome(kind: .responded)

        /// Nothing recorded matches.
        public static func missed(_ miss: Miss) -> Outcome { Outcome(kind: .missed(miss)) }

        /// Could not be answered, forwarded or recorded; the reason in one line.
        public static func failed(_ reason: String) -> Outcome { Outcome(kind: .failed(reason)) }

        /// Number of the interaction that was replayed or recorded; nil if there is none.
        public var interaction: Int? {
            switch kind {
            case .replayed(let number), .recorded(let number): number
            case .forwarded, .responded, .missed, .failed: nil
            }
        }

        /// What there is to say of a request that nothing recorded matches; nil if it was answered.
        public var miss: Miss? { if case .missed(let miss) = kind { miss } else { nil } }

        /// Why it failed; nil if it did not.
        public var failure: String? { if case .failed(let reason) = kind { reason } else { nil } }

        /// Its name: `replayed`, `recorded`, `forwarded`, `responded`, `missed` or `failed`.
        public var description: String {
            switch kind {
            case .replayed: "replayed"
            case .recorded: "recorded"
            case .forwarded: "forwarded"
            case .responded: "responded"
            case .missed: "missed"
            case .failed: "failed"
            }
        }
    }

    /// Counted from 1, in the order in which requests were done with.
    public let number: Int
    /// When it was done with.
    public let date: Date
    let methodBytes: [UInt8]
    let targetBytes: [UInt8]
    /// What became of it.
    public let outcome: Outcome
    /// Status of the answer; nil if there was none.
    public let status: Int?
    /// Why the answer may be another than the one expected, though it was recorded for this request: it departs from the recorded
    /// order, or requests that differ in redacted values only were answered differently. Nil if there is nothing to say.
    public let remark: String?
    let log: ExchangeLog?

    /// As sent.
    public var method: String { Latin1.string(methodBytes) }
    /// Path and query as sent; bytes over 0x7F as the characters U+0080…U+00FF.
    public var target: String { Latin1.string(targetBytes) }

    /// What was asked, with its body; nil unless the journal keeps that (``JournalLimits/body``). Secrets are redacted in it, and its
    /// body is without content codings.
    public var request: MockRequest? { log?.mockRequest }

    /// What was answered, as far as it has been sent; nil if nothing was, or unless the journal keeps that. As ``request``.
    public var response: MockResponse? { log?.mockResponse }

    /// Whether a body was longer than the journal keeps.
    public var isTruncated: Bool { log?.isTruncated ?? false }

    /// Method, target and status.
    public var description: String { "\(method) \(target) \(status.map(String.init) ?? "-")" }

    /// Bytes that the entry is counted with in the journal.
    var size: Int {
        var size = (log?.memory ?? 0) + 144 + (remark?.utf8.count ?? 0) + methodBytes.count + targetBytes.count
        switch outcome.kind {
        case .missed(let miss): size += miss.explanation.utf8.count + miss.json.utf8.count
        case .failed(let reason): size += reason.utf8.count
        default: break
        }
        return size
    }
}

/// A request that nothing recorded matches.
public struct Miss: Sendable, Equatable, CustomStringConvertible {
    /// As sent.
    public let method: String
    /// Path and query as sent; bytes over 0x7F as the characters U+0080…U+00FF.
    public let target: String
    /// The nearest of what was recorded, what differs, and what to do: some lines for a person.
    public let explanation: String
    /// What was asked and what differs from the nearest that was recorded, in one line.
    public let summary: String
    /// All of this for programs: problem details (RFC 9457), as the client was sent them.
    package let json: String
    /// The file in which nothing matched.
    package let cassette: String

    /// Method and target.
    public var description: String { "\(method) \(target)" }
}

/// How much of what it was asked a server remembers; beyond that it forgets the oldest. Every thread that serves may hold so
/// much in memory for a while.
public struct JournalLimits: Sendable, Equatable {
    /// Number of requests. Default: 10,000.
    public var entries = 10_000
    /// Bytes, roughly. Default: 16 MiB.
    public var bytes = 16 << 20
    /// Bytes of each body that are kept, with the fields of requests and answers: then a test can assert on what was said
    /// (``JournalEntry/request``, ``JournalEntry/response``). Answering takes more time, and every request counts in ``bytes`` with
    /// twice this. Default: 0, which keeps nothing of them.
    public var body = 0

    /// The defaults.
    public init() {}
}
