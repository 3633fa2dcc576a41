import ArgumentParser

struct CassetteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cassette",
        abstract: "Look into cassettes and change them.",
        discussion: """
            EXAMPLE
              mockserve cassette list github.cassette
              mockserve cassette add demo.cassette --request 'GET /users/1' --json '{"id": 1}'
            """,
        subcommands: [
            ListCommand.self, ShowCommand.self, AddCommand.self, RemoveCommand.self, RuleCommand.self,
            UnusedCommand.self,
            StubCommand.self, RedactCommand.self, ScanCommand.self,
        ]
    )
}
