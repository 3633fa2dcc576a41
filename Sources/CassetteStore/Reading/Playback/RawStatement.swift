import GRDB
import GRDBSQLite
import MockServeCore

/// A prepared statement without what GRDB adds: its queue, cache and observers.
struct RawStatement {
    private let connection: SQLiteConnection
    private let statement: SQLiteStatement

    init(_ connection: SQLiteConnection, _ sql: String) throws {
        var statement: SQLiteStatement?
        let code = sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard code == SQLITE_OK, let statement else { throw Self.error(code, connection) }
        self.connection = connection
        self.statement = statement
    }

    func finalize() { sqlite3_finalize(statement) }

    func run(_ bindings: Binding?..., row: (RowView) throws -> Void = { _ in }) throws {
        for (index, binding) in bindings.enumerated() {
            if let binding { try bind(binding, Int32(index + 1)) }
        }
        try step(row)
    }

    /// With a key as the first parameter.
    func run(key: MatchKey, _ bindings: Binding..., row: (RowView) throws -> Void) throws {
        for (index, binding) in bindings.enumerated() { try bind(binding, Int32(index + 2)) }
        try key.withUnsafeBytes { bytes in
            // Not copied: the key outlives the run of the statement.
            guard sqlite3_bind_blob(statement, 1, bytes.baseAddress, Int32(bytes.count), nil) == SQLITE_OK else {
                throw Self.error(sqlite3_errcode(connection), connection)
            }
            try step(row)
        }
    }

    private func bind(_ binding: Binding, _ index: Int32) throws {
        let code = binding.bind(to: statement, at: index)
        guard code == SQLITE_OK else { throw Self.error(code, connection) }
    }

    private func step(_ row: (RowView) throws -> Void) throws {
        defer { sqlite3_reset(statement) }
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW: try row(RowView(statement: statement))
            case SQLITE_DONE: return
            case let code: throw Self.error(code, connection)
            }
        }
    }

    private static func error(_ code: Int32, _ connection: SQLiteConnection) -> DatabaseError {
        DatabaseError(resultCode: ResultCode(rawValue: code), message: String(cString: sqlite3_errmsg(connection)))
    }
}
