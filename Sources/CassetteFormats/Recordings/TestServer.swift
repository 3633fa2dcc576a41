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

    package func read(_ source: ByteSource, into reading: FormatImport) throws {
        try DataFile.forEach(in: "interactions", of: source, reading) { try interaction($0, reading) }
    }

    private func interaction(_ node: DataNode, _ reading: FormatImport) throws {
        let (request, response) = try MessageParts.sides(of: node, reading)
        let (asked, answered) = try (
            MessageParts.fields(request["headers"], reading), MessageParts.fields(response["headers"], reading)
        )
        let made = try MessageParts.interaction(
            (request.line, response.line),
            url: address(request),
            method: request["method"],
            status: response["statusCode"],
            fields: (asked, answered),
            bodies: (body(request["bodySegments"], asked), body(response["bodySegments"], answered)),
            reading
        )
        if let interaction = made { try MessageParts.add(interaction, line: node.line, reading) }
    }

    private func address(_ request: DataNode) -> String? {
        guard let path = request["url"]?.text, path.hasPrefix("/"), let host = request["serverAddress"]?.text,
            !host.isEmpty
        else { return request["url"]?.text }
        let port = request["port"]?.integer.map { ":\($0)" } ?? ""
        return "\(request["protocol"]?.text ?? "https")://\(host)\(port)\(path)"
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
