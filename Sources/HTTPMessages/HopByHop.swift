extension Fields {
    /// Names that `Connection` nominates as being for this connection only (RFC 9110 §7.6.1).
    package var nominatedNames: [ArraySlice<UInt8>] { listMembers(values("connection")) }
}

extension Fields.RawField {
    /// Whether the field is about one connection only (RFC 9110 §7.6.1).
    package var isHopByHop: Bool {
        isNamed("connection") || isNamed("keep-alive") || isNamed("proxy-connection") || isNamed("te")
            || isNamed("transfer-encoding") || isNamed("upgrade")
    }

    /// Whether the field must not be passed on to another connection.
    ///
    /// - Parameter nominated: `Fields.nominatedNames` of its message.
    package func endsHere(_ nominated: [ArraySlice<UInt8>]) -> Bool {
        if isHopByHop { return true }
        guard !nominated.isEmpty, !isEndToEnd else { return false }
        return nominated.contains { equalsIgnoringCase($0, name) }
    }

    /// Whether `Connection` cannot nominate the field: it frames or routes the message, or describes its content.
    /// Nominating one of these would make two readers see two different messages (RFC 9110 §7.6.1 forbids it for fields
    /// that are for all recipients of the content).
    private var isEndToEnd: Bool {
        isNamed("host") || isNamed("trailer") || isNamed("expect") || isNamed("range") || isNamed("cache-control")
            || hasPrefix("content-") || hasPrefix("if-")
    }

    private func hasPrefix(_ prefix: StaticString) -> Bool {
        guard name.count >= prefix.utf8CodeUnitCount else { return false }
        let start = UnsafeBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount)
        return equalsIgnoringCase(name.prefix(start.count), start)
    }
}

extension Fields.Field {
    /// As for `RawField`.
    package func endsHere(_ nominated: [ArraySlice<UInt8>]) -> Bool { withRaw { $0.endsHere(nominated) } }
}
