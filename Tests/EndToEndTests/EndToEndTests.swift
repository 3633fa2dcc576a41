import Foundation
import Subprocess
import Testing

#if canImport(System)
    import System
#else
    import SystemPackage
#endif

/// Runs the built program against real upstreams with real clients. The scripts say what is tested, and how.
///
/// The program is the one that MOCKSERVE in the environment names, as `make test` does with a release build, or the debug build.
/// One after another: some of them measure time, and all of them use both cores.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct EndToEndTests {
    @Test func theCommandsDoWhatTheySay() async throws { try await run("command_line") }

    @Test func cassettesInGit() async throws { try await run("git") }

    @Test func importsAndExports() async throws { try await run("imports") }

    @Test func recordingsOfOtherToolsAreImportedAndExported() async throws { try await run("formats") }
    @Test func verbsOnCassettes() async throws { try await run("cassettes") }
    @Test func stubsOfACassette() async throws { try await run("stubs") }
    @Test func whatIsNotAsItShouldBeIsToldWithWhatToDo() async throws { try await run("telling") }

    @Test func theCommandsOfTheReadmeDoWhatItShows() async throws { try await run("readme_commands") }

    @Test func httpbinIsReplayedByteByByte() async throws { try await run("httpbin_roundtrip") }

    @Test func upstreamsAreReachedByTLSAndProxies() async throws { try await run("upstreams") }

    @Test func clientsOfEveryVersionGetWhatWasRecordedOverAnother() async throws { try await run("versions") }

    @Test func certificatesAreTrustedWhereTheyShouldBe() async throws { try await run("certificates") }

    @Test func framesAreTakenAsTheyShouldBe() async throws { try await run("http2_conformance") }

    @Test func callsOfGRPCAreReplayed() async throws { try await run("grpc_calls") }

    @Test func aServiceWithStateIsReplayedAsOfItsWrites() async throws { try await run("stateful_playback") }

    @Test func theAWSClientIsReplayed() async throws { try await run("aws_client") }

    @Test func servicesThatNameTheirOperationInFieldsAreReplayed() async throws { try await run("aws_services") }

    @Test func noRequestIsSmuggledThroughARecording() async throws { try await run("smuggling") }

    @Test func oddCallersAreServed() async throws { try await run("odd_callers") }

    @Test func commandsEndWithMockserve() async throws { try await run("run_processes") }

    @Test func faultsDoNoHarm() async throws { try await run("faults") }

    @Test func everyFaultIsSeenByClients() async throws { try await run("fault_clients") }

    @Test func killsLeaveTheOldOrTheNew() async throws { try await run("kill_points", "48") }

    @Test func killsOfAMigrationLeaveOneVersionOrTheOther() async throws {
        try await run("kill_points", "50", "migration")
    }

    @Test func oddRepliesAreRecordedAsCurlSeesThem() async throws { try await run("odd_replies") }

    @Test func replayOpensNoConnection() async throws { try await run("no_connections") }

    @Test func eventStreamsKeepTheirTiming() async throws { try await run("event_stream") }

    @Test func noSecretReachesTheDisk() async throws { try await run("planted_secrets") }

    @Test func noSecretOfAnyKindPlaceOrSpellingIsLeft() async throws { try await run("secret_grid", "--quick") }

    @Test func flowsWithSecretsAreReplayed() async throws { try await run("secret_flows") }

    @Test func trafficWithoutSecretsIsRecordedAsItIs() async throws { try await run("ordinary_traffic") }

    @Test func manyConnectionsAreHeld() async throws { try await run("many_connections") }

    @Test func threadsAndProcessesShareACassette() async throws { try await run("threads_and_processes") }

    @Test func mutatedRequestsDoNoHarm() async throws { try await run("mutated_requests", "5") }

    @Test func killedRecordingsLoseNothing() async throws { try await run("kill_recording", "50") }

    @Test func killedRecordingsOfHTTP2LoseNothing() async throws { try await run("kill_recording", "20", "http2") }

    @Test func memoryStaysFlatWithBodiesOfAGibibyte() async throws { try await run("huge_bodies", "1024") }

    @Test func memoryStaysFlatWithBodiesOfAGibibyteOverHTTP2() async throws {
        try await run("huge_bodies", "1024", "http2")
    }

    @Test func whatIsInstalledWorks() async throws { try await run("packages") }

    @Test func integrationsAndExamplesReplay() async throws { try await run("integrations") }

    @Test func aBrowserSeesTheSameSite() async throws {
        try await run(script: "Examples/screenshots/screenshots.py", [])
    }

    private func run(_ name: String, _ arguments: String...) async throws {
        try await run(script: "Tests/EndToEndTests/Scripts/\(name).py", arguments)
    }

    private func run(script: String, _ arguments: [String]) async throws {
        let root = URL(fileURLWithPath: #filePath).appending(path: "../../..").standardized
        let program = try ProcessInfo.processInfo.environment["MOCKSERVE"] ?? builtProgram()
        let python = root.appending(path: ".venv/bin/python").path
        try #require(FileManager.default.isExecutableFile(atPath: python), "run `make test-tools` first")
        let result = try await Subprocess.run(
            .path(FilePath(python)),
            arguments: Arguments([root.appending(path: script).path] + arguments),
            environment: .inherit.updating(["MOCKSERVE": program]),
            output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 20)
        )
        print(result.standardOutput)
        #expect(result.terminationStatus.isSuccess, "\(result.standardOutput)\n\(result.standardError)")
        #expect(result.standardOutput.contains("ok: "), "the script says nothing of what it has shown")
    }

    /// It is next to the test bundle.
    private func builtProgram() throws -> String {
        let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let program = URL(fileURLWithPath: executable).deletingLastPathComponent().appending(path: "mockserve").path
        try #require(FileManager.default.isExecutableFile(atPath: program), "\(program) is not built")
        return program
    }
}
