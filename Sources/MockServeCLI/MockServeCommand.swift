import ArgumentParser
import CassetteStore
import Foundation

@main
struct MockServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mockserve",
        abstract: "Records real HTTP traffic into a cassette and replays it, offline and byte for byte.",
        discussion: """
            EXAMPLE
              mockserve record github.cassette --upstream https://api.github.com
              mockserve replay github.cassette
              mockserve run github.cassette -- pytest

            Standard output is data, standard error is talk. Exit statuses: 0 done; 3 a request had no recorded answer (`run`, and `replay --fail-on-miss`); \
            4 a recorded one was not used; 64 wrong usage; 66 a cassette cannot be read; 69 an upstream cannot be reached; 71 a port cannot be opened; \
            74 a cassette cannot be written; 77 recording is refused because CI is set.
            """,
        version: MockServeVersion.current,
        subcommands: [
            DemoCommand.self, RecordCommand.self, ReplayCommand.self, RunCommand.self, ExplainCommand.self,
            CassetteCommand.self, GitCommand.self, AuthorityCommand.self, ControlCommand.self, GuardCommand.self,
        ]
    )

    static func main() async {
        fillStandardDescriptors()
        CassetteFile.prepareProcess()
        let arguments = Array(CommandLine.arguments.dropFirst())
        if let message = UnknownCommand.message(arguments, in: self) {
            Console.say(message)
            exit(withError: ExitStatus.usage.code)
        }
        await main(RunCommand.withTerminator(arguments))
    }
}

/// Opens the standard descriptors that the caller has closed. Otherwise the next files to be opened would get their
/// numbers, and what is meant for standard output would be written into them.
private func fillStandardDescriptors() {
    for descriptor in CInt(0)...2 where fcntl(descriptor, F_GETFD) == -1 { _ = open("/dev/null", O_RDWR) }
}

enum MockServeVersion {
    static let current = "0.1.0"
}
