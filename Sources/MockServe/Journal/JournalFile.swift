import CassetteStore
import Dispatch
import Foundation
import MockServeCore
import Synchronization

/// Writes journal entries to a file, one JSON object per line, on a queue of its own.
final class JournalFile: Sendable {
    enum Content {
        /// All entries, appended to the file.
        case everything
        /// Only misses; the first one replaces the file.
        case misses
    }

    /// Bytes that may wait to be written. Beyond that, entries are left out, and a line says how many.
    private static let pendingLimit = 8 << 20

    /// How long lines wait for others, because waking a thread costs more than a line.
    private static let delay = DispatchTimeInterval.milliseconds(5)

    /// How many files of misses are kept in their folder.
    private static let keptFiles = 64

    private struct Pending {
        var lines: [UInt8] = []
        var omitted = 0
        var isScheduled = false
        var isClosed = false
    }

    private let path: String
    private let content: Content
    private let pending = Mutex(Pending())
    /// Negative while no file is open.
    private let descriptor: Mutex<CInt>
    private let queue = DispatchQueue(label: "mockserve.journal-file")

    /// - Throws: `MockServeError` if the file cannot be opened. A file of misses is opened at the first miss, and left
    ///   out if that fails: nobody asked for it.
    init(_ path: String, _ content: Content) throws {
        self.path = path
        self.content = content
        guard content == .everything else {
            descriptor = Mutex(-1)
            return
        }
        // A pipe must not block the server, whether or not anybody reads from it.
        let opened = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0o600)
        guard opened >= 0 else {
            let reason = errno == ENXIO ? "nobody reads it" : String(cString: strerror(errno))
            throw MockServeError(.invalidConfiguration, "The journal \(path) cannot be written: \(reason).")
        }
        descriptor = Mutex(opened)
        // A line that a killed server left incomplete stays a line of its own.
        if Self.endsInLine(path) { pending.withLock { $0.lines = [0x0A] } }
    }

    private static func endsInLine(_ path: String) -> Bool {
        guard let status = FileStatus(path), status.kind == .regular, status.size > 0 else { return false }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        defer { if descriptor >= 0 { Foundation.close(descriptor) } }
        var last: UInt8 = 0x0A
        return pread(descriptor, &last, 1, off_t(status.size - 1)) == 1 && last != 0x0A
    }

    func write(_ entry: JournalEntry) {
        if content == .misses {
            guard case .missed = entry.outcome.kind else { return }
        }
        let mustSchedule = pending.withLock { pending in
            // Entries after the end are only in the journal in memory.
            guard !pending.isClosed else { return false }
            if pending.lines.count > Self.pendingLimit {
                pending.omitted += 1
            } else {
                entry.appendJSONLine(to: &pending.lines)
            }
            defer { pending.isScheduled = true }
            return !pending.isScheduled
        }
        if mustSchedule { queue.asyncAfter(deadline: .now() + Self.delay) { self.drain() } }
    }

    func close() {
        pending.withLock { $0.isClosed = true }
        queue.sync { drain() }
        descriptor.withLock { descriptor in
            if descriptor >= 0 { Foundation.close(descriptor) }
            descriptor = -1
        }
    }

    private func drain() {
        var (lines, omitted) = pending.withLock { pending in
            defer { pending = Pending(isClosed: pending.isClosed) }
            return (pending.lines, pending.omitted)
        }
        if omitted > 0 { lines += Array("{\"omitted\":\(omitted)}\n".utf8) }
        guard !lines.isEmpty else { return }
        descriptor.withLock { descriptor in
            if descriptor < 0, content == .misses { descriptor = openForMisses() }
            var rest = lines[...]
            while !rest.isEmpty, descriptor >= 0 {
                let written = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
                if written < 0, errno == EINTR { continue }
                if written < 0, errno == EAGAIN, Self.awaitRoom(descriptor) { continue }
                // A full disk loses journal lines, not answers.
                guard written > 0 else { return }
                rest = rest.dropFirst(written)
            }
        }
    }

    /// Waits at most a second for the reader of a pipe.
    private static func awaitRoom(_ descriptor: CInt) -> Bool {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&waiting, 1, 1000) == 1 && waiting.revents & Int16(POLLOUT) != 0
    }

    /// Creates the file under another name and moves it into place, so that servers with misses at the same time do not
    /// mix their lines.
    private func openForMisses() -> CInt {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        try? FileManager.default.createDirectory(
            at: folder,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        let temporary = "\(path).\(UUID())"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return -1 }
        rename(temporary, path)
        Self.removeOldest(in: folder)
        return descriptor
    }

    /// Every cassette has a file of its own for every folder in which a server was started. The newest of these are
    /// kept. Files with other names belong to somebody else.
    private static func removeOldest(in folder: URL) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        // Includes what a killed server left under a temporary name.
        let own = names.filter { $0.wholeMatch(of: /[0-9a-f]+-[0-9a-f]+\.jsonl(\.[0-9A-F\-]{36})?/) != nil }
        guard own.count > keptFiles else { return }
        // Foundation would also look up the name of the owner, over a socket.
        func date(_ path: String) -> (Int, Int) {
            guard let modified = FileStatus(path)?.modified else { return (0, 0) }
            return (modified.seconds, modified.nanoseconds)
        }
        let dated = own.map { name in (path: "\(folder.path)/\(name)", date: date("\(folder.path)/\(name)")) }
        for file in dated.sorted(by: { $0.date > $1.date }).dropFirst(keptFiles) {
            // Another server may have removed it already.
            unlink(file.path)
        }
    }
}

extension JournalEntry {
    /// One JSON object.
    package var jsonText: String {
        var line: [UInt8] = []
        appendJSONLine(to: &line)
        return String(decoding: line.dropLast(), as: UTF8.self)
    }

    /// Appends one JSON object and a line feed.
    func appendJSONLine(to output: inout [UInt8]) {
        func append(_ text: String) { output.append(contentsOf: text.utf8) }
        append("{\"number\":\(number),\"at\":\(Int64(date.timeIntervalSince1970 * 1000)),\"method\":")
        FieldsJSON.appendString(methodBytes, to: &output)
        append(",\"target\":")
        FieldsJSON.appendString(targetBytes, to: &output)
        append(status.map { ",\"status\":\($0)" } ?? ",\"status\":null")
        if let remark { append(",\"remark\":\(JSONText.string(remark))") }
        if let client { append(",\"client\":\(JSONText.string(client))") }
        switch outcome.kind {
        case .replayed(let number): append(",\"outcome\":\"replayed\",\"interaction\":\(number)}\n")
        case .recorded(let number): append(",\"outcome\":\"recorded\",\"interaction\":\(number)}\n")
        case .forwarded: append(",\"outcome\":\"forwarded\"}\n")
        case .responded: append(",\"outcome\":\"responded\"}\n")
        case .missed(let miss):
            append(
                ",\"outcome\":\"missed\",\"cassette\":\(JSONText.string(miss.cassette)),\"problem\":\(miss.json)"
                    + ",\"explanation\":\(JSONText.string(miss.explanation))}\n"
            )
        case .failed(let reason): append(",\"outcome\":\"failed\",\"reason\":\(JSONText.string(reason))}\n")
        }
    }
}
