import HTTPWire
import MockServeCore

extension RequestHead {
    /// The request as it goes out to `origin`: without what was for the client's connection only (RFC 9110 §7.6.1).
    ///
    /// - Parameters:
    ///   - proxy: a proxy that is sent the request itself, in absolute form (RFC 9112 §3.2.2).
    ///   - length: of the body, if it was changed.
    func forwarded(to origin: Origin, by proxy: ProxySettings.Proxy?, length: Int?) -> RequestHead {
        let nominated = listMembers(fields.values("connection"))
        var head = self
        head.version = .http11
        head.fields = Fields()
        for field in fields {
            if field.isNamed("transfer-encoding") {
                head.fields.append(field)
            } else if field.isNamed("content-length"), let length {
                head.fields.append(name: field.name, value: String(length).utf8)
            } else if !field.isHopByHop, !nominated.contains(where: { equalsIgnoringCase($0, field.name) }) {
                head.fields.append(field)
            }
        }
        if !head.fields.contains("host") { head.fields.append("Host", origin.authority) }
        if let proxy {
            head.target = Array(origin.description.utf8) + target
            if let authorization = proxy.authorization { head.fields.append("Proxy-Authorization", authorization) }
        }
        return head
    }
}
