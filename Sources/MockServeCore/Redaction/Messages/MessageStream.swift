import ContentCoding
import Foundation
import HTTPMessages

/// Redacts a body of gRPC message by message, so that the lengths that it states stay right: those of its messages, and of
/// the fields in them.
struct MessageStream {
    /// Bytes of a message that are held until its end arrives.
    private static let heldLimit = 64 << 20
    /// Bytes to which a compressed one may decode.
    private static let decodedLimit = 64 << 20

    private let redactor: Redactor
    private var form: GRPCForm
    private let place: String
    private let book: PlaceholderBook?
    private let encoding: ArraySlice<UInt8>?
    /// Of a payload: its codec, if that is text.
    private let payloadFields: Fields
    private var pending: [UInt8] = []
    /// Where the pending bytes begin in the body.
    private var offset = 0
    private(set) var edits: [RedactionEdit] = []
    /// Why the body was not searched; nil if it was.
    private(set) var refusal: String?

    init(_ redactor: Redactor, _ form: GRPCForm, _ fields: Fields, _ place: String, _ book: PlaceholderBook?) {
        (self.redactor, self.form, self.place, self.book) = (redactor, form, place, book)
        encoding = fields.first("grpc-encoding")
        let isJSON = fields.first("content-type").map { MediaType($0).isJSON } ?? false
        payloadFields = isJSON ? Fields([("Content-Type", "application/json")]) : Fields()
    }

    mutating func push(
        _ bytes: some Collection<UInt8>,
        isLast: Bool,
        into output: inout [UInt8],
        _ notes: inout RedactionNotes
    ) {
        // It is not written.
        guard refusal == nil else { return output.append(contentsOf: bytes) }
        pending.append(contentsOf: bytes)
        switch form {
        case .binary: pushMessages(isLast: isLast, into: &output, &notes)
        case .text: pushText(isLast: isLast, into: &output, &notes)
        }
    }

    private mutating func pushMessages(isLast: Bool, into output: inout [UInt8], _ notes: inout RedactionNotes) {
        var start = 0
        while refusal == nil, pending.count - start >= MessageSplitter.prefixSize {
            let begin = start + MessageSplitter.prefixSize
            let length = pending[(start + 1)..<begin].reduce(0) { $0 << 8 | Int($1) }
            guard length <= Self.heldLimit else {
                refusal = "has a message of more than \(Self.heldLimit >> 20) MiB, so it was not searched for secrets"
                break
            }
            guard pending.count - begin >= length else { break }
            append(start..<(begin + length), to: &output, &notes)
            start = begin + length
        }
        pending.removeFirst(start)
        offset += start
        guard isLast || refusal != nil else { return }
        // A message without its end.
        if refusal == nil, pending.count > MessageSplitter.prefixSize, pending[0] & 1 == 1 {
            refusal = "ends within a compressed message, so that was not searched for secrets"
        }
        output += refusal == nil ? text(pending, &notes) : pending
        pending = []
    }

    /// Base64 is searched at its end only, as a whole. Written anew, it has no padding but at its end.
    private mutating func pushText(isLast: Bool, into output: inout [UInt8], _ notes: inout RedactionNotes) {
        guard pending.count <= Self.heldLimit else {
            refusal = "has more than \(Self.heldLimit >> 20) MiB of Base64, so it was not searched for secrets"
            output += pending
            pending = []
            return
        }
        guard isLast else { return }
        var redacted = pending
        if let binary = form.binary(pending) {
            var messages = self
            (messages.form, messages.pending) = (.binary, [])
            var searched: [UInt8] = []
            messages.push(binary, isLast: true, into: &searched, &notes)
            refusal = messages.refusal
            if searched != binary { redacted = Array(Data(searched).base64EncodedData()) }
        } else {
            redacted = text(pending, &notes)
        }
        if redacted != pending { edits = [RedactionEdit(offset: 0, count: pending.count, newCount: redacted.count)] }
        output += redacted
        pending = []
    }

    private mutating func append(_ range: Range<Int>, to output: inout [UInt8], _ notes: inout RedactionNotes) {
        let sent = Array(pending[(range.lowerBound + MessageSplitter.prefixSize)..<range.upperBound])
        let isCompressed = pending[range.lowerBound] & 1 == 1
        guard let redacted = isCompressed ? compressed(sent, &notes) : payload(sent, &notes) else {
            output += pending[range]
            return
        }
        output.append(pending[range.lowerBound])
        withUnsafeBytes(of: UInt32(clamping: redacted.count).bigEndian) { output.append(contentsOf: $0) }
        output += redacted
        let begin = offset + range.lowerBound + MessageSplitter.prefixSize
        edits.append(RedactionEdit(offset: begin, count: sent.count, newCount: redacted.count))
    }

    /// Nil if nothing was replaced.
    private mutating func compressed(_ sent: [UInt8], _ notes: inout RedactionNotes) -> [UInt8]? {
        guard !sent.isEmpty else { return nil }
        guard let coding = encoding.flatMap({ ContentCoding($0) }),
            let decoded = try? coding.decode(sent, limit: Self.decodedLimit)
        else {
            refusal = "has a compressed message that cannot be decoded, so it was not searched for secrets"
            return nil
        }
        guard let redacted = payload(decoded, &notes) else { return nil }
        guard let encoded = coding.encode(redacted) else {
            refusal = "has a secret in it, and cannot be compressed anew"
            return nil
        }
        return encoded
    }

    private func payload(_ bytes: [UInt8], _ notes: inout RedactionNotes) -> [UInt8]? {
        let redacted: [UInt8]
        if payloadFields.isEmpty, let message = WireMessage(bytes[...]) {
            redacted = message.mapped { text(Array($0), &notes) }
        } else {
            redacted = text(bytes, &notes)
        }
        return redacted == bytes ? nil : redacted
    }

    private func text(_ bytes: [UInt8], _ notes: inout RedactionNotes) -> [UInt8] {
        guard !bytes.isEmpty else { return bytes }
        return redactor.redact(text: bytes, payloadFields, place, book, &notes)
    }
}
