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

    package func read(_ source: ByteSource, into reading: FormatImport) throws {
        // The first of the strongest matches answers there, the last one here.
        var stubs: [WholeStub] = []
        var destinations: Set<String> = []
        let pairs = reading.collecting { stubs.append($0) }
        try readPairs(source, &destinations, pairs)
        reading.losses.add(pairs.losses)
        if destinations.count > 1 {
            reading.lost("that stubs are for different servers (\(destinations.count) of them)")
        }
        for stub in stubs.reversed() { try reading.add(stub) }
    }

    private func readPairs(
        _ source: ByteSource,
        _ destinations: inout Set<String>,
        _ reading: FormatImport
    ) throws {
        let stream = try JSONStream(source)
        guard try stream.nextDocument() else { throw stream.problem("is empty.") }
        var isThere = false
        try stream.forEachMember { name in
            guard name == "data", try stream.kind() == .object else { return try stream.skip() }
            isThere = true
            try stream.forEachMember { name in
                switch name {
                case "pairs": try stream.forEachElementIfList { try pair(try stream.value(), &destinations, reading) }
                case "globalActions": noteActions(try stream.value(), reading)
                case "literals", "variables":
                    let line = stream.line
                    if try stream.value().list?.isEmpty == false { reading.lost("`\(name)` of templates", line: line) }
                default: try stream.skip()
                }
            }
        }
        try DataFile.end(stream, reading)
        guard isThere else { throw stream.problem("has no `data` with `pairs` in it.") }
    }

    private func noteActions(_ actions: DataNode, _ reading: FormatImport) {
        for name in ["delays", "delaysLogNormal"] {
            for _ in actions[name]?.list ?? [] {
                reading.lost("a delay for all requests to an address", line: actions.line)
            }
        }
    }

    private func pair(_ pair: DataNode, _ destinations: inout Set<String>, _ reading: FormatImport) throws {
        guard let response = pair["response"] else {
            throw FormatError(reading.file, pair.line, "has a pair without a response.")
        }
        do {
            let request = try HoverflyRequest(pair["request"], reading)
            if let destination = request.destination { destinations.insert(destination) }
            let status = try MessageParts.status(response["status"], of: response.line, reading)
            try StubParts.add(
                request.pattern,
                request.conditions,
                StubParts.head(status, nil, try MessageParts.fields(response["headers"], reading)),
                body: try body(response, reading),
                delay: response["fixedDelay"]?.integer ?? 0,
                behavior: behavior(pair, response, request),
                line: pair.line,
                reading
            )
        } catch let error as Unsupported {
            reading.lost(error.what, line: pair.line)
        }
    }

    private func body(_ response: DataNode, _ reading: FormatImport) throws -> [UInt8] {
        if response["templated"]?.bool == true, response["body"]?.text?.contains("{{") == true {
            reading.lost("a template, which is answered as it is", line: response.line)
        }
        if response["postServeAction"] != nil { reading.lost("what is done after a response", line: response.line) }
        if let name = response["bodyFile"]?.text, !name.isEmpty {
            return try reading.attachment(name, line: response.line)
        }
        guard let body = response["body"] else { return [] }
        return response["encodedBody"]?.bool == true ? try MessageParts.base64(body, reading) : body.bytes ?? []
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

    /// A sequence begins at 1 by itself, so that is not a value here.
    static func variable(_ name: String, _ value: String) -> String? {
        name.hasPrefix(sequencePrefix) && value == "1" ? nil : value
    }

    static let sequencePrefix = "sequence:"
}
