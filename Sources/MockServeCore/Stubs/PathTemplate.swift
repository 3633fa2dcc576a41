import Foundation

/// A path with parameters: `/users/{id}/files/**`.
package struct PathTemplate: Sendable {
    package struct Problem: Error {
        package let reason: String
    }

    enum Segment: Sendable, Hashable {
        case literal(String)
        case parameter(String)
        case rest
    }

    /// Segments that it may have: each takes memory.
    private static let longest = 200

    /// As it was written.
    package let text: String
    let segments: [Segment]

    /// Every path.
    package static let all = PathTemplate(text: "/**", segments: [.rest])

    private init(text: String, segments: [Segment]) { (self.text, self.segments) = (text, segments) }

    package init(_ text: String) throws(Problem) {
        guard text.hasPrefix("/") else { throw Problem(reason: "it does not begin with `/`") }
        guard !text.contains(where: { $0 == "?" || $0 == "#" || $0.isWhitespace }) else {
            throw Problem(reason: "it has more than a path in it")
        }
        self.text = text
        guard text.utf8.lazy.filter({ $0 == UInt8(ascii: "/") }).count <= Self.longest else {
            throw Problem(reason: "it has more than \(Self.longest) segments")
        }
        var segments: [Segment] = []
        var names: Set<String> = []
        for part in Self.split(text) {
            if case .rest = segments.last { throw Problem(reason: "`**` is not its last segment") }
            if part == "*" { throw Problem(reason: "`*` is not a segment: write a name in braces, such as `{id}`") }
            guard part.contains("{") || part.contains("}") || part == "**" else {
                segments.append(.literal(Self.decoded(part)))
                continue
            }
            guard part != "**" else {
                segments.append(.rest)
                continue
            }
            let name = String(part.dropFirst().dropLast())
            guard part.hasPrefix("{"), part.hasSuffix("}"), !name.isEmpty, !name.contains("{"), !name.contains("}")
            else {
                throw Problem(reason: "a parameter is a segment of its own, such as `{id}`")
            }
            guard names.insert(name).inserted else { throw Problem(reason: "it has `{\(name)}` twice") }
            segments.append(.parameter(name))
        }
        self.segments = segments
    }

    /// Bytes that it takes in a `StubIndex`, roughly.
    package var memory: Int { segments.count * 256 }

    static func split(_ path: String) -> [Substring] {
        path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    }

    static func decoded(_ segment: Substring) -> String { segment.removingPercentEncoding ?? String(segment) }

    /// The parameters by name.
    ///
    /// - Parameter parts: decoded, of a path that matches.
    func parameters(of parts: [String]) -> [String: String] {
        var parameters: [String: String] = [:]
        for (segment, part) in zip(segments, parts) {
            if case .parameter(let name) = segment { parameters[name] = part }
        }
        return parameters
    }

    /// - Parameter path: without a query.
    /// - Returns: the parameters by name; nil if the path does not match.
    package func match(_ path: String) -> [String: String]? {
        var parameters: [String: String] = [:]
        var parts = Self.split(path)[...]
        for segment in segments {
            if case .rest = segment { return parameters }
            guard let part = parts.popFirst() else { return nil }
            switch segment {
            case .literal(let text): if Self.decoded(part) != text { return nil }
            case .parameter(let name):
                // With an empty segment it is another path.
                guard !part.isEmpty else { return nil }
                parameters[name] = Self.decoded(part)
            case .rest: break
            }
        }
        return parts.isEmpty ? parameters : nil
    }
}
