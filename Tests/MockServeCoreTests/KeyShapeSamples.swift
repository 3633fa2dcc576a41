@testable import MockServeCore

/// Made up keys of a shape, and what is almost one. It reads the patterns by itself, not with the code under test.
struct KeyShapeSamples {
    private enum Part {
        case literal([UInt8])
        case choice([[UInt8]])
        case run([UInt8], least: Int, most: Int)
    }

    private let parts: [Part]
    private let check: KeyChecksum?
    private let seed: UInt64

    /// - Returns: nil if the pattern is malformed.
    init?(pattern: String, check: KeyChecksum? = nil, seed: UInt64 = 1) {
        guard let parts = Self.parse(pattern) else { return nil }
        (self.parts, self.check, self.seed) = (parts, check, seed)
    }

    // MARK: Samples

    /// A random key of the shape. The same number gives the same key.
    func positive(_ number: UInt64 = 0) -> [UInt8] {
        var random = SplitMix64(seed: seed &+ number)
        return sealed(joined(pieces(&random)))
    }

    /// What is almost a key of this shape, or what people write for one. It may be a key of another shape.
    func negatives(_ number: UInt64 = 0) -> [[UInt8]] {
        var random = SplitMix64(seed: seed &+ number)
        let broken = brokenRuns(&random) + [otherCase(&random)] + (check == nil ? [] : [wrongChecksum(number)])
        return broken.filter { !containsKey($0) } + placeholders()
    }

    /// Runs that are too short, too long, or have a character in them that does not belong there.
    private func brokenRuns(_ random: inout SplitMix64) -> [[UInt8]] {
        var all: [[UInt8]] = []
        for (index, part) in parts.enumerated() {
            // One that may be empty is right when it is broken.
            guard case .run(let members, let least, let most) = part, least > 0 else { continue }
            var pieces = pieces(&random, shortest: true)
            let whole = pieces[index]
            pieces[index] = Array(whole.dropLast())
            all.append(joined(pieces))
            if most == least {
                let added = members.last { isWord($0) } ?? members[0]
                pieces[index] = index == 0 ? [added] + whole : whole + [added]
                all.append(joined(pieces))
            }
            if let foreign = Array("*!~?".utf8).first(where: { !members.contains($0) }) {
                pieces[index] = whole
                pieces[index][whole.count / 2] = foreign
                all.append(joined(pieces))
            }
        }
        return all
    }

    private func otherCase(_ random: inout SplitMix64) -> [UInt8] {
        var pieces = pieces(&random)
        for (index, part) in parts.enumerated() {
            if case .run = part { continue }
            pieces[index] = pieces[index].map { ($0 | 0x20) &- 0x61 < 26 ? $0 ^ 0x20 : $0 }
        }
        return sealed(joined(pieces))
    }

    /// A key of which one character of the checksum is another.
    private func wrongChecksum(_ number: UInt64) -> [UInt8] {
        var key = positive(number)
        guard case .run(let members, _, _)? = parts.last, let last = key.popLast() else { return [] }
        return key + [members.first { $0 != last } ?? last]
    }

    /// `ghp_xxxx…`: one character again and again. Only for shapes that end in a long run.
    private func placeholders() -> [[UInt8]] {
        guard case .run(_, let least, _)? = parts.last, least >= 12 else { return [] }
        return Array("xX0".utf8).compactMap { filler in
            var key: [UInt8] = []
            var isUsed = false
            for part in parts {
                switch part {
                case .literal(let bytes): key += bytes
                case .choice(let choices): key += choices[0]
                case .run(let members, let least, _):
                    let byte = members.contains(filler) ? filler : members[0]
                    key += Array(repeating: byte, count: least)
                    isUsed = byte == filler
                }
            }
            return isUsed ? key : nil
        }
    }

    // MARK: Making

