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
