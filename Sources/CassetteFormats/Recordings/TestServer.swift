import Foundation
import HTTPMessages
import MockServeCore

/// Recordings of the test server for Google's SDKs: JSON, one file a test. Bodies are lists of values of JSON.
package struct TestServer: ReadableFormat {
    package let name = "test-server"
    package let title = "google/test-server, JSON"

    package init() {}

    package func recognizes(_ start: FileStart) -> Bool {
        start.has("recordID") && start.has("interactions") || start.has("interactions[].shaSum")
    }

    package func read(_ source: ByteSource, into import: FormatImport) throws {
        try DataFile.forEach(in: "interactions", of: source, `import`) { try interaction($0, `import`) }
    }

    private func interaction(_ node: DataNode, _ import: FormatImport) throws {
        guard let request = node["request"], let response = node["response"], let path = request["url"]?.text else {
            throw FormatError(`import`.file, node.line, "has an interaction without a URL or a response.")
        }
        var address = path
        if path.hasPrefix("/"), let host = request["serverAddress"]?.text, !host.isEmpty {
            let port = request["port"]?.integer.map { ":\($0)" } ?? ""
            address = "\(request["protocol"]?.text ?? "https")://\(host)\(port)\(path)"
        }
        guard let url = try MessageParts.url(address, line: request.line, `import`) else { return }
        let status = try MessageParts.status(response["statusCode"], of: response.line, `import`)
        let (asked, answered) = try (
            MessageParts.fields(request["headers"], `import`), MessageParts.fields(response["headers"], `import`)
        )
        let interaction = WholeInteraction(
            origin: url.origin,
            request: RequestHead(
                method: try MessageParts.method(request["method"], of: request.line, `import`),
                target: url.target,
                fields: asked
            ),
            requestBody: body(request["bodySegments"], asked),
            response: ResponseHead(status: status, reason: ReasonPhrase.standard(status), fields: answered),
            responseBody: body(response["bodySegments"], answered)
        )
        try MessageParts.add(interaction, line: node.line, `import`)
    }

    /// Those of a stream are its events.
    private func body(_ segments: DataNode?, _ fields: Fields) -> [UInt8] {
        let type = fields.first("content-type").map { MediaType($0).essence } ?? ""
        let isStream = type == "text/event-stream"
        return (segments?.list ?? []).flatMap { segment -> [UInt8] in
            // Of a message without a body.
            if segment.isNull { return [] }
            let bytes = DataText.bytes(segment, .compactJSON)
            return isStream ? Array("data: ".utf8) + bytes + Array("\n\n".utf8) : bytes
        }
    }
}
