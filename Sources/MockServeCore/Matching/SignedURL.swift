import HTTPMessages

/// URLs and forms that are signed anew for every use. Their parameters for the signature, its date and the signer's
/// credential differ each time, and say nothing about what is asked for.
enum SignedURL {
    private struct Scheme {
        /// A query with all of these is signed this way.
        let marks: [String]
        let volatile: Set<[UInt8]>
        /// The first version of match keys that knows it.
        let since: Int

        init(_ marks: [String], _ volatile: [String], since: Int = 1) {
            self.marks = marks
            self.volatile = Set(volatile.map { Array($0.utf8) })
            self.since = since
        }

        func isUsed(_ names: Set<[UInt8]>) -> Bool { marks.allSatisfy { names.contains(Array($0.utf8)) } }
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
        // AWS Signature Version 2, "Signing and authenticating REST requests: query string request authentication".
        Scheme(
            ["AWSAccessKeyId", "Signature", "Expires"],
            ["AWSAccessKeyId", "Signature", "Expires", "x-amz-security-token"],
            since: 2
        ),
        // Google Cloud Storage, "V2 signing process".
        Scheme(["GoogleAccessId", "Signature", "Expires"], ["GoogleAccessId", "Signature", "Expires"], since: 2),
        // Amazon CloudFront, "Use signed URLs": canned and custom policies.
        Scheme(["Key-Pair-Id", "Signature"], ["Key-Pair-Id", "Signature", "Expires", "Policy"], since: 2),
    ]

    /// Forms that are signed for one upload.
    private static let forms = [
        // Amazon S3, "Browser-based uploads using POST", signature version 4, and version 2.
        Scheme(
            ["policy", "x-amz-signature"],
            [
                "policy", "x-amz-signature", "x-amz-credential", "x-amz-date", "x-amz-security-token",
                "x-amz-algorithm",
            ],
            since: 2
        ),
        Scheme(
            ["policy", "signature", "AWSAccessKeyId"],
            ["policy", "signature", "AWSAccessKeyId", "x-amz-security-token"],
            since: 2
        ),
        // Google Cloud Storage, "Policy document", V4.
        Scheme(
            ["policy", "x-goog-signature"],
            ["policy", "x-goog-signature", "x-goog-credential", "x-goog-date", "x-goog-algorithm"],
            since: 2
        ),
    ]

    /// The names of query parameters that differ with every use.
    ///
    /// - Parameter version: of match keys.
    static func volatileNames(_ pairs: [FormPair], _ version: Int) -> Set<[UInt8]> {
        guard pairs.count > 1 else { return [] }
        let names = Set(pairs.map(\.name))
        return schemes.first { $0.since <= version && $0.isUsed(names) }?.volatile ?? []
    }

    /// The names of fields of a form, or of parts of multipart form data, that differ with every use.
    static func volatileFields(_ names: [[UInt8]], _ version: Int) -> Set<[UInt8]> {
        guard version > 1, names.count > 1 else { return [] }
        let names = Set(names)
        return forms.first { $0.since <= version && $0.isUsed(names) }?.volatile ?? []
    }
}
