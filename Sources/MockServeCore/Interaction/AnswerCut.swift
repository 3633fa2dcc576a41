/// How an upstream broke off an answer that it had begun.
package struct AnswerCut: Sendable, Equatable {
    package enum End: Sendable {
        /// The connection was closed in order, or what arrived was not a valid answer any more.
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
