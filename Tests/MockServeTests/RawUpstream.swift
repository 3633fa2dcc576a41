import Foundation
import Synchronization

/// A server on loopback that answers each connection's first request with bytes as they are, then closes or resets.
final class RawUpstream: Sendable {
    struct Answer: Sendable {
        var bytes: [UInt8]
        var resets = false

        init(_ text: String, resets: Bool = false) {
            self.init(Array(text.utf8), resets: resets)
        }

        init(_ bytes: [UInt8], resets: Bool = false) {
            self.bytes = bytes
            self.resets = resets
        }
    }

    private let descriptor: CInt
    let port: Int
    private let seen = Mutex<[String]>([])

    /// Threads that serve a connection.
    private let serving = DispatchGroup()

    /// Everything that arrived, one text per connection, in the order in which connections began. Complete after
    /// `stop`.
    var received: [String] { seen.withLock { $0 } }

    var url: String { "http://127.0.0.1:\(port)" }

    init(_ answer: @escaping @Sendable (String) -> Answer) throws {
        (descriptor, port) = try listeningSocket()
        let descriptor = descriptor
        Thread { [weak self] in
            while true {
                let connection = accept(descriptor, nil, nil)
                // Closed only here: another thread's socket may get the number.
                guard connection >= 0, let self else {
                    for open in [connection, descriptor] where open >= 0 { close(open) }
                    return
                }
                serving.enter()
                Thread {
                    self.serve(connection, answer)
                    self.serving.leave()
                }.start()
            }
        }.start()
    }

    /// Accepts no more, and waits for the ends of the connections that are there.
    func stop() {
        shutdown(descriptor, CInt(SHUT_RDWR))
        _ = serving.wait(timeout: .now() + 5)
    }

    private func serve(_ connection: CInt, _ answer: (String) -> Answer) {
        var text = ""
        let place = seen.withLock { seen in
            seen.append("")
            return seen.count - 1
        }
        var block = [UInt8](repeating: 0, count: 65536)
        func receive() -> Bool {
            let count = recv(connection, &block, block.count, 0)
            guard count > 0 else { return false }
            text += String(decoding: block[..<count], as: UTF8.self)
            seen.withLock { $0[place] = text }
            return true
        }
        while !isWhole(text), receive() {}
        let answer = answer(text)
        var rest = answer.bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes {
                Foundation.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { break }
            rest = rest.dropFirst(sent)
        }
        if answer.resets {
            // What was sent is read before the reset is noticed: on loopback the client acknowledges it at once.
            var end = linger(l_onoff: 1, l_linger: 0)
            setsockopt(connection, SOL_SOCKET, SO_LINGER, &end, socklen_t(MemoryLayout<linger>.size))
        } else {
            shutdown(connection, CInt(SHUT_WR))
            while receive() {}
        }
        close(connection)
    }

    /// Whether the head and the body that it announces are there.
    private func isWhole(_ text: String) -> Bool {
        guard let end = text.range(of: "\r\n\r\n") else { return false }
        let head = text[..<end.lowerBound].lowercased()
        if head.contains("transfer-encoding: chunked") { return text.hasSuffix("0\r\n\r\n") }
        let length = head.range(of: "content-length: ").flatMap { Int(head[$0.upperBound...].prefix { $0.isNumber }) }
        return text[end.upperBound...].utf8.count >= length ?? 0
    }
}

/// A socket on a port of loopback that the system picks. What connects waits until somebody accepts.
func listeningSocket() throws -> (descriptor: CInt, port: Int) {
    let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    var (address, length) = (sockaddr_in(), socklen_t(MemoryLayout<sockaddr_in>.size))
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            bind(descriptor, address, length) == 0 && listen(descriptor, 16) == 0
                && getsockname(descriptor, address, &length) == 0
        }
    }
    guard isBound else { throw RawClient.Failure(reason: String(cString: strerror(errno))) }
    return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
}
