package import HTTPMessages

/// The origins under which the client knows the upstreams, and the translation of messages between the two views.
///
/// A client that was told `http://127.0.0.1:4000` must not be sent to `https://api.example.com` by a redirect or a
/// link, and the upstream must not see `127.0.0.1`. The cassette keeps the upstream's view.
package final class OriginMap: Sendable {
    /// Maps no origins, so it changes nothing.
    package static let identity = OriginMap([])

    /// One upstream and where the client finds it.
    package struct Pair: Sendable {
        package let upstream: Origin
        package let served: Origin

        package init(upstream: Origin, served: Origin) {
            self.upstream = upstream
            self.served = served
        }
    }

    /// The pair of this exchange comes first.
    package let pairs: [Pair]
    private let toClient: Replacement
    private let toUpstream: Replacement
    /// For links in fields, and for other fields: nothing that these insert may end a line.
    private let toClientInLinks: Replacement
    private let toClientInFields: Replacement

    private let mapsContent: Bool
    private let looksAtContent: Bool

    /// - Parameters:
    ///   - mapsContent: if false, only `Host` is mapped, without which no upstream answers.
    ///   - looksAtContent: whether the beginning of a body counts where its label leaves open what it is (from
    ///     `KeyVersion` 2 on).
    ///   - secrets: their values replace placeholders in responses.
    package init(
        _ pairs: [Pair],
        mapsContent: Bool = true,
        looksAtContent: Bool = true,
        revealing secrets: [DeclaredSecret] = []
    ) {
        self.looksAtContent = looksAtContent
        self.pairs = pairs
        self.mapsContent = mapsContent
        toClient = Replacement(mapsContent ? pairs.map { ($0.upstream, $0.served) } : [], revealing: secrets)
        let lines = secrets.filter(\.isLineSafe)
        toClientInLinks = Replacement(mapsContent ? pairs.map { ($0.upstream, $0.served) } : [], revealing: lines)
        toClientInFields = Replacement([], revealing: lines)
        toUpstream = Replacement(mapsContent ? pairs.map { ($0.served, $0.upstream) } : [])
    }

    // MARK: Requests

    /// The request as the upstream should see it: its own `Host`, its own origin in target and fields.
    package func mapRequest(_ head: RequestHead) -> RequestHead {
        guard !pairs.isEmpty else { return head }
        var mapped = head
        mapped.target = mapTarget(head.target)
        mapped.fields = mapFields(head.fields)
        return mapped
    }

    /// The target of `mapRequest`.
    func mapTarget(_ target: [UInt8]) -> [UInt8] {
        pairs.isEmpty ? target : toUpstream.replace(in: Target.originForm(target))
    }

    /// The fields of `mapRequest`.
    func mapFields(_ fields: Fields) -> Fields {
        guard let own = pairs.first else { return fields }
        var mapped = Fields()
        mapped.reserve(bytes: fields.byteCount + own.upstream.host.utf8.count + 8, fields: fields.count)
        fields.forEachRaw { field in
            if field.isNamed("host") {
                mapped.append(name: field.name, value: Array(own.upstream.authority.utf8))
            } else if toUpstream.mayMatch(field.value) {
                mapped.append(name: field.name, value: toUpstream.replace(in: Array(field.value)))
            } else {
                mapped.append(name: field.name, value: field.value)
            }
        }
        return mapped
    }

    /// How the body of a request is mapped; nil if it is passed on unchanged. A body too long to be collected is: its
    /// length was announced, and not every upstream accepts chunks.
    package func requestBodyMapping(for head: RequestHead) -> BodyMapping? {
        if case .known(let bytes) = head.bodyLength, bytes > BodyMapping.collectLimit { return nil }
        return BodyMapping(head.fields, length: head.bodyLength, toUpstream, looksAtContent: looksAtContent)
    }

    // MARK: Responses

    /// The response head as the client should see it.
    package func mapResponse(_ head: ResponseHead) -> ResponseHead {
        let mapsLinks = mapsContent && !pairs.isEmpty
        let isConcerned =
            !toClientInFields.isEmpty
            || mapsLinks && head.fields.contains { isLink($0) || $0.isNamed("set-cookie") }
        guard isConcerned else { return head }
        var mapped = head
        mapped.fields = Fields()
        for field in head.fields {
            let replacement = mapsLinks && field.withRaw(isLink) ? toClientInLinks : toClientInFields
            let value = replacement.replace(in: Array(field.value))
            let isCookie = mapsLinks && field.isNamed("set-cookie")
            mapped.fields.append(name: field.name, value: isCookie ? mapCookie(value) : value)
        }
        return mapped
    }

    /// How the body of a response is mapped; nil if it is passed on unchanged. A part of a representation is: its
    /// offsets would no longer fit.
    ///
    /// - Parameter beginning: of the body, if known; then it is decided at once whether the body is text.
    package func responseBodyMapping(for head: ResponseHead, beginning: [UInt8]? = nil) -> BodyMapping? {
        guard head.status != 206 else { return nil }
        let mapping = BodyMapping(head.fields, length: head.bodyLength, toClient, looksAtContent: looksAtContent)
        guard let beginning, let mapping, mapping.isUndecided else { return mapping }
        return mapping.mayBeText(beginning: beginning) ? mapping : nil
    }

    /// Whether nothing in this body needs to be mapped; false for a compressed body, where that is not known.
    package func leaves(body: UnsafeRawBufferPointer, of head: ResponseHead) -> Bool {
        !head.fields.contains("content-encoding") && !toClient.mayMatch(body)
    }

    /// The same for the body of a request.
    package func leaves(body: UnsafeRawBufferPointer, of head: RequestHead) -> Bool {
        !head.fields.contains("content-encoding") && !toUpstream.mayMatch(body)
    }

    private func isLink(_ field: Fields.RawField) -> Bool {
        field.isNamed("location") || field.isNamed("content-location") || field.isNamed("link")
            || field.isNamed("refresh") || field.isNamed("access-control-allow-origin")
    }

    /// Removes what would keep a client from sending the cookie back: a `Domain` that names the upstream or a parent of
    /// it, and `Secure` when the client does not speak TLS to us but the upstream does (RFC 6265 §4.1.2).
    private func mapCookie(_ value: [UInt8]) -> [UInt8] {
        guard let own = pairs.first else { return value }
        let parts = value.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
        let kept = parts.enumerated().filter { index, part in
            guard index > 0 else { return true }
            let attribute = trimmingSpace(part)
            let name = trimmingSpace(attribute.prefix { $0 != UInt8(ascii: "=") })
            if equalsIgnoringCase(name, "secure".utf8) {
                return own.served.scheme == .https || own.upstream.scheme == .http
            }
            if equalsIgnoringCase(name, "domain".utf8) {
                let domain = attribute.dropFirst(name.count + 1).drop { $0 == 0x20 || $0 == UInt8(ascii: ".") }
                // Cookies of other domains are left alone.
                return !Self.domain(domain, covers: own.upstream.host) || Self.domain(domain, covers: own.served.host)
            }
            return true
        }
        return Array(kept.map(\.element).joined(separator: [UInt8(ascii: ";")]))
    }

    /// Whether `host` domain-matches `domain` (RFC 6265 §5.1.3).
    private static func domain(_ domain: ArraySlice<UInt8>, covers host: String) -> Bool {
        let host = Array(host.utf8)
        guard domain.count < host.count else { return equalsIgnoringCase(domain, host) }
        let suffix = host.suffix(domain.count)
        return !domain.isEmpty && equalsIgnoringCase(domain, suffix) && host[suffix.startIndex - 1] == UInt8(ascii: ".")
    }
}
