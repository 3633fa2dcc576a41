import Foundation
import HTTPMessages

/// How two request bodies differ, compared by their content.
enum BodyDifferences {
    static func find(_ asked: ComparedRequest, _ recorded: ComparedRequest, _ rules: RuleSet) -> [Difference] {
        guard asked.bodySize > 0 || recorded.bodySize > 0 else { return [] }
        guard var one = asked.body, var other = recorded.body else {
            return bytes(asked, recorded).map { [$0] } ?? []
        }
        (one, other) = (rules.bodyMaps.apply(to: one), rules.bodyMaps.apply(to: other))
        let isShort = max(one.count, other.count) <= NearMiss.structureLimit
        if isShort, ContentStart(one) == .json, ContentStart(other) == .json,
            let found = json(one, other, rules)
        {
            return found
        }
        let (left, right) = ((one, asked.head.fields), (other, recorded.head.fields))
        if isShort, let found = MessageText.differences(left, right) { return found }
        switch (BodyContent(asked.head.fields), BodyContent(recorded.head.fields)) {
        case (.form, .form) where isShort:
            return PairDifferences.find(
                "form",
                rules.countedForm(FormPair.parse(one[...])),
                rules.countedForm(FormPair.parse(other[...]))
            )
        case (.multipart(let boundary), .multipart(let otherBoundary)):
            if let left = Multipart.parts(of: one, boundary: boundary),
                let right = Multipart.parts(of: other, boundary: otherBoundary)
            {
                return PartDifferences.find(left, right, rules)
            }
        default: break
        }
        // JSON need not be an object or an array, but then only its label says that it is JSON.
        if isShort, isLabelledJSON(asked), isLabelledJSON(recorded), let found = json(one, other, rules) {
            return found
        }
        return one == other ? [] : [BodyExcerpt.difference("body", one, other)]
    }

    private static func isLabelledJSON(_ request: ComparedRequest) -> Bool {
        request.head.fields.first("content-type").map { MediaType($0).isJSON } ?? false
    }

    /// Where the bytes of two bodies first differ; nil if they are equal.
    static func bytes(_ asked: ComparedRequest, _ recorded: ComparedRequest) -> Difference? {
        if let one = asked.body, let other = recorded.body {
            return one == other ? nil : BodyExcerpt.difference("body", one, other)
        }
        let (one, other) = (steps(asked), steps(recorded))
        if one == other, !one.isEmpty { return nil }
        func text(_ request: ComparedRequest) -> String? {
            guard request.bodySize > 0 else { return nil }
            let size = Counted.text(request.bodySize, "byte")
            guard !one.isEmpty, !other.isEmpty else { return "\(size), too long to be compared" }
            let same = zip(one, other).prefix { $0 == $1 }.count
            let (start, end) = (same * BodyDigester.step, min((same + 1) * BodyDigester.step, request.bodySize))
            guard start < request.bodySize else { return size }
            if same == BodyDigester.limit { return "\(size), the first that differ are after the first \(start)" }
            if end == min(asked.bodySize, recorded.bodySize), asked.bodySize != recorded.bodySize {
                return "\(size), the first \(start) of which are the same"
            }
            return "\(size), the first that differ are among \(start) to \(end - 1)"
        }
        return Difference("body", asked: text(asked), recorded: text(recorded))
    }

