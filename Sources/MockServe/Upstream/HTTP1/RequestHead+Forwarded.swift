import HTTPMessages
import HTTPWire
import MockServeCore

extension RequestHead {
    /// The request as it is sent to `origin` in HTTP/1.1: without fields for the client's connection (RFC 9110 §7.6.1),
    /// and with one framing, which follows only from `bodyLength`, not from the client's fields. If the length is
    /// unknown, the body is chunked.
    ///
    /// - Parameter proxy: a proxy that gets the request itself, in absolute form (RFC 9112 §3.2.2).
    func forwarded(to origin: Origin, by proxy: ProxySettings.Proxy?) -> RequestHead {
        let nominated = fields.nominatedNames
        var head = self
        head.version = .http11
        head.fields = Fields()
        // A framing field keeps its place, so that the order stays.
        var isFramed = false
        for field in fields {
            if field.isNamed("content-length") {
                guard case .known(let bytes) = bodyLength, !isFramed else { continue }
                head.fields.append(name: field.name, value: Array(String(bytes).utf8))
                isFramed = true
            } else if field.isNamed("transfer-encoding") {
                guard bodyLength == .unknown, !isFramed else { continue }
                head.fields.append(name: field.name, value: Array("chunked".utf8))
                isFramed = true
            } else if !field.endsHere(nominated) {
                head.fields.append(field)
            }
        }
        if !head.fields.contains("host") { head.fields.append("Host", origin.authority) }
        if !isFramed { head.appendFraming() }
        if let proxy {
            head.target = Array(origin.description.utf8) + target
            if let authorization = proxy.authorization { head.fields.append("Proxy-Authorization", authorization) }
        }
        return head
    }

    private mutating func appendFraming() {
        switch bodyLength {
        case .none: break
        case .known(let bytes): fields.append("Content-Length", String(bytes))
        case .unknown: fields.append("Transfer-Encoding", "chunked")
        }
    }
}
