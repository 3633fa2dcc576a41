import ArgumentParser
import MockServe

struct RecordCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record",
        abstract: "Forward to an upstream and record what it answers.",
        discussion: """
            Prints the base URL on the first line of standard output once the port accepts (with several upstreams, a line \
            `NAME URL` for each further one), then serves until SIGINT or SIGTERM; a second signal stops at once. SIGHUP \
            stops too, or goes back to the start if the cassette is replayed. \
            Point your client at that URL instead of at the service.

            Modes: `replay` replays and touches no upstream; `once` records if the cassette is empty and replays it otherwise; `missing` replays what is there and \
            records the rest; `all` records everything, and on a clean end new answers replace old ones to the same \
            requests; `rewrite` records everything and on a clean end takes the place of all that was recorded before it began, \
            while rules and answers written by hand stay; if something could not be recorded, it is as `all`; `passthrough` forwards and records nothing. Where CI is set in the \
            environment, nothing is recorded without --record-in-ci. HTTP_PROXY, HTTPS_PROXY and NO_PROXY are honoured on the way out.

            Exits with 69 if an upstream could not be reached: no connection came about; with 74 if the cassette could not be \
            written. Whatever else could not be recorded (an answer that is not valid, or was cut) is said when it happens and \
            counted at the end; the status is 0.

            EXAMPLE
              mockserve record github.cassette --upstream https://api.github.com --port 8080
              curl http://127.0.0.1:8080/users/octocat
            """
    )

    @Argument(help: "The cassette file; made if there is none.", completion: .file(extensions: ["cassette"]))
    var cassette: String

    @OptionGroup var modes: ModeOption

    @OptionGroup var recording: RecordOptions
    @OptionGroup var serving: ServeOptions
    @OptionGroup var background: BackgroundOptions

    func validate() throws {
        guard recording.hasUpstream || modes.mode == .replay else {
            throw ValidationError("--upstream is missing: the server to record from, such as https://api.example.com.")
        }
    }

    func run() async throws {
        let server = try await ExitStatus.reporting {
            var configuration = MockServerConfiguration.record(cassette, upstreams: [])
            try modes.apply(to: &configuration)
            try serving.apply(to: &configuration, cassette: cassette)
            try recording.apply(to: &configuration)
            try serving.explainIfAsked(configuration)
            let isPassing = configuration.mode == .passthrough
            let server = try await background.serve(configuration, serving.tls, isQuiet: serving.quiet) { server in
                serving.warn(server)
                guard !serving.quiet else { return }
                let action = server.isRecording ? "recording into" : isPassing ? "passing by" : "replaying"
                Console.say("mockserve: \(action) \(cassette); stop with Ctrl-C")
            }
            let summary = Summary(server: server, cassette: cassette, wasTold: !serving.quiet)
            if serving.quiet { summary.sayWorst() } else { summary.say() }
            return server
        }
        if server.failedConnectionCount > 0 { throw ExitStatus.upstream.code }
    }
}
