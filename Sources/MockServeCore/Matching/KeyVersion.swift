package import HTTPMessages

/// The versions of what goes into a match key, apart from the rules of a cassette. A cassette states the version of its
/// keys with the rule `require key:N` (without it, 1), so that older recordings keep matching as they did.
///
/// 1. Method, origin, path, query, `Range`, and the body by its label.
/// 2. Also the fields that name the operation (`OperationFields`); the body by its content, whatever its label; more
///    kinds of signed URLs, and forms signed for one use, without what the signature changes; and, when an answer is
///    chosen, the conditions of conditional requests (`Condition`).
/// 3. All secrets are one word; of required fields, what we have served is told apart; and when an answer is chosen, the
///    placeholders that a request carries count (`Variant`).
/// 4. Bodies of gRPC by their messages, without compression, whether in binary or, for the Web, as text.
package enum KeyVersion {
    /// The version of new cassettes.
    package static let current = 4
}

/// Fields that say which operation a request asks for, where one method and path serve many. They count in keys of
/// version 2. `ignore field:NAME` leaves one out; `require field:NAME` adds another.
package enum OperationFields {
    /// Whether a field is one of these. Called for every field of a request.
    static func contains(_ field: Fields.RawField) -> Bool {
        switch field.name.count {
        // WebDAV, RFC 4918 §10.2.
        case 5: field.isNamed("depth")
        // SOAP 1.1 §6.1.1.
        case 10: field.isNamed("soapaction")
        // WebDAV, RFC 4918 §10.3.
        case 11: field.isNamed("destination")
        // X-Amz-Target: AWS JSON 1.0 and 1.1 protocols.
        case 12: field.isNamed("x-amz-target")
        // Upload-Offset: tus 1.0, where in the file a part belongs. Content-Range: RFC 9110 §14.5, which part a PUT
        // brings. X-HTTP-Method: OData 2.0 §2.2.5.8, a tunnelled method.
        case 13: field.isNamed("upload-offset") || field.isNamed("content-range") || field.isNamed("x-http-method")
        // X-RestLi-Method: Rest.li protocol 2.0.
        case 15: field.isNamed("x-restli-method")
        // x-ms-copy-source: Azure Blob Storage, "Copy Blob".
        case 16: field.isNamed("x-ms-copy-source")
        // x-amz-copy-source: Amazon S3, "CopyObject". X-Method-Override: older web frameworks, a tunnelled method.
        case 17: field.isNamed("x-amz-copy-source") || field.isNamed("x-method-override")
        // x-goog-copy-source: Google Cloud Storage XML API, "Copy an object".
        case 18: field.isNamed("x-goog-copy-source")
        // X-Goog-Upload-Offset and -Command: Google, "Resumable uploads".
        case 20: field.isNamed("x-goog-upload-offset")
        case 21: field.isNamed("x-goog-upload-command")
        // X-HTTP-Method-Override: Google APIs and most web frameworks, a tunnelled method.
        case 22: field.isNamed("x-http-method-override")
        // x-amz-copy-source-range: Amazon S3, "UploadPartCopy".
        case 23: field.isNamed("x-amz-copy-source-range")
        default: false
        }
    }

    /// Whether a field may be the media type of SOAP 1.2.
    static func mayHoldAction(_ field: Fields.RawField) -> Bool {
        field.name.count == 12 && field.value.count > 24 && lowercased(field.value[12]) == UInt8(ascii: "s")
            && field.isNamed("content-type")
    }

    /// The operation that SOAP 1.2 names in the media type (RFC 3902 §2): `application/soap+xml; action=…`.
    static func action(of fields: Fields) -> [UInt8]? {
        guard let value = fields.first("content-type"), value.contains(UInt8(ascii: ";")) else { return nil }
        let type = MediaType(value)
        return type.essence == "application/soap+xml" ? type.parameter("action") : nil
    }

    /// Names in lower case and values, in an order that depends on nothing else.
    static func pairs(of fields: Fields, without ignored: Set<[UInt8]>) -> [(name: [UInt8], value: [UInt8])] {
        var pairs: [(name: [UInt8], value: [UInt8])] = []
        fields.forEachRaw { field in
            guard contains(field) else { return }
            let name = field.name.map(lowercased)
            if !ignored.contains(name) { pairs.append((name, Array(field.value))) }
        }
        if let action = action(of: fields), !ignored.contains(Array("content-type".utf8)) {
            pairs.append((Array("action".utf8), action))
        }
        return pairs.sorted {
            $0.name == $1.name
                ? $0.value.lexicographicallyPrecedes($1.value) : $0.name.lexicographicallyPrecedes($1.name)
        }
    }
}

/// The conditions of a request (RFC 9110 §13.1). Answers that depend on one (304, 412) are only for requests with the
/// same condition.
package enum Condition {
    /// In lower case, sorted.
    private static let all = ["if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since"]

    /// Those that a request has: names in lower case, sorted, separated by commas; empty for none.
    package static func names(in fields: Fields) -> String {
        var found: [String] = []
        fields.forEachRaw { field in
            guard field.name.count > 7, lowercased(field.name[0]) == UInt8(ascii: "i"),
                field.name[2] == UInt8(ascii: "-")
            else { return }
            let name = String(decoding: field.name.map(lowercased), as: UTF8.self)
            if all.contains(name), !found.contains(name) { found.append(name) }
        }
        return found.sorted().joined(separator: ",")
    }
}
