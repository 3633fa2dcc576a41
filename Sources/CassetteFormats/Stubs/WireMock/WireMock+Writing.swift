import Foundation
import HTTPMessages
import MockServeCore

/// A file a mapping, in the folder `mappings`; long bodies in `__files`.
extension WireMock: WritableFormat {
    package var fileExtension: String? { nil }

    /// Bytes of a body that stands in its mapping.
    private static let inlineLimit = 64 << 10

    private static let lost: Set<ExportedAspect> = [
        .requestFields, .anyOrigin, .scatteredFields, .fieldBytes, .requestVersion, .responseVersion, .requestTrailers,
        .responseTrailers,
        .informational, .time, .firstByte, .chunks, .cut,
    ]

    package func write(_ contents: some CassetteContents, to export: FormatExport) throws {
        var repetition = try Repetition(of: contents)
        var number = 0
        try contents.forEachInteraction { interaction in
            number += 1
            export.lose(Self.lost.subtracting([.anyOrigin]), of: interaction)
            if !interaction.origin.isEmpty { export.lost("the upstream of an interaction") }
            var mapping = DataNode.object([
                "name": .text(Self.label(interaction.request)),
                "request": Self.request(interaction),
                "response": try response(
                    interaction.response,
                    interaction.responseBody,
                    name: Self.fileName(number, Self.label(interaction.request)),
                    export
                ),
            ])
            if let (series, place, count) = repetition.place(of: interaction) {
                let scenario = "scenario-\(series)"
                mapping.set("scenarioName", .text(scenario))
                mapping.set("requiredScenarioState", .text(place == 1 ? Self.initialState : "\(scenario)-\(place)"))
                if place < count { mapping.set("newScenarioState", .text("\(scenario)-\(place + 1)")) }
            }
            try write(mapping, number, Self.label(interaction.request), to: export)
        }
        try contents.forEachStub { stub in
            number += 1
            guard var mapping = WireMockMapping.mapping(stub.definition, export) else { return }
            let label = stub.definition.pattern
            mapping.set(
                "response",
                try response(stub.definition.response, stub.body, name: Self.fileName(number, label), export)
            )
            WireMockMapping.add(stub.definition, stub.body, to: &mapping, export)
            try write(mapping, number, label, to: export)
        }
        try export.loseRules(of: contents)
        if number == 0 {
            try export.write(
                DataText.bytes(.object(["mappings": .list([])]), .json(indent: 2)),
                toFile: "mappings/none.json"
            )
        }
    }

    private func write(_ mapping: DataNode, _ number: Int, _ label: String, to export: FormatExport) throws {
        let text = DataText.bytes(mapping, .json(indent: 2)) + [0x0A]
        try export.write(text, toFile: "mappings/\(Self.fileName(number, label)).json")
    }

    private static func label(_ request: RequestHead) -> String {
        Latin1.string(request.method) + " " + Latin1.string(Target(Target.originForm(request.target)).path)
    }

    /// `00001-get-v1-items`
    private static func fileName(_ number: Int, _ label: String) -> String {
        let words = label.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
        return ([NumberText.padded(number, 5)] + words.prefix(8).map { String($0.prefix(40)) }).joined(separator: "-")
    }

    private static func request(_ interaction: WholeInteraction) -> DataNode {
        let target = Target.originForm(interaction.request.target)
        var request = DataNode.object([
            "method": .text(Latin1.string(interaction.request.method)),
            "url": .text(AbsoluteURL.text(target)),
        ])
        let body = interaction.requestBody
        guard !body.isEmpty else { return request }
        let type = interaction.request.fields.first("content-type").map { MediaType($0) }
        let pattern: DataNode
        if type?.isJSON == true, JSONValue(body) != nil {
            pattern = .object(["equalToJson": .text(String(decoding: body, as: UTF8.self))])
        } else if let text = String(validating: body, as: UTF8.self) {
            pattern = .object(["equalTo": .text(text)])
        } else {
            pattern = .object(["binaryEqualTo": .text(Data(body).base64EncodedString())])
        }
        request.set("bodyPatterns", .list([pattern]))
        return request
    }

    private func response(_ head: ResponseHead, _ body: [UInt8], name: String, _ export: FormatExport) throws
        -> DataNode
    {
        let fields = head.fields.withoutFraming
        if fields.count < head.fields.count {
            export.lost("fields that frame a response (WireMock sets its own)")
        }
        var response = DataNode.object(["status": .number(head.status)])
        if let reason = head.reason, reason != ReasonPhrase.standard(head.status) {
            response.set("statusMessage", .text(String(decoding: reason, as: UTF8.self)))
        }
        if body.count > Self.inlineLimit {
            try export.write(body, toFile: "__files/\(name)")
            response.set("bodyFileName", .text(name))
        } else if let text = String(validating: body, as: UTF8.self) {
            if !body.isEmpty { response.set("body", .text(text)) }
        } else {
            response.set("base64Body", .text(Data(body).base64EncodedString()))
        }
        if !fields.isEmpty { response.set("headers", Self.headers(fields)) }
        return response
    }

    /// A text for one field of a name, a list for several.
    static func headers(_ fields: Fields) -> DataNode {
        .object(
            (FieldLists.text(fields).members ?? []).map { name, values in
                (name, values.list?.count == 1 ? values.list?[0] ?? values : values)
            }
        )
    }
}
