import ContentCoding
package import HTTPMessages

/// Redacts a body on its way into the cassette.
///
/// A compressed body is decoded and searched. It stays byte for byte as it was sent if there is no secret in it;
/// otherwise it is compressed anew. For that it is held until its end arrives; one over the limit is not written.
package struct BodyRedaction {
    /// Bytes of a compressed body that are held: 64 MiB.
    package static let heldLimit = 64 << 20
    /// Bytes that a compressed body may decode to: 256 MiB. More is taken for a decompression bomb.
    package static let decodedLimit = 256 << 20
    /// Bytes that a compressed body may decode to if something in it is redacted: 64 MiB.
    package static let rewrittenLimit = 64 << 20

    /// Why a body cannot be written.
    package struct Refusal: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    private enum State {
        case plain
        /// What was sent, and the decoders for searching it.
        case coded(Coded)
        case refused(Refusal)
    }

    private struct Coded {
        let codings: [ContentCoding]
        let chain: DecoderChain
        var held: [UInt8] = []
        var isMalformed = false
    }

    private let redactor: Redactor
    private let fields: Fields
    private let place: String
    private let book: PlaceholderBook
    private var stream: RedactionStream
    private var state: State
    private var originalSize = 0
    private var writtenSize = 0
    package private(set) var notes = RedactionNotes()

    /// - Parameters:
    ///   - fields: of the message.
    ///   - place: `request body` or `response body`.
    package init(_ redactor: Redactor, _ fields: Fields, _ place: String, _ book: PlaceholderBook) {
        self.redactor = redactor
        self.fields = fields
        self.place = place
        self.book = book
        stream = redactor.stream(fields, place, book)
        let names = listMembers(fields.values("content-encoding")).filter { !equalsIgnoringCase($0, "identity".utf8) }
        let codings = names.compactMap { ContentCoding($0) }
        if codings.count > 2 {
            state = .refused(
                Refusal(description: "the \(place) is compressed more than twice, so it was not searched for secrets")
            )
        } else if !codings.isEmpty, codings.count == names.count {
            let chain = DecoderChain(codings, limit: Self.decodedLimit)
            state = .coded(Coded(codings: codings, chain: chain))
        } else {
            state = .plain
        }
    }

    /// Takes a piece.
    ///
    /// - Returns: what can be written now.
    package mutating func push(_ bytes: [UInt8]) -> [UInt8] {
        originalSize += bytes.count
        var output: [UInt8] = []
        switch state {
        case .plain: stream.push(bytes, isLast: false, into: &output, &notes)
        case .coded(var coded):
            // So that `coded` is not copied when it is changed.
            state = .refused(Refusal(description: ""))
            state = push(bytes, &coded).map { .refused($0) } ?? .coded(coded)
        case .refused: break
        }
        writtenSize += output.count
        return output
    }

    /// The rest, at the end of the body.
    ///
    /// - Throws: `Refusal` if the body must not be written.
    package mutating func finish() throws(Refusal) -> [UInt8] {
        var output: [UInt8] = []
        switch state {
        case .plain: stream.push([], isLast: true, into: &output, &notes)
        case .coded(var coded): output = try finish(&coded)
        case .refused(let refusal): throw refusal
        }
        if let refusal = stream.refusal { throw Refusal(description: "the \(place) \(refusal)") }
        guard !stream.hasCutSecret else {
            throw Refusal(description: "the \(place) has a secret of more than a megabyte in it")
        }
        writtenSize += output.count
        return output
    }

    /// What was redacted, redacted once more. Compressed bodies stay as they are.
    package mutating func redactAgain(_ bytes: [UInt8]) -> [UInt8] {
        guard case .plain = state else { return bytes }
        var (stream, again) = (redactor.stream(fields, place, book), [UInt8]())
        stream.push(bytes, isLast: true, into: &again, &notes)
        writtenSize += again.count - bytes.count
        return again
    }

    private var isResized: Bool { writtenSize != originalSize }

    /// Bytes of the body as it is written; nil if their number has not changed.
    package var newLength: Int? { isResized ? writtenSize : nil }

    // MARK: Compressed bodies

    private mutating func push(_ bytes: [UInt8], _ coded: inout Coded) -> Refusal? {
        guard coded.held.count + bytes.count <= Self.heldLimit else {
            return Refusal(
                description:
                    "the \(place) is compressed and over \(Self.heldLimit) bytes, so it was not searched for secrets"
            )
        }
        coded.held += bytes
        return coded.isMalformed ? nil : search(bytes, &coded)
    }

    /// Decodes, and searches the result for secrets; it is not kept.
    private mutating func search(_ bytes: [UInt8], _ coded: inout Coded) -> Refusal? {
        coded.chain.feed(bytes)
        do {
            while let decoded = try coded.chain.next() {
                var output: [UInt8] = []
                stream.push(decoded, isLast: false, into: &output, &notes)
            }
        } catch {
            coded.isMalformed = true
            guard case .tooLarge(let limit) = error else { return nil }
            return Refusal(
                description: "the \(place) decodes to more than \(limit) bytes, so it was not searched for secrets"
            )
        }
        return nil
    }

    private mutating func finish(_ coded: inout Coded) throws(Refusal) -> [UInt8] {
        // What could be decoded is searched to its end, even if the body turned out to be malformed.
        var output: [UInt8] = []
        stream.push([], isLast: true, into: &output, &notes)
        guard !coded.isMalformed, coded.chain.isWhole else { return try finishMalformed(coded) }
        return notes.isEmpty ? coded.held : try rewrite(coded)
    }

    private mutating func rewrite(_ coded: Coded) throws(Refusal) -> [UInt8] {
        var text = coded.held
        do {
            for coding in coded.codings.reversed() { text = try coding.decode(text, limit: Self.rewrittenLimit) }
        } catch {
            throw Refusal(
                description: "the \(place) has a secret in it, and decodes to more than \(Self.rewrittenLimit) bytes"
            )
        }
        notes = RedactionNotes()
        var whole = redactor.stream(fields, place, book)
        var output: [UInt8] = []
        whole.push(all: text, into: &output, &notes)
        for coding in coded.codings {
            guard let encoded = coding.encode(output) else {
                throw Refusal(description: "the \(place) has a secret in it, and cannot be compressed anew")
            }
            output = encoded
        }
        return output
    }

    /// A body that is not of the coding it claims, or was cut off, is searched undecoded; a secret in the part that
    /// could be decoded must not be written.
    private mutating func finishMalformed(_ coded: Coded) throws(Refusal) -> [UInt8] {
        // A body that only lacks its end has been searched as far as it goes.
        guard notes.isEmpty, !coded.isMalformed || !hasSecretBeforeFailing(coded) else {
            throw Refusal(description: "the \(place) has a secret in it, and is not of the coding it claims")
        }
        var plain = redactor.stream(fields, place, book)
        var output: [UInt8] = []
        plain.push(all: coded.held, into: &output, &notes)
        return output
    }

    /// Decodes again. A decoder may return nothing from the piece in which it fails (Brotli does so), though others
    /// would return what comes before the error. So that piece is decoded byte by byte.
    private func hasSecretBeforeFailing(_ coded: Coded) -> Bool {
        let step = 4096
        func pieces(_ range: Range<Int>, by step: Int) -> some Sequence<[UInt8]> {
            stride(from: range.lowerBound, to: range.upperBound, by: step).lazy.map {
                Array(coded.held[$0..<min($0 + step, range.upperBound)])
            }
        }
        /// - Returns: how many pieces were decoded.
        func decode(_ pieces: some Sequence<[UInt8]>, _ chain: DecoderChain, _ take: ([UInt8]) -> Void) -> Int {
            var count = 0
            do {
                for piece in pieces {
                    chain.feed(piece)
                    while let bytes = try chain.next() { take(bytes) }
                    count += 1
                }
            } catch {
                // What was decoded so far is what there is.
            }
            return count
        }
        let all = 0..<coded.held.count
        let whole = decode(pieces(all, by: step), DecoderChain(coded.codings, limit: Self.decodedLimit)) { _ in }
        let end = min(whole * step, all.upperBound)
        var stream = redactor.stream(fields, place, book)
        var (output, found) = ([UInt8](), RedactionNotes())
        func search(_ bytes: [UInt8], isLast: Bool) {
            stream.push(bytes, isLast: isLast, into: &output, &found)
            output = []
        }
        let chain = DecoderChain(coded.codings, limit: Self.decodedLimit)
        _ = decode(pieces(0..<end, by: step), chain) { search($0, isLast: false) }
        _ = decode(pieces(end..<min(end + step, all.upperBound), by: 1), chain) { search($0, isLast: false) }
        search([], isLast: true)
        return !found.isEmpty
    }

    // MARK: What follows from it

    /// The recorded pieces of the body, with their sizes after redaction.
    package func resized(_ chunks: [ResponseChunk]) -> [ResponseChunk] {
        guard isResized || !stream.edits.isEmpty, !chunks.isEmpty else { return chunks }
        var resized: [ResponseChunk] = []
        var (end, written) = (0, 0)
        for chunk in chunks {
            // A cut answer may have announced more than arrived.
            end = min(end + chunk.size, originalSize)
            let position = end == originalSize ? writtenSize : newOffset(of: end)
            if position > written { resized.append(ResponseChunk(offset: chunk.offset, size: position - written)) }
            written = max(written, position)
        }
        return resized
    }

    /// An offset in the original body, moved to where it is now; one within a secret moves to the end of the
    /// placeholder.
    private func newOffset(of offset: Int) -> Int {
        guard case .plain = state, stream.hasAllEdits else {
            return originalSize == 0 ? 0 : Int(Double(offset) / Double(originalSize) * Double(writtenSize))
        }
        var shift = 0
        for edit in stream.edits {
            if edit.offset >= offset { break }
            shift += edit.newCount - edit.count
            if offset < edit.offset + edit.count { return edit.offset + edit.count + shift }
        }
        return offset + shift
    }
}

extension Fields {
    /// The same fields with another `Content-Length`, if there is one.
    package func settingContentLength(_ length: Int) -> Fields {
        var changed = Fields()
        for field in self {
            let value = field.isNamed("content-length") ? Array(String(length).utf8)[...] : field.value[...]
            changed.append(name: field.name, value: value)
        }
        return changed
    }
}
