package import MockServeCore

/// A body on its way into the cassette.
package enum NewBody: Sendable {
    case none
    /// All of it, at most `BodySlices.size` bytes.
    case whole([UInt8])
    /// What follows the slices already handed over under this number.
    case upload(Int, last: [UInt8])
}

/// An exchange to be written, with its bodies.
package final class NewInteraction: Sendable {
    package let exchanged: Exchanged
    package let requestBody: NewBody
    package let responseBody: NewBody

    package init(exchanged: Exchanged, requestBody: NewBody, responseBody: NewBody) {
        self.exchanged = exchanged
        self.requestBody = requestBody
        self.responseBody = responseBody
    }
}
