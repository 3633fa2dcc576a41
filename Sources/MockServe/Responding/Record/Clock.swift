import Foundation
import NIOCore

/// A moment on the wall clock and on the monotonic clock.
struct Clock: Sendable {
    private let monotonic: NIODeadline
    /// Milliseconds since 1970 UTC.
    let unixMilliseconds: Int64

    static func now() -> Clock {
        Clock(monotonic: .now(), unixMilliseconds: Int64((Date().timeIntervalSince1970 * 1000).rounded(.down)))
    }

    func milliseconds(since earlier: Clock) -> Int {
        max(0, Int((monotonic - earlier.monotonic).nanoseconds / 1_000_000))
    }

    static func milliseconds(since earlier: Clock) -> Int { now().milliseconds(since: earlier) }
}
