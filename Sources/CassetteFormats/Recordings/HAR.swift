import Foundation
import HTTPMessages
import MockServeCore

/// HTTP Archive 1.2 (http://www.softwareishard.com/blog/har-12-spec/), as browsers, proxies and test libraries write it.
///
/// Bodies are decoded in it, while fields are as they were: what a field says of a coding that the body no longer has is left out.
package struct HAR: ReadableFormat, WritableFormat {
    package let name = "har"
    package let title = "HTTP Archive 1.2 of browsers, proxies and test libraries"
    package let fileExtension: String? = "har"
    package let fileEndings: Set<String> = ["har", "zhar", "json", "gz"]

    package init() {}

    package func recognizes(_ start: FileStart) -> Bool {
        start.has("log.entries") || start.has("log.creator") && start.has("log.version")
    }

    // MARK: Reading

    package func read(_ source: ByteSource, into reading: FormatImport) throws {
        let stream = try JSONStream(source)
        guard try stream.nextDocument() else { throw stream.problem("is empty.") }
        var hasEntries = false
        try stream.forEachMember { name in
            guard name == "log", try stream.kind() == .object else { return try stream.skip() }
            try stream.forEachMember { name in
                guard name == "entries" else { return try stream.skip() }
                hasEntries = true
                try stream.forEachElement { try entry(try stream.value(), reading) }
            }
        }
        try DataFile.end(stream, reading)
        guard hasEntries else { throw stream.problem("has no `log` with `entries` in it.") }
    }

    private func entry(_ entry: DataNode, _ reading: FormatImport) throws {
        let line = entry.line
        guard let request = entry["request"] else {
            throw FormatError(reading.file, line, "has an entry without a request.")
        }
        guard let response = entry["response"], let status = response["status"]?.integer, status > 0 else {
            return reading.lost("a request without a response", line: line)
        }
        guard entry["_fromCache"] == nil else {
            return reading.lost("a response from the cache of the browser", line: line)
        }
        let address = request["url"]?.text
        guard entry["_webSocketMessages"] == nil, address?.hasPrefix("ws") != true, status != 101 else {
            return reading.lost("a WebSocket connection", line: line)
        }
        let made = try MessageParts.interaction(
            (line, line),
            url: address,
            method: request["method"],
            status: response["status"],
            reason: response["statusText"]?.text ?? "",
            versions: (request["httpVersion"]?.text, response["httpVersion"]?.text),
            fields: (fields(request["headers"], reading), fields(response["headers"], reading)),
            reading
        )
        guard var interaction = made else { return }
        interaction.requestBody = try requestBody(
            request["postData"],
            size: request["bodySize"]?.integer,
            interaction.request.fields,
            reading
        )
        let content = try responseBody(response["content"], interaction.response.fields, reading)
        (interaction.responseBody, interaction.chunks) = content
        interaction.recordedAt = entry["startedDateTime"]?.text.flatMap { FormatDate.milliseconds($0) }
        interaction.firstByte = entry["timings"]?["wait"]?.number.flatMap { $0 < 0 ? nil : Int(exactly: $0.rounded()) }
        if interaction.responseBody.isEmpty, !interaction.request.isHEAD {
            // It was decoded, or is not there.
            interaction.response.fields = interaction.response.fields.filter { !$0.isNamed("content-encoding") }
        }
        try MessageParts.add(interaction, line: line, reading)
    }

    /// Objects with name and value, or lists of the two. A value may be a list, or lines: several fields.
    private func fields(_ node: DataNode?, _ reading: FormatImport) throws -> Fields {
        var fields = Fields()
        for field in node?.list ?? [] {
            let parts = field.list
            guard let name = (parts?.first ?? field["name"])?.text else {
                throw FormatError(reading.file, field.line, "has a field without a name.")
            }
            let value = parts.map { $0.count > 1 ? $0[1] : nil } ?? field["value"]
            for value in value?.list ?? [value ?? .text("")] {
                for part in (value.bytes ?? []).split(separator: 0x0A, omittingEmptySubsequences: false) {
                    MessageParts.append(name, Array(part), to: &fields, line: field.line, reading)
                }
            }
        }
        return fields
    }

    private func requestBody(_ data: DataNode?, size: Int?, _ fields: Fields, _ reading: FormatImport) throws -> [UInt8]
    {
        guard let data else { return [] }
        if let name = data["_file"]?.text { return try reading.attachment(name, line: data.line) }
        if let text = data["text"] {
            let isCoded = (data["_encoding"] ?? data["encoding"])?.text == "base64"
            return isCoded
                ? try MessageParts.base64(text, reading) : HARContent.bytes(text.text ?? "", fields, size: size)
        }
        guard let parameters = data["params"]?.list, !parameters.isEmpty else { return [] }
        guard parameters.allSatisfy({ $0["fileName"] == nil }), data["mimeType"]?.text?.contains("multipart") != true
        else {
            reading.lost("a form with files, of which only the names are there", line: data.line)
            return []
        }
        let pairs = parameters.map { encoded($0["name"]?.text ?? "") + "=" + encoded($0["value"]?.text ?? "") }
        return Array(pairs.joined(separator: "&").utf8)
    }

    /// Some programs write parameters encoded, others do not.
    private func encoded(_ text: String) -> String {
        text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "&") && $0 != UInt8(ascii: "=") }
            ? text : text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? text
    }

    private func responseBody(
        _ content: DataNode?,
        _ fields: Fields,
        _ reading: FormatImport
    ) throws -> ([UInt8], [ResponseChunk]) {
        guard let content else { return ([], []) }
        if let name = content["_file"]?.text { return (try reading.attachment(name, line: content.line), []) }
        guard let text = content["text"] else {
            if let size = content["size"]?.integer, size > 0 {
                reading.lost("the body of a response, which the file does not have", line: content.line)
            }
            return ([], [])
        }
        if let pieces = HARContent.pieces(content, fields) {
            // One piece says nothing of how a body arrived.
            let chunks = pieces.filter { !$0.isEmpty }.map { ResponseChunk(offset: 0, size: $0.count) }
            return (pieces.flatMap { $0 }, chunks.count > 1 ? chunks : [])
        }
        guard content["encoding"]?.text == "base64" else {
            let charset = HARContent.charset(fields)
            if !Charset.isKnown(charset), text.text?.utf8.contains(where: { $0 > 0x7F }) == true {
                reading.lost("the charset \(charset.prefix(40)) of a text (it is UTF-8 now)", line: content.line)
            }
            return (HARContent.bytes(text.text ?? "", fields, size: content["size"]?.integer), [])
        }
        return (try MessageParts.base64(text, reading), [])
    }

    // MARK: Writing

    package func write(_ contents: some CassetteContents, to export: FormatExport) throws {
        try export.write(#"{"log": {"version": "1.2", "creator": {"name": "mockserve", "version": "1"}, "entries": ["#)
        var isFirst = true
        try contents.forEachInteraction { interaction in
            try export.write(isFirst ? "\n" : ",\n")
            isFirst = false
            try export.write(DataText.bytes(entry(interaction, export), .json(indent: 1)))
        }
        try export.write(isFirst ? "]}}\n" : "\n]}}\n")
        try export.loseAllBut(interactionsOf: contents)
    }

    /// - Parameter isDecoded: whether bodies stand in it without their content codings.
    func entry(_ interaction: WholeInteraction, _ export: FormatExport, isDecoded: Bool = true) -> DataNode {
        export.lose(
            [
                .anyOrigin, .targetBytes, .fieldBytes, .requestTrailers, .responseTrailers, .informational, .chunks,
                .cut,
            ],
            of: interaction
        )
        if isDecoded { export.lose([.coding], of: interaction) }
        let (wait, receive) = (interaction.firstByte ?? 0, interaction.chunks.last?.offset ?? 0)
        return .object([
            "startedDateTime": .text(FormatDate.iso(interaction.recordedAt ?? 0)),
            "time": .number(wait + receive),
            "request": request(interaction),
            "response": response(interaction),
            "cache": .object([:]),
            "timings": .object(["send": .number(0), "wait": .number(wait), "receive": .number(receive)]),
        ])
    }

    private func request(_ interaction: WholeInteraction) -> DataNode {
        let request = interaction.request
        return .object([
            "method": .text(Latin1.string(request.method)),
            "url": .text(AbsoluteURL.text(interaction.origin, request.target)),
            "httpVersion": .text(versionName(request.version)),
            "cookies": .list([]),
            "headers": headers(request.fields),
            "queryString": .list(
                Target(Target.originForm(request.target)).pairs.map { pair in
                    .object([
                        "name": .text(String(decoding: pair.name, as: UTF8.self)),
                        "value": .text(String(decoding: pair.value, as: UTF8.self)),
                    ])
                }
            ),
            "postData": data(interaction),
            "headersSize": .number(-1),
            "bodySize": .number(interaction.requestBody.count),
        ])
    }

    private func data(_ interaction: WholeInteraction) -> DataNode? {
        let body = interaction.requestBody
        guard !body.isEmpty else { return nil }
        let text = String(validating: body, as: UTF8.self)
        return .object([
            "mimeType": .text(interaction.request.fields.first("content-type").map { Latin1.string($0) } ?? ""),
            "text": .text(text ?? Data(body).base64EncodedString()),
            // HAR has no place for it: other readers take the text as it is.
            "_encoding": text == nil ? .text("base64") : nil,
        ])
    }

    private func response(_ interaction: WholeInteraction) -> DataNode {
        let response = interaction.response
        return .object([
            "status": .number(response.status),
            "statusText": .text(String(decoding: response.reason ?? [], as: UTF8.self)),
            "httpVersion": .text(versionName(response.version)),
            "cookies": .list([]),
            "headers": headers(response.fields),
            "content": HARContent.node(interaction),
            "redirectURL": .text(response.fields.first("location").map { Latin1.string($0) } ?? ""),
            "headersSize": .number(-1),
            "bodySize": .number(interaction.responseBody.count),
        ])
    }

    private func versionName(_ version: HTTPVersion) -> String { version == .http2 ? "HTTP/2.0" : version.rawValue }

    private func headers(_ fields: Fields) -> DataNode {
        .list(
            fields.map { field in
                .object([
                    "name": .text(String(decoding: field.name, as: UTF8.self)),
                    "value": .text(String(decoding: field.value, as: UTF8.self)),
                ])
            }
        )
    }
}
