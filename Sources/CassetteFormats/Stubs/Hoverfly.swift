import Foundation
import HTTPMessages
import MockServeCore

/// Simulations of Hoverfly (https://docs.hoverfly.io), schema versions 1 to 5. Pairs become stubs, because they match by patterns.
package struct Hoverfly: ReadableFormat {
    package let name = "hoverfly"
    package let title = "Hoverfly simulations, JSON"

    package init() {}

    package func recognizes(_ start: FileStart) -> Bool {
        start.has("data.pairs") || start.has("meta.schemaVersion") && start.has("meta.hoverflyVersion")
    }

    package func read(_ source: ByteSource, into import: FormatImport) throws {
        // The first of the strongest matches answers there, the last one here.
        var stubs: [WholeStub] = []
        let pairs = `import`.collecting { stubs.append($0) }
        try readPairs(source, pairs)
        `import`.losses.add(pairs.losses)
        for stub in stubs.reversed() { try `import`.add(stub) }
    }

    private func readPairs(_ source: ByteSource, _ import: FormatImport) throws {
        let stream = try JSONStream(source)
        guard try stream.nextDocument() else { return }
        var isThere = false
        try stream.forEachMember { name in
            guard name == "data", try stream.kind() == .object else { return try stream.skip() }
            isThere = true
            try stream.forEachMember { name in
                switch name {
                case "pairs": try stream.forEachElementIfList { try pair(try stream.value(), `import`) }
                case "globalActions": noteActions(try stream.value(), `import`)
                case "literals", "variables":
                    let line = stream.line
                    if try stream.value().list?.isEmpty == false { `import`.lost("`\(name)` of templates", line: line) }
                default: try stream.skip()
                }
            }
        }
        guard isThere else { throw stream.problem("has no `data` with `pairs` in it.") }
    }

    private func noteActions(_ actions: DataNode, _ import: FormatImport) {
        for name in ["delays", "delaysLogNormal"] {
            for _ in actions[name]?.list ?? [] {
                `import`.lost("a delay for all requests to an address", line: actions.line)
            }
        }
    }

    private func pair(_ pair: DataNode, _ import: FormatImport) throws {
        guard let response = pair["response"] else {
            throw FormatError(`import`.file, pair.line, "has a pair without a response.")
        }
        do {
            let request = try HoverflyRequest(pair["request"], `import`)
            let status = try MessageParts.status(response["status"], of: response.line, `import`)
            try StubParts.add(
                request.pattern,
                request.conditions,
                StubParts.head(status, nil, try MessageParts.fields(response["headers"], `import`)),
                body: try body(response, `import`),
                delay: response["fixedDelay"]?.integer ?? 0,
                behavior: behavior(pair, response, request),
                line: pair.line,
                `import`
            )
        } catch let error as Unsupported {
            `import`.lost(error.what, line: pair.line)
        }
    }

    private func body(_ response: DataNode, _ import: FormatImport) throws -> [UInt8] {
        if response["templated"]?.bool == true, response["body"]?.text?.contains("{{") == true {
            `import`.lost("a template, which is answered as it is", line: response.line)
        }
        if response["postServeAction"] != nil { `import`.lost("what is done after a response", line: response.line) }
        if let name = response["bodyFile"]?.text, !name.isEmpty {
            return try `import`.attachment(name, line: response.line)
        }
        guard let body = response["body"] else { return [] }
        return response["encodedBody"]?.bool == true ? try MessageParts.base64(body, `import`) : body.bytes ?? []
    }

    private func behavior(_ pair: DataNode, _ response: DataNode, _ request: HoverflyRequest) -> StubBehavior {
        var behavior = StubBehavior()
        behavior.priority -= request.strength
        for (name, value) in pair["request"]?["requiresState"]?.members ?? [] {
            behavior.requires.updateValue(Self.variable(name, value.text ?? ""), forKey: name)
        }
        for (name, value) in response["transitionsState"]?.members ?? [] {
            behavior.sets.updateValue(Self.variable(name, value.text ?? ""), forKey: name)
        }
        for name in response["removesState"]?.list ?? [] {
            if let name = name.text { behavior.sets.updateValue(nil, forKey: name) }
        }
        if let delay = response["logNormalDelay"], let median = delay["median"]?.number, median > 0, median <= 3_600_000
        {
            let mean = delay["mean"]?.number ?? median
            // The mean of a log-normal distribution is its median times e^(σ²/2).
            let sigma = mean > median ? min((2 * log(mean / median)).squareRoot(), 10) : 0
            behavior.wait = .logNormal(median: .microseconds(Int64(median * 1000)), sigma: sigma)
        }
        return behavior
    }

    /// A sequence begins at 1 by itself, so that is no value here.
    static func variable(_ name: String, _ value: String) -> String? {
        name.hasPrefix(sequencePrefix) && value == "1" ? nil : value
    }

    static let sequencePrefix = "sequence:"
}
