import Foundation

extension MockServerConfiguration {
    /// A server for one test. It replays, unless the call or the environment asks for another mode.
    ///
    /// - Parameters:
    ///   - cassette: the path of the file. A test that asks for nothing needs none.
    ///   - isShared: whether other tests have the same cassette. If not, what a test records replaces the cassette at a good
    ///     end: one that fails, or crashes, leaves it as it was.
    ///   - command: how to record, for a person; nil for the command `mockserve`.
    package static func test(
        _ cassette: String,
        upstreams: [(name: String, url: String)],
        mode: RecordMode?,
        isShared: Bool,
        recordedBy command: String?
    ) -> MockServerConfiguration {
        let isAsked = ProcessInfo.processInfo.environment["MOCKSERVE_MODE"].map { !$0.isEmpty } ?? false
        let mode = mode ?? (isAsked ? nil : .replay)
        var configuration = record(cassette, upstreams: upstreams, mode: mode)
        configuration.recordCommand = command
        configuration.startsWithoutCassette = true
        configuration.replacesAtEnd = !isShared
        return configuration
    }

    /// Listens on a port that the operating system picks, whatever the environment says.
    package mutating func listenOnFreePort() { listen = .address(listen.host) }
}
