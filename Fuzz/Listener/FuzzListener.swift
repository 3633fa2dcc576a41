import Foundation
import MockServe

/// Sends arbitrary bytes to a server over a connection, in two pieces, and reads what comes until it is closed: no crash, no hang.
///
/// The server is a handler, or one that records it, as the first byte says.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzListener(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 1, let servers else { return 0 }
    let bytes = UnsafeRawBufferPointer(start: start + 1, count: count - 1)
    let descriptor = connectTo(start[0] & 1 == 0 ? servers.handler.port : servers.recorder.port)
    guard descriptor >= 0 else { return 0 }
    defer { close(descriptor) }
    let middle = bytes.count / 2
    _ = send(descriptor, bytes.baseAddress, middle, Int32(MSG_NOSIGNAL))
    _ = send(descriptor, bytes.baseAddress.map { $0 + middle }, bytes.count - middle, Int32(MSG_NOSIGNAL))
    shutdown(descriptor, CInt(SHUT_WR))
    var block = [UInt8](repeating: 0, count: 65536)
    var received = 0
    while true {
        let count = recv(descriptor, &block, block.count, 0)
        if count <= 0 {
            // Nothing for ten seconds is a connection that was forgotten.
            precondition(count == 0 || errno != EAGAIN, "the server neither answers nor closes")
            break
        }
        received += count
        precondition(received < 64 << 20, "an answer without end")
    }
    return 0
}

private let servers: (handler: MockServer, recorder: MockServer)? = {
    let cassette = "/dev/shm/mockserve-fuzz-listener-\(getpid()).cassette"
    let handler = MockServerConfiguration.responding(with: ClosureResponder { .text($0.text) })
    guard let first = try? MockServer.start(handler) else { return nil }
    // The second forwards to the first, and records.
    var recording = MockServerConfiguration.record(cassette, upstream: first.url.absoluteString, mode: .missing)
    recording.recordsInCI = true
    guard let second = try? MockServer.start(recording) else { return nil }
    return (first, second)
}()

private func connectTo(_ port: Int) -> CInt {
    let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(port).bigEndian)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var limit = timeval(tv_sec: 10, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    let result = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            connect(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    if result != 0 {
        close(descriptor)
        return -1
    }
    return descriptor
}
