/// URLs that are signed anew for every use: what the signature, its date and its owner's credential stand in differs by nature,
/// and says nothing of what is asked for.
enum SignedURL {
    private struct Scheme {
        /// A query with all of these is signed this way.
        let marks: [String]
        let volatile: Set<[UInt8]>

        init(_ marks: [String], _ volatile: [String]) {
            self.marks = marks
            self.volatile = Set(volatile.map { Array($0.utf8) })
        }
    }

    private static let schemes = [
        // AWS Signature Version 4, "Authenticating requests: using query parameters".
        Scheme(
            ["X-Amz-Algorithm", "X-Amz-Signature"],
            ["X-Amz-Signature", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-Security-Token"]
        ),
        // Google Cloud Storage, "V4 signing process".
        Scheme(
            ["X-Goog-Algorithm", "X-Goog-Signature"],
            ["X-Goog-Signature", "X-Goog-Credential", "X-Goog-Date", "X-Goog-Expires"]
        ),
        // Azure Storage, "Create a service SAS" and "Create a user delegation SAS".
        Scheme(["sv", "sig"], ["sig", "se", "st", "skoid", "sktid", "skt", "ske"]),
    ]

    static func volatileNames(_ pairs: [FormPair]) -> Set<[UInt8]> {
        guard pairs.count > 1 else { return [] }
        let names = Set(pairs.map(\.name))
        for scheme in schemes where scheme.marks.allSatisfy({ names.contains(Array($0.utf8)) }) {
            return scheme.volatile
        }
        return []
    }
}
