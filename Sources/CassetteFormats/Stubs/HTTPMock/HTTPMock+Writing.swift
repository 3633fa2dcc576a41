import Foundation
import HTTPMessages
import MockServeCore

/// A document each; the first that fits answers, so the newest stub comes first.
extension HTTPMock: WritableFormat {
    package var fileExtension: String? { "yaml" }

    private static let lost: Set<ExportedAspect> = [
        .requestFields, .fieldBytes, .requestVersion, .responseVersion, .reason, .requestTrailers, .responseTrailers,
        .informational,
        .time,
        .firstByte, .chunks, .cut, .binaryRequest,
    ]

    package func write(_ contents: some CassetteContents, to export: FormatExport) throws {
        var isFirst = true
        func write(_ mock: DataNode) throws {
            if !isFirst { try export.write("---\n") }
            isFirst = false
            try export.write(DataText.bytes(mock, .yaml(binary: "!!binary")))
            try export.write("\n")
        }
        var stubs: [WholeStub] = []
        try contents.forEachStub { stubs.append($0) }
        for stub in stubs.reversed() {
            do {
                try write(try Self.mock(stub, export))
            } catch let error as Unsupported {
                export.lost(error.what)
            }
        }
        var repetition = try Repetition(of: contents)
        try contents.forEachInteraction { interaction in
            export.lose(Self.lost, of: interaction)
            if !interaction.origin.isEmpty { export.lost("the upstream of an interaction") }
            // There is no state: the last answer stays.
            if let (_, number, count) = repetition.place(of: interaction), number < count {
                return export.lost("an answer that a later one to the same request follows")
            }
            try write(Self.mock(interaction))
        }
        try export.loseRules(of: contents)
    }

    private static func answer(_ head: ResponseHead, _ body: [UInt8], delay: Int = 0) -> DataNode {
        let text = String(validating: body, as: UTF8.self)
        let fields = head.fields.withoutFraming
        return .object([
            "status": .number(head.status),
            "header": fields.isEmpty
                ? nil
                : .list(
                    fields.map { field in
                        .object([
                            "name": .text(String(decoding: field.name, as: UTF8.self)),
                            "value": .text(String(decoding: field.value, as: UTF8.self)),
                        ])
                    }
                ),
            "body": text.map { .text($0) },
            "body_base64": text == nil ? .text(Data(body).base64EncodedString()) : nil,
            "delay": delay > 0 ? .number(delay) : nil,
        ])
    }

    private static func pairs(_ pairs: [(String, String?)]) -> DataNode? {
        guard !pairs.isEmpty else { return nil }
        return .list(pairs.map { .object(["name": .text($0), "value": $1.map { .text($0) }]) })
    }

    private static func mock(_ interaction: WholeInteraction) -> DataNode {
        let target = Target(Target.originForm(interaction.request.target))
        let query = target.pairs.map {
            (String(decoding: $0.name, as: UTF8.self), String(decoding: $0.value, as: UTF8.self))
        }
        return .object([
            "when": .object([
                "method": .text(Latin1.string(interaction.request.method)),
                "path": .text(AbsoluteURL.text(target.path)),
                "query_param": pairs(query),
                "body": interaction.requestBody.isEmpty
                    ? nil
                    : .text(
                        String(validating: interaction.requestBody, as: UTF8.self)
                            ?? Hexadecimal.text(interaction.requestBody)
                    ),
            ]),
            "then": answer(interaction.response, interaction.responseBody),
        ])
    }

    private static func mock(_ stub: WholeStub, _ export: FormatExport) throws -> DataNode {
        let definition = StubParts.withoutTarget(stub.definition, export)
        let conditions = definition.conditions
        guard conditions.target == nil else { throw Unsupported("a stub with a condition on path and query together") }
        var when = DataNode.object([])
        if let method = definition.method { when.set("method", .text(method)) }
        try addPath(of: definition, to: &when)
        try add(conditions.query, "query_param", to: &when)
        try add(conditions.fields, "header", to: &when)
        try add(conditions.cookies, "cookie", to: &when)
        for condition in conditions.bodies { try add(condition, to: &when) }
        var behavior = definition.behavior
        behavior.priority = StubBehavior.usualPriority
        if behavior != definition.behavior { export.lost("the priority of a stub") }
        if !behavior.isUsual { throw Unsupported("a stub with variables, waits or faults") }
        if !definition.trailers.isEmpty { export.lost(ExportedAspect.responseTrailers.lossName) }
        return .object(["when": when, "then": answer(definition.response, stub.body, delay: definition.delay)])
    }

    private static func addPath(of stub: StubDefinition, to when: inout DataNode) throws {
        let isAny = stub.path.text == PathTemplate.all.text
        switch stub.conditions.path {
        case nil where isAny: break
        case nil:
            let isLiteral = !stub.path.text.contains("{") && !stub.path.text.hasSuffix("**")
            when.set(
                isLiteral ? "path" : "path_matches",
                .text(isLiteral ? stub.path.text : "^\(StubParts.expression(stub.path.text))$")
            )
        case .matches(let pattern)? where isAny: when.set("path_matches", .text("^(?:\(pattern.text))$"))
        case .equals(let path, false)? where isAny: when.set("path", .text(path))
        default: throw Unsupported("a stub with such a condition on its path")
        }
    }

    private static func add(_ conditions: [String: TextCondition], _ name: String, to when: inout DataNode) throws {
        var pairs: [(String, String?)] = []
        for (name, condition) in conditions.sorted(by: { $0.key < $1.key }) {
            switch condition {
            case .equals(let text, false): pairs.append((name, text))
            case .present: pairs.append((name, nil))
            default: throw Unsupported("a stub with a condition that is not equality")
            }
        }
        if let node = self.pairs(pairs) { when.set(name, node) }
    }

    private static func add(_ condition: BodyCondition, to when: inout DataNode) throws {
        switch condition {
        case .json(let value):
            try add("json_body", String(decoding: value.text, as: UTF8.self), isList: false, to: &when)
        case .containing(let value):
            try add("json_body_partial", String(decoding: value.text, as: UTF8.self), isList: true, to: &when)
        case .bytes(let bytes):
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw Unsupported("a stub with a binary body")
            }
            try add("body", text, isList: false, to: &when)
        case .text(.contains(let text)): try add("body_contains", text, isList: true, to: &when)
        case .text(.matches(let pattern)): try add("body_matches", "^(?:\(pattern.text))$", isList: true, to: &when)
        default: throw Unsupported("a stub with such a condition on its body")
        }
    }

    /// Several of a kind are one list; what is not a list can be there only once.
    private static func add(_ name: String, _ text: String, isList: Bool, to when: inout DataNode) throws {
        let known = when[name]?.list
        guard when[name] == nil || known != nil else {
            throw Unsupported("a stub with two such conditions on its body")
        }
        when.set(name, isList ? .list((known ?? []) + [.text(text)]) : .text(text))
    }
}
