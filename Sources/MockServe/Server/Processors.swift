import Foundation
import NIOCore

/// How many processors this process may use.
enum Processors {
    /// Limited by the quota of its control group, as SwiftNIO reads it, and by its affinity, as `taskset` and
    /// containers set it (proc_pid_status(5), `Cpus_allowed`).
    static var usable: Int {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("Cpus_allowed:") })
        else { return System.coreCount }
        // A hexadecimal mask with a comma after every 32 bits.
        let count = line.dropFirst("Cpus_allowed:".count).reduce(0) { $0 + ($1.hexDigitValue?.nonzeroBitCount ?? 0) }
        return max(1, min(count, System.coreCount))
    }
}
