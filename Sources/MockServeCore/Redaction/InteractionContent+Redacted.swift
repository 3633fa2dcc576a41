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
            notes.formUnion(responseBody.notes)
        }
        redactions = notes
    }
}
