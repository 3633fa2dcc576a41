/// A small generator of repeatable numbers (SplitMix64), so that a failure can be repeated by its seed.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) } }

    mutating func split(_ bytes: [UInt8]) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(1 + below(20))
            pieces.append(Array(piece))
            rest = rest.dropFirst(piece.count)
        }
        return pieces
    }
}

/// Random valid messages in the spelling that the serialiser writes.
enum Generated {
    static func request(_ random: inout SplitMix) -> [UInt8] {
        let method = ["GET", "POST", "PUT", "BREW", "x"].randomElement(using: &random) ?? "GET"
        var bytes = octets("\(method) /\(path(&random)) HTTP/1.1\r\nHost: a\r\n")
        bytes += fields(&random)
        return bytes + body(&random, allowsUntilClose: false)
    }

    static func response(_ random: inout SplitMix) -> [UInt8] {
        let status = [200, 201, 301, 404, 500, 999].randomElement(using: &random) ?? 200
        let reason = ["", " ", " OK", " Sm\u{F6}rg\u{E5}s", " a  b "].randomElement(using: &random) ?? ""
        var bytes: [UInt8] = []
        if random.below(4) == 0 { bytes += octets("HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n") }
        bytes += octets("HTTP/1.1 \(status)\(reason)\r\n")
        bytes += fields(&random)
        return bytes + body(&random, allowsUntilClose: true)
    }

    private static func path(_ random: inout SplitMix) -> String {
        let alphabet = Array("abcXYZ019/?&=%._~\u{E9}\u{FF}")
        return String((0..<random.below(20)).map { _ in alphabet.randomElement(using: &random) ?? "a" })
    }

    private static func fields(_ random: inout SplitMix) -> [UInt8] {
        var lines = ""
        for _ in 0..<random.below(6) {
            let name = ["X-A", "x-a", "Accept", "Set-Cookie", "!#$"].randomElement(using: &random) ?? "X"
            let value = ["", "a", "a  b", "\u{E9}\u{80}", "q=\"x:y\", z", "a\tb"].randomElement(using: &random) ?? ""
            lines += "\(name): \(value)\r\n"
        }
        return octets(lines)
    }

    private static func body(_ random: inout SplitMix, allowsUntilClose: Bool) -> [UInt8] {
        switch random.below(allowsUntilClose ? 3 : 2) {
        case 0:
            let content = random.bytes(random.below(50))
            return octets("Content-Length: \(content.count)\r\n\r\n") + content
        case 1:
            var bytes = octets("Transfer-Encoding: chunked\r\n\r\n")
            for _ in 0..<random.below(4) {
                let content = random.bytes(1 + random.below(40))
                bytes += octets("\(String(content.count, radix: 16))\r\n") + content + octets("\r\n")
            }
            return bytes + octets("0\r\n") + (random.below(2) == 0 ? octets("X-T: 1\r\n\r\n") : octets("\r\n"))
        default:
            return octets("\r\n") + random.bytes(random.below(50))
        }
    }
}
