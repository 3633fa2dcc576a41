package import HTTPMessages

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