    private func pieces(_ random: inout SplitMix64, shortest: Bool = false) -> [[UInt8]] {
        parts.map { part in
            switch part {
            case .literal(let bytes): return bytes
            case .choice(let choices): return choices[Int(random.next() % UInt64(choices.count))]
            case .run(let members, let least, let most):
                let more = shortest ? 0 : min(most - least, 12)
                return run(of: members, count: least + Int(random.next() % UInt64(more + 1)), &random)
            }
        }
    }

    /// Random, and not by chance a word or a number if the class has letters and digits.
    private func run(of members: [UInt8], count: Int, _ random: inout SplitMix64) -> [UInt8] {
        var bytes = (0..<count).map { _ in members[Int(random.next() % UInt64(members.count))] }
        let digits = members.filter { $0 &- 0x30 < 10 }
        let letters = members.filter { ($0 | 0x20) &- 0x61 < 26 }
        guard count >= 4, !digits.isEmpty, !letters.isEmpty else { return bytes }
        if !bytes.contains(where: digits.contains) {
            bytes[count / 2] = digits[Int(random.next() % UInt64(digits.count))]
        }
        if !bytes.contains(where: letters.contains) {
            bytes[count / 3] = letters[Int(random.next() % UInt64(letters.count))]
        }
        return bytes
    }

    private func joined(_ pieces: [[UInt8]]) -> [UInt8] { Array(pieces.joined()) }

    /// The key with the checksum that it should have.
    private func sealed(_ key: [UInt8]) -> [UInt8] {
        let field = key.lastIndex(of: UInt8(ascii: "_")).map { $0 + 1 } ?? 0
        switch check {
        case nil: return key
        case .crc32Base62: return key.dropLast(6) + base62(crc32(key[field...].dropLast(6)))
        case .crc32Base62Field: return key[..<field] + base62(crc32(key[..<max(0, field - 1)]))
        case .crc32HexField: return key[..<field] + hex(crc32(key[..<max(0, field - 1)]))
        case .bech32: return bech32(key)
        }
    }

