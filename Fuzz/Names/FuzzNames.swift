import Foundation
import HTTPMessages
@testable import MockServeCore

/// Reads arbitrary names, and redacts what stands under them: no crash, the same whatever was read before and however it is
/// written, JSON stays JSON with the same names, and redacting twice is redacting once.
///
/// The input is two lines: a name and its value.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzNames(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = UnsafeBufferPointer(start: start, count: min(count, 600))
    let lines = input.split(separator: 0x0A, maxSplits: 1, omittingEmptySubsequences: false).map(Array.init)
    guard lines.count == 2, let redactor else { return 0 }
    let (name, value) = (lines[0], lines[1])

    let read = name.withUnsafeBufferPointer { SecretName.read($0[...]) }
    check(
        read == name.withUnsafeBufferPointer { SecretName.read($0[...]) },
        "read again, it is another: \(Latin1.string(name)): \(String(describing: read))"
    )
    _ = SecretName.read(field: name)
    // Words are what stands between separators, unless capitals set them apart, after a digit too.
    if name.allSatisfy({ $0 &- 0x61 < 26 || "_-.[] ".utf8.contains($0) }) {
        let loud = name.map { $0 &- 0x61 < 26 ? $0 & 0xDF : $0 }
        check(
            read == loud.withUnsafeBufferPointer { SecretName.read($0[...]) },
            "in capitals, it is another: \(Latin1.string(name)): \(String(describing: read))"
        )
    }

    guard let nameText = String(validating: name, as: UTF8.self), let text = String(validating: value, as: UTF8.self),
        let json = try? JSONEncoder().encode([nameText: text])
    else { return 0 }
    // A number is known for a placeholder by those that were given.
    let book = PlaceholderBook()
    let once = redact(redactor, Array(json), book)
    guard let after = try? JSONDecoder().decode([String: String].self, from: Data(once)) else {
        fail("JSON is none any more: \(Latin1.string(json)) -> \(Latin1.string(once))")
    }
    check(after.count == 1, "a member was lost: \(Latin1.string(json)) -> \(Latin1.string(once))")
    // A name that held a secret is another one afterwards.
    if once != Array(json), after.keys.first == nameText {
        let twice = redact(redactor, once, book)
        check(
            twice == once,
            "redacted twice: \(Latin1.string(json)) -> \(Latin1.string(once)) -> \(Latin1.string(twice))"
        )
    }
    return 0
}

/// An optimised build keeps no message of a precondition.
private func check(_ isTrue: Bool, _ message: @autoclosure () -> String) {
    if !isTrue { fail(message()) }
}

private func fail(_ message: String) -> Never {
    FileHandle.standardError.write(Data("\(message)\n".utf8))
    abort()
}

private let redactor: Redactor? = (try? Rule(.redact, "catalog:\(RedactionCatalog.version)")).flatMap { rule in
    RuleSet([rule]).redactor
}

private func redact(_ redactor: Redactor, _ body: [UInt8], _ book: PlaceholderBook) -> [UInt8] {
    var redaction = BodyRedaction(redactor, Fields([("Content-Type", "application/json")]), "body", book)
    let output = redaction.push(body)
    guard let rest = try? redaction.finish() else { preconditionFailure("a body without a coding is refused") }
    return output + rest
}
