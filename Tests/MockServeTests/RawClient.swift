import Foundation
import MockServe

/// A blocking TCP client on loopback that sends and reads bytes as they are.
final class RawClient: Sendable {
    private let descriptor: CInt

    struct Failure: Error {
        let reason: String
    }

    /// - Parameter host: an IPv4 address.
    init(port: Int, host: String = "127.0.0.1") throws {
        descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = inet_addr(host)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                connect(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Failure(reason: String(cString: strerror(errno))) }
        // No test waits for ever.
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    func send(_ text: String) { send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes {
                Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { return }
            rest = rest.dropFirst(sent)
        }
    }

    func closeOutput() { shutdown(descriptor, CInt(SHUT_WR)) }

    /// Bytes until the text so far satisfies `isComplete`, or the connection ends.
    func read(until isComplete: (String) -> Bool) -> String {
        String(decoding: readBytes { isComplete(String(decoding: $0, as: UTF8.self)) }, as: UTF8.self)
    }

    func readToEnd() -> String { String(decoding: readBytesToEnd(), as: UTF8.self) }

    func readBytesToEnd() -> [UInt8] { readBytes { _ in false } }

    private func readBytes(until isComplete: ([UInt8]) -> Bool) -> [UInt8] {
        var received: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 65536)
        while !isComplete(received) {
            let count = recv(descriptor, &block, block.count, 0)
            guard count > 0 else { break }
            received += block[..<count]
        }
        return received
    }

    /// Waits for `milliseconds`, or until the server has sent something or cut the connection.
    ///
    /// - Returns: whether it has.
    @discardableResult
    func hears(within milliseconds: CInt, of events: CInt = POLLIN) -> Bool {
        var state = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        return poll(&state, 1, milliseconds) > 0
    }

    /// One request on a connection of its own.
    static func exchange(_ port: Int, _ request: String) throws -> String {
        let client = try RawClient(port: port)
        client.send(request)
        return client.readToEnd()
    }
}

/// Number of open descriptors of this process.
func openDescriptors() throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
}

/// A folder that is removed when `body` is done.
func withFolder<Result>(_ body: (URL) async throws -> Result) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mockserve-tests-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder)
}

/// The error with which starting a server with this configuration fails.
func startFailure(_ configuration: MockServerConfiguration) async -> MockServeError? {
    do {
        try await MockServer.start(configuration).stop()
        return nil
    } catch {
        return error as? MockServeError
    }
}

/// Runs something that blocks on a thread of its own, so that the tests' tasks go on meanwhile.
func offPool<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        Thread { continuation.resume(with: Swift.Result { try body() }) }.start()
    }
}