    private func crc32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        var sum = UInt32.max
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
        }
        return ~sum
    }

    private func base62(_ number: UInt32) -> [UInt8] {
        let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
        var (rest, text): (UInt32, [UInt8]) = (number, [])
        for _ in 0..<6 {
            text.insert(digits[Int(rest % 62)], at: 0)
            rest /= 62
        }
        return text
    }

    private func hex(_ number: UInt32) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        return (0..<4).flatMap { index in
            let byte = number >> UInt32(index * 8) & 0xFF
            return [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }

    /// BIP 173, "Checksum": `bech32_create_checksum`.
    private func bech32(_ key: [UInt8]) -> [UInt8] {
        let digits = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)
        let isUpper = key.contains { $0 &- 0x41 < 26 }
        let lower = key.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }
        guard let one = lower.lastIndex(of: UInt8(ascii: "1")) else { return key }
        let data = lower[(one + 1)...].dropLast(6).compactMap { digits.firstIndex(of: $0) }
        let name = lower[..<one].map(Int.init)
        var sum = 1
        for value in name.map({ $0 >> 5 }) + [0] + name.map({ $0 & 31 }) + data + [0, 0, 0, 0, 0, 0] {
            let top = sum >> 25
            sum = (sum & 0x1FF_FFFF) << 5 ^ value
            for (bit, term) in [0x3B6A_57B2, 0x2650_8E6D, 0x1EA1_19FA, 0x3D42_33DD, 0x2A14_62B3].enumerated() {
                if top >> bit & 1 == 1 { sum ^= term }
            }
        }
        let made = lower.dropLast(6) + (0..<6).map { digits[(sum ^ 1) >> (5 * (5 - $0)) & 31] }
        return isUpper ? made.map { $0 &- 0x61 < 26 ? $0 ^ 0x20 : $0 } : Array(made)
    }

    // MARK: Recognising

    /// Whether a key is in it after all, by trying every way.
    private func containsKey(_ text: [UInt8]) -> Bool {
        text.indices.contains { low in
            guard low == 0 || !isWord(text[low - 1]) || !isWord(text[low]) else { return false }
            return ends(of: 0, in: text, from: low).contains { high in
                guard high > low, high == text.count || !isWord(text[high]) || !isWord(text[high - 1]) else {
                    return false
                }
                let key = Array(text[low..<high])
                return check == nil || sealed(key) == key
            }
        }
    }

    /// Where a match of the parts from this one on may end.
    private func ends(of part: Int, in text: [UInt8], from start: Int) -> Set<Int> {
        guard part < parts.count else { return [start] }
        var next: [Int] = []
        switch parts[part] {
        case .literal(let bytes): if text[start...].starts(with: bytes) { next = [start + bytes.count] }
        case .choice(let choices):
            next = choices.filter { text[start...].starts(with: $0) }.map { start + $0.count }
        case .run(let members, let least, let most):
            let count = text[start...].prefix { members.contains($0) }.count
            if count >= least { next = (least...min(count, most)).map { start + $0 } }
        }
        return next.reduce(into: []) { $0.formUnion(ends(of: part + 1, in: text, from: $1)) }
    }

    private func isWord(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 }

    // MARK: Patterns

    private static func parse(_ pattern: String) -> [Part]? {
        var parts: [Part] = []
        var literal: [UInt8] = []
        var rest = Array(pattern.utf8)[...]
        func endLiteral() {
            if !literal.isEmpty { parts.append(.literal(literal)) }
            literal = []
        }
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "["):
                endLiteral()
                guard let members = members(&rest), let (least, most) = count(&rest) else { return nil }
                parts.append(.run(members, least: least, most: most))
            case UInt8(ascii: "("):
                endLiteral()
                var choices: [[UInt8]] = [[]]
                while let next = rest.popFirst(), next != UInt8(ascii: ")") {
                    guard !"[]{}(\\".utf8.contains(next) else { return nil }
                    if next == UInt8(ascii: "|") { choices.append([]) } else { choices[choices.count - 1].append(next) }
                }
                parts.append(.choice(choices))
            case UInt8(ascii: "\\"):
                guard let next = rest.popFirst() else { return nil }
                literal.append(next)
            default:
                guard !"]{}|)".utf8.contains(byte) else { return nil }
                literal.append(byte)
            }
        }
        endLiteral()
        return parts
    }

    private static func members(_ rest: inout ArraySlice<UInt8>) -> [UInt8]? {
        var members: [UInt8] = []
        while let byte = rest.popFirst(), byte != UInt8(ascii: "]") {
            if byte == UInt8(ascii: "\\"), let next = rest.popFirst() {
                members.append(next)
            } else if byte == UInt8(ascii: "-"), let low = members.last, rest.first != UInt8(ascii: "]") {
                guard let high = rest.first, low < high else { return nil }
                rest.removeFirst()
                members += (low + 1)...high
            } else {
                members.append(byte)
            }
        }
        return members.isEmpty ? nil : members
    }

    private static func count(_ rest: inout ArraySlice<UInt8>) -> (Int, Int)? {
        guard rest.popFirst() == UInt8(ascii: "{"), let end = rest.firstIndex(of: UInt8(ascii: "}")) else { return nil }
        let text = String(decoding: rest[..<end], as: UTF8.self).split(separator: ",", omittingEmptySubsequences: false)
        rest = rest[(end + 1)...]
        guard let least = Int(text[0]) else { return nil }
        if text.count == 1 { return (least, least) }
        return (least, text[1].isEmpty ? 4096 : Int(text[1]) ?? 0)
    }
}

/// A small generator of repeatable numbers.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

// MARK: Published keys

extension KeyShapeSamples {
    /// Keys that vendors and standards publish as examples; none of them opens anything.
    static let published: [(kind: String, key: String)] = parted.map { ($0.0, $0.1.joined()) }

