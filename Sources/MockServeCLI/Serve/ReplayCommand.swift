import ArgumentParser
import MockServe

struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Serve a cassette, offline.",
        discussion: """
            Prints the base URL on the first line of standard output once the port accepts, then serves until SIGINT or \
            SIGTERM; a second signal stops at once. A request that nothing recorded matches is answered 404 with \
            `mockserve-miss: 1` and listed at the end.

            EXAMPLE
              mockserve replay github.cassette --port 8080
              curl http://127.0.0.1:8080/users/octocat
            """
    )

    @Argument(help: "The cassette file.", completion: .file(extensions: ["cassette"]))
    var cassette: String

    @OptionGroup var serving: ServeOptions
    @OptionGroup var background: BackgroundOptions

    func run() async throws {
        try await ExitStatus.reporting {
            var configuration = MockServerConfiguration.replay(cassette)
            serving.apply(to: &configuration)
            let server = try await background.serve(configuration) { server in
                serving.warn(server)
                if !serving.quiet { Console.say("mockserve: replaying \(cassette); stop with Ctrl-C") }
            }
            if !serving.quiet { Summary.say(server) }
        }
    }
}
