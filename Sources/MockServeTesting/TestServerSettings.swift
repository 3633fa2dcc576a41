import Foundation
import MockServe

/// What traits, or an XCTest case, say about a server. What is nil is inherited from the enclosing trait.
struct TestServerSettings: Sendable {
    var name: String?
    var upstreams: [(name: String, url: String)] = []
    var mode: RecordMode?
    var playback: Playback?
    var unused: UnusedPolicy?
    var scope: MockServerTrait.Scope?
    var folder: String?
    var configure: [@Sendable (inout MockServerConfiguration) -> Void] = []

    init() {}

    init(
        _ name: String?,
        upstream: String?,
        _ upstreams: [(name: String, url: String)],
        mode: RecordMode?,
        playback: Playback?,
        unused: UnusedPolicy?,
        scope: MockServerTrait.Scope? = nil,
        folder: String?,
        _ configure: (@Sendable (inout MockServerConfiguration) -> Void)?
    ) {
        self.name = name
        self.upstreams = upstream.map { [("default", $0)] + upstreams } ?? upstreams
        (self.mode, self.playback, self.unused, self.scope) = (mode, playback, unused, scope)
        self.folder = folder
        self.configure = configure.map { [$0] } ?? []
    }

    /// Whether several tests have the same cassette.
    var isShared: Bool { name?.hasSuffix(".cassette") ?? false }

    mutating func merge(_ inner: TestServerSettings) {
        name = inner.name ?? name
        if !inner.upstreams.isEmpty { upstreams = inner.upstreams }
        mode = inner.mode ?? mode
        playback = inner.playback ?? playback
        unused = inner.unused ?? unused
        scope = inner.scope ?? scope
        folder = inner.folder ?? folder
        configure += inner.configure
    }

    /// - Parameter command: how to record, for a person.
    func configuration(_ cassette: URL, recordedBy command: String) -> MockServerConfiguration {
        var configuration = MockServerConfiguration.test(
            cassette.path,
            upstreams: upstreams,
            mode: mode,
            isShared: isShared,
            recordedBy: command
        )
        if let playback { configuration.playback = playback }
        if let unused { configuration.unused = unused }
        for change in configure { change(&configuration) }
        return configuration
    }
}
