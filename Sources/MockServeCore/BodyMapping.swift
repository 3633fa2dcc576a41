import ContentCoding
import HTTPWire

/// The mapping of origins in one message body.
///
/// A text of known length up to `collectLimit`, or one that is compressed, is collected, so that its new length can be
/// said before it is sent; a longer or streamed one is mapped piece by piece. A compressed text over the limit, and a
/// compressed event stream, is passed as it is.
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

    /// - Returns: nil if a body with these fields is not text, or nothing is to be replaced.
    init?(_ fields: Fields, framing: BodyFraming, _ replacement: Replacement) {
        guard !replacement.isEmpty, framing != .none, framing != .length(0) else { return nil }
        guard let type = fields.first("content-type").map({ MediaType($0) }), type.isText else { return nil }
        let names = listMembers(fields.values("content-encoding")).filter { !equalsIgnoringCase($0, "identity".utf8) }
        codings = names.compactMap { ContentCoding($0) }
        guard codings.count == names.count, codings.count <= 2 else { return nil }
        var length: Int?
        if case .length(let bytes) = framing { length = bytes }
        if codings.isEmpty {
            isCollecting = length.map { $0 <= Self.collectLimit } ?? false
        } else {
            guard type.essence != "text/event-stream", (length ?? 0) <= Self.collectLimit else { return nil }
            isCollecting = true
        }
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
        guard collected.count > Self.collectLimit else { return [] }
        // Longer than it may be: from here on it is passed as it is.
        isPassing = true
        isCollecting = false
        defer { collected = [] }
        return collected
    }

    /// The rest, once the body is complete.
    package mutating func finish() -> [UInt8] {
        if isPassing { return [] }
        guard isCollecting else { return stream.finish() }
        defer { collected = [] }
        guard !codings.isEmpty else { return replacement.replace(in: collected) }
        var text = collected
        for coding in codings.reversed() {
            guard let decoded = try? coding.decode(text, limit: Self.collectLimit * 4) else { return collected }
            text = decoded
        }
        var mapped = replacement.replace(in: text)
        guard mapped != text else { return collected }
        for coding in codings {
            guard let encoded = coding.encode(mapped) else { return collected }
            mapped = encoded
        }
        return mapped
    }
}
