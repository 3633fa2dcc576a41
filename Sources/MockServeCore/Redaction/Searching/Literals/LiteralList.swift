/// Known values in every spelling that decoding does not undo.
final class LiteralList: Sendable {
    let secrets: [DeclaredSecret]
    let longest: Int
    private let automaton: LiteralAutomaton
    /// Of each literal: its secret, and whether it is the value itself.
    private let owners: [(secret: Int32, isPlain: Bool)]

    init(_ secrets: [DeclaredSecret]) {
        self.secrets = secrets
        var (literals, owners) = ([[UInt8]](), [(Int32, Bool)]())
        for (index, secret) in secrets.enumerated() {
            for (literal, isPlain) in secret.literals {
                literals.append(literal)
                owners.append((Int32(index), isPlain))
            }
        }
        longest = literals.reduce(0) { max($0, $1.count) }
        automaton = LiteralAutomaton(literals)
        self.owners = owners
    }

    var beginnings: PrefixFilter { automaton.beginnings }

    /// Looks for literals that begin at `start`.
    ///
    /// - Returns: where the next one may begin.
    func walk(
        from start: Int,
        _ text: UnsafeBufferPointer<UInt8>,
        _ body: (_ range: Range<Int>, DeclaredSecret, _ isPlain: Bool) -> Void
    ) -> Int {
        automaton.walk(from: start, text) { range, index in
            let owner = owners[index]
            body(range, secrets[Int(owner.secret)], owner.isPlain)
        }
    }
}
