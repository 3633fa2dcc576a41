import ContentCoding
import Crypto
import HTTPMessages

/// How two request bodies are compared: chosen by `Content-Type` and `Content-Encoding`, and by the content, because
/// labels can be wrong.
struct BodyComparison: Equatable {
    private enum Form: Equatable {
        case bytes
        case json
        case form
        case multipart(boundary: [UInt8])
        /// Of gRPC.
        case messages(GRPCForm, encoding: ArraySlice<UInt8>?)
    }

    private let form: Form
    private let codings: [ContentCoding]
    /// Whether it is not known yet if this is JSON: the first byte that is not white space decides.
    private var isUndecided = false
    private var looksLikeJSON = false

    /// Whether it must be decoded to be compared.
    var isCoded: Bool { !codings.isEmpty }

    static let bytes = BodyComparison(form: .bytes, codings: [])

    private init(form: Form, codings: [ContentCoding]) {
        self.form = form
        self.codings = codings
    }

    /// - Parameters:
    ///   - looksAtContent: whether a body that looks like JSON is compared as JSON, whatever its label says (unless
    ///     multipart).
    ///   - splitsMessages: whether a body of gRPC is compared by its messages.
    init(_ fields: Fields, looksAtContent: Bool, splitsMessages: Bool) {
        let names = listMembers(fields.values("content-encoding")).filter {
            !equalsIgnoringCase($0, "identity".utf8)
        }
        let codings = names.compactMap { ContentCoding($0) }
        guard codings.count == names.count, codings.count <= 2 else {
            self = .bytes
            return
        }
        let type = fields.first("content-type").map { MediaType($0) }
        var form = type.map(Self.form) ?? .bytes
        if splitsMessages, let messages = type.flatMap({ GRPCForm($0) }) {
            form = .messages(messages, encoding: fields.first("grpc-encoding"))
        }
        self.init(form: form, codings: codings)
        switch form {
        case .multipart, .messages: return
        case .bytes, .json, .form: break
        }
        isUndecided = looksAtContent
    }

    /// Looks at how the body begins. A compressed body must be decoded first.
    mutating func look(at bytes: UnsafeRawBufferPointer) {
        guard isUndecided, !isCoded, let start = ContentStart(bytes) else { return }
        isUndecided = false
        looksLikeJSON = start == .json
    }

    private static func form(_ type: MediaType) -> Form {
        if type.isJSON { return .json }
        if type.essence == "application/x-www-form-urlencoded" { return .form }
        return Multipart.boundary(type).map { .multipart(boundary: $0) } ?? .bytes
    }

    /// A digest of the content of `body`; nil if it must be compared by its bytes as sent, because nothing more is
    /// known about it or it cannot be decoded as its fields claim.
    func digest(of body: [UInt8], _ fields: Fields, _ rules: RuleSet) -> [UInt8]? {
        guard form != .bytes || isCoded || looksLikeJSON || !rules.bodyMaps.isEmpty else { return nil }
        var body = body
        for coding in codings.reversed() {
            guard let decoded = try? coding.decode(body, limit: MatchKeyBuilder.structuredLimit) else { return nil }
            body = decoded
        }
        if isCoded { body = rules.comparable(body, fields) }
        if isCoded, isUndecided {
            var decoded = BodyComparison(form: form, codings: [])
            decoded.isUndecided = true
            body.withUnsafeBytes { decoded.look(at: $0) }
            return decoded.digest(ofDecoded: rules.bodyMaps.apply(to: body), rules, depth: 0)
        }
        return digest(ofDecoded: rules.bodyMaps.apply(to: body), rules, depth: 0)
    }

    /// - Parameter depth: how many multipart bodies enclose this one.
    private func digest(ofDecoded body: [UInt8], _ rules: RuleSet, depth: Int) -> [UInt8] {
        if looksLikeJSON, let digest = CanonicalJSON.digest(ofLines: body, rules.json) { return digest }
        switch form {
        case .bytes: break
        case .json: if let digest = CanonicalJSON.digest(of: body, rules.json) { return digest }
        case .form:
            var input = DigestInput()
            for pair in FormPair.sorted(rules.countedForm(FormPair.parse(body[...]))) {
                input.add("form name", pair.name)
                input.add("form value", pair.value)
            }
            return Array(input.digest)
        case .messages(let form, let encoding):
            if let digest = Self.digest(ofMessages: body, form, encoding) { return digest }
        case .multipart(let boundary):
            if let parts = Multipart.parts(of: body, boundary: boundary) {
                return digest(of: parts, rules, depth: depth)
            }
        }
        return Array(SHA256.hash(data: body))
    }

