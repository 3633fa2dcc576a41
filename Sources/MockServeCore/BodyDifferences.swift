import Foundation
import HTTPWire

/// In what two request bodies differ, by their media type.
enum BodyDifferences {
    static func find(_ asked: ComparedRequest, _ recorded: ComparedRequest, _ rules: RuleSet) -> [Difference] {
        guard asked.bodySize > 0 || recorded.bodySize > 0 else { return [] }
        guard let one = asked.body, let other = recorded.body else {
            return asked.bodySize == recorded.bodySize ? [] : [whole(asked, recorded)]
        }
        let types = [asked, recorded].map { $0.head.fields.first("content-type").map { MediaType($0) } }
        if types.allSatisfy({ $0?.isJSON == true }), let found = json(one, other, rules) { return found }
        if types.allSatisfy({ $0?.essence == "application/x-www-form-urlencoded" }) {
            return PairDifferences.find(
                "form",
                rules.countedForm(FormPair.parse(one[...])),
                rules.countedForm(FormPair.parse(other[...]))
            )
        }
        let maps = rules.bodyMaps
        return maps.apply(to: one) == maps.apply(to: other) ? [] : [whole(asked, recorded)]
    }

    private static func whole(_ asked: ComparedRequest, _ recorded: ComparedRequest) -> Difference {
        func text(_ request: ComparedRequest) -> String? {
            guard request.bodySize > 0 else { return nil }
            guard let body = request.body, body.count <= 200, let text = String(validating: body, as: UTF8.self) else {
                return "\(request.bodySize) bytes"
            }
            return text
        }
        return Difference("body", asked: text(asked), recorded: text(recorded))
    }

    /// - Returns: nil if one of them is not JSON.
    private static func json(_ asked: [UInt8], _ recorded: [UInt8], _ rules: RuleSet) -> [Difference]? {
        guard let one = parse(asked), let other = parse(recorded) else { return nil }
        var found: [Difference] = []
        compare(one, other, at: "$", JSONPlace(rules.json), &found)
        return found
    }

    private static func parse(_ bytes: [UInt8]) -> Any? {
        try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
    }

    private static func compare(
        _ one: Any?,
        _ other: Any?,
        at path: String,
        _ place: JSONPlace,
        _ found: inout [Difference]
    ) {
        guard found.count < NearMiss.bodyDifferences, !place.isIgnored else { return }
        if let one = one as? [String: Any], let other = other as? [String: Any] {
            for name in Set(one.keys).union(other.keys).sorted() {
                compare(one[name], other[name], at: path + member(name), place.member(Array(name.utf8)), &found)
            }
        } else if let one = one as? [Any], let other = other as? [Any] {
            for index in 0..<max(one.count, other.count) {
                let left = index < one.count ? one[index] : nil
                let right = index < other.count ? other[index] : nil
                compare(left, right, at: "\(path)[\(index)]", place.element(index), &found)
            }
        } else if counted(one, place) != counted(other, place) {
            found.append(Difference("json:\(path)", asked: text(one), recorded: text(other)))
        }
    }

    private static func counted(_ value: Any?, _ place: JSONPlace) -> [UInt8]? {
        if let string = value as? String { return place.counted(Array(string.utf8)) }
        return text(value).map { value is NSNumber ? place.counted(Array($0.utf8)) : Array($0.utf8) }
    }

    /// `.name`, or `['name']` where the short form of RFC 9535 §2.5.1 does not allow it.
    private static func member(_ name: String) -> String {
        let isShort = name.first.map { $0.isLetter || $0 == "_" } ?? false
        if isShort, name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }) { return ".\(name)" }
        let escaped = name.replacing("\\", with: "\\\\").replacing("'", with: "\\'")
        return "['\(escaped)']"
    }

    /// Members sorted, so that equal values give equal texts.
    private static func text(_ value: Any?) -> String? {
        guard let value else { return nil }
        let options: JSONSerialization.WritingOptions = [.fragmentsAllowed, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? JSONSerialization.data(withJSONObject: value, options: options) else { return "?" }
        return String(decoding: data, as: UTF8.self)
    }
}
