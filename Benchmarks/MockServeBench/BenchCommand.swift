import ArgumentParser

/// The parts of the benchmarks; `Benchmarks/bench.py` puts them together.
@main
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mockserve-bench",
        abstract: "Makes cassettes to measure with, and what mockserve is measured against.",
        subcommands: [
            GenerateCommand.self, FloorCommand.self, ReplayCommand.self, RequestsCommand.self,
            ScopeCommand.self, RedactionCommand.self, StubsCommand.self,
        ]
    )
}
