import ArgumentParser
import CassetteStore
import Foundation
import HTTPMessages
import MockServeCore

/// Which interactions are listed, and in what order.
struct ListFilter: ParsableArguments {
    enum Order: String, ExpressibleByArgument, CaseIterable {
        case number
        case size
        case age
        case time
        case target
    }

    @Option(help: "Only these methods.")
    var method: [String] = []

    @Option(
        help: ArgumentHelp(
            "Only paths like this: * is any characters of a segment, ** any segments.",
            valueName: "path"
        )
    )
    var path: String?

    @Option(help: ArgumentHelp("Only this status, or class of them.", valueName: "404|4xx"))
    var status: String?

    @Option(help: ArgumentHelp("Only from this host.", valueName: "host"))
    var host: String?

    @Option(help: ArgumentHelp("Only answers of this media type, such as image/* or json.", valueName: "type"))
    var type: String?

    @Option(help: ArgumentHelp("Only with this text in a decoded body, or in the target.", valueName: "text"))
    var text: String?

    @Option(
        name: .customLong("newer-than"),
        help: ArgumentHelp("Only what was recorded within this time.", valueName: "30d|12h")
    )
    var newerThan: String?

    @Option(
        name: .customLong("older-than"),
        help: ArgumentHelp("Only what was recorded before that.", valueName: "30d|12h")
    )
    var olderThan: String?

    @Option(
        help:
            "In which order: number, size (of the answer, longest first), age (oldest first), time (slowest first) or target."
    )
    var sort = Order.number

    @Option(help: ArgumentHelp("No more than so many.", valueName: "n"))
    var limit: Int?

    func validate() throws {
        if let path, RequestPattern("* \(path)") == nil {
            throw ValidationError("--path takes a path, such as /users/*, not `\(path)`.")
        }
        if let status, Self.statuses(status) == nil {
            throw ValidationError("--status takes a status or a class, such as 404 or 4xx, not `\(status)`.")
        }
        for (option, value) in [("--newer-than", newerThan), ("--older-than", olderThan)] {
            guard let value, Self.milliseconds(value) == nil else { continue }
            throw ValidationError("\(option) takes a time, such as 30d, 12h or 45m, not `\(value)`.")
        }
        guard limit ?? 1 > 0 else { throw ValidationError("--limit takes a number above 0.") }
    }

    private static func statuses(_ text: String) -> ClosedRange<Int>? {
        if text.count == 3, text.lowercased().hasSuffix("xx"), let first = text.first?.wholeNumberValue,
            (1...9).contains(first)
        {
            return first * 100...first * 100 + 99
        }
        return Int(text).flatMap { (100...999).contains($0) ? $0...$0 : nil }
    }

    private static func milliseconds(_ text: String) -> Int64? {
        let units: [Character: Int64] = ["s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000]
        guard let unit = text.last.flatMap({ units[$0] }), let count = Int64(text.dropLast()),
            (0...100_000).contains(count)
        else {
            return nil
        }
        return count * unit
    }

    /// Calls `body` with those that are listed. In the order of their numbers, memory is bounded.
    func forEach(_ reader: CassetteReader, _ body: (Interaction) throws -> Void) throws {
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        let pattern = path.flatMap { RequestPattern("* \($0)") }
        var left = limit ?? Int.max
        guard sort != .number else {
            return try reader.forEach { interaction in
                guard try fits(interaction, reader, pattern, now) else { return true }
                try body(interaction)
                left -= 1
                return left > 0
            }
        }
        var found: [(id: Int64, rank: Int64, target: String)] = []
        try reader.forEach { interaction in
            guard try fits(interaction, reader, pattern, now) else { return true }
            let rank: Int64 =
                switch sort {
                case .size: -Int64(interaction.responseBody?.size ?? 0)
                case .age: interaction.content.recordedAt
                case .time: -Int64(interaction.content.firstByte ?? 0)
                case .number, .target: 0
                }
            found.append((interaction.id, rank, sort == .target ? Latin1.string(interaction.request.target) : ""))
            return true
        }
        found.sort { ($0.rank, $0.target, $0.id) < ($1.rank, $1.target, $1.id) }
        for item in found.prefix(left) {
            if let interaction = try reader.interaction(item.id) { try body(interaction) }
        }
    }

    private func fits(_ interaction: Interaction, _ reader: CassetteReader, _ pattern: RequestPattern?, _ now: Int64)
        throws -> Bool
    {
        let (content, request) = (interaction.content, interaction.request)
        let name = Latin1.string(request.method)
        guard method.isEmpty || method.contains(where: { $0.uppercased() == name.uppercased() }) else { return false }
        if let pattern, !pattern.matches(method: request.method, target: Target.originForm(request.target)) {
            return false
        }
        if let range = status.flatMap(Self.statuses), !range.contains(interaction.response.status) { return false }
        if let host,
            !(Origin(content.origin).map { $0.host == host.lowercased() || $0.authority == host.lowercased() } ?? false)
        {
            return false
        }
        if let type, !Self.isOf(type.lowercased(), interaction.response) { return false }
        let age = now - content.recordedAt
        if let limit = newerThan.flatMap(Self.milliseconds), age > limit { return false }
        if let limit = olderThan.flatMap(Self.milliseconds), age <= limit { return false }
        guard let text else { return true }
        if Latin1.string(request.target).contains(text) { return true }
        let bodies = [
            (interaction.requestBody, request.fields), (interaction.responseBody, interaction.response.fields),
        ]
        for (reference, fields) in bodies {
            guard let reference, let bytes = try reader.bytes(of: reference, limit: 16 << 20),
                let plain = BodyText.decoded(bytes, fields, limit: 64 << 20)
            else { continue }
            if plain.firstOffset(of: Array(text.utf8)) != nil { return true }
        }
        return false
    }

    private static func isOf(_ wanted: String, _ response: ResponseHead) -> Bool {
        let type = response.fields.first("content-type").map { MediaType($0).essence } ?? ""
        if wanted.hasSuffix("/*") { return type.hasPrefix(wanted.dropLast()) }
        return wanted.contains("/")
            ? type == wanted
            : type.hasSuffix("/\(wanted)") || type.hasSuffix("+\(wanted)") || type.hasPrefix("\(wanted)/")
    }
}
