package import HTTPMessages
import MockServeCore
package import NIOCore

/// Gathers one body for the cassette: a short one in memory, a longer one handed over slice by slice.
package struct BodyCollector {
    private let writer: CassetteWriter?
    /// Nil if nothing is redacted.
    private(set) var redaction: BodyRedaction?
    private var bytes: [UInt8] = []
    private var upload: Int?

    private let redactor: Redactor?
    /// What was known to be secret before the first byte (`Redactor.learnedVersion`).
    let learnedVersion: Int

    /// - Parameters:
    ///   - writer: nil if nothing is recorded.
    ///   - request: of the exchange, which says what is redacted.
    package init(_ writer: CassetteWriter?, _ request: RequestHead) {
        self.writer = writer
        redactor = writer?.rules.redactor?.applying(to: request)
        learnedVersion = redactor?.learnedVersion ?? 0
    }

    /// Redacts from here on. Must be called before the first byte.
    ///
    /// - Parameters:
    ///   - fields: of the message.
    ///   - place: `request body` or `response body`.
    package mutating func redact(_ fields: Fields, _ place: String) {
        guard let writer, let redactor else { return }
        redactor.learn(from: fields, isRequest: place == "request body", writer.placeholders)
        redaction = BodyRedaction(redactor, fields, place, writer.placeholders)
    }

    /// Takes note of the secrets in the fields of an informational response.
    package func learn(from fields: Fields) {
        redactor?.learn(from: fields, isRequest: false, writer?.placeholders)
    }

    /// - Returns: whether a slice was handed over, after which the writer may be congested.
    package mutating func append(_ buffer: ByteBuffer) -> Bool {
        guard writer != nil else { return false }
        if redaction != nil {
            let redacted = redaction?.push(Array(buffer.readableBytesView)) ?? []
            return collect(redacted[...])
        }
        return collect(buffer.readableBytesView[...])
    }

    private mutating func collect<Bytes: Collection<UInt8>>(_ piece: Bytes) -> Bool
    where Bytes.SubSequence == Bytes {
        guard let writer else { return false }
        var hasHandedOver = false
        var rest = piece
        while !rest.isEmpty {
            if bytes.count == BodySlices.size {
                let upload = upload ?? writer.newUpload()
                self.upload = upload
                writer.append(slice: bytes, to: upload)
                bytes = []
                hasHandedOver = true
            }
            let piece = rest.prefix(BodySlices.size - bytes.count)
            bytes.append(contentsOf: piece)
            rest = rest.dropFirst(piece.count)
        }
        return hasHandedOver
    }

    /// - Throws: `BodyRedaction.Refusal` if the body must not be written.
    mutating func finish() throws -> NewBody {
        if let rest = try redaction?.finish() { _ = collect(rest[...]) }
        defer {
            bytes = []
            upload = nil
        }
        if let upload { return .upload(upload, last: bytes) }
        return bytes.isEmpty ? .none : .whole(bytes)
    }

    /// Redacts once more what was redacted already, because more is known to be secret now.
    mutating func redactAgain(_ bytes: [UInt8]) -> [UInt8] { redaction?.redactAgain(bytes) ?? bytes }

    package mutating func discard() {
        if let upload { writer?.discard(upload: upload) }
        bytes = []
        upload = nil
    }
}
