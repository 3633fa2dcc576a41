import HTTPMessages
public import Foundation
import MockServeCore

/// One request to a server, and what became of it.
public struct JournalEntry: Sendable, Equatable, CustomStringConvertible {
    /// What became of a request. More kinds may be added.
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

        /// Answered from the cassette, by the interaction with this number.
        public static func replayed(interaction: Int) -> Outcome { Outcome(kind: .replayed(interaction: interaction)) }

        /// Answered by the upstream, and recorded as the interaction with this number.
        public static func recorded(interaction: Int) -> Outcome { Outcome(kind: .recorded(interaction: interaction)) }

        /// Answered by the upstream, and not recorded.
        public static let forwarded = Outcome(kind: .forwarded)

        /// Answered by a ``Responder``, a stub, or a fault.
        public static let responded = Outcome(kind: .responded)

        /// Had no recorded answer.
        public static func missed(_ miss: Miss) -> Outcome { Outcome(kind: .missed(miss)) }

        /// Could not be answered, forwarded or recorded; the reason in one line.
        public static func failed(_ reason: String) -> Outcome { Outcome(kind: .failed(reason)) }

        /// Whether the cassette answered.
        public var isReplayed: Bool { if case .replayed = kind { true } else { false } }

        /// Whether the upstream answered, and that was recorded.
        public var isRecorded: Bool { if case .recorded = kind { true } else { false } }

        /// Number of the interaction that was replayed or recorded; nil if there is none.
        public var interaction: Int? {
            switch kind {
            case .replayed(let number), .recorded(let number): number
            case .forwarded, .responded, .missed, .failed: nil
            }
        }

        /// The details of a request without a recorded answer; nil for other outcomes.
        public var miss: Miss? { if case .missed(let miss) = kind { miss } else { nil } }

        /// Why it failed; nil for other outcomes.
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

    /// Counted from 1, in the order in which the outcomes were known.
    public let number: Int
    /// When the outcome was known.
    public let date: Date
    let methodBytes: [UInt8]
    let targetBytes: [UInt8]
    /// What became of it.
    public let outcome: Outcome
    /// Status of the answer; nil if there was none.
    public let status: Int?
    /// Why the answer may not be the expected one: it departs from the recorded order, requests that differ only in
    /// redacted values were answered differently, or it was a fault (``MockServer/fault(_:on:nth:every:times:probability:seed:)``).
    /// Nil if there is nothing to say.
    public let remark: String?
    /// The subject of the certificate that the client has shown (RFC 4514); nil if it has shown none
    /// (``CertificateOptions/clientAuthoritiesFile``).
    public let client: String?
    let log: ExchangeLog?

    /// The method, as sent.
    public var method: String { Latin1.string(methodBytes) }
    /// Path and query, as sent except for redacted secrets; bytes over 0x7F are the characters U+0080…U+00FF.
    public var target: String { Latin1.string(targetBytes) }

    /// The request with its body; nil unless the journal keeps bodies (``JournalLimits/body``). Secrets are redacted,
    /// and the body has no content coding.
    public var request: MockRequest? { log?.mockRequest }

    /// The answer as far as it was sent, redacted and decoded like ``request``; nil if there was none, or unless the
    /// journal keeps bodies.
    public var response: MockResponse? { log?.mockResponse }

    /// Whether a body was longer than the journal keeps.
    public var isTruncated: Bool { log?.isTruncated ?? false }

    /// Method, target and status.
    public var description: String { "\(method) \(target) \(status.map(String.init) ?? "-")" }

    /// The bytes with which the entry counts in the journal.
    var size: Int {
        var size =
            (log?.memory ?? 0) + 144 + (remark?.utf8.count ?? 0) + (client?.utf8.count ?? 0) + methodBytes.count
            + targetBytes.count
        switch outcome.kind {
        case .missed(let miss): size += miss.explanation.utf8.count + miss.json.utf8.count
        case .failed(let reason): size += reason.utf8.count
        default: break
        }
        return size
    }
}

/// A request without a recorded answer.
public struct Miss: Sendable, Equatable, CustomStringConvertible {
    /// The method, as sent.
    public let method: String
    /// Path and query, as sent except for redacted secrets; bytes over 0x7F are the characters U+0080…U+00FF.
    public let target: String
    /// For a person, in several lines: the nearest recorded requests, what differs, and what to do.
    public let explanation: String
    /// The request, and how it differs from the nearest recorded one, in one line.
    public let summary: String
    /// All of this for programs: problem details (RFC 9457), without line breaks.
    package let json: String
    /// The canonical path of the cassette.
    package let cassette: String

    /// Method and target.
    public var description: String { "\(method) \(target)" }
}

/// How much of its requests a server remembers; beyond that it forgets the oldest. Every thread that serves may hold
/// this much in memory.
public struct JournalLimits: Sendable, Equatable {
    /// Number of requests. Default: 10,000.
    public var entries = 10_000
    /// Bytes, roughly. Default: 16 MiB.
    public var bytes = 16 << 20
    /// Bytes of each body that are kept, together with the fields of requests and answers, so that a test can assert on
    /// them (``JournalEntry/request``, ``JournalEntry/response``). Answering then takes more time, and every request
    /// counts in ``bytes`` with twice this number. Default: 0, which keeps none of them.
    public var body = 0

    /// The defaults.
    public init() {}
}
