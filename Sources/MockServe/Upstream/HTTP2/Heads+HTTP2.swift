import HTTPMessages
import HTTPWire
import NIOHPACK

extension HPACKHeaders {
    /// The head of a request to an upstream (RFC 9113 §8.3.1), without fields for the client's connection. Only
    /// `bodyLength` says how long its body will be.
    init(_ request: RequestHead, to origin: Origin) {
        self.init()
        reserveCapacity(request.fields.count + 4)
        let host = request.fields.first("host").map { $0.withUnsafeBytes(FieldBlock.text) } ?? origin.authority
        add(name: ":method", value: request.method.withUnsafeBytes(FieldBlock.text))
        add(name: ":scheme", value: origin.scheme.rawValue)
        add(name: ":authority", value: host)
        add(name: ":path", value: request.target.withUnsafeBytes(FieldBlock.text))
        var length: Int?
        if case .known(let bytes) = request.bodyLength { length = bytes }
        FieldBlock.append(request.fields, to: &self) { field in
            if field.isNamed("host") { return true }
            guard field.isNamed("content-length") else { return false }
            guard let stated = length, parseDecimal(field.value) == stated else { return true }
            length = nil
            return false
        }
        if let length { add(name: "content-length", value: String(length)) }
        // The only thing that `TE` may say here; without it, some send no trailers.
        if request.fields.list("te", has: "trailers") { add(name: "te", value: "trailers") }
    }
}

extension ResponseHead {
    /// The head of a response in HTTP/2 (RFC 9113 §8.3.2).
    ///
    /// - Parameter isWhole: whether no body follows.
    /// - Throws: `WireError` if it is malformed, or cannot be kept as it was sent.
    init(_ block: HPACKHeaders, answersHEAD: Bool, isWhole: Bool) throws(WireError) {
        guard let text = block.first(name: ":status"), text.utf8.count == 3, let status = Int(text), status >= 100
        else {
            throw WireError("a bad :status")
        }
        let fields = try FieldBlock.fields(of: block, WireLimits())
        // There is no reason phrase. Informational responses are kept without their version.
        self.init(version: .http2, status: status, reason: status < 200 ? [] : nil, fields: fields)
        guard !answersHEAD, !Self.isBodyless(status: status) else { return }
        let lengths = fields.values("content-length")
        guard let first = lengths.first else {
            bodyLength = isWhole ? .none : .unknown
            return
        }
        guard let bytes = parseDecimal(first), lengths.allSatisfy({ $0 == first }) else {
            throw WireError("a bad Content-Length")
        }
        guard !isWhole || bytes == 0 else { throw WireError("the body is shorter than Content-Length says") }
        bodyLength = .known(bytes)
    }
}
