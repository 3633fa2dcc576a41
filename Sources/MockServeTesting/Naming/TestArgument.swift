import Foundation
import Testing

/// An argument of a test case, in a text that is the same in every run.
struct TestArgument: Sendable, Hashable {
    /// The type of the parameter, which tells overloads apart.
    let type: String
    let text: String
}

extension TestArgument {
    /// The arguments of a test case. The library shows them to nobody, but they can be seen.
    static func all(_ testCase: Test.Case) -> [TestArgument] {
        guard let kind = Mirror(reflecting: testCase).descendant("_kind"),
            let parameterized = Mirror(reflecting: kind).children.first(where: { $0.label == "parameterized" })?.value,
            let list = Mirror(reflecting: parameterized).descendant("arguments")
        else { return [] }
        return Mirror(reflecting: list).children.map { argument in
            let mirror = Mirror(reflecting: argument.value)
            let type = mirror.descendant("parameter", "typeInfo").map { String(describing: $0) } ?? ""
            return TestArgument(type: type, text: mirror.descendant("value").map { StableText.of($0) } ?? "")
        }
    }
}

/// A text for any value that has neither addresses nor an order of chance in it.
enum StableText {
    private static let depth = 8

    static func of(_ value: Any, _ depth: Int = depth) -> String {
        if let text = value as? String { return text }
        // Its description has whole seconds only.
        if let date = value as? Date { return String(date.timeIntervalSinceReferenceDate) }
        let mirror = Mirror(reflecting: value)
        guard depth > 0 else { return String(describing: type(of: value)) }
        func texts() -> [String] { mirror.children.map { of($0.value, depth - 1) } }
        switch mirror.displayStyle {
        case .optional: return mirror.children.first.map { of($0.value, depth - 1) } ?? "nil"
        case .collection: return "[\(texts().joined(separator: ", "))]"
        case .set: return "[\(texts().sorted().joined(separator: ", "))]"
        case .dictionary:
            let pairs = mirror.children.map { pair in
                Mirror(reflecting: pair.value).children.map { of($0.value, depth - 1) }.joined(separator: ": ")
            }
            return "[\(pairs.sorted().joined(separator: ", "))]"
        case .tuple: return "(\(texts().joined(separator: ", ")))"
        default: break
        }
        if let value = value as? any CustomTestStringConvertible { return value.testDescription }
        if let value = value as? any CustomStringConvertible { return value.description }
        switch mirror.displayStyle {
        case .enum:
            guard let payload = mirror.children.first else { return String(describing: value) }
            return "\(payload.label ?? "")(\(of(payload.value, depth - 1)))"
        case .class, .struct, .foreignReference:
            let members = mirror.children.map { "\($0.label ?? ""): \(of($0.value, depth - 1))" }
            return "\(type(of: value))(\(members.joined(separator: ", ")))"
        default: return String(describing: value)
        }
    }
}
