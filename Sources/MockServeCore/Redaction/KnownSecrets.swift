/// The secrets of a scope: those that were declared, and those that it comes across.
package struct KnownSecrets: Sendable {
    package var declared: [DeclaredSecret]
    /// Nil to learn nothing.
    package var learned: LearnedSecrets?
    /// While something is recorded: the placeholders that clients will be given.
    package var book: PlaceholderBook?

    package init(_ declared: [DeclaredSecret] = [], learned: LearnedSecrets? = nil, book: PlaceholderBook? = nil) {
        (self.declared, self.learned, self.book) = (declared, learned, book)
    }

    func with(_ learned: LearnedSecrets?) -> KnownSecrets {
        KnownSecrets(declared, learned: learned, book: book)
    }
}
