import Foundation
import HTTPMessages
import MockServeCore
import Testing

/// How far answers have moved.
@Suite struct AnswerShapeTests {
    private func differences(
        _ old: String,
        _ new: String,
        status: (Int, Int) = (200, 200),
        type: (String, String) = ("application/json", "application/json")
    )
        -> [String]
    {
        AnswerShape.differences(
            ResponseHead(status: status.0, fields: Fields([("Content-Type", type.0)])),
            ResponseHead(status: status.1, fields: Fields([("Content-Type", type.1)])),
            bodies: (Array(old.utf8), Array(new.utf8))
        )
    }

    @Test(
        arguments: [
            (#"{"a": 1}"#, #"{"a": 2.5}"#, []), (#"{"a": 1}"#, #"{"a": "1"}"#, ["$.a: string, was number"]),
            (#"{"a": 1}"#, #"{"b": 1}"#, ["$.a: gone, was number", "$.b: new, number"]),
            (#"{"a": null}"#, #"{"a": {"b": 1}}"#, []), (#"[]"#, #"[1]"#, []),
            (#"[1]"#, #"["x"]"#, ["$[]: string, was number"]),
            (#"[{"a": 1}, {"a": 1, "b": 2}]"#, #"[{"a": 1}]"#, []),
            (#"[{"a": 1}]"#, #"[{"a": 1}, {"a": 1, "b": 2}]"#, []),
            (#"[{"a": 1}]"#, #"[{"b": 1}]"#, ["$[].a: gone, was number", "$[].b: new, number"]),
            (#"{"a": [1, "x"]}"#, #"{"a": [1]}"#, ["$.a[]: number, was number or string"]),
            (#"{"a": [1]}"#, #"{"a": {}}"#, ["$.a: object, was array"]), ("text", "other", []),
            ("text", "", ["body: empty, was not empty"]),
        ]
    )
    func namesAndTypesCount(_ old: String, _ new: String, _ expected: [String]) {
        #expect(differences(old, new) == expected)
    }

    @Test func statusClassAndMediaTypeCount() {
        #expect(differences("{}", "{}", status: (200, 201)) == [])
        #expect(differences("{}", "{}", status: (200, 404)) == ["status: 404, was 200"])
        #expect(differences("{}", "{}", type: ("application/json", "application/json; charset=utf-8")) == [])
        #expect(differences("x", "x", type: ("text/plain", "text/html")) == ["type: text/html, was text/plain"])
    }

    @Test func volatileFieldsAreDocumented() throws {
        var root = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { root.deleteLastPathComponent() }
        let text = try String(contentsOf: root.appendingPathComponent("Schema/README.md"), encoding: .utf8)
        let section = try #require(text.components(separatedBy: "# Volatile fields").last)
        let named = section.components(separatedBy: "`").enumerated().filter { !$0.offset.isMultiple(of: 2) }.map(
            \.element
        )
        #expect(Set(named.filter { $0 == $0.lowercased() && $0 != "volatile" }) == AnswerLikeness.volatileFields)
    }

    @Test func fewAreNamed() {
        let many = "{" + (0..<50).map { "\"a\($0)\":1" }.joined(separator: ",") + "}"
        #expect(differences(many, "{}").count == 21)
    }

    @Test func linesAreCompared() {
        let old = (0..<30).map { "line \($0)" }
        var new = old
        new[10] = "changed"
        new.append("added")
        #expect(
            LineDiff.lines(old, new, context: 1)
                == ["…", " line 9", "-line 10", "+changed", " line 11", "…", " line 29", "+added"]
        )
        #expect(LineDiff.lines(old, old) == [])
        #expect(LineDiff.lines([], ["a"]) == ["+a"])
        let long = (0..<5000).map { "line \($0 % 50) \($0)" }
        #expect(LineDiff.lines(long, Array(long.dropFirst()), context: 0) == ["-line 0 0", "…"])
    }

    @Test(
        arguments: [
            ("| a redacted.cookie.12 b", "| a redacted.cookie b"),
            ("> Authorization: Bearer redacted.authorization.c3", "> Authorization: Bearer redacted.authorization"),
            ("| 4edac7ed000000000000000000000009", "| 4edac7ed…"),
            ("| 4edac7ed-0000-4000-8000-000000000007,", "| 4edac7ed…,"),
            ("| redacted. redacted.x redacted.x.", "| redacted. redacted.x redacted.x."),
            ("| plain text", "| plain text"),
            ("< Date: today", "< Date: …"), ("< date: today", "< date: …"), ("< X-Mine: 1", "< X-Mine: …"),
            ("> Date: today", "> Date: today"),
        ]
    )
    func whatChangesWithEveryRecordingIsLeftOut(_ line: String, _ stable: String) throws {
        let rules = RuleSet([try Rule(.volatile, "field:X-Mine")])
        #expect(StableText.lines([line], rules) == [stable])
    }
}
