package import HTTPMessages

/// One request with its response, without the bytes of the bodies.
package struct InteractionContent: Sendable {
    /// Upstream origin; empty for an answer written by hand for any upstream.
    package var origin: String
    package var request: RequestHead
    package var requestTrailers: Fields
    /// 1xx responses before the answer, without a 100 that the client had asked for.
    package var informational: [ResponseHead]
    package var response: ResponseHead
    package var responseTrailers: Fields
    package var matchKey: MatchKey
    /// Milliseconds since 1970 UTC.
    package var recordedAt: Int64
    /// Milliseconds from the request to the response head; nil if written by hand.
    package var firstByte: Int?
    package var chunks: [ResponseChunk]
    /// Set if the upstream did not complete its answer.
    package var cut: AnswerCut?
    /// Who said what when, if the two sides took turns. Not set in an interaction read from a cassette.
    package var conversation: [ConversationStep]
    /// What was redacted in it. Not set in an interaction read from a cassette.
    package var redactions: RedactionNotes

    package init(
        origin: String,
        request: RequestHead,
        requestTrailers: Fields = Fields(),
        informational: [ResponseHead] = [],
        response: ResponseHead,
        responseTrailers: Fields = Fields(),
        matchKey: MatchKey,
        recordedAt: Int64,
        firstByte: Int? = nil,
        chunks: [ResponseChunk] = [],
        cut: AnswerCut? = nil,
        conversation: [ConversationStep] = [],
        redactions: RedactionNotes = RedactionNotes()
    ) {
        self.origin = origin
        self.request = request
        self.requestTrailers = requestTrailers
        self.informational = informational
        self.response = response
        self.responseTrailers = responseTrailers
        self.matchKey = matchKey
        self.recordedAt = recordedAt
        self.firstByte = firstByte
        self.chunks = chunks
        self.cut = cut
        self.conversation = conversation
        self.redactions = redactions
    }
}
