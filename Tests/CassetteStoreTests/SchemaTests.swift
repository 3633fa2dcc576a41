import CassetteSchema
import Foundation
import GRDB
import Testing

@Suite struct SchemaTests {
    private let readme = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../Schema/README.md")
        .standardized

    private func schema() throws -> DatabaseQueue {
        let queue = try DatabaseQueue()
        try queue.write { db in for script in CassetteSchema.scripts { try db.execute(sql: script) } }
        return queue
    }

    @Test func everyTableAndColumnIsDescribed() throws {
        let text = try String(contentsOf: readme, encoding: .utf8)
        let columns = try schema().read { db in
            try Row.fetchAll(
                db,
                sql: "SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table'"
            )
            .map { (table: $0[0] as String, column: $0[1] as String) }
        }
        #expect(columns.count > 25)
        for (table, column) in columns {
            let section = try #require(
                text.components(separatedBy: "\n## ").first { $0.hasPrefix("\(table):") },
                "\(table)"
            )
            #expect(section.contains("`\(column)`"), "\(table).\(column)")
        }
    }

    @Test func theQueriesOfTheReadmeRun() throws {
        let text = try String(contentsOf: readme, encoding: .utf8)
        let queries = text.components(separatedBy: "```sql\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
        #expect(queries.count == 3)
        try schema().read { db in
            for query in queries { _ = try Row.fetchAll(db, sql: query) }
        }
    }
}
