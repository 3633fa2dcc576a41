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
        groupedSubcommands: [
            CommandGroup(
                name: "Look:",
                subcommands: [
                    ListCommand.self, ShowCommand.self, DiffCommand.self, UnusedCommand.self, ScanCommand.self,
                ]
            ),
            CommandGroup(
                name: "Change:",
                subcommands: [
                    AddCommand.self, StubCommand.self, RemoveCommand.self, RuleCommand.self, RedactCommand.self,
                    MergeCommand.self, ResolveCommand.self,
                ]
            ),
        ]
    )
}
