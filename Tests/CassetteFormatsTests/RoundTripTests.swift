import ContentCoding
import Foundation
import HTTPMessages
import MockServeCore
import Testing

@testable import CassetteFormats

/// What is exported and imported again is the same, but for what the export has said that it loses.
@Suite struct RoundTripTests {
    /// Formats that are written and read.
    static let formats: [any WritableFormat & ReadableFormat] = [
        HAR(), RubyVCR(), VCRPy(), Betamax(), GoVCR(), GoVCR(version: 1), Nock(), Cassetter(), Polly(),
    ]

    @Test(arguments: formats.map(\.name)) func keepsAllButWhatItSays(_ name: String) throws {
        let format = try #require(Self.formats.first { $0.name == name })
        for seed in 1...400 as ClosedRange<UInt64> {
            var generated = GeneratedInteractions(seed: seed)
            let interaction = generated.next()
            let writing = try Writing(MemoryContents(interactions: [interaction]), format)
            let reading = try Reading(writing.bytes, format: format)
            #expect(reading.losses.isEmpty, "seed \(seed)")
            let lost = Set(ExportedAspect.allCases.filter { writing.losses[$0.lossName] != nil })
            #expect(writing.losses.count == lost.count, "seed \(seed)")
            let back = try #require(reading.interactions.first)
            let expected = Self.forgetting(lost, interaction)
            let (own, other) = (Self.lines(back, lost), Self.lines(expected, lost))
            let differing = zip(own, other).first { $0 != $1 }.map {
                "\($0.0.prefix(200)) instead of \($0.1.prefix(200))"
            }
            #expect(own.count == other.count && differing == nil, "seed \(seed): \(differing ?? "\(own) \(other)")")
        }
    }

    @Test(arguments: formats.map(\.name)) func recognizesItsOwn(_ name: String) throws {
        let format = try #require(Self.formats.first { $0.name == name })
        var generated = GeneratedInteractions(seed: 5)
        let interactions = (0..<30).map { _ in generated.next() }
        let writing = try Writing(MemoryContents(interactions: interactions), format)
        let reading = try Reading(writing.bytes)
        #expect(reading.interactions.count == 30)
        #expect(reading.format == (name == "go-vcr-1" ? "go-vcr" : name))
    }

    @Test(arguments: formats.map(\.name)) func writesNothingWell(_ name: String) throws {
        let format = try #require(Self.formats.first { $0.name == name })
        let writing = try Writing(MemoryContents(), format)
        #expect(try Reading(writing.bytes, format: format).interactions.isEmpty)
    }

    /// The interaction without what a format has no place for.
    private static func forgetting(_ lost: Set<ExportedAspect>, _ interaction: WholeInteraction) -> WholeInteraction {
        var copy = interaction
        if lost.contains(.anyOrigin) { copy.origin = AbsoluteURL.anyOrigin }
        if lost.contains(.targetBytes) {
            copy.request.target = copy.request.target.flatMap { byte -> [UInt8] in
                byte < 0x80 ? [byte] : Array(("%" + String(byte, radix: 16, uppercase: true)).utf8)
            }
        }
        if lost.contains(.responseVersion) { copy.response.version = .http11 }
        if lost.contains(.requestVersion) { copy.request.version = .http11 }
        if lost.contains(.requestTrailers) { copy.requestTrailers = Fields() }
        if lost.contains(.responseTrailers) { copy.responseTrailers = Fields() }
        if lost.contains(.informational) { copy.informational = [] }
        if lost.contains(.time) { copy.recordedAt = nil }
        if lost.contains(.exactTime) { copy.recordedAt = copy.recordedAt.map { $0 / 1000 * 1000 } }
        if lost.contains(.firstByte) { copy.firstByte = nil }
        if lost.contains(.chunks) { copy.chunks = [] }
        if lost.contains(.cut) { copy.cut = nil }
        if lost.contains(.coding), let decoded = BodyText.decoded(copy.responseBody, copy.response.fields) {
            copy.responseBody = decoded
            copy.response.fields = copy.response.fields.filter { !$0.isNamed("content-encoding") }
        }
        return copy
    }

    /// Everything that was not lost, as lines.
    private static func lines(_ interaction: WholeInteraction, _ lost: Set<ExportedAspect>) -> [String] {
        var copy = interaction
        // What HTTP/2 does not have is not there if the version is kept.
        if lost.contains(.binaryRequest) { copy.requestBody = [] }
        if lost.contains(.coding) || lost.contains(.binaryRequest) {
            copy.request.fields = copy.request.fields.filter { !$0.isNamed("content-length") }
            copy.response.fields = copy.response.fields.filter { !$0.isNamed("content-length") }
        }
        let isReasonLost = lost.contains(.reason) || lost.contains(.responseVersion)
        if isReasonLost { copy.response.reason = nil }
        (copy.request.fields, copy.response.fields) = (
            settled(copy.request.fields, lost, isRequest: true), settled(copy.response.fields, lost, isRequest: false)
        )
        var lines = InteractionLines.lines(copy)
        lines.append(
            "first byte \(copy.firstByte ?? 0), chunks \(copy.chunks.map { "\($0.offset):\($0.size)" }), cut \(copy.cut?.offset ?? -1)"
        )
        lines += copy.informational.map { "1xx \($0.status)" }
        return lines
    }

    /// Values, whether they are joined or not.
    private static func parts(_ values: [String]) -> [String] {
        values.flatMap { $0.split(separator: ",") }.map { String($0.drop { $0 == " " }) }.filter { !$0.isEmpty }
            .sorted()
    }

    private static func settled(_ fields: Fields, _ lost: Set<ExportedAspect>, isRequest: Bool) -> Fields {
        var pairs = fields.map { (name: String(decoding: $0.name, as: UTF8.self), value: Array($0.value)) }
        if lost.contains(.fieldBytes) {
            pairs = pairs.map { ($0.name, Array(String(decoding: $0.value, as: UTF8.self).utf8)) }
        }
        if isRequest, lost.contains(.requestFields) { return Fields() }
        if lost.contains(.scatteredFields) {
            // Values by name, whatever the order of names.
            var joined: [String: [String]] = [:]
            for pair in pairs { joined[pair.name.lowercased(), default: []].append(Latin1.string(pair.value)) }
            pairs = joined.sorted { $0.key < $1.key }.map {
                ($0.key, Array(parts($0.value).joined(separator: ", ").utf8))
            }
        }
        var settled = Fields()
        for pair in pairs { settled.append(name: Array(pair.name.utf8), value: pair.value) }
        return settled
    }
}
