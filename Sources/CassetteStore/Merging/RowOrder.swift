import GRDB

/// Puts the rows of a table into an order, which is that of their numbers. Who can keep its number does.
struct RowOrder {
    private let table: String
    private(set) var numbers: [Int64] = []

    /// - Parameter wanted: for each row, in the order that it is to have, the number that it has or should have.
    init(_ table: String, wanted: [Int64]) {
        self.table = table
        var last: Int64 = 0
        for number in wanted {
            last = number > last ? number : last + 1
            numbers.append(last)
        }
    }

    /// Gives rows their new numbers.
    ///
    /// - Parameters:
    ///   - old: by place, the number that a row has; nil for one that is not there yet.
    ///   - insert: puts a row that is not there in the table, with a number.
    func apply(_ db: Database, old: [Int64?], insert: (_ place: Int, _ number: Int64) throws -> Void) throws {
        // Below zero nobody is in the way.
        for (place, number) in numbers.enumerated() {
            guard let before = old[place] else {
                try insert(place, -number)
                continue
            }
            if before != number { try change(before, to: -number, db) }
        }
        try db.query("UPDATE \(table) SET id = -id WHERE id < 0")
        if table == "interaction" {
            try db.query("UPDATE message SET interaction_id = -interaction_id WHERE interaction_id < 0")
        }
    }

    private func change(_ number: Int64, to new: Int64, _ db: Database) throws {
        let numbers = [Binding.integer(number), .integer(new)]
        try db.query("UPDATE \(table) SET id = ?2 WHERE id = ?1", numbers)
        if table == "interaction" {
            try db.query("UPDATE message SET interaction_id = ?2 WHERE interaction_id = ?1", numbers)
        }
    }
}
