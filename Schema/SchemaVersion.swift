/// The cassette file format: one SQL script a version.
package enum CassetteSchema {
    /// `PRAGMA application_id` of every cassette: "mock" in ASCII.
    package static let applicationID: Int32 = 0x6D6F_636B

    /// `PRAGMA user_version` of the newest schema: this build reads all up to it, and writes this one.
    package static let version = scripts.count

    /// The script that makes version n+1 out of version n; the first makes an empty database version 1.
    package static let scripts = [
        text(PackageResources.v0001_initial_sql),
        text(PackageResources.v0002_stubs_and_messages_sql),
        text(PackageResources.v0003_faults_sql),
        text(PackageResources.v0004_conflicts_sql),
        text(PackageResources.v0005_stub_behavior_sql),
    ]

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
