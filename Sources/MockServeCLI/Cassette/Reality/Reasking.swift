import CassetteStore
import Foundation
import HTTPMessages
import MockServe
import MockServeCore
import Synchronization

/// Sends recorded requests to the upstream again, and records what it answers now into a cassette of its own, by the rules
/// of the first one.
struct Reasking: Sendable {
    /// Bytes of an answer that are waited for, and how long.
    private static let answerLimit = 256 << 20
    private static let patience = Duration.seconds(120)

    /// What became of one recorded request.
    struct Outcome: Sendable {
        let number: Int64
        let request: String
        /// The number in the new cassette; nil if there was no answer.
        var answer: Int64?
        /// Which of the new cassettes.
        var part = 0
        /// Why there was no answer.
        var problem: String?
    }

    let cassette: String
    let upstreams: [(name: String, url: String)]
    /// Names of upstreams by the origins that were recorded from.
    let names: [String: String]
    let secrets: [RedactionTarget]
    let values: [(placeholder: [UInt8], value: [UInt8])]
    let jobs: Int
    /// Requests a second; nil for any number.
    let rate: Double?
    /// Where the new cassettes are.
    let folder: String

    func path(ofPart part: Int) -> String { "\(folder)/part-\(part).cassette" }

    /// - Parameter progress: called with how many are done.
    func run(_ numbers: [Int64], progress: @Sendable @escaping (Int) -> Void) async throws -> [Outcome] {
        let count = max(1, min(jobs, numbers.count))
        let size = (numbers.count + count - 1) / max(1, count)
        let parts = stride(from: 0, to: numbers.count, by: max(1, size)).map {
            Array(numbers[$0..<min($0 + size, numbers.count)])
        }
        let pace = Pace(rate: rate)
        let done = Counter()
        return try await withThrowingTaskGroup(of: (Int, [Outcome]).self) { group in
            for (part, numbers) in parts.enumerated() {
                group.addTask {
                    let outcomes = try await ask(numbers, part, pace) {
                        progress(done.next())
                    }
                    return (part, outcomes)
                }
            }
            var all: [Int: [Outcome]] = [:]
            for try await (part, outcomes) in group { all[part] = outcomes }
            return all.sorted { $0.key < $1.key }.flatMap(\.value)
        }
    }

    private func ask(_ numbers: [Int64], _ part: Int, _ pace: Pace, _ step: @Sendable () -> Void) async throws
        -> [Outcome]
    {
        let reader = try CassetteReader(path: cassette)
        defer { reader.close() }
        let path = path(ofPart: part)
        try CassetteEditor.copy([], from: reader, to: path)
        var configuration = MockServerConfiguration.record(path, upstreams: upstreams, mode: .all)
        configuration.recordsInCI = true
        configuration.redact = secrets
        let server = try await MockServer.start(configuration)
        var outcomes: [Outcome] = []
        do {
            var last: Int64 = 0
            for number in numbers {
                try Task.checkCancellation()
                await pace.wait()
                guard let interaction = try reader.interaction(number) else { continue }
                var outcome = Outcome(number: number, request: Self.title(interaction))
                let before = server.recordedCount
                do {
                    let origin = try origin(of: interaction, server)
                    let body = try reader.bytes(of: interaction.requestBody, limit: 64 << 20)
                    guard let body else {
                        throw MockServeError(.invalidConfiguration, "its body is too long to be sent again")
                    }
                    let answer = try await PlainClient.send(head(interaction.request), body: filled(body), to: origin)
                    if server.recordedCount > before {
                        last += 1
                        outcome.answer = last
                        outcome.part = part
                    } else {
                        outcome.problem =
                            server.failures.last ?? "it was answered with \(answer.head.status), and not recorded"
                    }
                } catch {
                    outcome.problem = (error as? MockServeError)?.message ?? String(describing: error)
                }
                outcomes.append(outcome)
                step()
            }
        } catch {
            try? await server.stop()
            throw error
        }
        try await server.stop()
        return outcomes
    }

    /// An upstream may answer for ever.
    private static func send(_ head: RequestHead, _ body: [UInt8], to origin: Origin) async throws -> PlainAnswer {
        try await PlainClient.send(head, body: body, to: origin, limit: answerLimit, patience: patience)
    }

    private static func title(_ interaction: Interaction) -> String {
        Console.safe("\(Latin1.string(interaction.request.method)) \(Latin1.string(interaction.request.target))")
    }

    private func origin(of interaction: Interaction, _ server: MockServer) throws -> Origin {
        // What was recorded from one service, with its secrets, goes to no other.
        guard let name = names[interaction.content.origin], let url = server.url(for: name),
            let origin = Origin(url.absoluteString)
        else {
            throw MockServeError(.invalidConfiguration, "it was recorded from no upstream of the cassette")
        }
        return origin
    }

    /// Without what belongs to the connection, and with the values of secrets.
    private func head(_ request: RequestHead) -> RequestHead {
        let own: [StaticString] = [
            "host", "content-length", "connection", "transfer-encoding", "te", "trailer", "upgrade", "keep-alive",
            "proxy-connection", "expect",
        ]
        var fields = Fields()
        for field in request.fields.filter({ field in !own.contains { field.isNamed($0) } }) {
            fields.append(name: field.name, value: filled(Array(field.value)))
        }
        return RequestHead(method: request.method, target: filled(Target.originForm(request.target)), fields: fields)
    }

    /// With values in the place of placeholders.
    private func filled(_ text: [UInt8]) -> [UInt8] {
        var text = text
        for (placeholder, value) in values {
            var start = 0
            while let found = text.firstOffset(of: placeholder, from: start) {
                var end = found + placeholder.count
                if end < text.count, text[end] == UInt8(ascii: "c") { end += 1 }
                let digits = end
                while end < text.count, text[end] &- 0x30 < 10 { end += 1 }
                guard end > digits else {
                    start = end
                    continue
                }
                text.replaceSubrange(found..<end, with: value)
                start = found + value.count
            }
        }
        return text
    }
}

private final class Counter: Sendable {
    private let value = Atomic(0)

    func next() -> Int { value.add(1, ordering: .relaxed).newValue }
}

/// Lets so many go on in a second.
private actor Pace {
    private let interval: Duration?
    private var next = ContinuousClock.now

    init(rate: Double?) { interval = rate.map { .seconds(1 / $0) } }

    func wait() async {
        guard let interval else { return }
        let now = ContinuousClock.now
        let start = max(now, next)
        next = start + interval
        if start > now { try? await Task.sleep(until: start) }
    }
}
