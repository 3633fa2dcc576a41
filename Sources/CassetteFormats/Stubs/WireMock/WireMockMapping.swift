import Foundation
import MockServeCore

/// Our stubs as mappings of WireMock.
enum WireMockMapping {
    /// What the stub asks for.
    ///
    /// - Returns: nil, with a note, for what mappings cannot say.
    static func mapping(_ stub: StubDefinition, _ export: FormatExport) -> DataNode? {
        let conditions = stub.conditions
        var request = DataNode.object(["method": .text(stub.method ?? "ANY")])
        do {
            try addURL(stub, &request)
            func add(_ name: String, _ wanted: [String: TextCondition]) {
                let sorted = wanted.sorted { $0.key < $1.key }
                if !sorted.isEmpty { request.set(name, .object(sorted.map { ($0.key, pattern($0.value)) })) }
            }
            add("queryParameters", conditions.query)
            add("headers", conditions.fields)
            add("cookies", conditions.cookies)
            let patterns = try conditions.bodies.map(body)
            if !patterns.isEmpty { request.set("bodyPatterns", .list(patterns)) }
        } catch {
            export.lost(error.what)
            return nil
        }
        return .object(["name": .text(stub.pattern), "request": request])
    }

    private static func addURL(_ stub: StubDefinition, _ request: inout DataNode) throws(Unsupported) {
        guard stub.conditions.path == nil || stub.path.text == PathTemplate.all.text else {
            throw Unsupported("a stub with such a condition on its path")
        }
        switch (stub.conditions.target, stub.conditions.path) {
        case (nil, nil):
            if stub.path.text == PathTemplate.all.text { return request.set("urlPathPattern", .text(".*")) }
            guard stub.path.text.hasSuffix("/**") else {
                let isLiteral = !stub.path.text.contains("{")
                return request.set(isLiteral ? "urlPath" : "urlPathTemplate", .text(stub.path.text))
            }
            let start = stub.path.text.dropLast(3)
            guard !start.contains("{") else { throw Unsupported("a stub whose path has parameters and **") }
            request.set("urlPathPattern", .text(NSRegularExpression.escapedPattern(for: String(start)) + "(/.*)?"))
        case (.equals(let url, false)?, nil): request.set("url", .text(url))
        case (.matches(let pattern)?, nil) where stub.path.text == PathTemplate.all.text:
            request.set("urlPattern", .text(pattern.text))
        case (nil, .equals(let path, false)?): request.set("urlPath", .text(path))
        case (nil, .matches(let pattern)?): request.set("urlPathPattern", .text(pattern.text))
        default: throw Unsupported("a stub with such a condition on its path")
        }
    }

    private static func pattern(_ condition: TextCondition) -> DataNode {
        switch condition {
        case .equals(let text, false): .object(["equalTo": .text(text)])
        case .equals(let text, true): .object(["equalTo": .text(text), "caseInsensitive": .bool(true)])
        case .contains(let text): .object(["contains": .text(text)])
        case .matches(let pattern): .object(["matches": .text(pattern.text)])
        case .present: .object(["matches": .text("(?s).*")])
        case .absent: .object(["absent": .bool(true)])
        case .not(let condition): .object(["not": pattern(condition)])
        // A list of one is refused there.
        case .all(let conditions) where conditions.count == 1: pattern(conditions[0])
        case .any(let conditions) where conditions.count == 1: pattern(conditions[0])
        case .all(let conditions):
            conditions.isEmpty
                ? .object(["matches": .text("(?s).*")]) : .object(["and": .list(conditions.map(pattern))])
        case .any(let conditions): .object(["or": .list(conditions.map(pattern))])
        }
    }

    private static func body(_ condition: BodyCondition) throws(Unsupported) -> DataNode {
        func json(_ value: JSONValue, extra: Bool, order: Bool) -> DataNode {
            .object([
                "equalToJson": .text(String(decoding: value.text, as: UTF8.self)),
                "ignoreExtraElements": extra ? .bool(true) : nil, "ignoreArrayOrder": order ? .bool(true) : nil,
            ])
        }
        switch condition {
        case .json(let value): return json(value, extra: false, order: false)
        case .containing(let value): return json(value, extra: true, order: false)
        case .unordered(let value): return json(value, extra: false, order: true)
        case .containingUnordered(let value): return json(value, extra: true, order: true)
        case .path(let path, nil): return .object(["matchesJsonPath": .text(path.text)])
        case .path(let path, let condition?):
            var expression = DataNode.object(["expression": .text(path.text)])
            for (name, value) in pattern(condition).members ?? [] { expression.set(name, value) }
            return .object(["matchesJsonPath": expression])
        case .form: throw Unsupported("a stub with conditions on a form")
        case .bytes(let bytes):
            return String(validating: bytes, as: UTF8.self).map { .object(["equalTo": .text($0)]) }
                ?? .object(["binaryEqualTo": .text(Data(bytes).base64EncodedString())])
        case .text(let condition): return pattern(condition)
        }
    }

    /// When the stub takes part, and what it does besides.
    static func add(_ stub: StubDefinition, _ body: [UInt8], to mapping: inout DataNode, _ export: FormatExport) {
        let behavior = stub.behavior
        if behavior.priority != StubBehavior.usualPriority { mapping.set("priority", .number(behavior.priority)) }
        let names = Set(behavior.requires.keys).union(behavior.sets.keys)
        if names.count > 1 { export.lost("a stub with several variables (only the first is kept)") }
        if let name = names.sorted().first {
            mapping.set("scenarioName", .text(name))
            if let state = behavior.requires[name] {
                mapping.set("requiredScenarioState", .text(state ?? WireMock.initialState))
            }
            if let state = behavior.sets[name] {
                mapping.set("newScenarioState", .text(state ?? WireMock.initialState))
            }
        }
        guard var response = mapping["response"] else { return }
        if stub.delay > 0 { response.set("fixedDelayMilliseconds", .number(stub.delay)) }
        if let wait = behavior.wait { response.set("delayDistribution", distribution(wait)) }
        switch behavior.fault {
        case .reset: response.set("fault", .text("CONNECTION_RESET_BY_PEER"))
        case .close(after: 0) where body.isEmpty: response.set("fault", .text(WireMock.emptyResponse))
        case .unfinishedChunks: response.set("fault", .text("MALFORMED_RESPONSE_CHUNK"))
        case .garbage: response.set("fault", .text("RANDOM_DATA_THEN_CLOSE"))
        case .slow(let rate):
            let time = max(1, body.count * 1000 / max(1, rate))
            let pieces = min(max(1, body.count), 20)
            response.set(
                "chunkedDribbleDelay",
                .object(["numberOfChunks": .number(pieces), "totalDuration": .number(time)])
            )
        case nil: break
        case let fault?: export.lost("the fault `\(fault.text)`")
        }
        if !stub.trailers.isEmpty { export.lost(ExportedAspect.responseTrailers.lossName) }
        mapping.set("response", response)
    }

    private static func distribution(_ wait: FaultWait) -> DataNode {
        func milliseconds(_ time: Duration) -> DataNode { .number((time / .milliseconds(1)).rounded()) }
        switch wait {
        case .fixed(let time): return .object(["type": .text("fixed"), "milliseconds": milliseconds(time)])
        case .uniform(let range):
            return .object([
                "type": .text("uniform"), "lower": milliseconds(range.lowerBound),
                "upper": milliseconds(range.upperBound),
            ])
        case .logNormal(let median, let sigma):
            return .object(["type": .text("lognormal"), "median": milliseconds(median), "sigma": .number(sigma)])
        }
    }
}
