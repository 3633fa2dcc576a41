import ArgumentParser
import MockServe

/// Measures what a test pays for a server of its own.
struct ScopeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scope",
        abstract: "Time the start and stop of a scope that replays a cassette.",
        discussion: "Prints microseconds, a scope a line."
    )

    @Argument(help: "The cassette file.")
    var cassette: String

    @Option(help: "How many scopes, one after another.")
    var count = 200

    @Flag(help: "Demand TLS, and have the certificates made that a first client would need.")
    var tls = false

    func run() async throws {
        let clock = ContinuousClock()
        var configuration = MockServerConfiguration.replay(cassette)
        configuration.tls = tls
        for _ in 0..<count {
            let time = try await clock.measure {
                try await withMockServer(configuration) { server in
                    if tls { _ = try server.certificateAuthority }
                }
            }
            print(time / .microseconds(1))
        }
    }
}
