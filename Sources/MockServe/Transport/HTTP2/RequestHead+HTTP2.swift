import HTTPMessages
import HTTPWire
import NIOHPACK

extension RequestHead {
    /// The head of a request in HTTP/2 (RFC 9113 §8.3.1). The library has checked that the pseudo-header fields are there,
    /// and in front. `:authority` becomes `host`, where that does not say the same already.
    ///
    /// - Parameter isWhole: whether no body follows.
    /// - Throws: `WireError` with what to answer.
    init(_ block: HPACKHeaders, isWhole: Bool, _ limits: WireLimits) throws(WireError) {
        var pseudo: [String: String] = [:]
        for (name, value, _) in block {
            guard name.utf8.first == UInt8(ascii: ":") else { break }
            pseudo[name] = value
        }
        for (name, value) in pseudo where !FieldBlock.isAsSent(value) {
            throw WireError("\(name) has bytes that are not UTF-8, which are only kept in HTTP/1.1")
        }
        let method = Array((pseudo[":method"] ?? "").utf8)
        guard pseudo[":scheme"] != "" else { throw WireError("an empty :scheme") }
        let authority = pseudo[":authority"] ?? ""
        let target = Array((pseudo[":path"] ?? authority).utf8)
        guard target.count <= limits.startLine else {
            throw WireError(status: 414, "the request target is longer than \(limits.startLine) bytes")
        }
        let sent = try FieldBlock.fields(of: block, limits, isStrict: true)
        var fields = Fields()
        if !authority.isEmpty {
            let hosts = sent.values("host")
            guard hosts.allSatisfy({ equalsIgnoringCase($0, authority.utf8) }) else {
                throw WireError("Host and :authority differ")
            }
            if hosts.isEmpty { fields.append("host", authority) }
        }
        for field in sent { fields.append(field) }
        self.init(
            method: method,
            target: target,
            version: .http2,
            fields: fields,
            bodyLength: try Self.bodyLength(fields, isWhole: isWhole)
        )
        guard target.first == UInt8(ascii: "/") || isCONNECT || target == [UInt8(ascii: "*")] else {
            throw WireError("a bad :path")
        }
        try check()
    }

    private static func bodyLength(_ fields: Fields, isWhole: Bool) throws(WireError) -> BodyLength {
        let lengths = fields.values("content-length")
        guard let first = lengths.first else { return isWhole ? .none : .unknown }
        guard lengths.count == 1, let bytes = parseDecimal(first) else { throw WireError("a bad Content-Length") }
        guard !isWhole || bytes == 0 else { throw WireError("the body is not as long as Content-Length says") }
        return isWhole ? .none : .known(bytes)
    }
}
