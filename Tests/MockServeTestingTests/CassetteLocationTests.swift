import Foundation
import MockServe
import Testing

@testable import MockServeTesting

@Suite struct CassetteLocationTests {
    private func path(
        _ suites: [String],
        _ function: String?,
        _ arguments: [TestArgument] = [],
        name: String? = nil,
        file: String = "/src/GitHubTests.swift"
    ) -> String {
        var settings = TestServerSettings()
        settings.name = name
        return CassetteLocation.of(
            settings,
            TestName(file: file, suites: suites, function: function, arguments: arguments)
        ).path
    }

    private func text(_ text: String, _ type: String = "String") -> TestArgument {
        TestArgument(type: type, text: text)
    }

    @Test func followsFileSuiteAndFunction() {
        #expect(path(["GitHubTests"], "user()") == "/src/cassettes/GitHubTests/GitHubTests.user.cassette")
        #expect(path([], "user()") == "/src/cassettes/GitHubTests/user.cassette")
        #expect(path(["Outer", "Inner"], "user()") == "/src/cassettes/GitHubTests/Outer.Inner.user.cassette")
        #expect(path(["GitHubTests"], nil) == "/src/cassettes/GitHubTests/GitHubTests.cassette")
    }

    @Test func hasAFolderForItsName() {
        #expect(path([], "user()", name: "github") == "/src/cassettes/github/GitHubTests/user.cassette")
        #expect(path([], "user()", name: "apis/github") == "/src/cassettes/apis/github/GitHubTests/user.cassette")
        #expect(path([], "user()", name: "all.cassette") == "/src/cassettes/all.cassette")
        #expect(path([], "user()", name: "../../x").hasPrefix("/src/cassettes/"))
    }

    /// Overloads, arguments that look alike once they are readable, duplicates of one display text with another type.
    @Test func isUnique() {
        let paths = [
            path(["S"], "user()"), path(["S"], "user(_:)"), path(["S"], "user(id:)"), path(["T"], "user()"),
            path(["S"], "user(_:)", [text("a/b")]), path(["S"], "user(_:)", [text("a\\b")]),
            path(["S"], "user(_:)", [text("a b")]), path(["S"], "user(_:)", [text("1")]),
            path(["S"], "user(_:)", [text("1", "Int")]), path(["S"], "user(_:_:)", [text("a"), text("b")]),
            path(["S"], "user(_:_:)", [text("a, b"), text("")]), path(["S"], "user(_:)", [text("")]),
            path(["S"], "user(_:)", [text("é")]), path(["S"], "user(_:)", [text("e\u{301}")]),
            path(["S"], "`user with spaces`()"), path(["S"], "user_with_spaces()"), path(["S"], "`user-with-spaces`()"),
            path(["S.T"], "user()"), path(["S", "T"], "user()"),
        ]
        #expect(Set(paths).count == paths.count)
        #expect(Set(paths.map { $0.lowercased().precomposedStringWithCanonicalMapping }).count == paths.count)
    }

    @Test(arguments: [
        String(repeating: "long", count: 200), "../../../etc/passwd", "a\u{0}b\nc", "con", "COM1", "a:b*c?d\"e<f>g|h",
        ".", "..",
        "", "日本語", "👩‍👩‍👧", "trailing ", "trailing.",
    ])
    func isSafe(_ argument: String) throws {
        for path in [
            path(["S"], "user(_:)", [text(argument)]), path([], "`\(argument)`()"), path(["`\(argument)`"], "a()"),
        ] {
            let parts = path.split(separator: "/").map(String.init)
            #expect(Array(parts.prefix(3)) == ["src", "cassettes", "GitHubTests"])
            let file = try #require(parts.last)
            #expect(parts.count == 4 && file.hasSuffix(".cassette"))
            #expect(file.utf8.count <= 143)
            #expect(!file.unicodeScalars.contains { "<>:\"/\\|?*".unicodeScalars.contains($0) || $0.value < 0x20 })
            #expect(!file.hasPrefix(".") && !file.dropLast(9).hasSuffix(" ") && !file.dropLast(9).hasSuffix("."))
            let stem = file.prefix { $0 != "." }.uppercased()
            #expect(!["CON", "PRN", "AUX", "NUL", "COM1"].contains(stem))
        }
    }

    @Test func argumentsHaveTheSameTextInEveryRun() {
        struct Plain { let name: String; let tags: Set<Int> }
        final class Reference { let id = 7 }
        enum Choice { case none, some(id: Int) }
        let words: Set<String> = Set((0..<50).map { "word\($0)" })
        let sorted = words.sorted().joined(separator: ", ")
        #expect(StableText.of(words) == "[\(sorted)]")
        #expect(StableText.of(["b": 1, "a": 2]) == "[a: 2, b: 1]")
        #expect(StableText.of(Plain(name: "x", tags: [2, 1])) == "Plain(name: x, tags: [1, 2])")
        #expect(StableText.of(Reference()) == "Reference(id: 7)")
        #expect(StableText.of(Choice.some(id: 1)) == "some((1))" || StableText.of(Choice.some(id: 1)) == "some(1)")
        #expect(StableText.of(Choice.none) == "none")
        #expect(StableText.of(Optional<Int>.none as Any) == "nil")
        #expect(StableText.of(1.5) == "1.5")
        #expect(
            StableText.of(Date(timeIntervalSinceReferenceDate: 0.25))
                != StableText.of(Date(timeIntervalSinceReferenceDate: 0.5))
        )
    }
}
