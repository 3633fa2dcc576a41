import Foundation
import MockServe
import Testing

@testable import MockServeTesting

private let wanted = ProcessInfo.processInfo.environment["TRAIT_COST"].flatMap { Int($0) }

/// What a test pays for its server: `make bench` runs this, and prints what it measures. It asserts no speed.
@Suite(.enabled(if: wanted != nil, "measures; set TRAIT_COST to how many scopes"))
struct TraitCostTests {
    @Test func aScopeWithTheTraitBesideWithMockServer() async throws {
        let test = try #require(Test.current)
        let testCase = Test.Case.current
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../cassettes").standardized.path
        let path = "\(folder)/httpbin.cassette"
        let trait = MockServerTrait.mockServer("httpbin.cassette", cassettes: folder)
        let identity = ObjectIdentifier(trait.identity)
        let clock = ContinuousClock()
        var (traits, scopes): ([Duration], [Duration]) = ([], [])
        for _ in 0..<(wanted ?? 0) {
            traits.append(
                try await clock.measure {
                    try await TestScope.run(trait.settings, [identity], test, testCase) {
                        #expect(MockServer.current != nil)
                    }
                }
            )
            scopes.append(try await clock.measure { try await withMockServer(.replay(path)) { _ in } })
        }
        func median(_ times: [Duration]) -> String {
            let time = times.sorted()[times.count / 2] / .milliseconds(1)
            return String(format: "%.3f", time)
        }
        print("trait \(median(traits)) ms, withMockServer \(median(scopes)) ms")
    }
}
