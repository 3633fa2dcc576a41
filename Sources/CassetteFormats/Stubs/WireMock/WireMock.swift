import Foundation
import HTTPMessages
import MockServeCore

/// Stub mappings of WireMock (https://wiremock.org/docs/stubbing/): one a file, or several in `mappings`; bodies may be files in a
/// folder `__files`.
package struct WireMock: ReadableFormat {
    package let name = "wiremock"
    package let title = "WireMock mappings, a folder with mappings and __files"

    package init() {}

    package func recognizes(_ start: FileStart) -> Bool {
        start.has("mappings[].request") || start.has("mappings[].response")
            || start.has("mappings") && start.has("meta.total")
            || (start.has("request") || start.has("response"))
                && ["method", "url", "urlPath", "urlPattern", "urlPathPattern", "urlPathTemplate"].contains { key in
                    start.has("request.\(key)")
                } && !start.has("log")
    }

    package func read(_ source: ByteSource, into reading: FormatImport) throws {
        let stream = try DataFile.stream(source)
        guard try stream.nextDocument() else { throw stream.problem("is empty.") }
        guard try stream.kind() == .object else {
            try stream.forEachElement { try mapping(try stream.value(), reading) }
            return try DataFile.end(stream, reading)
        }
        var members: [(name: String, value: DataNode)] = []
        var stubs: [WholeStub]?
        let line = stream.line
        let list = reading.collecting { stubs?.append($0) }
        try stream.forEachMember { name in
            guard name == "mappings" else { return members.append((name, try stream.value())) }
            stubs = stubs ?? []
            try stream.forEachElementIfList { try mapping(try stream.value(), list) }
        }
        try DataFile.end(stream, reading)
        reading.losses.add(list.losses)
        guard let stubs else { return try mapping(DataNode(.map(members), line: line), reading) }
        // What the server itself lists has the newest first.
        let isListed = members.contains { $0.name == "meta" }
        for stub in isListed ? stubs.reversed() : stubs { try reading.add(stub) }
    }

    private func mapping(_ node: DataNode, _ reading: FormatImport) throws {
        guard node.members != nil else {
            throw FormatError(reading.file, node.line, "has \(node.kind) instead of a mapping.")
        }
        guard node["request"] != nil || node["response"] != nil else {
            throw FormatError(
                reading.file,
                node.line,
                "has an object that is not a mapping: it has no request and no response."
            )
        }
        if node["serveEventListeners"] != nil || node["postServeActions"] != nil {
            reading.lost("what is done after a response (webhooks)", line: node.line)
        }
        do {
            let request = try WireMockRequest(node["request"], reading)
            let response = node["response"] ?? DataNode(.map([]), line: node.line)
            guard response["proxyBaseUrl"] == nil else { throw Unsupported("a stub that forwards to another server") }
            let body = try body(response, reading)
            let head = StubParts.head(
                response["status"]?.integer ?? 200,
                response["statusMessage"]?.text,
                try MessageParts.fields(response["headers"], reading)
            )
            noteTemplates(response, body, reading)
            for method in request.methods {
                try StubParts.add(
                    "\(method) \(request.path)",
                    request.conditions,
                    head,
                    body: body,
                    delay: response["fixedDelayMilliseconds"]?.integer ?? 0,
                    behavior: try behavior(node, response, body),
                    line: node.line,
                    reading
                )
            }
        } catch let error as Unsupported {
            reading.lost(error.what, line: node.line)
        }
    }

    private func noteTemplates(_ response: DataNode, _ body: [UInt8], _ reading: FormatImport) {
        let transformers = (response["transformers"]?.list ?? []).compactMap(\.text)
        if transformers.contains("response-template"), body.firstRange(of: Array("{{".utf8)) != nil {
            reading.lost("a template, which is answered as it is", line: response.line)
        }
        for name in Set(transformers).sorted() where name != "response-template" {
            reading.lost("the transformer \(name.prefix(60)) of a response", line: response.line)
        }
    }

    private func body(_ response: DataNode, _ reading: FormatImport) throws -> [UInt8] {
        // Without a body, nothing at all is sent before the connection is closed.
        if response["fault"]?.text == Self.emptyResponse { return [] }
        if let text = response["body"]?.bytes { return text }
        if let coded = response["base64Body"] { return try MessageParts.base64(coded, reading) }
        if let json = response["jsonBody"] { return DataText.bytes(json.quotingTexts, .compactJSON) }
        guard let name = response["bodyFileName"]?.text else { return [] }
        return try reading.attachment(name, fromFolder: "__files", line: response.line)
    }

    private func behavior(_ node: DataNode, _ response: DataNode, _ body: [UInt8]) throws(Unsupported) -> StubBehavior {
        var behavior = StubBehavior()
        if let priority = node["priority"]?.integer.flatMap({ Int32(exactly: $0) }) {
            behavior.priority = Int(priority)
        }
        if let scenario = node["scenarioName"]?.text {
            if let state = node["requiredScenarioState"]?.text {
                behavior.requires.updateValue(Self.variable(state), forKey: scenario)
            }
            if let state = node["newScenarioState"]?.text {
                behavior.sets.updateValue(Self.variable(state), forKey: scenario)
            }
        }
        behavior.wait = try wait(response["delayDistribution"])
        switch response["fault"]?.text {
        case "CONNECTION_RESET_BY_PEER": behavior.fault = .reset
        case Self.emptyResponse: behavior.fault = .close(after: 0)
        case "MALFORMED_RESPONSE_CHUNK": behavior.fault = .unfinishedChunks
        case "RANDOM_DATA_THEN_CLOSE": behavior.fault = .garbage
        case nil: break
        case _?: throw Unsupported("a stub with a fault that is not known")
        }
        if behavior.fault == nil, let dribble = response["chunkedDribbleDelay"],
            let time = dribble["totalDuration"]?.number, time > 0, !body.isEmpty
        {
            let rate = (Double(body.count) * 1000 / time).rounded(.up)
            behavior.fault = .slow(bytesPerSecond: Int(min(max(rate, 1), 1e9)))
        }
        return behavior
    }

    static let emptyResponse = "EMPTY_RESPONSE"

    /// The state that a scenario begins with is not a value here.
    static func variable(_ state: String) -> String? { state == initialState ? nil : state }

    static let initialState = "Started"

    private func wait(_ node: DataNode?) throws(Unsupported) -> FaultWait? {
        guard let node else { return nil }
        func time(_ name: String) -> Duration? {
            node[name]?.number.flatMap {
                $0 >= 0 && $0 <= 3_600_000 ? .microseconds(Int64(($0 * 1000).rounded())) : nil
            }
        }
        switch node["type"]?.text {
        case "fixed": if let fixed = time("milliseconds") { return .fixed(fixed) }
        case "uniform":
            if let lower = time("lower"), let upper = time("upper"), lower <= upper { return .uniform(lower...upper) }
        case "lognormal":
            if let median = time("median"), let sigma = node["sigma"]?.number, (0...10).contains(sigma) {
                return .logNormal(median: median, sigma: sigma)
            }
        default: break
        }
        throw Unsupported("a stub with a delay that is not known")
    }
}
