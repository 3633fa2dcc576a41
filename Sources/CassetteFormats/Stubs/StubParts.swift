import Foundation
import HTTPMessages
import MockServeCore

/// Why something of a foreign stub cannot be said in ours, as a loss is called.
struct Unsupported: Error {
    let what: String

    init(_ what: String) { self.what = what }
}

/// Makes stubs of the parts that formats keep.
enum StubParts {
    /// The pattern for a path that is taken literally.
    ///
    /// - Parameter conditions: get the path if a pattern would mean something else by it.
    static func path(_ path: String, _ conditions: inout StubConditions) -> String {
        let isLiteral =
            !path.contains { "{}?#".contains($0) || $0.isWhitespace }
            && !path.split(separator: "/").contains { $0 == "*" || $0 == "**" }
        if isLiteral, (try? PathTemplate(path)) != nil { return path }
        conditions.path = .equals(path)
        return PathTemplate.all.text
    }

    /// - Throws: `Unsupported` if the expression is not one of RE2, such as one that looks ahead.
    static func pattern(_ text: String) throws(Unsupported) -> TextCondition {
        do {
            return .matches(try TextPattern(text))
        } catch {
            throw Unsupported("a stub with a regular expression that cannot be used here")
        }
    }

    /// The stub with conditions on path and query instead of one on both together, for formats that do not have that.
    static func withoutTarget(_ stub: StubDefinition, _ export: FormatExport) -> StubDefinition {
        guard let split = stub.splittingTarget else { return stub }
        export.lost("that a stub wants no other parameters of the query")
        return split
    }

    /// Makes a stub, or takes note of why there is none.
    ///
    /// - Parameters:
    ///   - pattern: `METHOD PATH`
    ///   - delay: milliseconds; an hour at most.
    static func add(
        _ pattern: String,
        _ conditions: StubConditions,
        _ response: ResponseHead,
        body: [UInt8],
        delay: Int = 0,
        behavior: StubBehavior = StubBehavior(),
        line: Int,
        _ import: FormatImport
    ) throws {
        var response = response
        let framing: [StaticString] = ["transfer-encoding", "content-length", "connection", "keep-alive"]
        response.fields = response.fields.filter { field in !framing.contains { field.isNamed($0) } }
        let definition: StubDefinition
        do {
            definition = try StubDefinition(
                pattern,
                conditions,
                response,
                delay: min(max(delay, 0), StubDefinition.longestDelay),
                behavior: behavior
            )
        } catch {
            return `import`.lost("a stub whose method, path, status or conditions are beyond what is kept", line: line)
        }
        try `import`.add(WholeStub(definition, body: body))
    }

    /// A response of a stub without fields that frame it.
    static func head(_ status: Int, _ reason: String?, _ fields: Fields) -> ResponseHead {
        let reason = reason.map { Array($0.utf8) } ?? ReasonPhrase.standard(status)
        let isSafe = !reason.contains { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F }
        return ResponseHead(status: status, reason: isSafe ? reason : ReasonPhrase.standard(status), fields: fields)
    }
}
