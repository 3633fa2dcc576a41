import Crypto
package import HTTPMessages

/// Digest of the parts of a request that must be equal for a recorded answer to be given.
///
/// The first 16 bytes of a SHA-256 over method, upstream origin, path, query as an unordered multiset, `Range`, the
/// body, and what the rules and `KeyVersion` add.
package struct MatchKey: Hashable, Sendable, CustomStringConvertible {
    // Not an array: keys are made, looked up and compared for every request.
    private let high: UInt64
    private let low: UInt64

    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == MatchKey.size else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
        (high, low) = words
    }

    fileprivate init(_ digest: SHA256Digest) {
        (high, low) = digest.withUnsafeBytes { digest in
            (digest.loadUnaligned(as: UInt64.self), digest.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
    }

    package static let size = 16

    /// 16 bytes.
    package var bytes: [UInt8] { withUnsafeBytes { Array($0) } }

    package func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try Swift.withUnsafeBytes(of: (high, low), body)
    }

    // A digest is already distributed evenly.
    package func hash(into hasher: inout Hasher) { hasher.combine(low) }

    /// Lower-case hexadecimal.
    package var description: String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

/// Computes match keys while the request is still arriving, with bounded memory.
///
/// A body is compared by its structure up to `structuredLimit` bytes; a longer one is compared by its bytes and not
/// kept.
package final class MatchKeyBuilder {
    /// Bytes of a request body that are compared by structure: 8 MiB.
    package static let structuredLimit = 8 << 20

    /// As sent.
    private let sent: RequestHead
    private let map: OriginMap
    /// The rules by which it is compared.
    package let rules: RuleSet
    /// The target as it is compared.
    package private(set) var target: [UInt8]
    private var bodyPart: BodyPart?

    /// - Parameters:
    ///   - request: its target in any form.
    ///   - map: turns it into what the upstream should see.
    ///   - rules: of the cassette.
    package init(_ request: RequestHead, _ rules: RuleSet = .none, mappedBy map: OriginMap = .identity) {
        sent = request
        self.map = map
        let mapped = map.mapTarget(request.target)
        let rules = rules.redacting(request.method, mapped)
        self.rules = rules
        // What is recognised in a field is found in the target and the body.
        rules.redactor?.learn(from: request.fields, isRequest: true)
        target = rules.comparable(target: mapped, &notes)
        learnedVersion = rules.redactor?.learnedVersion ?? 0
    }

    /// What was known to be secret when it was compared (`Redactor.learnedVersion`).
    package private(set) var learnedVersion: Int

    /// The body may have named a secret that is in the target too.
    private func followBody() {
        bodyPart?.end(rules)
        guard let redactor = rules.redactor, redactor.learnedVersion != learnedVersion else { return }
        notes = RedactionNotes()
        target = rules.comparable(target: map.mapTarget(sent.target), &notes)
        learnedVersion = redactor.learnedVersion
    }

    /// Of the target.
    private var notes = RedactionNotes()

    /// The numbers of placeholders that the client was given, and sends back. Must not be asked for before the body is
    /// complete.
    package var served: Set<Int> {
        guard rules.knowsPlaceholders else { return [] }
        followBody()
        var notes = notes
        _ = rules.comparable(map.mapFields(sent.fields), &notes)
        return notes.served.union(bodyPart?.served(rules) ?? [])
    }

    /// The same request under other rules. Call it once the request is complete.
    package func remade(by rules: RuleSet) -> MatchKeyBuilder {
        let remade = MatchKeyBuilder(sent, rules, mappedBy: map)
        bodyPart?.end(self.rules)
        // Placeholders are not redacted again. A body that was not kept is compared by its bytes under any rules.
        if let part = bodyPart, part.isWhole {
            part.bytes.withUnsafeBytes { remade.update($0) }
        } else {
            remade.bodyPart = bodyPart
        }
        return remade
    }

    /// The same request without what the scope has learned, which may not have been known when it was recorded. Call it
    /// once the request is complete.
    ///
    /// - Returns: nil if nothing was learned.
    package var unlearned: MatchKeyBuilder? {
        followBody()
        guard learnedVersion > 0, let rules = rules.unlearned else { return nil }
        let other = MatchKeyBuilder(sent, rules, mappedBy: map)
        other.bodyPart = bodyPart
        return other
    }

    /// The request as it is compared: as the upstream should see it, with the same placeholder for all secrets of a
    /// kind. Computed anew each time.
    package var request: RequestHead {
        var head = map.mapRequest(sent)
        head.target = target
        head.fields = rules.comparable(head.fields)
        return head
    }

    /// Takes a piece of the body. Must not be called after the key was asked for.
    package func update(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0 else { return }
        if bodyPart == nil {
            let content = sent.fields.filter {
                $0.isNamed("content-type") || $0.isNamed("content-encoding") || $0.isNamed("grpc-encoding")
            }
            bodyPart = BodyPart(map.mapFields(content), rules)
        }
        bodyPart?.update(bytes, rules)
    }

    /// Whether the target is compared as it was sent: nothing in it was redacted or mapped.
    package var isTargetAsSent: Bool { target == sent.target }

    package var isHEAD: Bool { sent.isHEAD }

    /// Whether the request's method asks for no change.
    package var isSafe: Bool { sent.isSafe }

    package var method: [UInt8] { sent.method }

    /// The request with what was kept of its body, for finding what differs.
    ///
    /// - Parameter origin: the upstream's origin, empty if there is none.
    package func compared(origin: String) -> ComparedRequest {
        var head = request
        head.target = Target.originForm(head.target)
        bodyPart?.end(rules)
        guard let part = bodyPart else { return ComparedRequest(origin: origin, head: head, body: [], bodySize: 0) }
        return ComparedRequest(
            origin: origin,
            head: head,
            body: part.isWhole ? part.decoded(rules) : nil,
            bodySize: part.length,
            steps: part.isWhole ? [] : part.steps
        )
    }

    /// A key under which an answer to this request is looked up.
    package struct Lookup {
        package let origin: String
        package var asGET = false
        package var asWhole = false
    }

    /// Where answers are looked up, the best first.
    ///
    /// - Parameter origin: the upstream's; empty for answers written by hand for any upstream.
    package func lookups(origin: String) -> [Lookup] {
        var lookups = [Lookup(origin: origin)]
        // A representation that has changed is sent whole (RFC 9110 §13.1.5).
        if rules.knowsConditions, asksForPartIfUnchanged { lookups.append(Lookup(origin: origin, asWhole: true)) }
        if isHEAD { lookups.append(Lookup(origin: origin, asGET: true)) }
        return lookups
    }

    /// Whether the key depends on how the body is compressed. If something in the body was redacted, it was compressed
    /// anew, and the key cannot be computed again from the recording.
    package var dependsOnCompression: Bool { bodyPart?.isComparedAsCoded(rules) ?? false }

    package func key(_ lookup: Lookup) -> MatchKey {
        key(origin: lookup.origin, asGET: lookup.asGET, asWhole: lookup.asWhole)
    }

    /// - Parameters:
    ///   - origin: the upstream's origin, empty for an answer written by hand for any upstream.
    ///   - asGET: computes the key that the request would have with the method `GET`.
    ///   - asWhole: computes the key that the request would have without `Range`.
    package func key(origin: String, asGET: Bool = false, asWhole: Bool = false) -> MatchKey {
        followBody()
        var parts = DigestInput()
        let target = Target(Target.originForm(target))
        let method = asGET ? Array("GET".utf8) : rules.redactor?.redact(method: sent.method) ?? sent.method
        let rules = rules.applying(toMethod: method, target: target)
        parts.add("method", method)
        parts.add("origin", origin.utf8)
        parts.add("path", rules.counted(path: target.normalPath))
        if target.query != nil {
            for pair in FormPair.sorted(rules.counted(target.pairs)) {
                parts.add("query name", pair.name)
                parts.add("query value", pair.value)
            }
        }
        if sent.fields.contains("range") || !rules.requiredFields.isEmpty {
            let fields = request.fields
            if !asWhole, !rules.ignoredFields.contains(Array("range".utf8)) {
                for range in fields.values("range") { parts.add("range", range) }
            }
            let required = rules.keyVersion < 3 || rules.requiredFields.isEmpty ? fields : exactFields
            for name in rules.requiredFields {
                parts.add("field name", name)
                for field in required where equalsIgnoringCase(field.name, name) {
                    parts.add("field value", rules.counted(field.value[...], of: name))
                }
            }
        }
        if rules.keyVersion > 1 { addOperation(to: &parts, rules) }
        if rules.keyVersion > 2, let names = rules.redactor?.names.cookiesApart, !names.isEmpty {
            addCookies(Set(names.keys), to: &parts)
        }
        bodyPart?.end(self.rules)
        parts.add("body", rules.ignoresBody ? [] : bodyPart?.digest(rules) ?? [])
        return MatchKey(parts.digest)
    }

    /// The fields as they are compared where they are required: what we have served is told apart.
    private var exactFields: Fields {
        var notes = RedactionNotes()
        return rules.comparable(map.mapRequest(sent).fields, isExact: true, &notes)
    }

    /// The cookies by which requests are told apart.
    private func addCookies(_ names: Set<String>, to parts: inout DigestInput) {
        for field in request.fields.values("cookie") {
            for pair in field.split(separator: UInt8(ascii: ";")) {
                let pair = trimmingSpace(pair)
                guard let equals = pair.firstIndex(of: UInt8(ascii: "=")),
                    names.contains(Latin1.string(pair[..<equals]))
                else { continue }
                parts.add("cookie name", pair[..<equals])
                parts.add("cookie value", pair[(equals + 1)...])
            }
        }
    }

    private func addOperation(to parts: inout DigestInput, _ rules: RuleSet) {
        let mayHave = sent.fields.contains { (field: Fields.RawField) in
            OperationFields.contains(field) || OperationFields.mayHoldAction(field)
        }
        guard mayHave else { return }
        // Redacted, like everything that counts.
        let fields = rules.comparable(map.mapFields(sent.fields))
        for (name, value) in OperationFields.pairs(of: fields, without: rules.ignoredFields) {
            parts.add("operation name", name)
            parts.add("operation value", value)
        }
    }

    /// Whether the request asks for a part only if it is unchanged (RFC 9110 §13.1.5).
    private var asksForPartIfUnchanged: Bool { sent.fields.contains("if-range") && sent.fields.contains("range") }
}

/// What is kept of a body; most requests have none.
private final class BodyPart {
    /// `Content-Type`, and how it is compressed.
    private let fields: Fields
    /// If content counts, the first byte that is not white space decides.
    private(set) var comparison: BodyComparison
    /// For a body that is not compressed; nil if nothing is redacted.
    private var redaction: RedactionStream?
    private(set) var bytes: [UInt8] = []
    /// For a body that is too long to be kept.
    private var digester = BodyDigester()
    private(set) var length = 0
    /// Whether all of it is in `bytes`.
    private(set) var isWhole = true

    init(_ fields: Fields, _ rules: RuleSet) {
        self.fields = fields
        comparison = BodyComparison(
            fields,
            looksAtContent: rules.looksAtContent,
            splitsMessages: rules.splitsMessages
        )
        if !comparison.isCoded { redaction = rules.redactor?.stream(fields, "body", nil) }
    }

    /// Whether the compressed bytes count as they were sent, because they cannot be decoded or are too many.
    func isComparedAsCoded(_ rules: RuleSet) -> Bool {
        comparison.isCoded && (!isWhole || comparison.digest(of: bytes, fields, rules) == nil)
    }

    /// Digests of the beginnings of a body that was not kept.
    var steps: [UInt64] { digester.steps }

    func update(_ bytes: UnsafeRawBufferPointer, _ rules: RuleSet) {
        guard redaction != nil else { return take(bytes, rules) }
        redact(bytes, rules, isLast: false)
    }

    private var notes = RedactionNotes()

    /// The numbers of served placeholders in it.
    func served(_ rules: RuleSet) -> Set<Int> {
        guard comparison.isCoded, isWhole else { return notes.served }
        var notes = RedactionNotes()
        _ = rules.comparable(DecodedBody.decode(bytes, fields), fields, &notes)
        return notes.served
    }

    private func redact(_ bytes: UnsafeRawBufferPointer, _ rules: RuleSet, isLast: Bool) {
        var output: [UInt8] = []
        redaction?.push(bytes, isLast: isLast, into: &output, &notes)
        output.withUnsafeBytes { take($0, rules) }
    }

    /// Takes what the redaction has held back.
    func end(_ rules: RuleSet) {
        guard redaction != nil else { return }
        redact(UnsafeRawBufferPointer(start: nil, count: 0), rules, isLast: true)
        redaction = nil
    }

    private func take(_ input: UnsafeRawBufferPointer, _ rules: RuleSet) {
        comparison.look(at: input)
        let isByBytes = comparison == .bytes && rules.bodyMaps.isEmpty
        let limit = isByBytes ? NearMiss.bodyLimit : MatchKeyBuilder.structuredLimit
        length += input.count
        if isWhole, length > limit {
            isWhole = false
            bytes.withUnsafeBytes { digester.update($0) }
            bytes = []
        }
        guard isWhole else { return digester.update(input) }
        bytes.append(contentsOf: input)
    }

    /// The body without content codings, redacted.
    func decoded(_ rules: RuleSet) -> [UInt8] {
        let decoded = DecodedBody.decode(bytes, fields)
        return comparison.isCoded ? rules.comparable(decoded, fields) : decoded
    }

    func digest(_ rules: RuleSet) -> [UInt8] {
        guard length > 0 else { return [] }
        guard isWhole else { return Array(digester.digest) }
        if let structure = comparison.digest(of: bytes, fields, rules) { return structure }
        // A body that is not of the coding it claims is redacted undecoded, as it is when recorded.
        if comparison.isCoded, rules.redactor != nil { return digest(of: rules.comparable(bytes, fields)) }
        return digest(of: bytes)
    }

    private func digest(of bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }
}

/// Labelled byte strings, each with its length, so that no two lists of parts give the same input.
struct DigestInput {
    /// Bytes that are gathered before they are hashed, because many small updates cost more.
    private static let batch = 4096

    private var gathered: [UInt8] = []
    private var hasher: SHA256?

    init() { gathered.reserveCapacity(320) }

    mutating func add(_ label: StaticString, _ bytes: some Collection<UInt8>) {
        gathered.append(contentsOf: UnsafeBufferPointer(start: label.utf8Start, count: label.utf8CodeUnitCount))
        gathered.append(0)
        withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { gathered.append(contentsOf: $0) }
        gathered.append(contentsOf: bytes)
        if gathered.count > Self.batch { pass() }
    }

    private mutating func pass() {
        var hasher = self.hasher ?? SHA256()
        self.hasher = nil
        gathered.withUnsafeBytes { hasher.update(bufferPointer: $0) }
        self.hasher = hasher
        gathered.removeAll(keepingCapacity: true)
    }

    var digest: SHA256Digest {
        guard var hasher else { return SHA256.hash(data: gathered) }
        gathered.withUnsafeBytes { hasher.update(bufferPointer: $0) }
        return hasher.finalize()
    }
}
