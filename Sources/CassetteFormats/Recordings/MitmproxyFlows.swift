import Foundation
import HTTPMessages
import MockServeCore

/// Flow files of mitmproxy (https://mitmproxy.org), as `-w` writes them: one netstring after another.
package struct MitmproxyFlows: ReadableFormat {
    package let name = "mitmproxy"
    package let title = "flows of mitmproxy"
    package let fileEndings: Set<String> = ["flow", "flows", "mitm", "dump"]

    /// Bytes of a flow: 1 GiB.
    private static let limit = 1 << 30

    package init() {}

    package func recognizes(_ start: FileStart) -> Bool {
        let digits = start.bytes.prefix { $0 &- 0x30 < 10 }
        guard !digits.isEmpty, digits.count <= NetString.longestLength else { return false }
        let rest = start.bytes.dropFirst(digits.count)
        // A name, and so the length of one.
        return rest.first == UInt8(ascii: ":") && (rest.dropFirst().first ?? 0) &- 0x30 < 10
    }

    package func read(_ source: ByteSource, into reading: FormatImport) throws {
        var buffer: ArraySlice<UInt8> = []
        var number = 0
        while true {
            while buffer.count <= NetString.longestLength, try fill(&buffer, source) {}
            guard !buffer.isEmpty else { return }
            number += 1
            let size = try size(buffer, source)
            while buffer.count < size {
                guard try fill(&buffer, source) else {
                    throw FormatError(source.name, nil, "ends within flow \(number); those before it are whole.")
                }
            }
            try flow(try NetString.value(Array(buffer.prefix(size)), file: source.name), number, reading)
            buffer = buffer.dropFirst(size)
        }
    }

    private func fill(_ buffer: inout ArraySlice<UInt8>, _ source: ByteSource) throws -> Bool {
        let piece = try source.next()
        // What was read is not kept.
        buffer = buffer.isEmpty ? piece[...] : (Array(buffer) + piece)[...]
        return !piece.isEmpty
    }

    /// Bytes of the netstring that begins here.
    private func size(_ buffer: ArraySlice<UInt8>, _ source: ByteSource) throws -> Int {
        let digits = buffer.prefix(NetString.longestLength + 1).prefix { $0 &- 0x30 < 10 }
        guard let length = Int(String(decoding: digits, as: UTF8.self)), buffer.dropFirst(digits.count).first == 0x3A
        else {
            throw FormatError(source.name, nil, "is damaged: what it holds is not a netstring.")
        }
        guard length <= Self.limit else { throw FormatError(source.name, nil, "has a flow of more than 1 GiB.") }
        return digits.count + 1 + length + 1
    }

    private func flow(_ flow: DataNode, _ number: Int, _ reading: FormatImport) throws {
        guard flow["type"]?.text == "http", let request = flow["request"] else {
            return reading.lost("a flow that is not HTTP")
        }
        guard flow["websocket"] == nil else { return reading.lost("a WebSocket connection") }
        guard let response = flow["response"] else { return reading.lost("a request without a response") }
        func problem(_ what: String) -> FormatError {
            FormatError(reading.file, nil, "has \(what) in flow \(number).")
        }
        guard let scheme = request["scheme"]?.text.flatMap({ Origin.Scheme(rawValue: $0) }),
            let host = request["host"]?.text,
            let port = request["port"]?.integer, let path = request["path"]?.bytes, path.first == UInt8(ascii: "/"),
            path.allSatisfy({ $0 > 0x20 && $0 != 0x7F })
        else { return reading.lost("a request without an address") }
        guard let method = request["method"]?.bytes, isToken(method) else { throw problem("a method that is not one") }
        guard let status = response["status_code"]?.integer, (100...999).contains(status) else {
            throw problem("a status that is not a number from 100 to 999")
        }
        if response["content"] == nil || request["content"] == nil {
            // What was streamed, or too long, is not kept.
            reading.lost("the body of a message, which the file does not have")
        }
        let version = MessageParts.version(response["http_version"]?.text)
        var interaction = WholeInteraction(
            origin: Origin(scheme: scheme, host: host, port: port).description,
            request: RequestHead(
                method: method,
                target: path,
                version: MessageParts.version(request["http_version"]?.text),
                fields: fields(request["headers"], reading)
            ),
            requestBody: request["content"]?.bytes ?? [],
            response: ResponseHead(
                version: version,
                status: status,
                reason: MessageParts.reason(response["reason"]?.bytes, version: version, line: nil, reading),
                fields: fields(response["headers"], reading)
            ),
            responseBody: response["content"]?.bytes ?? []
        )
        interaction.requestTrailers = fields(request["trailers"], reading)
        interaction.responseTrailers = fields(response["trailers"], reading)
        setTimes(&interaction, request, response)
        try MessageParts.add(interaction, line: nil, reading)
    }

    private func setTimes(_ interaction: inout WholeInteraction, _ request: DataNode, _ response: DataNode) {
        func milliseconds(_ node: DataNode?) -> Int64? {
            node?.number.flatMap { Int64(exactly: ($0 * 1000).rounded()) }
        }
        interaction.recordedAt = milliseconds(request["timestamp_start"])
        guard let end = milliseconds(request["timestamp_end"]), let first = milliseconds(response["timestamp_start"])
        else {
            return
        }
        let (wait, isTooMuch) = first.subtractingReportingOverflow(end)
        interaction.firstByte = !isTooMuch && (0..<1 << 40).contains(wait) ? Int(wait) : nil
    }

    /// A list of pairs.
    private func fields(_ node: DataNode?, _ reading: FormatImport) -> Fields {
        var fields = Fields()
        for pair in node?.list ?? [] {
            guard let parts = pair.list, parts.count == 2, let name = parts[0].bytes, let value = parts[1].bytes else {
                continue
            }
            MessageParts.append(String(decoding: name, as: UTF8.self), value, to: &fields, line: nil, reading)
        }
        return fields
    }
}
