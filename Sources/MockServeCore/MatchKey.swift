import Crypto
package import HTTPWire

/// Digest of the parts of a request that must be equal for a recorded answer to be given (design: match key).
///
/// The first 16 bytes of a SHA-256 over method, upstream origin, path, query as an unordered multiset, `Range`, and the
/// body by its media type.
package struct MatchKey: Hashable, Sendable, CustomStringConvertible {
    /// 16 bytes.
    package let bytes: [UInt8]

    package init?(bytes: [UInt8]) {
        guard bytes.count == MatchKey.size else { return nil }
        self.bytes = bytes
    }

    fileprivate init(_ digest: SHA256Digest) {
        bytes = Array(digest.prefix(MatchKey.size))
    }

    package static let size = 16

    /// Lower-case hexadecimal.
    package var description: String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

/// Computes match keys while the request is still coming in, with bounded memory.
///
/// A body is kept for comparison by its media type up to `structuredLimit` bytes; a longer one is compared by its bytes.
package struct MatchKeyBuilder {
    /// Bytes of a request body that are compared by structure: 8 MiB.
    package static let structuredLimit = 8 << 20

    /// As it is compared: with the same placeholder for all secrets of a kind.
    package let request: RequestHead
    /// The same for a body that is not compressed; nil if nothing is redacted.
    private var redaction: RedactionStream?
    private let comparison: BodyComparison
    private let rules: RuleSet
    private var body: [UInt8] = []
    private var hasher = SHA256()
    private var length = 0

    /// - Parameters:
    ///   - request: its target in any form; its fields as the upstream is to see them.
    ///   - rules: of the cassette.
    package init(_ request: RequestHead, _ rules: RuleSet = .none) {
        var notes = RedactionNotes()
        self.request = rules.redactor?.redact(request, nil, &notes) ?? request
        self.rules = rules
        comparison = BodyComparison(request.fields)
        if !comparison.isCoded { redaction = rules.redactor?.stream(request.fields, "body", nil) }
    }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard redaction != nil else { return take(bytes) }
        redact(bytes, isLast: false)
    }

    private mutating func redact(_ bytes: UnsafeRawBufferPointer, isLast: Bool) {
        var (output, notes) = ([UInt8](), RedactionNotes())
        redaction?.push(bytes, isLast: isLast, into: &output, &notes)
        output.withUnsafeBytes { take($0) }
    }

    /// Takes what the redaction has held back.
    private mutating func end() {
        redact(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true)
        redaction = nil
    }

    private mutating func take(_ bytes: UnsafeRawBufferPointer) {
        length += bytes.count
        hasher.update(bufferPointer: bytes)
        let isByBytes = comparison == .bytes && rules.bodyMaps.isEmpty
        guard length <= (isByBytes ? NearMiss.bodyLimit : Self.structuredLimit) else {
            body = []
            return
        }
        body.append(contentsOf: bytes)
    }

    package var isHEAD: Bool { request.isHEAD }

    /// The request and what of its body was kept, for telling what it differs in.
    ///
    /// - Parameter origin: the upstream's origin, empty if there is none.
    package func compared(origin: String) -> ComparedRequest {
        guard redaction == nil else { return ended.compared(origin: origin) }
        var head = request
        head.target = Target.originForm(request.target)
        let isKept = body.count == length && length <= NearMiss.bodyLimit
        let decoded = isKept ? DecodedBody.decode(body, request.fields) : nil
        return ComparedRequest(
            origin: origin,
            head: head,
            body: decoded.map { comparison.isCoded ? rules.comparable($0, request.fields) : $0 },
            bodySize: length
        )
    }

    /// - Parameters:
    ///   - origin: the upstream's origin, empty for an answer written by hand for any upstream.
    ///   - asGET: computes the key that the request would have with the method `GET`.
    package func key(origin: String, asGET: Bool = false) -> MatchKey {
        guard redaction == nil else { return ended.key(origin: origin, asGET: asGET) }
        var parts = DigestInput()
        let target = Target(Target.originForm(request.target))
        let method = asGET ? Array("GET".utf8) : request.method
        let rules = rules.applying(toMethod: method, target: target)
        parts.add("method", method)
        parts.add("origin", Array(origin.utf8))
        parts.add("path", rules.counted(path: target.normalPath))
        for pair in FormPair.sorted(rules.counted(target.pairs)) {
            parts.add("query name", pair.name)
            parts.add("query value", pair.value)
        }
        for range in request.fields.values("range") { parts.add("range", range) }
        for name in rules.requiredFields {
            parts.add("field name", name)
            for field in request.fields where equalsIgnoringCase(field.name, name) {
                parts.add("field value", rules.counted(field.value[...], of: name))
            }
        }
        parts.add("body", rules.ignoresBody ? [] : bodyDigest(rules))
        return MatchKey(parts.digest)
    }

    private var ended: MatchKeyBuilder {
        var copy = self
        copy.end()
        return copy
    }

    private func bodyDigest(_ rules: RuleSet) -> [UInt8] {
        guard length > 0 else { return [] }
        if body.count == length, let structure = comparison.digest(of: body, request.fields, rules) {
            return structure
        }
        // What is not of the coding it claims is redacted as it is when it is recorded.
        if comparison.isCoded, rules.redactor != nil, body.count == length {
            return Array(SHA256.hash(data: rules.comparable(body, request.fields)))
        }
        return Array(hasher.finalize())
    }
}

/// Labelled byte strings, each with its length, so that no two lists of parts give the same input.
struct DigestInput {
    private var hasher = SHA256()

    mutating func add(_ label: StaticString, _ bytes: some Collection<UInt8>) {
        hasher.update(bufferPointer: UnsafeRawBufferPointer(start: label.utf8Start, count: label.utf8CodeUnitCount))
        var header: [UInt8] = [0]
        withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { header.append(contentsOf: $0) }
        hasher.update(data: header)
        let contiguous: Void? = bytes.withContiguousStorageIfAvailable {
            hasher.update(bufferPointer: UnsafeRawBufferPointer($0))
        }
        if contiguous == nil { hasher.update(data: Array(bytes)) }
    }

    var digest: SHA256Digest { hasher.finalize() }
}
