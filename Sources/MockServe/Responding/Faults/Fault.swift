import Foundation
public import HTTPTypes
import MockServeCore

/// What goes wrong with an answer that would have been right.
///
/// Lengths are bytes of the body, as they are sent: with its content coding, without chunks.
public struct Fault: Sendable, CustomStringConvertible {
    let kind: FaultKind

    init(_ kind: FaultKind) { self.kind = kind }

    /// Its name with its values, as the journal shows it: `close after 100`.
    public var description: String { kind.text }

    /// The connection is reset (TCP RST) instead of an answer.
    public static let reset = Fault(.reset)

    /// The connection is closed after that many bytes of the body, in the middle of the answer. A shorter body is whole. After
    /// none of an answer that has no body, there is no answer.
    public static func close(after bytes: Int = 0) -> Fault {
        Fault(.close(after: max(0, bytes)))
    }

    /// After that many bytes of the body nothing follows, and the connection stays open until the client gives up, or the
    /// server stops.
    public static func stall(after bytes: Int = 0) -> Fault {
        Fault(.stall(after: max(0, bytes)))
    }

    /// The answer comes later.
    public static func delay(_ delay: FaultDelay) -> Fault { Fault(.delay(delay.wait)) }

    /// Another answer, without a body.
    ///
    /// - Parameters:
    ///   - status: of the answer.
    ///   - retryAfter: seconds for the field `Retry-After` (RFC 9110 §10.2.3).
    public static func status(_ status: HTTPResponse.Status, retryAfter: Int? = nil) -> Fault {
        Fault(.status(min(max(200, status.code), 999), retryAfter: retryAfter.map { max(0, $0) }))
    }

    /// Bytes that are not HTTP, then the end of the connection.
    public static let garbage = Fault(.garbage)

    /// The body comes in chunks, and the connection is closed before the last one (RFC 9112 §8). A client of HTTP/1.0,
    /// which knows no chunks, sees a reset.
    public static let unfinishedChunks = Fault(.unfinishedChunks)

    /// `Content-Length` says that many bytes more than there are, and the connection is closed after the last one.
    public static func wrongLength(by bytes: Int = 1) -> Fault {
        Fault(.wrongLength(by: min(max(1, bytes), FaultPlan.numberLimit)))
    }

    /// The body comes so slowly, in small pieces.
    public static func slow(bytesPerSecond: Int) -> Fault {
        Fault(.slow(bytesPerSecond: max(1, bytesPerSecond)))
    }
}

/// How long an answer waits.
public struct FaultDelay: Sendable, CustomStringConvertible {
    let wait: FaultWait

    /// From none to an hour.
    private static func clamped(_ delay: Duration) -> Duration { min(max(.zero, delay), FaultWait.limit) }

    /// Always the same.
    public static func fixed(_ delay: Duration) -> FaultDelay { FaultDelay(wait: .fixed(clamped(delay))) }

    /// Any in a range, each as likely as the others.
    public static func uniform(_ range: ClosedRange<Duration>) -> FaultDelay {
        FaultDelay(wait: .uniform(clamped(range.lowerBound)...clamped(range.upperBound)))
    }

    /// As real services are slow: half of the delays are shorter than the median, and a few much longer. With `sigma` 0.5,
    /// one in forty is more than 2.7 times the median.
    public static func logNormal(median: Duration, sigma: Double = 0.5) -> FaultDelay {
        FaultDelay(wait: .logNormal(median: clamped(median), sigma: min(max(0, sigma), 10)))
    }

    /// As the journal shows it: `50ms`, `50ms..1s`, `about 50ms`.
    public var description: String { wait.text }
}

extension FaultWait {
    /// One of them, an hour at most.
    func duration(using random: inout some RandomNumberGenerator) -> Duration {
        let limit = FaultWait.limit
        switch self {
        case .fixed(let delay): return min(delay, limit)
        case .uniform(let range):
            let part = Double.random(in: 0...1, using: &random)
            return min(max(.zero, range.lowerBound + (range.upperBound - range.lowerBound) * part), limit)
        case .logNormal(let median, let sigma):
            // Box and Muller (Annals of Mathematical Statistics 29, 1958).
            let one = Double.random(in: Double.leastNonzeroMagnitude...1, using: &random)
            let other = Double.random(in: 0..<1, using: &random)
            let normal = (-2 * log(one)).squareRoot() * cos(2 * .pi * other)
            let factor = exp(sigma * normal)
            return factor * (median / .seconds(1)) < 3600 ? median * factor : limit
        }
    }
}
