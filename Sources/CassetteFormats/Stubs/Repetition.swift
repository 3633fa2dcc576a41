import Crypto
import HTTPMessages
import MockServeCore

/// How often each request was recorded, of one upstream or of all, for formats that give several answers to one request by states.
struct Repetition {
    private var counts: [Digest: Int] = [:]
    private var seen: [Digest: (number: Int, series: Int)] = [:]
    private var lastSeries = 0

    private struct Digest: Hashable {
        private let bytes: [UInt8]

        init(_ interaction: WholeInteraction, knowsOrigins: Bool) {
            var hash = SHA256()
            if knowsOrigins { hash.update(data: Array(interaction.origin.utf8)) }
            hash.update(data: interaction.request.method + [0x20])
            hash.update(data: interaction.request.target + [0x20])
            hash.update(data: interaction.requestBody)
            bytes = Array(hash.finalize().prefix(16))
        }
    }

    private let knowsOrigins: Bool

    /// - Parameter knowsOrigins: whether the format tells upstreams apart.
    init(of contents: some CassetteContents, knowsOrigins: Bool = false) throws {
        self.knowsOrigins = knowsOrigins
        var counts: [Digest: Int] = [:]
        try contents.forEachInteraction { counts[Digest($0, knowsOrigins: knowsOrigins), default: 0] += 1 }
        self.counts = counts
    }

    /// The next interaction, in the order in which they were counted.
    ///
    /// - Returns: the series that it is in, its number there, from 1, and how many there are; nil if it is the only one.
    mutating func place(of interaction: WholeInteraction) -> (series: Int, number: Int, count: Int)? {
        let digest = Digest(interaction, knowsOrigins: knowsOrigins)
        guard let count = counts[digest], count > 1 else { return nil }
        if seen[digest] == nil {
            lastSeries += 1
            seen[digest] = (0, lastSeries)
        }
        seen[digest]?.number += 1
        return seen[digest].map { ($0.series, $0.number, count) }
    }
}
