import Foundation

/// Which process makes a recording, as `episode.owner_pid` keeps it: the process number, and digests of when the
/// process began and of where that number is valid, so that another process with the same number, later or in another
/// container, is not taken for this one.
///
/// From the lowest bit on: 22 bits of the process number, 20 of its start, 20 of the machine's boot and the process
/// namespace. The last two are zero if the system does not tell them, and in what older programs wrote.
package struct RunOwner: Equatable, Sendable {
    private static let numberBits: UInt64 = 22
    private static let digestBits: UInt64 = 20

    package let value: Int64

    package init(_ value: Int64) { self.value = value }

    /// This process.
    package static let current = RunOwner(
        number: UInt64(getpid()),
        start: digest(startTime(of: getpid())),
        place: digest(place)
    )

    private init(number: UInt64, start: UInt64, place: UInt64) {
        let bits =
            number & (1 << Self.numberBits - 1) | start << Self.numberBits
            | place << (Self.numberBits + Self.digestBits)
        value = Int64(bits)
    }

    private var number: pid_t { pid_t(UInt64(bitPattern: value) & (1 << Self.numberBits - 1)) }
    private var start: UInt64 { UInt64(bitPattern: value) >> Self.numberBits & (1 << Self.digestBits - 1) }
    private var placeDigest: UInt64 {
        UInt64(bitPattern: value) >> (Self.numberBits + Self.digestBits) & (1 << Self.digestBits - 1)
    }

    /// Whether this process can tell if the owner is alive: it has the same boot and namespace, or recorded none.
    package var isKnown: Bool { placeDigest == 0 || placeDigest == Self.current.placeDigest }

    /// Whether the owner is alive, as far as this process can see.
    package var isAlive: Bool {
        guard value > 0, number > 0, kill(number, 0) == 0 || errno == EPERM else { return false }
        // A process that cannot be inspected is not taken for dead.
        guard start != 0, let time = Self.startTime(of: number) else { return true }
        return start == Self.digest(time)
    }

    /// FNV-1a, folded; never zero for a text.
    private static func digest(_ text: String?) -> UInt64 {
        guard let text else { return 0 }
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return max(1, (hash ^ hash >> 32) & (1 << digestBits - 1))
    }

    /// Field 22 of proc_pid_stat(5), in clock ticks since boot; nil where there is no such file.
    private static func startTime(of process: pid_t) -> String? {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        return fields.count > 19 ? String(fields[19]) : nil
    }

    private static var place: String? {
        guard let boot = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8),
            let namespace = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")
        else { return nil }
        return boot + namespace
    }
}
