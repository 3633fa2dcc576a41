/// The cassette file format: one SQL script a version.
package enum CassetteSchema {
    /// `PRAGMA application_id` of every cassette: "mock" in ASCII.
    package static let applicationID: Int32 = 0x6D6F_636B

    /// `PRAGMA user_version` of the newest schema this build reads and writes.
    package static let version = scripts.count

    /// The script that makes version n+1 out of version n; the first makes an empty database version 1.
    package static let scripts: [String] = [
        String(decoding: PackageResources.v0001_initial_sql, as: UTF8.self)
    ]
}
