import HTTPMessages
import MockServeCore
import Testing

/// How near requests are by their content.
@Suite struct RequestPartsTests {
    private func parts(_ body: String, _ type: String = "application/json", _ rules: RuleSet = .none) -> RequestParts {
        RequestParts(fields: Fields([("Content-Type", type)]), body: Array(body.utf8), rules: rules)
    }

    private func distance(_ one: String, _ other: String, _ type: String = "application/json") -> Int {
        parts(one, type).distance(to: parts(other, type))
    }

    @Test func orderAndWhiteSpaceAreNoDistance() {
        #expect(distance(#"{"a": 1, "b": [true, null]}"#, #"{"b":[true,null],"a":1}"#) == 0)
        #expect(distance("a=1&b=2", "b=2&a=1", "application/x-www-form-urlencoded") == 0)
    }

    @Test func aValueIsNearerThanAMemberAndThatNearerThanAnotherCall() {
        let call = #"{"method": "get", "params": {"user": 1, "page": 2}}"#
        let value = distance(call, #"{"method": "get", "params": {"user": 1, "page": 3}}"#)
        let member = distance(call, #"{"method": "get", "params": {"user": 1, "size": 3}}"#)
        let another = distance(call, #"{"method": "put", "params": {"name": "x"}}"#)
        #expect(0 < value && value < member && member < another)
    }

    @Test func aLongTextIsNearAnotherOfTheSameWords() {
        let words = (0..<40).map { "word\($0)" }.joined(separator: " ")
        let near = distance("{\"prompt\": \"\(words)\"}", "{\"prompt\": \"\(words) more\"}")
        let far = distance("{\"prompt\": \"\(words)\"}", "{\"prompt\": \"\(words.uppercased())\"}")
        #expect(near < far)
    }

    @Test func whatRulesLeaveOutIsNoDistance() throws {
        let rules = RuleSet([try Rule(.ignore, "json:$.meta"), try Rule(.ignore, "json:$..at")])
        let one = parts(#"{"meta": {"id": 1, "list": [1, {}]}, "a": [{"at": 1, "b": 2}]}"#, "application/json", rules)
        let other = parts(#"{"meta": {"id": 2}, "a": [{"at": 5, "b": 2}]}"#, "application/json", rules)
        #expect(one.distance(to: other) == 0)
    }

    @Test func requestsOfManyPartsAreMeasuredByAChoiceOfThem() {
        func body(_ changed: Int) -> String {
            "{" + (0..<2000).map { "\"m\($0)\": \($0 < changed ? -$0 - 1 : $0)" }.joined(separator: ",") + "}"
        }
        let whole = parts(body(0))
        #expect(whole.memory < 4096)
        let distances = [0, 200, 1000, 2000].map { whole.distance(to: parts(body($0))) }
        #expect(distances[0] == 0 && distances == distances.sorted() && Set(distances).count == 4)
    }

    @Test(arguments: ["{", "{\"a\"", "[1,", "{\"a\": \"\\", "[[[[", "{}x", String(repeating: "[", count: 5000)])
    func whatIsNotJSONIsMeasuredByItsWords(text: String) {
        #expect(distance(text, text) == 0)
        #expect(distance(text + " one", text + " two") > 0)
    }
}
