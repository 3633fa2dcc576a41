import Foundation
import HTTPMessages
import MockServeCore

/// Simulations of schema version 5.2.
extension Hoverfly: WritableFormat {
    package var fileExtension: String? { "json" }

    private static let lost: Set<ExportedAspect> = [
        .requestFields, .scatteredFields, .fieldBytes, .requestVersion, .responseVersion, .reason, .requestTrailers,
        .responseTrailers,
        .informational, .time, .firstByte, .chunks, .cut, .binaryRequest,
    ]

    package func write(_ contents: some CassetteContents, to export: FormatExport) throws {
        var repetition = try Repetition(of: contents, knowsOrigins: true)
        var isFirst = true
        func write(_ pair: DataNode) throws {
            try export.write(isFirst ? "\n" : ",\n")
            isFirst = false
            try export.write(DataText.bytes(pair, .json(indent: 1)))
        }
        try export.write(#"{"data": {"pairs": ["#)
        // Of several that match equally well, the first answers: the newest stub, and stubs before what was recorded.
        var stubs: [WholeStub] = []
        try contents.forEachStub { stubs.append($0) }
        for stub in stubs.reversed() {
            do {
                try write(try Self.pair(stub, export))
            } catch let error as Unsupported {
                export.lost(error.what)
            }
        }
        try contents.forEachInteraction { interaction in
            export.lose(Self.lost, of: interaction)
            var (request, response) = (
                Self.request(interaction), Self.response(interaction.response, interaction.responseBody)
            )
            if let (series, place, count) = repetition.place(of: interaction) {
                let name = "\(Self.sequencePrefix)\(series)"
                request.set("requiresState", .object([(name, .text(String(place)))]))
                if place < count { response.set("transitionsState", .object([(name, .text(String(place + 1)))])) }
            }
            try write(.object(["request": request, "response": response]))
        }
        try export.loseRules(of: contents)
        let meta =
            #""meta": {"schemaVersion": "v5.2", "hoverflyVersion": "v1.10.0", "timeExported": "1970-01-01T00:00:00Z"}"#
        try export.write(
            (isFirst ? "" : "\n") + "], \"globalActions\": {\"delays\": [], \"delaysLogNormal\": []}}, \(meta)}\n"
        )
    }

    // MARK: Interactions

    private static func matcher(_ kind: String, _ value: String) -> DataNode {
        .list([.object(["matcher": .text(kind), "value": .text(value)])])
    }

    private static func request(_ interaction: WholeInteraction) -> DataNode {
        let request = interaction.request
        let target = Target(Target.originForm(request.target))
        var node = DataNode.object([
            "method": matcher("exact", Latin1.string(request.method)),
            "path": matcher(
                "exact",
                AbsoluteURL.text(target.path)
            ),
        ])
        if let origin = Origin(interaction.origin) {
            node.set("scheme", matcher("exact", origin.scheme.rawValue))
            node.set("destination", matcher("exact", origin.authority))
        }
        var values: [(name: String, values: [String])] = []
        for pair in target.pairs {
            let (name, value) = (
                String(decoding: pair.name, as: UTF8.self), String(decoding: pair.value, as: UTF8.self)
            )
            if let index = values.firstIndex(where: { $0.name == name }) {
                values[index].values.append(value)
            } else {
                values.append((name, [value]))
            }
        }
        if !values.isEmpty {
            // Several values of one name are joined by semicolons there.
            node.set("query", .object(values.map { ($0.name, matcher("exact", $0.values.joined(separator: ";"))) }))
        }
        let body = interaction.requestBody
        if !body.isEmpty {
            let type = request.fields.first("content-type").map { MediaType($0) }
            let isJSON = type?.isJSON == true && JSONValue(body) != nil
            node.set("body", matcher(isJSON ? "json" : "exact", String(decoding: body, as: UTF8.self)))
        }
        return node
    }

    private static func response(_ head: ResponseHead, _ body: [UInt8]) -> DataNode {
        let text = String(validating: body, as: UTF8.self)
        return .object([
            "status": .number(head.status),
            "body": .text(text ?? Data(body).base64EncodedString()),
            "encodedBody": .bool(text == nil),
            "headers": FieldLists.text(head.fields.filter { !$0.isNamed("transfer-encoding") }),
            "templated": .bool(false),
        ])
    }

    // MARK: Stubs

    private static func pair(_ stub: WholeStub, _ export: FormatExport) throws -> DataNode {
        let definition = StubParts.withoutTarget(stub.definition, export)
        var request = DataNode.object([:] as KeyValuePairs<String, DataNode?>)
        if let method = definition.method { request.set("method", matcher("exact", method)) }
        if let path = try path(definition) { request.set("path", path) }
        guard definition.conditions.cookies.isEmpty else { throw Unsupported("a stub with conditions on cookies") }
        func matchers(_ conditions: [String: TextCondition]) throws -> DataNode {
            .object(try conditions.sorted { $0.key < $1.key }.map { ($0.key, .list(try list($0.value))) })
        }
        if !definition.conditions.query.isEmpty { request.set("query", try matchers(definition.conditions.query)) }
        if !definition.conditions.fields.isEmpty { request.set("headers", try matchers(definition.conditions.fields)) }
        let bodies = try definition.conditions.bodies.flatMap(body)
        if !bodies.isEmpty { request.set("body", .list(bodies)) }
        var response = response(definition.response, stub.body)
        let behavior = definition.behavior
        func value(_ name: String, _ value: String?) -> DataNode {
            .text(value ?? (name.hasPrefix(sequencePrefix) ? "1" : WireMock.initialState))
        }
        if !behavior.requires.isEmpty {
            request.set(
                "requiresState",
                .object(behavior.requires.sorted { $0.key < $1.key }.map { ($0.key, value($0.key, $0.value)) })
            )
        }
        if !behavior.sets.isEmpty {
            response.set(
                "transitionsState",
                .object(behavior.sets.sorted { $0.key < $1.key }.map { ($0.key, value($0.key, $0.value)) })
            )
        }
        if definition.delay > 0 { response.set("fixedDelay", .number(definition.delay)) }
        if behavior.wait != nil { export.lost("a wait that is not always the same") }
        if let fault = behavior.fault { export.lost("the fault `\(fault.text)`") }
        if behavior.priority != StubBehavior.usualPriority { export.lost("the priority of a stub") }
        if !definition.trailers.isEmpty { export.lost(ExportedAspect.responseTrailers.lossName) }
        return .object(["request": request, "response": response])
    }

    private static func path(_ stub: StubDefinition) throws -> DataNode? {
        if stub.conditions.target != nil { throw Unsupported("a stub with a condition on path and query together") }
        let text = stub.path.text
        if let condition = stub.conditions.path {
            guard text == PathTemplate.all.text else { throw Unsupported("a stub with such a condition on its path") }
            return .list(try list(condition))
        }
        guard text != PathTemplate.all.text else { return nil }
        guard text.contains("{") || text.hasSuffix("/**") else { return matcher("exact", text) }
        return matcher("regex", "^\(StubParts.expression(text))$")
    }

    private static func list(_ condition: TextCondition) throws -> [DataNode] {
        func one(_ kind: String, _ value: String) -> [DataNode] {
            [.object(["matcher": .text(kind), "value": .text(value)])]
        }
        switch condition {
        case .equals(let text, false): return one("exact", text)
        case .equals(let text, true): return one("regex", "(?i)^\(NSRegularExpression.escapedPattern(for: text))$")
        case .contains(let text): return one("regex", NSRegularExpression.escapedPattern(for: text))
        case .matches(let pattern): return one("regex", "^(?:\(pattern.text))$")
        case .present: return one("glob", "*")
        case .not(.equals(let text, false)): return one("negate", text)
        case .all(let conditions): return try conditions.flatMap(list)
        case .absent, .not, .any:
            throw Unsupported("a stub with a condition on what is not there, or on one of several")
        }
    }

    private static func body(_ condition: BodyCondition) throws -> [DataNode] {
        func one(_ kind: String, _ value: String) -> [DataNode] {
            [.object(["matcher": .text(kind), "value": .text(value)])]
        }
        switch condition {
        case .json(let value): return one("json", String(decoding: value.text, as: UTF8.self))
        case .containing(let value), .containingUnordered(let value):
            return one("jsonPartial", String(decoding: value.text, as: UTF8.self))
        case .path(let path, nil): return one("jsonpath", path.text)
        case .bytes(let bytes):
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw Unsupported("a stub with a binary body")
            }
            return one("exact", text)
        case .text(let condition): return try list(condition)
        case .unordered, .path, .form: throw Unsupported("a stub with such a condition on its body")
        }
    }
}
