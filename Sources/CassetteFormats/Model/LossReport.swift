/// What could not be carried over from one format to another, by kind, with where it was first.
package struct LossReport: Sendable {
    package struct Loss: Sendable {
        /// What was lost, as in `the order of the fields`.
        package let what: String
        package var count: Int
        package let file: String
        /// Nil if the file has no lines, or is written.
        package let line: Int?
    }

    /// Kinds that are told apart; further ones are counted together.
    private static let limit = 200
    private static let others = "other things"

    private var numbers: [String: Int] = [:]
    /// In the order in which they came.
    package private(set) var losses: [Loss] = []

    package init() {}

    package var isEmpty: Bool { losses.isEmpty }

    package mutating func add(_ what: String, file: String, line: Int? = nil, count: Int = 1) {
        let isKnown = numbers[what] != nil
        let name = isKnown || losses.count < Self.limit ? what : Self.others
        if let number = numbers[name] {
            losses[number].count += count
        } else {
            numbers[name] = losses.count
            losses.append(Loss(what: name, count: count, file: file, line: line))
        }
    }

    package mutating func add(_ other: LossReport) {
        for loss in other.losses { add(loss.what, file: loss.file, line: loss.line, count: loss.count) }
    }
}
