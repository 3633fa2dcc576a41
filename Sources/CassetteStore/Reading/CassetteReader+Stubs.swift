import GRDB

extension CassetteReader {
    /// The stubs, in the order in which they were added.
    package func stubs() throws -> [StoredStub] {
        try read { db in
            var stubs: [StoredStub] = []
            try StubSQL.forEach(db, path: path) { stubs.append($0) }
            return stubs
        }
    }

    /// How many stubs there are.
    package func stubCount() throws -> Int { try read { try StubSQL.count($0) } }

    /// The stubs with the bodies of their answers, and what tells whether they have changed since.
    package func loadedStubs() throws -> (stubs: [(stored: StoredStub, body: [UInt8])], state: StubState) {
        try read { db in
            var result: (stubs: [(stored: StoredStub, body: [UInt8])], state: StubState) = ([], .none)
            try db.inTransaction(.deferred) {
                result = (try StubSQL.loaded(db, path: path), try StubSQL.state(db))
                return .commit
            }
            return result
        }
    }

    package func body(of stored: StoredStub) throws -> [UInt8] {
        try read { try StubSQL.bytes(of: stored.body, stored.number, $0, path: path) }
    }
}
