package import HTTPMessages

/// A stored body: its number in the cassette and its whole size in bytes.
package struct BodyReference: Sendable, Equatable {
    package let id: Int64
    package let size: Int

    package init(id: Int64, size: Int) {
        self.id = id
        self.size = size
    }
}

/// When a piece of a response body arrived, and its size.
package struct ResponseChunk: Sendable, Equatable {
    /// Milliseconds after the response head.
    package var offset: Int
    /// Bytes, at least 1.
    package var size: Int

    package init(offset: Int, size: Int) {
        self.offset = offset
        self.size = size
    }
}

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
        self.redactions = redactions
    }
}

/// The part of an interaction that is played: its response, without the bytes of the body.
package final class RecordedAnswer: Sendable {
    /// Number of the interaction.
    package let id: Int64
    /// 1xx responses before the answer, without a 100 that the client had asked for.
    package let informational: [ResponseHead]
    package let head: ResponseHead
    package let trailers: Fields
    /// Milliseconds from the request to the response head; nil if written by hand.
    package let firstByte: Int?
    package let chunks: [ResponseChunk]
    /// Set if the upstream did not complete its answer.
    package let cut: AnswerCut?
    package let body: BodyReference?

    package init(
        id: Int64,
        informational: [ResponseHead],
        head: ResponseHead,
        trailers: Fields,
        firstByte: Int?,
        chunks: [ResponseChunk],
        cut: AnswerCut? = nil,
        body: BodyReference?
    ) {
        self.id = id
        self.informational = informational
        self.head = head
        self.trailers = trailers
        self.firstByte = firstByte
        self.chunks = chunks
        self.cut = cut
        self.body = body
    }
}

/// An interaction that is in a cassette.
package struct Interaction: Sendable {
    package let id: Int64
    package let content: InteractionContent
    package let requestBody: BodyReference?
    package let responseBody: BodyReference?

    package init(
        id: Int64,
        content: InteractionContent,
        requestBody: BodyReference?,
        responseBody: BodyReference?
    ) {
        self.id = id
        self.content = content
        self.requestBody = requestBody
        self.responseBody = responseBody
    }

    package var request: RequestHead { content.request }
    package var response: ResponseHead { content.response }
}