    /// In parts, so that hosts of code do not take this file for a leak.
    private static let parted: [(String, [String])] = [
        // AWS, Google Cloud, Tencent Cloud and Cloudflare: documentation of authentication.
        ("aws-access-key", ["AK", "IAIOSFODNN7EXAMPLE"]),
        ("aws-access-key", ["AS", "IAIOSFODNN7EXAMPLE"]),
        ("google-api-key", ["AI", "zaSyDaGmWKa4JsXZ-HjGw7ISLn_3namBGewQe"]),
        ("google-oauth-token", ["ya29", ".AHES6ZTtm7SuokEB-RGtbBty9IIlNiP9-eNMMQKtXdMP3sfjL1Fc"]),
        ("tencent-secret-id", ["AKID", "z8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"]),
        (
            "cloudflare-origin-key",
            [
                "v1.0", "-144c9defac04969c7bfad8ef-631a41d003a32d25fe878081ef365c49503f7fada600da935e2851a1c7326084",
                "b85cbf6429c4b859de8475731dc92a9c329631e6d59e6c73da7b198497172b4cefe071d90d0f5d2719",
            ]
        ),
        ("cloudflare-token", ["Sn3l", "ZJTBX6kkg7OdcBUAxOO963GEIyGQqnFTOFYY"]),
        ("aws-secret-key", ["wJal", "rXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"]),
        // GitHub: tokens that are revoked, published to test the checksum; refreshing user access tokens. Buildkite,
        // Docker, YouTrack.
        ("github-token", ["gh", "p_zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17"]),
        ("github-token", ["gh", "p_adE7dp8rHP6gUTuPwxLTZjZdtya3sV0UQzQM"]),
        ("github-token", ["gh", "r_1B4a2e77838347a7E420ce178F2E7c6912E169246c34E1ccbF66C46812d16D5B1A9Dc86A1498"]),
        ("buildkite-token", ["bkua", "_MTA.4f6ccde8c73e26244d73c5a77c91c242c0c818ce"]),
        (
            "buildkite-token",
            [
                "bkaa", "_MTA.Miyf6S3a3g9j8pyBGTyLC1frg9k6gDHTJdL9Fy7FXzRhrAVPckkzK6oEmdQVLvzUjt4rvW7cRPJEu",
            ]
        ),
        (
            "docker-swarm-token",
            [
                "SWMT", "KN-1-49nj1cmql0jkz5s954yi3oex3nedyz0fb0xx14ie39trti4wxv-8vxv8rssmk743ojnwacrr2e7c",
            ]
        ),
        ("jetbrains-token", ["perm", ":amFuZS5kb2U=.UkVTVC1BUEk=.wcKuAok8cHmAtzjA6xlc4BrB4hleaX"]),
        // OpenAI, Databricks.
        ("openai-ephemeral-key", ["ek_6", "8af296e8e408191a1120ab6383263c2"]),
        ("databricks-token", ["dapi", "1234567890ab1cde2f3ab456c7d89efa"]),
        // Stripe, Standard Webhooks, PayPal, Plaid, Lob; BIP 32, test vector 1; NIP-19.
        ("stripe-key", ["sk_", "test_4eC39HqLyjWDarjtT1zdp7dc"]),
        ("stripe-key", ["sk_", "test_BQokikJOvBiI2HlWgH4olfQ2"]),
        ("webhook-secret", ["whse", "c_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]),
        (
            "paypal-token",
            [
                "A21A", "AFEpH4PsADK7qSS7pSRsgzfENtu-Q1ysgEDVDESseMHBYXVJYE8ovjj68elIDy8nF26AwPhfXTIeWAZHSLIsQkSYz9",
                "ifg",
            ]
        ),
        ("plaid-token", ["acce", "ss-sandbox-de3ce8ef-33f8-452c-a685-8671031fc0f6"]),
        ("lob-key", ["test", "_0dc8d51e0acffcb1880e0f19c79b2f5b0cc"]),
        (
            "bip32-private-key",
            [
                "xprv", "9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtR",
                "BeJgk33yuGBxrMPHi",
            ]
        ),
        ("nostr-private-key", ["nsec", "1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5"]),
        // Slack, Telegram, SendGrid, Mailgun, Discord, X.
        ("slack-token", ["xo", "xp-23984754863-2348975623103"]),
        ("telegram-bot-token", ["110201543:AA", "HdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"]),
        ("sendgrid-key", ["S", "G.ngeVfQFYQlKU0ufo8x5d1A.TwL2iGABf9DHoTf-09kqeF8tAmbihYzrnopKc-1s5cr"]),
        ("mailgun-key", ["key-", "3ax6xnjp29jd6fds4gc373sgvjxteol0"]),
        ("discord-token", ["MTk4NjIyNDgz", "NDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs"]),
        (
            "twitter-bearer-token",
            [
                "AAAAAAAAAAAA",
                "AAAAAAAAAMLheAAAAAAA0%2BuSeid%2BULvsea4JtiGRiSDSJSI%3DEUifiRBkKG5E2XzMDjRfl76ZC9Ub0wnz4XsN",
                "iRVBChTYbJcE3F",
            ]
        ),
        // Grafana, Dynatrace, NetBird, Vault, Bitwarden, 1Password, age; RFC 8959; PASETO, test vector 2-E-1.
        ("grafana-token", ["glsa", "_yscW25imSKJIuav8zF37RZmnbiDvB05G_fcaaf58a"]),
        (
            "dynatrace-token",
            [
                "dt0c", "01.ST2EY72KQINMH574WMNVI7YN.G3DFPBEJYMODIDAEX454M7YWBUVEFOWKPRVMWFASS64NFH52PX6BNDVFFM572R",
                "ZM",
            ]
        ),
        ("netbird-token", ["nbp_", "apTmlmUXHSC4PKmHwtIZNaGr8eqcVI2gMURp"]),
        ("vault-token", ["s.iy", "NUhq8Ov4hIAx6snw5mB2nL"]),
        (
            "bitwarden-token",
            [
                "0.48c78342-1", "635-48a6-accd-afbe01336365.C0tMmQqHnAp1h0gL8bngprlPOYutt0:B3h5D+YgLvFiQhWkIq6Bow==",
            ]
        ),
        ("onepassword-secret-key", ["A3-A", "SWWYB-798JRY-LJVD4-23DC2-86TVM-H43EB"]),
        ("age-secret-key", ["AGE-", "SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33"]),
        ("secret-token", ["secr", "et-token:E92FB7EB-D882-47A4-A265-A0B6135DC842%20foo"]),
        (
            "paseto",
            [
                "v2.l", "ocal.97TTOvgwIxNGvV80XKiGZg_kD3tsXM_-qB4dZGHOeN1cTkgQ4PnW8888l802W8d9AvEGnoNBY3B",
                "nqHORy8a5cC8aKpbA0En8XELw2yDk2f1sVODyfnDbi6rEGMY3pSfCbLWMM2oHJxvlEl2XbQ",
            ]
        ),
        // Salesforce, Evernote.
        (
            "salesforce-token",
            [
                "00Dx", "0000000BV7z!AR8AQAxo9UfVkh8AlV0Gomt9Czx9LjHnSSpwBMmbRcgKFmxOtvxjTrKW19ye6PE3Ds1eQz3z8jr3W7",
                "_VbWmEu4Q8TVGSTHxs",
            ]
        ),
        (
            "evernote-token",
            [
                "s1", ":U=8f219:E=154308dc976:C=14cd8dc9cd8:P=1cd:A=en-devtoken:V=2:H=1e4d28c7982faf6222ecf55df3a",
                "2e84b",
            ]
        ),
    ]
}
