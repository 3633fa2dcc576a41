import Foundation
import HTTPMessages
import HTTPWire
import MockServe
import MockServeCore
import Synchronization
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

private let getClose = "GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

/// A responder that can be held in the middle of an answer.
private final class Gate: Sendable {
    private let entered = Mutex(0)
    let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream(of: Void.self) }

    func enter() { entered.withLock { $0 += 1 } }
    func open() { continuation.finish() }
    var count: Int { entered.withLock { $0 } }

    func waitUntilEntered() async {
        while count == 0 { await Task.yield() }
    }
}

@Suite(.timeLimit(.minutes(2)))
struct ScopeTests {
    /// A loopback address that no other test listens on: on a shared one, another test might get a port that was given
    /// up.
    private static let host = "127.77.0.1"

    private var apart: MockServerConfiguration {
        var configuration = MockServerConfiguration.responding(with: ClosureResponder { _ in .text("") })
        configuration.listen = .address(Self.host)
        return configuration
    }

    private func expectNobody(at port: Int, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(throws: RawClient.Failure.self, sourceLocation: sourceLocation) {
            try RawClient(port: port, host: Self.host)
        }
    }

    @Test func acceptsWhenTheBodyBegins() async throws {
        try await withMockServer(responder: { .text("you asked for \($0.path)") }) { server in
            #expect(server.port > 0)
            #expect(server.url.absoluteString == "http://127.0.0.1:\(server.port)")
            let (data, response) = try await URLSession.shared.data(from: server.url.appending(path: "a/b"))
            #expect((response as? HTTPURLResponse)?.statusCode == 200)
            #expect(String(decoding: data, as: UTF8.self) == "you asked for /a/b")
        }
    }

    @Test func worksSynchronously() throws {
        let answer = try withMockServer(responder: { _ in .text("hello") }) { server in
            try RawClient.exchange(server.port, getClose)
        }
        #expect(answer.hasSuffix("hello"))
    }

    @Test func isGoneAfterTheScope() async throws {
        let port = try await withMockServer(apart) { $0.port }
        expectNobody(at: port)
    }

    @Test func isGoneAfterTheBodyThrew() async throws {
        struct Oops: Error {}
        let port = Mutex(0)
        await #expect(throws: Oops.self) {
            try await withMockServer(apart) { server in
                port.withLock { $0 = server.port }
                throw Oops()
            }
        }
        expectNobody(at: port.withLock { $0 })
    }

    @Test func stopsWhenTheTaskIsCancelled() async throws {
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let task = Task {
            try await withMockServer(apart) { server in
                port.yield(server.port)
                try await Task.sleep(for: .seconds(3600))
            }
        }
        var iterator = ports.makeAsyncIterator()
        let number = try #require(await iterator.next())
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        expectNobody(at: number)
    }

    @Test func stoppingTwiceIsFine() async throws {
        let server = try await MockServer.start(.responding(with: ClosureResponder { _ in .text("") }))
        try await server.stop()
        try await server.stop()
        try await offPool { try server.stop() }
    }

    @Test func finishesAnswersUnderWay() async throws {
        let gate = Gate()
        let server = try await MockServer.start(
            .responding(
                with: ClosureResponder { _ in
                    gate.enter()
                    for await _ in gate.stream {}
                    return .text("late but whole")
                }
            )
        )
        let port = server.port
        let answer = Task { try await offPool { try RawClient.exchange(port, getClose) } }
        await gate.waitUntilEntered()
        let stopped = Task { try await server.stop() }
        gate.open()
        try #expect(await answer.value.hasSuffix("late but whole"))
        try await stopped.value
    }

    @Test func cutsAnswersAtTheDeadline() async throws {
        let gate = Gate()
        var configuration = MockServerConfiguration.responding(
            with: ClosureResponder { _ in
                gate.enter()
                try await Task.sleep(for: .seconds(3600))
                return .text("never")
            }
        )
        configuration.stopDeadline = .milliseconds(50)
        let server = try await MockServer.start(configuration)
        let port = server.port
        let answer = Task { try await offPool { try RawClient.exchange(port, getClose) } }
        await gate.waitUntilEntered()
        try await server.stop()
        try #expect(await answer.value == "")
    }

    @Test func closesIdleConnectionsWhenStopping() async throws {
        let server = try await MockServer.start(.responding(with: ClosureResponder { _ in .text("hi") }))
        let idle = try RawClient(port: server.port)
        idle.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(idle.read { $0.hasSuffix("hi") }.hasSuffix("hi"))
        try await server.stop()
        #expect(idle.readToEnd() == "")
    }

    @Test func manyServersRunInParallel() async throws {
        let answers = try await withThrowingTaskGroup(of: (Int, String).self) { group in
            for number in 0..<40 {
                group.addTask {
                    try await withMockServer(responder: { _ in .text("server \(number)") }) { server in
                        let (data, _) = try await URLSession.shared.data(from: server.url)
                        return (number, String(decoding: data, as: UTF8.self))
                    }
                }
            }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        #expect(answers.count == 40)
        #expect(answers.allSatisfy { $1 == "server \($0)" })
    }

    @Test func tenThousandCyclesLeakNothing() async throws {
        let configuration = MockServerConfiguration.responding(with: ClosureResponder { _ in .text("") })
        func threads() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count }
        // What is made once for the whole process is made before counting.
        try await withMockServer(configuration) { _ = try RawClient.exchange($0.port, getClose) }
        let before = (descriptors: try openDescriptors(), threads: try threads())
        for cycle in 0..<10_000 {
            let server = try await MockServer.start(configuration)
            if cycle % 100 == 0 { _ = try RawClient.exchange(server.port, getClose) }
            try await server.stop()
        }
        // Other suites of this process open and close things meanwhile: there must be a moment with no more than
        // before.
        var (descriptors, running) = (try openDescriptors(), try threads())
        for _ in 0..<2000 where descriptors > before.descriptors || running > before.threads {
            try await withMockServer(configuration) { _ = try RawClient.exchange($0.port, getClose) }
            (descriptors, running) = (min(descriptors, try openDescriptors()), min(running, try threads()))
        }
        #expect(descriptors <= before.descriptors)
        #expect(running <= before.threads)
    }
}

