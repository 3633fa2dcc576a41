import GRDB
import GRDBSQLite

/// A value bound to a statement.
enum Binding {
    case integer(Int64)
    case text(String)
    case bytes([UInt8])
    case null

    /// - Returns: SQLite's result code.
    func bind(to statement: SQLiteStatement, at index: Int32) -> Int32 {
        let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        switch self {
        case .integer(let value): return sqlite3_bind_int64(statement, index, value)
        case .text(""): return sqlite3_bind_text(statement, index, "", 0, transient)
        case .text(var value):
            return value.withUTF8 { text in
                text.withMemoryRebound(to: CChar.self) { text in
                    sqlite3_bind_text(statement, index, text.baseAddress, Int32(text.count), transient)
                }
            }
        case .bytes(let value) where value.isEmpty: return sqlite3_bind_zeroblob(statement, index, 0)
        case .bytes(let value): return sqlite3_bind_blob(statement, index, value, Int32(value.count), transient)
        case .null: return sqlite3_bind_null(statement, index)
        }
    }
}

/// The current row of a statement. Reading coerces as SQLite does and never traps, whatever a crafted file holds.
struct RowView {
    let statement: SQLiteStatement

    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(statement, column) == SQLITE_NULL }

    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }

    func text(_ column: Int32) -> String { withText(column) { String(decoding: $0, as: UTF8.self) } }

    /// Calls `body` with a text, which need not be valid UTF-8, and is valid only during the call.
    func withText<Result>(_ column: Int32, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        // Read as bytes: as text, SQLite would copy it to add a zero at its end.
        withBytes(column) { body($0.bindMemory(to: UInt8.self)) }
    }

    /// Calls `body` with bytes that are valid only during the call.
    func withBytes<Result>(_ column: Int32, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        let start = sqlite3_column_blob(statement, column)
        return body(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column))))
    }

    func bytes(_ column: Int32) -> [UInt8] { withBytes(column) { Array($0) } }
}

extension Database {
    /// Runs a statement, which stays prepared for the next time, and calls `body` with each row until it returns false.
    func query(_ sql: String, _ bindings: [Binding] = [], _ body: (RowView) throws -> Bool = { _ in true }) throws {
        let statement = try cachedStatement(sql: sql).sqliteStatement
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        for (index, binding) in bindings.enumerated() { try bind(binding, at: Int32(index + 1), of: statement) }
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW:
                guard try body(RowView(statement: statement)) else { return }
            case SQLITE_DONE: return
            case let code: throw DatabaseError(resultCode: ResultCode(rawValue: code), message: lastErrorMessage)
            }
        }
    }

    /// The first column of the first row.
    func firstInteger(_ sql: String, _ bindings: [Binding] = []) throws -> Int64? {
        var result: Int64?
        try query(sql, bindings) { row in
            result = row.isNull(0) ? nil : row.integer(0)
            return false
        }
        return result
    }

    private func bind(_ binding: Binding, at index: Int32, of statement: SQLiteStatement) throws {
        let code = binding.bind(to: statement, at: index)
        guard code == SQLITE_OK else {
            throw DatabaseError(resultCode: ResultCode(rawValue: code), message: lastErrorMessage)
        }
    }
}
