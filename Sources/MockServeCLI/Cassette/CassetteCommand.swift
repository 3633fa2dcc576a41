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
                    ListCommand.self, ShowCommand.self, DiffCommand.self, StatsCommand.self, CheckCommand.self,
                    ScanCommand.self, UnusedCommand.self, ExportBodyCommand.self,
                ]
            ),
            CommandGroup(
                name: "Change:",
                subcommands: [
                    AddCommand.self, StubCommand.self, EditCommand.self, RemoveCommand.self, RuleCommand.self,
                    RedactCommand.self, RenameHostCommand.self, CompactCommand.self, UpgradeCommand.self,
                ]
            ),
            CommandGroup(
                name: "Keep up with the upstream:",
                subcommands: [VerifyCommand.self, RefreshCommand.self, UndoCommand.self]
            ),
            CommandGroup(name: "Other tools:", subcommands: [ImportCommand.self, ExportCommand.self]),
            CommandGroup(
                name: "Several cassettes:",
                subcommands: [
                    CopyCommand.self, MoveCommand.self, SplitCommand.self, MergeCommand.self, ResolveCommand.self,
                ]
            ),
        ]
    )
}