@Suite(.timeLimit(.minutes(5)))
struct ListenTests {
    private let responder = ClosureResponder { _ in .text("here") }

    private func configuration(_ listen: ListenAddress) -> MockServerConfiguration {
        var configuration = MockServerConfiguration.responding(with: responder)
        configuration.listen = listen
        return configuration
    }

    @Test func listensOnIPv6() async throws {
        try await withMockServer(configuration(.address("::1"))) { server in
            #expect(server.url.absoluteString == "http://[::1]:\(server.port)")
            let origin = try #require(Origin(server.url.absoluteString))
            let request = RequestHead(method: Array("GET".utf8), target: Array("/".utf8))
            #expect(try await PlainClient.send(request, to: origin).body == Array("here".utf8))
        }
    }

    @Test func listensOnAName() async throws {
        try await withMockServer(configuration(.address("localhost"))) { server in
            #expect(server.port > 0)
        }
    }

    @Test func listensOnAFixedPort() async throws {
        // At an address of its own: another test might get the port before it is taken again.
        let host = "127.77.0.2"
        let free = try await withMockServer(configuration(.address(host))) { $0.port }
        try await withMockServer(configuration(.address(host, port: free))) { server in
            #expect(server.port == free)
            let client = try RawClient(port: free, host: host)
            client.send("GET / HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n")
            #expect(client.readToEnd().hasSuffix("here"))
        }
    }

    @Test func takesOverABoundSocket() async throws {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(result == 0)
        let name = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor)")
        try await withMockServer(configuration(.socket(descriptor))) { server in
            try #expect(RawClient.exchange(server.port, getClose).hasSuffix("here"))
        }
        // The number may belong to another file by now.
        let now = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor)")
        #expect(now != name, "the server closes the socket it took over")
    }

    @Test func namesTheAddressThatIsTaken() async throws {
        try await withMockServer(configuration(.loopback)) { first in
            let error = await startFailure(configuration(.address("127.0.0.1", port: first.port)))
            #expect(error?.code == .cannotListen)
            #expect(error?.message.contains("127.0.0.1:\(first.port): Address already in use") == true)
        }
    }

    @Test(arguments: ["192.0.2.1", "no.such.host.invalid", "not an address"])
    func namesTheAddressThatIsNotOurs(_ host: String) async throws {
        let error = await startFailure(configuration(.address(host)))
        #expect(error?.code == .cannotListen)
        #expect(error?.message.contains(host) == true)
    }

    @Test func refusesADescriptorThatIsNoSocket() async throws {
        let file = open("/dev/null", O_RDONLY)
        let error = await startFailure(configuration(.socket(file)))
        #expect(error?.code == .cannotListen)
        close(file)
    }
}

@Suite(.timeLimit(.minutes(5)))
struct BlockingClientTests {
    /// Blocking clients on every thread of the cooperative pool, and more of them than it has threads.
    @Test func responderAnswersThoughEveryTestThreadIsBlocked() async throws {
        try await withMockServer(responder: { .text("answer to \($0.path)") }) { server in
            let port = server.port
            try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<32 { group.addTask { try RawClient.exchange(port, getClose) } }
                for try await answer in group { #expect(answer.hasSuffix("answer to /hello")) }
            }
        }
    }
}
