import HTTPWire
package import MockServeCore

/// A body on its way into the cassette.
package enum NewBody: Sendable {
    case none
    /// All of it, at most `BodySlices.size` bytes.
    case whole([UInt8])
    /// What follows the slices already handed over under this number.
    case upload(Int, last: [UInt8])

    fileprivate var memory: Int {
        switch self {
        case .none: 0
        case .whole(let bytes), .upload(_, let bytes): bytes.count
        }
    }
}

/// An exchange to be written, with its bodies.
package final class NewInteraction: Sendable {
    package let exchanged: Exchanged
    package let requestBody: NewBody
    package let responseBody: NewBody

    /// Bytes it takes, roughly, while it waits to be written.
    var memory: Int {
        let heads = exchanged.request.fields.byteCount + exchanged.response.fields.byteCount
        return 4096 + heads + exchanged.chunks.count * 16 + requestBody.memory + responseBody.memory
    }

    package init(exchanged: Exchanged, requestBody: NewBody, responseBody: NewBody) {
        self.exchanged = exchanged
        self.requestBody = requestBody
        self.responseBody = responseBody
    }
}
