/// How an upstream left an answer that it had begun and did not complete.
package struct AnswerCut: Sendable, Equatable {
    package enum End: Sendable {
        /// The connection was closed in order, or what came on it was no answer any more.
        case close
        case reset
    }

    package let end: End
    /// Milliseconds after the response head.
    package let offset: Int

    package init(_ end: End, offset: Int) {
        self.end = end
        self.offset = offset
    }
}
