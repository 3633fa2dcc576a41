import HTTPMessages

extension MessageParts {
    /// The two sides of an interaction, in members of these names.
    static func sides(of node: DataNode, _ reading: FormatImport) throws -> (request: DataNode, response: DataNode) {
        guard let request = node["request"], let response = node["response"] else {
            throw FormatError(reading.file, node.line, "has an interaction without a request or a response.")
        }
        return (request, response)
    }

    /// An interaction of the parts that nearly all formats have.
    ///
    /// - Parameters:
    ///   - lines: of request and response, for messages.
    ///   - versions: nil for HTTP/1.1.
    ///   - reason: nil for that of the status.
    /// - Returns: nil, with a note, for what cannot be asked over HTTP, such as `data:`.
    /// - Throws: `FormatError` if a part is missing, or makes no sense.
    static func interaction(
        _ lines: (request: Int, response: Int),
        url: String?,
        method: DataNode?,
        status: DataNode?,
        reason: String? = nil,
        versions: (request: String?, response: String?) = (nil, nil),
        fields: (request: Fields, response: Fields),
        bodies: (request: [UInt8], response: [UInt8]) = ([], []),
        _ reading: FormatImport
    ) throws -> WholeInteraction? {
        guard let url else { throw FormatError(reading.file, lines.request, "has a request without a URL.") }
        guard let url = try self.url(url, line: lines.request, reading) else { return nil }
        let status = try self.status(status, of: lines.response, reading)
        let version = version(versions.response)
        let standard = version == .http2 ? nil : ReasonPhrase.standard(status)
        return WholeInteraction(
            origin: url.origin,
            request: RequestHead(
                method: try self.method(method, of: lines.request, reading),
                target: url.target,
                version: self.version(versions.request),
                fields: fields.request
            ),
            requestBody: bodies.request,
            response: ResponseHead(
                version: version,
                status: status,
                reason: reason.map { self.reason($0, version: version, line: lines.response, reading) } ?? standard,
                fields: fields.response
            ),
            responseBody: bodies.response
        )
    }
}