    private static func steps(_ request: ComparedRequest) -> [UInt64] {
        request.body.map { BodyDigester.steps(of: $0) } ?? request.steps
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

/// In which parts two multipart bodies differ.
private enum PartDifferences {
    static func find(_ asked: [Multipart.Part], _ recorded: [Multipart.Part], _ rules: RuleSet) -> [Difference] {
        let (asked, recorded) = (rules.countedParts(asked), rules.countedParts(recorded))
        var names: [[UInt8]] = []
        for part in asked + recorded where !names.contains(part.name ?? []) { names.append(part.name ?? []) }
        var found: [Difference] = []
        for name in names {
            let one = asked.filter { ($0.name ?? []) == name }
            let other = recorded.filter { ($0.name ?? []) == name }
            guard one.map({ normal($0, rules) }) != other.map({ normal($0, rules) }) else { continue }
            found.append(
                difference(name.isEmpty ? "part" : "part:\(String(decoding: name, as: UTF8.self))", one, other)
            )
            if found.count == NearMiss.bodyDifferences { return found }
        }
        if found.isEmpty, asked.map(\.name) != recorded.map(\.name) {
            found.append(Difference("body", asked: order(asked), recorded: order(recorded)))
        }
        return found
    }

    private static func order(_ parts: [Multipart.Part]) -> String {
        "parts in the order " + parts.map { String(decoding: $0.name ?? [], as: UTF8.self) }.joined(separator: ", ")
    }

    /// What counts of a part.
    private static func normal(_ part: Multipart.Part, _ rules: RuleSet, depth: Int = 0) -> [[UInt8]] {
        let body = rules.maps(forPart: part.name).apply(to: Array(part.body))
        guard depth < Multipart.maximumDepth, let boundary = part.nestedBoundary,
            let parts = Multipart.parts(of: body, boundary: boundary)
        else { return part.fields + [[], body] }
        let fields = part.fields.filter { !$0.starts(with: "content-type:".utf8) }
        return fields + [[]] + rules.countedParts(parts).flatMap { normal($0, rules, depth: depth + 1) }
    }

    private static func difference(_ name: String, _ asked: [Multipart.Part], _ recorded: [Multipart.Part])
        -> Difference
    {
        guard let one = asked.first, let other = recorded.first, asked.count == recorded.count else {
            func text(_ parts: [Multipart.Part]) -> String? {
                guard let first = parts.first else { return nil }
                return parts.count == 1 ? BodyExcerpt.text(Array(first.body)) : "\(parts.count) parts"
            }
            return Difference(name, asked: text(asked), recorded: text(recorded))
        }
        let pair = zip(asked, recorded).first { $0.body != $1.body } ?? (one, other)
        guard pair.0.body == pair.1.body else {
            return BodyExcerpt.difference(name, Array(pair.0.body), Array(pair.1.body))
        }
        func text(_ part: Multipart.Part) -> String {
            part.fields.map { Latin1.string($0) }.joined(separator: "; ")
        }
        let fields = zip(asked, recorded).first { $0.fields != $1.fields } ?? pair
        return Difference(name, asked: text(fields.0), recorded: text(fields.1))
    }
}

/// Bytes as they are shown where two bodies differ.
enum BodyExcerpt {
    /// Bytes of a body that is shown as a whole, if it is text.
    private static let limit = 200
    /// Bytes that are shown of a longer one.
    private static let excerpt = 40

    static func difference(_ part: String, _ asked: [UInt8], _ recorded: [UInt8]) -> Difference {
        let same = zip(asked, recorded).prefix { $0 == $1 }.count
        return Difference(part, asked: text(asked, from: same), recorded: text(recorded, from: same))
    }

    /// - Parameter offset: of the first byte that differs; nil if that is not shown.
    static func text(_ body: [UInt8], from offset: Int? = nil) -> String? {
        guard !body.isEmpty else { return nil }
        if body.count <= limit, let text = String(validating: body, as: UTF8.self) { return text }
        let size = Counted.text(body.count, "byte")
        guard let offset, offset < body.count else { return size }
        return "\(size), from byte \(offset) on: \(shown(body[offset...].prefix(excerpt)))"
    }

    private static func shown(_ bytes: ArraySlice<UInt8>) -> String {
        // A character may have been cut at either end.
        let text = bytes.drop { $0 & 0xC0 == 0x80 }
        for count in 0..<4 {
            if let text = String(validating: text.dropLast(count), as: UTF8.self), !text.isEmpty, !text.contains("\0") {
                return text
            }
        }
        return bytes.prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
    }
}
