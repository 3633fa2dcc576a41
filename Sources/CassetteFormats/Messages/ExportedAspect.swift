import HTTPMessages
import MockServeCore

/// A part of an interaction that not every format has a place for.
enum ExportedAspect: CaseIterable {
    /// That an answer is for any upstream.
    case anyOrigin
    /// Bytes over 0x7F in a target.
    case targetBytes
    /// That fields of the same name stand apart from each other, or are spelled in several ways.
    case scatteredFields
    /// Fields of a request, by which it is not compared.
    case requestFields
    /// Values of fields and reason phrases that are not UTF-8.
    case fieldBytes
    case requestVersion
    case responseVersion
    case reason
    case requestTrailers
    case responseTrailers
    case informational
    case time
    /// Fractions of a second.
    case exactTime
    /// When the response began.
    case firstByte
    /// When and in which pieces it arrived.
    case chunks
    case cut
    /// A request body that is not UTF-8.
    case binaryRequest
    /// Bodies with a content coding.
    case coding

    /// As a loss is called.
    var lossName: String {
        switch self {
        case .anyOrigin: "that an answer is for any upstream (\(AbsoluteURL.anyOrigin) stands for it)"
        case .targetBytes: "bytes in a target that are not ASCII (they are percent-encoded)"
        case .scatteredFields: "the order of fields of the same name among others"
        case .requestFields: "the fields of a request, which are not asked for"
        case .fieldBytes: "bytes in fields or reason phrases that are not UTF-8"
        case .requestVersion: "the HTTP version of a request"
        case .responseVersion: "the HTTP version of a response"
        case .reason: "a reason phrase"
        case .requestTrailers: "trailers of a request"
        case .responseTrailers: "trailers of a response"
        case .informational: "informational responses"
        case .time: "when an interaction was recorded"
        case .exactTime: "fractions of the second in which an interaction was recorded"
        case .firstByte: "how long it took until a response began"
        case .chunks: "when the pieces of a response arrived"
        case .cut: "that a response was cut off"
        case .binaryRequest: "bytes in the body of a request that are not UTF-8"
        case .coding: "the content coding of a body (it is decoded)"
        }
    }

    /// Whether the interaction has it.
    func stands(in interaction: WholeInteraction) -> Bool {
        let (request, response) = (interaction.request, interaction.response)
        let sections = [request.fields, response.fields]
        return switch self {
        case .anyOrigin: Origin(interaction.origin) == nil
        case .targetBytes: request.target.contains { $0 > 0x7F }
        case .scatteredFields: sections.contains { Self.areScattered($0) }
        case .requestFields: !request.fields.isEmpty
        case .fieldBytes:
            sections.contains { $0.contains { String(validating: $0.value, as: UTF8.self) == nil } }
                || response.reason.map { String(validating: $0, as: UTF8.self) == nil } ?? false
        case .requestVersion: request.version != .http11
        case .responseVersion: response.version != .http11
        case .reason: response.reason.map { $0 != ReasonPhrase.standard(response.status) } ?? false
        case .requestTrailers: !interaction.requestTrailers.isEmpty
        case .responseTrailers: !interaction.responseTrailers.isEmpty
        case .informational: !interaction.informational.isEmpty
        case .time: interaction.recordedAt != nil
        case .exactTime: (interaction.recordedAt ?? 0) % 1000 != 0
        case .firstByte: interaction.firstByte != nil
        case .chunks: !interaction.chunks.isEmpty
        case .cut: interaction.cut != nil
        case .binaryRequest: String(validating: interaction.requestBody, as: UTF8.self) == nil
        case .coding: !interaction.responseBody.isEmpty && response.fields.contains("content-encoding")
        }
    }

    /// Whether fields of one name, however spelled, are not next to each other, or are spelled in several ways.
    private static func areScattered(_ fields: Fields) -> Bool {
        var seen: Set<[UInt8]> = []
        var last: ArraySlice<UInt8>?
        for field in fields {
            defer { last = field.name }
            if let last, last == field.name { continue }
            guard seen.insert(field.name.map(lowercased)).inserted else { return true }
        }
        return false
    }
}

extension FormatExport {
    /// Takes note of what an interaction has and the format does not.
    func lose(_ aspects: Set<ExportedAspect>, of interaction: WholeInteraction) {
        for aspect in ExportedAspect.allCases where aspects.contains(aspect) && aspect.stands(in: interaction) {
            lost(aspect.lossName)
        }
    }

    /// For a format of interactions only.
    func loseAllBut(interactionsOf contents: some CassetteContents) throws {
        try contents.forEachStub { _ in lost("a stub") }
        try loseRules(of: contents)
    }

    /// Those of keys and of redaction are about how interactions are kept.
    func loseRules(of contents: some CassetteContents) throws {
        for rule in try contents.rules where rule.action != .redact && rule.keyVersion == nil { lost("a rule") }
    }
}
