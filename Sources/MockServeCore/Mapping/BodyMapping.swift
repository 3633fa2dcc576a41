import ContentCoding
import HTTPMessages

/// Maps the origins in one message body.
///
/// A text of known length up to `collectLimit`, or a compressed one, is collected, so that its new length can be
/// announced; a longer or streamed one is mapped piece by piece. A compressed text over the limit and a compressed
/// event stream are passed on unchanged. The label decides whether a body is text; if it leaves that open, the
/// beginning decides: JSON and XML are text.
package struct BodyMapping {
    /// Bytes of a body that is collected and mapped as a whole: 4 MiB.
    package static let collectLimit = 4 << 20

    private let replacement: Replacement
    private let codings: [ContentCoding]
    private var stream: ReplacementStream
    private var collected: [UInt8] = []
    /// Whether the body is returned only at its end; the message head should wait for it.
    package private(set) var isCollecting: Bool
    private var isPassing = false
    /// Whether it is not known yet if this is text. Until then nothing is returned, and the head should wait.
    package private(set) var isUndecided = false
    /// Whether it is collected once it has turned out to be text.
    private var collectsText: Bool
    /// Made with the first piece.
    private var peek: ContentPeek?
    /// Whether this turned out not to be text, or to have nothing to replace: the body and its length stay as they are.
    package private(set) var isUnchanged = false

    /// - Parameter looksAtContent: whether the beginning counts where the label leaves open what the body is.
    /// - Returns: nil if a body with these fields is not text, or there is nothing to replace. Messages of gRPC are not text
    ///   whatever is in them: they state their lengths.
    init?(_ fields: Fields, length bodyLength: BodyLength, _ replacement: Replacement, looksAtContent: Bool) {
        guard !replacement.isEmpty, !bodyLength.isEmpty, fields.formOfGRPC == nil else { return nil }
        let type = fields.first("content-type").map { MediaType($0) }
        if type?.isText != true {
            guard looksAtContent, MediaType.mayBeAnything(type) else { return nil }
            isUndecided = true
        }
        let names = listMembers(fields.values("content-encoding")).filter { !equalsIgnoringCase($0, "identity".utf8) }
        codings = names.compactMap { ContentCoding($0) }
        guard codings.count == names.count, codings.count <= 2 else { return nil }
        var length: Int?
        if case .known(let bytes) = bodyLength { length = bytes }
        if codings.isEmpty {
            isCollecting = length.map { $0 <= Self.collectLimit } ?? false
        } else {
            guard type?.essence != "text/event-stream", (length ?? 0) <= Self.collectLimit else { return nil }
            isCollecting = true
        }
        collectsText = isCollecting
        if isUndecided { isCollecting = true }
        self.replacement = replacement
        stream = ReplacementStream(replacement)
    }

    /// Takes a piece of the body.
    ///
    /// - Returns: what can be sent now.
    package mutating func push(_ bytes: [UInt8]) -> [UInt8] {
        if isPassing { return bytes }
        guard isCollecting else { return stream.push(bytes) }
        collected += bytes
        if isUndecided {
            if peek == nil { peek = ContentPeek(codings) }
            guard let start = peek?.look(at: bytes) else { return [] }
            isUndecided = false
            guard start != .other else { return pass(isUnchanged: true) }
            isCollecting = collectsText
            guard isCollecting else {
                defer { collected = [] }
                return stream.push(collected)
            }
        }
        guard collected.count > Self.collectLimit else { return [] }
        // Over the limit: from here on it is passed on unchanged.
        return pass(isUnchanged: false)
    }

    /// Whether a body that begins like this may be text, if its label leaves that open.
    func mayBeText(beginning: [UInt8]) -> Bool {
        var peek = ContentPeek(codings)
        return peek.look(at: beginning) != .other
    }

    private mutating func pass(isUnchanged: Bool) -> [UInt8] {
        isPassing = true
        isCollecting = false
        self.isUnchanged = isUnchanged
        defer { collected = [] }
        return collected
    }

    /// The rest, once the body is complete.
    package mutating func finish() -> [UInt8] {
        if isPassing { return [] }
        guard isCollecting else { return stream.finish() }
        defer { collected = [] }
        // A body that is still undecided is only white space, or coded data that decoded to nothing.
        guard !isUndecided, let mapped = mapped(collected) else {
            isUnchanged = true
            return collected
        }
        return mapped
    }

    /// Nil if there is nothing to replace, or the body is not of its coding.
    private func mapped(_ body: [UInt8]) -> [UInt8]? {
        var text = body
        for coding in codings.reversed() {
            guard let decoded = try? coding.decode(text, limit: Self.collectLimit * 4) else { return nil }
            text = decoded
        }
        var mapped = replacement.replace(in: text)
        guard mapped != text else { return nil }
        for coding in codings {
            guard let encoded = coding.encode(mapped) else { return nil }
            mapped = encoded
        }
        return mapped
    }
}
