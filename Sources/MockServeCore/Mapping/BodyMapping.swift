import ContentCoding
import HTTPMessages

/// The mapping of origins in one message body.
///
/// A text of known length up to `collectLimit`, or one that is compressed, is collected, so that its new length can be
/// said before it is sent; a longer or streamed one is mapped piece by piece. A compressed text over the limit, and a
/// compressed event stream, is passed as it is. Whether a body is text, its label says, or how it begins: JSON and XML are, under
/// whatever name they come.
package struct BodyMapping {
    /// Bytes of a body that are held to be mapped as a whole: 4 MiB.
    package static let collectLimit = 4 << 20

    private let replacement: Replacement
    private let codings: [ContentCoding]
    private var stream: ReplacementStream
    private var collected: [UInt8] = []
    /// Whether the whole body is given out at the end; the message head should wait for it.
    package private(set) var isCollecting: Bool
    private var isPassing = false
    /// Whether it is still to be seen if this is text. Until then nothing is given out, and the head should wait.
    package private(set) var isUndecided = false
    /// Whether it is collected once it has turned out to be text.
    private var collectsText: Bool
    /// Made with the first piece.
    private var peek: ContentPeek?
    /// Whether this has turned out to be no text, or to have nothing to replace: the body and its length stay as they are.
    package private(set) var isUnchanged = false

    /// - Parameter looksAtContent: whether bodies are looked at that their label says nothing of.
    /// - Returns: nil if a body with these fields is not text, or nothing is to be replaced.
    init?(_ fields: Fields, length bodyLength: BodyLength, _ replacement: Replacement, looksAtContent: Bool) {
        guard !replacement.isEmpty, !bodyLength.isEmpty else { return nil }
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
        // Longer than it may be: from here on it is passed as it is.
        return pass(isUnchanged: false)
    }

    /// Whether a body that begins like this may be text, of which the label does not say so.
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
        // What is undecided still is white space, or coded in a way that says nothing.
        guard !isUndecided, let mapped = mapped(collected) else {
            isUnchanged = true
            return collected
        }
        return mapped
    }

    /// Nil if nothing is to be replaced.
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
