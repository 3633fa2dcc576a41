import Crypto
import HTTPMessages

/// What makes an answer the same answer when it is recorded again: everything but what changes with every recording. Secrets
/// of a kind are equal, JSON is compared by value, and of the fields those listed here do not count, nor do those of the
/// rules `volatile`.
package enum AnswerLikeness {
    /// Bytes of a body that are looked into; longer ones are compared as they are.
    package static let bodyLimit = 16 << 20

    /// Fields whose values say when, by whom or how fast an answer was made, not what it is. In lower case.
    package static let volatileFields: Set<String> = [
        // When, and for how long (RFC 9110, RFC 9111).
        "date", "age", "expires", "last-modified",
        // Of the connection, and of the length of a body that is compared anyway.
        "content-length", "connection", "keep-alive", "transfer-encoding", "alt-svc",
        // One request among others.
        "request-id", "x-request-id", "x-correlation-id", "correlation-id", "x-amzn-requestid", "x-amz-request-id",
        "x-amz-id-2", "x-amz-cf-id", "x-amz-cf-pop", "x-amzn-trace-id", "x-github-request-id", "x-ms-request-id",
        "client-request-id", "x-goog-trace", "x-cloud-trace-context", "x-trace-id", "x-b3-traceid", "x-b3-spanid",
        "traceparent", "tracestate", "cf-ray", "fly-request-id", "x-vercel-id", "x-nf-request-id", "x-served-by",
        "x-shopify-stage", "x-transaction-id", "x-guploader-uploadid",
        // How fast, and from which cache.
        "server-timing", "x-runtime", "x-response-time", "x-process-time", "x-envoy-upstream-service-time", "x-timer",
        "x-cache",
        "x-cache-hits", "cf-cache-status", "x-varnish", "x-proxy-cache", "via",
        // How much is left.
        "ratelimit", "ratelimit-remaining", "ratelimit-reset", "x-ratelimit-remaining", "x-ratelimit-reset",
        "x-ratelimit-used",
        "x-rate-limit-remaining", "x-rate-limit-reset",
        // Where to send reports.
        "nel", "report-to", "reporting-endpoints",
    ]

    /// - Parameter name: in lower case.
    static func isVolatile(_ name: String, _ rules: RuleSet) -> Bool {
        volatileFields.contains(name) || rules.volatileFields.contains(Array(name.utf8))
    }

    /// Equal for answers that are alike.
    ///
    /// - Parameters:
    ///   - body: nil if it is longer than `bodyLimit`.
    ///   - bodyDigest: of the stored body; empty for none.
    package static func digest(
        _ content: InteractionContent,
        body: [UInt8]?,
        bodyDigest: [UInt8],
        _ rules: RuleSet
    ) -> [UInt8] {
        let request = content.request
        let rules = rules.applying(toMethod: request.method, target: Target(Target.originForm(request.target)))
            .redacting(request.method, Target.originForm(request.target))
        var input = DigestInput()
        let response = content.response
        input.add("status", Array("\(response.status)".utf8))
        input.add("reason", response.reason ?? [])
        add(response.fields, "field", rules, &input)
        // Without a body, the length is all that is said of it.
        if request.isHEAD || ResponseHead.isBodyless(status: response.status) {
            for length in response.fields.values("content-length") { input.add("length", Array(length)) }
        }
        add(content.responseTrailers, "trailer", rules, &input)
        for head in content.informational {
            input.add("informational", Array("\(head.status)".utf8))
            add(head.fields, "informational field", rules, &input)
        }
        if let cut = content.cut { input.add("cut", [cut.end == .close ? 0 : 1]) }
        if !rules.ignoresAnswerBody { input.add("body", digest(body, bodyDigest, response.fields, rules)) }
        return Array(input.digest)
    }

    /// Equal for requests that are the same but for what a client says of itself.
    ///
    /// - Parameter bodyDigest: of the stored body; empty for none.
    package static func digest(of content: InteractionContent, bodyDigest: [UInt8]) -> [UInt8] {
        var input = DigestInput()
        input.add("method", content.request.method)
        input.add("target", content.request.target)
        for fields in [content.request.fields, content.requestTrailers] {
            for field in fields {
                let name = String(decoding: field.name.map(lowercased), as: UTF8.self)
                let isOfClient =
                    ["user-agent", "accept-encoding", "host"].contains(name) || volatileFields.contains(name)
                if !isOfClient { input.add("field", Array(name.utf8) + [UInt8(ascii: ":")] + Array(field.value)) }
            }
            input.add("end", [])
        }
        input.add("body", bodyDigest)
        return Array(input.digest)
    }

    private static func add(_ fields: Fields, _ label: StaticString, _ rules: RuleSet, _ input: inout DigestInput) {
        let counted = fields.filter { field in
            !isVolatile(String(decoding: field.name.map(lowercased), as: UTF8.self), rules)
        }
        rules.comparable(counted).forEachRaw { field in
            input.add(label, field.name.map(lowercased) + [UInt8(ascii: ":")] + Array(field.value))
        }
    }

    private static func digest(_ body: [UInt8]?, _ stored: [UInt8], _ fields: Fields, _ rules: RuleSet) -> [UInt8] {
        guard let body, !body.isEmpty, let decoded = BodyText.decoded(body, fields) else { return stored }
        let comparable = rules.comparable(decoded, fields)
        let type = fields.first("content-type").map { MediaType($0) }
        // In a stream of values, how they are separated counts.
        let isStream = ["ndjson", "jsonl", "json-seq", "jsonlines"].contains { type?.essence.contains($0) == true }
        if !isStream, type?.isJSON == true || MediaType.mayBeAnything(type) && ContentStart(comparable) == .json,
            let digest = CanonicalJSON.digest(of: comparable, rules.volatileJSON)
        {
            return digest
        }
        return Array(SHA256.hash(data: comparable))
    }
}
