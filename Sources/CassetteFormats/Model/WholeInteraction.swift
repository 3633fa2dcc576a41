package import HTTPMessages
package import MockServeCore

/// An interaction with the bytes of its bodies, as other tools keep them.
package struct WholeInteraction: Sendable {
    /// Upstream origin; empty if it is not known, or for any.
    package var origin: String
    package var request: RequestHead
    package var requestBody: [UInt8]
    package var requestTrailers = Fields()
    /// 1xx responses before the answer.
    package var informational: [ResponseHead] = []
    package var response: ResponseHead
    package var responseBody: [UInt8]
    package var responseTrailers = Fields()
    /// Milliseconds since 1970 UTC; nil if it is not known.
    package var recordedAt: Int64?
    /// Milliseconds from the request to the response head; nil if it is not known.
    package var firstByte: Int?
    /// Empty if it is not known how the response arrived.
    package var chunks: [ResponseChunk] = []
    /// Set if the upstream did not complete its answer.
    package var cut: AnswerCut?

    package init(
        origin: String,
        request: RequestHead,
        requestBody: [UInt8] = [],
        response: ResponseHead,
        responseBody: [UInt8] = []
    ) {
        self.origin = origin
        self.request = request
        self.requestBody = requestBody
        self.response = response
        self.responseBody = responseBody
    }
}

/// A stub with its body, as other tools keep it.
package struct WholeStub: Sendable {
    package var definition: StubDefinition
    package var body: [UInt8]

    package init(_ definition: StubDefinition, body: [UInt8] = []) { (self.definition, self.body) = (definition, body) }
}
