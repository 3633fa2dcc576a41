import HTTPMessages
import HTTPWire

/// Decides how a response is framed for one client, and sets its fields accordingly (RFC 9112 §6, RFC 9110 §7.6.1).
struct ResponseFraming {
    let head: ResponseHead
    /// Whether body bytes are written at all.
    let hasBody: Bool
    let isChunked: Bool
    /// Bytes of the body; nil if that is not known yet.
    let length: Int?
    /// Whether the connection is closed after the response.
    let closes: Bool

    /// - Parameters:
    ///   - head: from a handler or the upstream, including hop-by-hop fields.
    ///   - length: as for `Exchange.sendHead`.
    ///   - closes: whether the connection is closed for another reason.
    init(_ head: ResponseHead, length: BodyLength, answers request: RequestHead, closes: Bool) {
        let isBodyless = ResponseHead.isBodyless(status: head.status)
        hasBody = !request.isHEAD && !isBodyless
        var declared: Int?
        switch length {
        case .none: declared = 0
        case .known(let bytes): declared = bytes
        case .unknown: declared = nil
        }
        self.length = declared
        isChunked = hasBody && declared == nil && request.version == .http11
        // For an HTTP/1.0 client, the response always ends with the connection.
        self.closes = closes || request.version == .http10 || hasBody && declared == nil && !isChunked
        let editor = FieldEditor(head.fields)
        // If the upstream gave two framings, only one is sent: chunks win over a length (RFC 9112 §6.3).
        let namesChunks = isChunked || !hasBody && !isBodyless && request.version == .http11 && head.isChunked
        let keepsLength: Bool
        if hasBody {
            keepsLength = declared != nil
        } else {
            // To `HEAD` and in a 304, the length is what a `GET` would give (RFC 9110 §8.6). A 204 must not have one,
            // but many servers send a zero there, which misleads nobody.
            keepsLength =
                !head.isChunked
                && (request.isHEAD && !isBodyless || head.status == 304 || editor.contentLength == 0)
        }
        var stated = editor.contentLength
        if hasBody { stated = declared } else if request.isHEAD, case .known(let bytes) = length { stated = bytes }
        var fields = editor.fields(
            contentLength: keepsLength ? stated : nil,
            isChunked: namesChunks,
            addsLength: hasBody || request.isHEAD
        )
        if self.closes { fields.append("Connection", "close") }
        var out = head.asHTTP1
        out.fields = fields
        self.head = out
    }
}

extension ResponseFraming {
    /// Bytes of the head as it is written, or a few more.
    var headSize: Int { head.fields.byteCount + head.fields.count * 4 + 64 }

    /// An informational response as it is passed on. It has no body, so none of its fields frames one.
    static func informational(_ head: ResponseHead) -> ResponseHead {
        var head = head.asHTTP1
        head.fields = FieldEditor(head.fields).fields(contentLength: nil, isChunked: false, addsLength: false)
        return head
    }
}

extension ResponseHead {
    /// HTTP/2 has no reason phrase, HTTP/1 at least the space before it (RFC 9112 §4).
    fileprivate var asHTTP1: ResponseHead {
        var head = self
        if version == .http2 { head.reason = reason ?? [] }
        head.version = .http11
        return head
    }
}

/// Rewrites the framing fields in place, so that the order of the others stays. Leaves out fields that end at this
/// connection, and names that are not tokens (RFC 9110 §5.1), which readers interpret differently.
private struct FieldEditor {
    private let source: Fields
    private let nominated: [ArraySlice<UInt8>]

    init(_ source: Fields) {
        self.source = source
        nominated = source.nominatedNames
    }

    var contentLength: Int? {
        source.first("content-length").flatMap { parseDecimal($0.prefix { $0 != UInt8(ascii: ",") }) }
    }

    func fields(contentLength: Int?, isChunked: Bool, addsLength: Bool) -> Fields {
        if !isChunked, let contentLength, isPlain(contentLength) { return source }
        var fields = Fields()
        var mustAddLength = contentLength != nil && addsLength
        var mustAddCoding = isChunked
        var hasLength = false
        for field in source {
            if field.isNamed("content-length") {
                guard let contentLength, !hasLength else { continue }
                hasLength = true
                mustAddLength = false
                fields.append(name: field.name, value: Array(String(contentLength).utf8))
            } else if field.isNamed("transfer-encoding") {
                guard mustAddCoding else { continue }
                mustAddCoding = false
                let isPlain = equalsIgnoringCase(field.value, "chunked".utf8)
                fields.append(name: field.name, value: isPlain ? field.value : ArraySlice("chunked".utf8))
            } else if !field.endsHere(nominated), isToken(field.name) {
                fields.append(field)
            }
        }
        if mustAddLength, let contentLength { fields.append("Content-Length", String(contentLength)) }
        if mustAddCoding { fields.append("Transfer-Encoding", "chunked") }
        return fields
    }

    /// Whether nothing needs to change, as in most responses of known length.
    private func isPlain(_ contentLength: Int) -> Bool {
        var lengths = 0
        let isChanged = source.contains { field in
            if field.isHopByHop || !isToken(field.name) { return true }
            guard field.isNamed("content-length") else { return false }
            lengths += 1
            return parseDecimal(field.value) != contentLength || field.value.first == UInt8(ascii: "0")
        }
        return !isChanged && lengths == 1
    }
}
