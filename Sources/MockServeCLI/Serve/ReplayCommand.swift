import ArgumentParser
import MockServe

struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Serve a cassette, offline.",
        discussion: """
            Prints the base URL on the first line of standard output once the port accepts, then serves until SIGINT or \
            SIGTERM; a second signal stops at once. SIGHUP goes back to the start of the recording. A request that nothing \
            recorded matches is answered 404 with `mockserve-miss: 1`, said when it comes, and explained at the end; the exit \
            status is 0 all the same, and 3 with --fail-on-miss.

            A file or a folder of another tool, such as a HAR or VCR's cassettes, is imported for as long as this runs; see \
            `mockserve cassette import`.

            EXAMPLE
              mockserve replay github.cassette --port 8080
              curl http://127.0.0.1:8080/users/octocat
            """
    )

    @Argument(
        help: "The cassette file, or a file or folder of another tool.",
        completion: .file(extensions: ["cassette"])
    )
    var cassette: String

    @Flag(help: "Exit with 3 if a request had no recorded answer.")
    var failOnMiss = false

    @OptionGroup var serving: ServeOptions
    @OptionGroup var background: BackgroundOptions

    func run() async throws {
        let server = try await ExitStatus.reporting {
            let served = try ServedCassette(cassette, serving.secrets, isQuiet: serving.quiet)
            defer { served.end() }
            var configuration = served.configuration(cassette)
            try serving.apply(to: &configuration, cassette: cassette)
            try serving.explainIfAsked(configuration)
            let server = try await background.serve(configuration, serving.tls, isQuiet: serving.quiet) { server in
                serving.warn(server)
                if !serving.quiet { Console.say("mockserve: replaying \(cassette); stop with Ctrl-C") }
            }
            if !serving.quiet { Summary(server: server, cassette: cassette, wasTold: true).say() }
            return server
        }
        if failOnMiss, server.missCount > 0 {
            if serving.quiet { Summary(server: server, cassette: cassette, wasTold: false).sayWorst() }
            throw ExitStatus.misses.code
        }
    }
}
