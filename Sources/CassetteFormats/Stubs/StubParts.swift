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

    /// An expression for the paths of a template: each `{name}` is a part of a segment, and a last `/**` any number of them.
    static func expression(_ template: String) -> String {
        let hasRest = template.hasSuffix("/**")
        let pieces = (hasRest ? template.dropLast(3) : template[...]).split(
            separator: /\{[^}]*\}/,
            omittingEmptySubsequences: false
        )
        return pieces.map { NSRegularExpression.escapedPattern(for: String($0)) }.joined(separator: "[^/]+")
            + (hasRest ? "(/.*)?" : "")
    }

    /// The pattern for a template. A parameter may be a part of a segment: then the path is compared by an expression.
    static func template(_ template: String, _ conditions: inout StubConditions) throws(Unsupported) -> String {
        if (try? PathTemplate(template)) != nil { return template }
        conditions.path = try pattern(expression(template))
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

    /// Adds stubs so that those for more special paths are asked first, and of these the ones that ask for more.
    static func add(bySpecificity stubs: [WholeStub], to reading: FormatImport) throws {
        func generality(_ stub: WholeStub) -> (path: Int, conditions: Int) {
            let definition = stub.definition
            let parameters =
                definition.path.text.count { $0 == "{" } + (definition.path.text.hasSuffix("**") ? 1000 : 0)
            return (parameters, -definition.conditions.query.count)
        }
        // What is added last is asked first.
        let sorted = stubs.enumerated().sorted { one, other in
            let (left, right) = (generality(one.element), generality(other.element))
            return left == right ? one.offset < other.offset : left > right
        }
        for stub in sorted.map(\.element) { try reading.add(stub) }
    }

    /// Adds a stub, without fields that frame its answer. What is beyond what a stub may be is lost.
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
        _ reading: FormatImport
    ) throws {
        if delay > StubDefinition.longestDelay {
            reading.lost("a delay of more than an hour, which becomes one", line: line)
        }
        var response = response
        response.fields = response.fields.withoutFraming
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
            return reading.lost("a stub whose method, path, status or conditions are beyond what is kept", line: line)
        }
        try reading.add(WholeStub(definition, body: body))
    }

    /// - Parameter reason: nil for that of the status.
    static func head(_ status: Int, _ reason: String?, _ fields: Fields) -> ResponseHead {
        let reason = reason.map { Array($0.utf8) } ?? ReasonPhrase.standard(status)
        let isSafe = !reason.contains { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F }
        return ResponseHead(status: status, reason: isSafe ? reason : ReasonPhrase.standard(status), fields: fields)
    }
}
