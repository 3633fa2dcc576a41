import HTTPMessages
import MockServeCore

extension RequestHead {
    /// Whether a body in these content codings may be sent. Without `Accept-Encoding`, any may (RFC 9110 §12.5.3).
    func accepts(_ codings: [ArraySlice<UInt8>]) -> Bool {
        guard !codings.isEmpty else { return true }
        let accepted = fields.values("accept-encoding")
        guard !accepted.isEmpty else { return true }
        let preference = AcceptEncoding(accepted)
        return codings.allSatisfy { preference.accepts($0) }
    }
}

/// An `Accept-Encoding` field (RFC 9110 §12.5.3).
struct AcceptEncoding {
    private var weights: [String: Double] = [:]

    init(_ values: [ArraySlice<UInt8>]) {
        for member in listMembers(values) {
            let parts = Latin1.string(member).lowercased().split(separator: ";").map {
                $0.filter { $0 != " " && $0 != "\t" }
            }
            guard let name = parts.first else { continue }
            let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 1 }
            weights[name] = quality ?? 1
        }
    }

    /// Whether a body in `coding` may be sent. `x-gzip` is the same as `gzip`.
    func accepts(_ coding: some Collection<UInt8>) -> Bool {
        var name = Latin1.string(coding).lowercased()
        if name == "x-gzip" { name = "gzip" }
        if name == "identity" { return true }
        let weight = weights[name] ?? (name == "gzip" ? weights["x-gzip"] : nil) ?? weights["*"] ?? 0
        return weight > 0
    }
}
