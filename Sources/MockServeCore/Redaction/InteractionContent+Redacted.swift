import HTTPMessages

extension InteractionContent {
    /// Replaces the secrets in everything but the bodies, and adjusts what depends on the bodies.
    ///
    /// - Parameters:
    ///   - request: the redaction of the request's body, finished.
    ///   - response: the same of the response's body.
    package mutating func redact(
        _ redactor: Redactor,
        _ book: PlaceholderBook,
        _ requestBody: BodyRedaction?,
        _ responseBody: BodyRedaction?
    ) {
        var notes = RedactionNotes()
        request = redactor.redact(request, book, &notes)
        requestTrailers = redactor.redact(requestTrailers, "request trailer", book, &notes)
        informational = informational.map { redactor.redact($0, book, &notes) }
        response = redactor.redact(response, book, &notes)
        responseTrailers = redactor.redact(responseTrailers, "response trailer", book, &notes)
        if let requestBody {
            if let length = requestBody.newLength { request.fields = request.fields.settingContentLength(length) }
            notes.formUnion(requestBody.notes)
        }
        if let responseBody {
            if let length = responseBody.newLength { response.fields = response.fields.settingContentLength(length) }
            chunks = responseBody.resized(chunks)
            if !responseBody.notes.isEmpty {
                // Clients refuse a body that does not fit its digest.
                response.fields = response.fields.filter { !$0.isDigestOfContent }
                responseTrailers = responseTrailers.filter { !$0.isDigestOfContent }
            }
            notes.formUnion(responseBody.notes)
        }
        redactions = notes
    }
}

extension Fields.RawField {
    /// Whether it holds a digest of the body: `Content-MD5` (RFC 1864), `Digest` (RFC 3230), `Content-Digest` and
    /// `Repr-Digest` (RFC 9530), and those of storage services and repositories.
    fileprivate var isDigestOfContent: Bool {
        let names: [StaticString] = [
            "content-md5", "digest", "content-digest", "repr-digest", "x-amz-crc32", "x-goog-hash",
            "x-amz-checksum-crc32", "x-amz-checksum-crc32c", "x-amz-checksum-crc64nvme", "x-amz-checksum-sha1",
            "x-amz-checksum-sha256", "x-bz-content-sha1", "x-ms-blob-content-md5", "x-ms-content-crc64",
            "x-checksum-md5",
            "x-checksum-sha1", "x-checksum-sha256", "x-checksum-sha512",
        ]
        return names.contains { isNamed($0) }
    }
}
