import HTTPMessages
import NIOHPACK

extension HPACKHeaders {
    /// The head of an informational response.
    init(informational head: ResponseHead) {
        self.init()
        add(name: ":status", value: String(head.status))
        FieldBlock.append(head.fields, to: &self) { $0.isNamed("content-length") }
    }

    /// The head of a response as HTTP/2 sends it (RFC 9113 §8.3.2).
    ///
    /// - Parameters:
    ///   - head: from a handler or the upstream, including hop-by-hop fields.
    ///   - length: as for `Exchange.sendHead`.
    init(_ head: ResponseHead, length: BodyLength, answers request: RequestHead) {
        self.init()
        reserveCapacity(head.fields.count + 1)
        add(name: ":status", value: String(head.status))
        let isBodyless = ResponseHead.isBodyless(status: head.status)
        let stated: Int?
        if request.isHEAD, !isBodyless || head.status == 304 {
            // What a `GET` would give (RFC 9110 §8.6).
            let own = head.fields.first("content-length").flatMap { parseDecimal($0) }
            if case .known(let bytes) = length { stated = bytes } else { stated = head.isChunked ? nil : own }
        } else if isBodyless {
            stated = head.status == 304 ? head.fields.first("content-length").flatMap { parseDecimal($0) } : nil
        } else {
            switch length {
            // The end of the stream says it.
            case .none: stated = head.fields.first("content-length").flatMap { parseDecimal($0) == 0 ? 0 : nil }
            case .known(let bytes): stated = bytes
            case .unknown: stated = nil
            }
        }
        var isStated = stated == nil
        FieldBlock.append(head.fields, to: &self) { field in
            guard field.isNamed("content-length") else { return false }
            guard let stated, !isStated, parseDecimal(field.value) == stated else { return true }
            isStated = true
            return false
        }
        if !isStated, let stated { add(name: "content-length", value: String(stated)) }
    }

    /// A trailer section; nil if there is none.
    init?(trailers fields: Fields) {
        self.init()
        FieldBlock.append(fields, to: &self) { $0.isNamed("content-length") }
        if isEmpty { return nil }
    }
}
