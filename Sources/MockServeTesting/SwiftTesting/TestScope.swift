import Foundation
import MockServe
import Synchronization
import Testing

/// A server that tests have, while they run.
struct TestScope: Sendable {
    let server: MockServer
    /// The traits that it follows.
    let traits: Set<ObjectIdentifier>

    @TaskLocal static var current: TestScope?

    /// Runs a test, or a suite, with a server of its own.
    static func run(
        _ settings: TestServerSettings,
        _ traits: [ObjectIdentifier],
        _ test: Test,
        _ testCase: Test.Case?,
        _ function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        let name = TestName(test, testCase)
        let place = test.sourceLocation
        let cassette: URL
        let configuration: MockServerConfiguration
        let server: MockServer
        do {
            cassette = try CassetteLocation.claim(settings, name)
            configuration = settings.configuration(cassette, recordedBy: name.recordCommand)
            server = try await MockServer.start(configuration)
        } catch {
            Issue.record("\(CassetteLocation.explained(error, name))", sourceLocation: place)
            return
        }
        let failures = Failures()
        do {
            // Swift Testing tells nobody else whether a test has failed.
            try await IssueHandlingTrait.compactMapIssues { issue in
                if issue.isFailure { failures.note() }
                return issue
            }
            .provideScope(for: test, testCase: testCase) {
                try await withTaskCancellationHandler {
                    try await $current.withValue(TestScope(server: server, traits: Set(traits))) {
                        try await function()
                    }
                } onCancel: {
                    failures.note()
                }
                await server.finishExchanges()
                let unused = await server.unusedInteractions(if: configuration.unused == .fail)
                let report = ServerReport(
                    server,
                    countsMisses: configuration.failsOnMisses,
                    unused: unused,
                    hint: RenamedTests.hint(for: cassette, name)
                )
                guard let text = report.text else { return }
                Attachment.record(text, named: "\(CassetteLocation.stem(cassette)).txt", sourceLocation: place)
                Issue.record("\(text)", sourceLocation: place)
            }
        } catch {
            await end(server, configuration, hasFailed: true, place)
            throw error
        }
        await end(server, configuration, hasFailed: failures.areThere, place)
    }

    /// A failed test records nothing.
    private static func end(
        _ server: MockServer,
        _ configuration: MockServerConfiguration,
        hasFailed: Bool,
        _ place: SourceLocation
    ) async {
        if hasFailed, !configuration.keepsFailedEpisodes { server.dropEpisode() }
        do {
            try await server.stop()
        } catch {
            Issue.record("\(error)", sourceLocation: place)
        }
    }
}

/// Whether a test has failed so far.
private final class Failures: Sendable {
    private let flag = Atomic(false)

    func note() { flag.store(true, ordering: .relaxed) }

    var areThere: Bool { flag.load(ordering: .relaxed) }
}
