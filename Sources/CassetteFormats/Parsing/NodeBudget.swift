/// How much one value of a file may take: a few bytes of a hostile file can stand for very many values.
struct NodeBudget {
    /// Values within others.
    static let depthLimit = 500
    /// Values of one interaction.
    static let nodeLimit = 1_000_000
    /// Bytes of the texts of one interaction: 1 GiB.
    static let byteLimit = 1 << 30

    private(set) var nodes = NodeBudget.nodeLimit
    private(set) var bytes = NodeBudget.byteLimit

    /// - Throws: `FormatError` if that is more than is left.
    mutating func take(nodes count: Int = 1, bytes size: Int = 0, file: String, line: Int) throws {
        nodes -= count
        bytes -= size
        guard nodes >= 0 else {
            throw FormatError(file, line, "has more than \(Self.nodeLimit) values in one interaction.")
        }
        guard bytes >= 0 else {
            throw FormatError(file, line, "has more than \(Self.byteLimit >> 30) GiB in one interaction.")
        }
    }

    static func checkDepth(_ depth: Int, file: String, line: Int) throws {
        guard depth < depthLimit else { throw FormatError(file, line, "nests deeper than \(depthLimit) levels.") }
    }
}