    /// Nil if the body does not consist of messages.
    private static func digest(
        ofMessages body: [UInt8],
        _ form: GRPCForm,
        _ encoding: ArraySlice<UInt8>?
    ) -> [UInt8]? {
        guard let binary = form.binary(body) else { return nil }
        let messages = GRPCMessage.all(in: binary)
        guard messages.last?.range.upperBound == binary.count else { return nil }
        var input = DigestInput()
        for message in messages {
            let payload = Array(message.payload)
            input.add("message", message.isCompressed ? GRPCMessage.decoded(payload, encoding) : payload)
        }
        return Array(input.digest)
    }

    private func digest(of parts: [Multipart.Part], _ rules: RuleSet, depth: Int) -> [UInt8] {
        var input = DigestInput()
        for part in rules.countedParts(parts) {
            let body = rules.maps(forPart: part.name).apply(to: Array(part.body))
            // The boundary of a nested multipart body does not count either.
            let nested = depth < Multipart.maximumDepth ? part.nestedBoundary : nil
            for line in part.fields where nested == nil || !line.starts(with: "content-type:".utf8) {
                input.add("part field", line)
            }
            if let nested {
                let inner = BodyComparison(form: .multipart(boundary: nested), codings: [])
                input.add("part type", Array(part.type?.essence.utf8 ?? "".utf8))
                input.add("part parts", inner.digest(ofDecoded: body, rules, depth: depth + 1))
            } else {
                input.add("part body", body)
            }
        }
        return Array(input.digest)
    }
}

/// `type/subtype;name=value` (RFC 9110 §8.3.1).
package struct MediaType {
    /// Type and subtype in lower case, without parameters.
    package let essence: String
    private let parameters: [(name: String, value: [UInt8])]

    package init(_ value: some Collection<UInt8>) {
        if value.elementsEqual(Self.jsonName) {
            self = Self.json
            return
        }
        let bytes = Array(value)
        let end = bytes.firstIndex(of: UInt8(ascii: ";")) ?? bytes.endIndex
        let name = trimmingSpace(bytes[..<end])
        if name.allSatisfy({ $0 < 0x80 }) {
            essence = String(decoding: name.map(lowercased), as: UTF8.self)
        } else {
            essence = Latin1.string(name).lowercased()
        }
        parameters = end == bytes.endIndex ? [] : Self.parameters(bytes[end...])
    }

    // By far the most frequent type.
    private static let jsonName = Array("application/json".utf8)
    private static let json = MediaType(essence: "application/json")

    private init(essence: String) {
        self.essence = essence
        parameters = []
    }

    /// `application/json`, `text/json` and every `+json` (RFC 6839 §3.1).
    package var isJSON: Bool {
        essence == "application/json" || essence == "text/json" || essence.hasSuffix("+json")
    }

    /// Whether a body of this type is text.
    package var isText: Bool {
        if essence.hasPrefix("text/") || isJSON || essence.hasSuffix("+xml") { return true }
        return [
            "application/xml", "application/javascript", "application/x-javascript", "application/ecmascript",
            "application/x-ndjson", "application/jsonl", "application/graphql", "application/x-www-form-urlencoded",
            "application/yaml", "application/toml",
        ].contains(essence)
    }

    /// Whether the label leaves open what a body is, so that its content decides.
    package static func mayBeAnything(_ type: MediaType?) -> Bool {
        guard let essence = type?.essence, !essence.isEmpty else { return true }
        guard essence.hasPrefix("application/") || essence.hasPrefix("binary/") || !essence.contains("/") else {
            return false
        }
        let binary = [
            "zip", "pdf", "wasm", "protobuf", "grpc", "msgpack", "cbor", "font", "x-tar", "compress", "msword",
        ]
        return !binary.contains { essence.contains($0) }
    }

    package func parameter(_ name: String) -> [UInt8]? {
        parameters.first { $0.name == name }?.value
    }

    private static func parameters(_ bytes: ArraySlice<UInt8>) -> [(name: String, value: [UInt8])] {
        var found: [(name: String, value: [UInt8])] = []
        var rest = bytes
        while let semicolon = rest.firstIndex(of: UInt8(ascii: ";")) {
            rest = rest[(semicolon + 1)...]
            guard let equals = rest.firstIndex(where: { $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: ";") }),
                rest[equals] == UInt8(ascii: "=")
            else { continue }
            let name = Latin1.string(trimmingSpace(rest[..<equals])).lowercased()
            rest = rest[(equals + 1)...]
            if rest.first == UInt8(ascii: "\"") {
                found.append((name, quotedString(&rest)))
            } else {
                let end = rest.firstIndex(of: UInt8(ascii: ";")) ?? rest.endIndex
                found.append((name, Array(trimmingSpace(rest[..<end]))))
                rest = rest[end...]
            }
        }
        return found
    }

    private static func quotedString(_ rest: inout ArraySlice<UInt8>) -> [UInt8] {
        var value: [UInt8] = []
        rest = rest.dropFirst()
        while let byte = rest.popFirst(), byte != UInt8(ascii: "\"") {
            value.append(byte == UInt8(ascii: "\\") ? rest.popFirst() ?? byte : byte)
        }
        return value
    }
}
