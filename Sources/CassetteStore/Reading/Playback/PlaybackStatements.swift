import GRDB
import MockServeCore

/// The prepared statements of a playback.
struct PlaybackStatements {
    let begin: RawStatement
    let commit: RawStatement
    let version: RawStatement
    let rows: RawStatement
    let answer: RawStatement
    let only: RawStatement
    let firstSlice: RawStatement
    let slice: RawStatement
    let requestFields: RawStatement
    let first: [PlaybackKey.Choice.Kind: RawStatement]
    let last: [PlaybackKey.Choice.Kind: RawStatement]
    let names: RawStatement
    let firstWrite: RawStatement
    let next: RawStatement

    init(_ connection: SQLiteConnection) throws {
        var all: [RawStatement] = []
        func prepare(_ sql: String) throws -> RawStatement {
            do {
                let statement = try RawStatement(connection, sql)
                all.append(statement)
                return statement
            } catch {
                for statement in all { statement.finalize() }
                throw error
            }
        }
        let of = "FROM interaction WHERE match_key = ?1"
        let between = "AND id > ?2 AND id < ?3 AND id <= ?4"
        begin = try prepare("BEGIN")
        commit = try prepare("COMMIT")
        version = try prepare("PRAGMA data_version")
        rows = try prepare("SELECT id, vary, vary_key, status \(of) AND id <= ?2 ORDER BY id LIMIT ?3")
        let whole = """
            SELECT \(AnswerRow.columns), response_body.bytes FROM interaction \
            LEFT JOIN body AS response_body ON response_body.id = response_body_id
            """
        answer = try prepare("\(whole) WHERE interaction.id = ?1")
        only = try prepare("\(whole) WHERE match_key = ?1 AND interaction.id <= ?2 ORDER BY interaction.id LIMIT 2")
        firstSlice = try prepare("SELECT bytes FROM body WHERE id = ?1")
        slice = try prepare("SELECT bytes FROM body_slice WHERE body_id = ?1 AND number = ?2")
        requestFields = try prepare("SELECT request_fields FROM interaction WHERE id = ?1")
        var (first, last) = ([PlaybackKey.Choice.Kind: RawStatement](), [PlaybackKey.Choice.Kind: RawStatement]())
        for kind in PlaybackKey.Choice.Kind.allCases {
            first[kind] = try prepare("SELECT id \(of) \(between) \(kind.condition) ORDER BY id LIMIT 1")
            last[kind] = try prepare("SELECT id \(of) \(between) \(kind.condition) ORDER BY id DESC LIMIT 1")
        }
        (self.first, self.last) = (first, last)
        names = try prepare("SELECT vary \(of) AND vary > ?2 ORDER BY vary LIMIT 1")
        firstWrite = try prepare(
            """
            SELECT id FROM interaction INDEXED BY interaction_write \
            WHERE method NOT IN ('GET', 'HEAD', 'OPTIONS', 'TRACE') AND id > ?1 AND id <= ?2 ORDER BY id LIMIT 1
            """
        )
        next = try prepare("SELECT id \(of) AND id <= ?3 AND id = (SELECT min(id) FROM interaction WHERE id > ?2)")
    }

    func finalize() {
        for statement in [
            begin, commit, version, rows, answer, only, firstSlice, slice, requestFields, names, firstWrite, next,
        ] + Array(first.values) + Array(last.values) { statement.finalize() }
    }
}

extension PlaybackKey.Choice {
    /// A choice without its values: what a statement is prepared for.
    enum Kind: CaseIterable {
        case all
        case variant
        case unconditional
        case unserved
        case independent
        case whole

        /// The condition of `admits`, for SQLite.
        var condition: String {
            switch self {
            case .all: ""
            case .variant: "AND vary = ?5 AND vary_key = ?6"
            case .unconditional: "AND (vary IS NULL OR instr(vary, ';') = 0)"
            case .unserved: "AND (vary IS NULL OR vary NOT LIKE '%~')"
            case .independent: "AND status NOT IN (304, 412)"
            case .whole: "AND status NOT IN (304, 412, 206)"
            }
        }
    }

    var kind: Kind {
        switch self {
        case .all: .all
        case .variant: .variant
        case .unconditional: .unconditional
        case .unserved: .unserved
        case .independent: .independent
        case .whole: .whole
        }
    }
}
