import Crypto

/// How requests are told apart by one secret.
final class ToldApart: Sendable, Hashable {
    /// The place and the name: each has numbers of its own.
    let place: String
    /// Nil if values are numbered in order of first use; otherwise what their digests are made with.
    let salt: String?

    init(_ place: RedactionRule.Place, _ name: String, salt: String?) {
        self.place = "\(place.rawValue):\(RedactionCatalog.comparable(name.utf8))"
        self.salt = salt
    }

    static func == (one: ToldApart, other: ToldApart) -> Bool { one.place == other.place && one.salt == other.salt }

    func hash(into hasher: inout Hasher) { hasher.combine(place) }

    /// What the numbers of placeholders begin at that are digests.
    static let firstDigest = 900_000_000_000

    /// The number for a value: 12 bits of its digest. So few that a value cannot be told from others by it, and enough
    /// to tell a wrong password from the right one in nearly all cases.
    static func digest(_ value: [UInt8], _ salt: String) -> Int {
        let digest = SHA256.hash(data: Array(salt.utf8) + [0] + value)
        return firstDigest + digest.prefix(2).reduce(0) { $0 << 8 | Int($1) } & 0xFFF
    }
}
