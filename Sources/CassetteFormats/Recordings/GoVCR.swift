import Foundation
import HTTPMessages
import MockServeCore

/// Cassettes of go-vcr (https://github.com/dnaeon/go-vcr): version 1 of its versions 1 and 2, and version 2 of later ones.
package struct GoVCR: ReadableFormat, WritableFormat {
    package let name: String
    package let title: String
    package let fileExtension: String? = "yaml"
    /// Of the cassettes that are written; any is read.
    private let version: Int

    /// - Parameter version: 1 or 2.
    package init(version: Int = 2) {
        self.version = version
        name = version == 1 ? "go-vcr-1" : "go-vcr"
        title = version == 1 ? "go-vcr 1 and 2, YAML" : "go-vcr 3 and 4, YAML"
    }

    package func recognizes(_ start: FileStart) -> Bool {
        start.has("interactions[].request.form") || start.has("interactions[].request.url") && !start.has("recordID")
            || start.has("interactions") && start.value("version") == "2"
    }

    package func read(_ source: ByteSource, into reading: FormatImport) throws {
        try DataFile.forEach(in: "interactions", of: source, reading) { try interaction($0, reading) }
    }

    private func interaction(_ node: DataNode, _ reading: FormatImport) throws {
        let (request, response) = try MessageParts.sides(of: node, reading)
        var fields = try MessageParts.fields(request["headers"], reading)
        // Go keeps it apart from the other fields.
        if let host = request["host"]?.text, !host.isEmpty, !fields.contains("host") { fields.append("Host", host) }
        let made = try MessageParts.interaction(
            (request.line, response.line),
            url: request["url"]?.text,
            method: request["method"],
            status: response["code"],
            reason: reason(response["status"]?.text) ?? "",
            versions: (request["proto"]?.text, response["proto"]?.text),
            fields: (fields, MessageParts.fields(response["headers"], reading)),
            bodies: (request["body"]?.bytes ?? [], response["body"]?.bytes ?? []),
            reading
        )
        guard var interaction = made else { return }
        interaction.requestTrailers = try MessageParts.fields(request["trailer"], reading)
        interaction.responseTrailers = try MessageParts.fields(response["trailer"], reading)
        interaction.firstByte = response["duration"]?.text.flatMap { GoDuration.milliseconds($0) }
        try MessageParts.add(interaction, line: node.line, reading)
    }

    /// `404 Not Found` without the number.
    private func reason(_ status: String?) -> String? {
        status.map { String($0.drop { $0.isNumber }.drop { $0 == " " }) }
    }

    // MARK: Writing

    package func write(_ contents: some CassetteContents, to export: FormatExport) throws {
        var list = DataList(in: "interactions", after: ["version": .number(version)], .yaml(binary: "!!binary"), export)
        try contents.forEachInteraction { interaction in
            export.lose(lost, of: interaction)
            try list.write(node(interaction, list.count))
        }
        try list.end()
        try export.loseAllBut(interactionsOf: contents)
    }

    private var lost: Set<ExportedAspect> {
        let always: Set<ExportedAspect> = [
            .anyOrigin, .targetBytes, .scatteredFields, .informational, .time, .cut, .chunks,
        ]
        let early: Set<ExportedAspect> = [.requestVersion, .responseVersion, .requestTrailers, .responseTrailers]
        return version == 1 ? always.union(early) : always
    }

    private func node(_ interaction: WholeInteraction, _ number: Int) -> DataNode {
        let (request, response) = (interaction.request, interaction.response)
        let isLater = version > 1
        let host = request.fields.first("host").map { String(decoding: $0, as: UTF8.self) }
        let reason = response.reason ?? ReasonPhrase.standard(response.status)
        return .object([
            "id": isLater ? .number(number) : nil,
            "request": .object([
                "proto": isLater ? .text(protocolName(request.version)) : nil,
                "proto_major": isLater ? .number(request.version == .http2 ? 2 : 1) : nil,
                "proto_minor": isLater ? .number(request.version == .http11 ? 1 : 0) : nil,
                "content_length": isLater ? .number(interaction.requestBody.count) : nil,
                "transfer_encoding": isLater ? .list([]) : nil,
                "trailer": isLater ? FieldLists.node(interaction.requestTrailers) : nil,
                "host": isLater ? .text(host ?? "") : nil,
                "remote_addr": isLater ? .text("") : nil,
                "request_uri": isLater ? .text("") : nil,
                "body": .textOrBytes(interaction.requestBody),
                "form": .object([:]),
                // Go has it elsewhere.
                "headers": FieldLists.node(request.fields.filter { !$0.isNamed("host") }),
                "url": .text(AbsoluteURL.text(interaction.origin, request.target)),
                "method": .text(Latin1.string(request.method)),
            ]),
            "response": .object([
                "proto": isLater ? .text(protocolName(response.version)) : nil,
                "proto_major": isLater ? .number(response.version == .http2 ? 2 : 1) : nil,
                "proto_minor": isLater ? .number(response.version == .http11 ? 1 : 0) : nil,
                "transfer_encoding": isLater ? .list([]) : nil,
                "trailer": isLater ? FieldLists.node(interaction.responseTrailers) : nil,
                "content_length": isLater ? .number(interaction.responseBody.count) : nil,
                "uncompressed": isLater ? .bool(false) : nil,
                "body": .textOrBytes(interaction.responseBody),
                "headers": FieldLists.node(response.fields),
                "status": .textOrBytes(Array("\(response.status) ".utf8) + reason),
                "code": .number(response.status),
                "duration": .text("\(interaction.firstByte ?? 0)ms"),
            ]),
        ])
    }

    private func protocolName(_ version: HTTPVersion) -> String { version == .http2 ? "HTTP/2.0" : version.rawValue }
}

/// Durations as Go writes them: `1m2.5s`, `2.086ms`, `150µs`.
enum GoDuration {
    /// - Returns: nil if it is none.
    static func milliseconds(_ text: String) -> Int? {
        let units: [String: Double] = [
            "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1, "µs": 0.001, "us": 0.001, "ns": 0.000001,
        ]
        var rest = text[...]
        var total = 0.0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isLetter || $0 == "µ" }
            rest = rest.dropFirst(unit.count)
            guard let number = Double(digits),
                let factor = units[String(unit)] ?? (unit.isEmpty && number == 0 ? 0 : nil)
            else {
                return nil
            }
            total += number * factor
        }
        return total < 1e12 ? Int(total.rounded()) : nil
    }
}
