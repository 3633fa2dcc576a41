import HTTPMessages

/// Requests by method and path: `GET /users/*`, `* /v1/**`.
///
/// The method is one method, or `*` for any. In the path, `*` matches any characters within one segment, and a segment
/// `**` any number of segments. Paths are compared in their normal form; the query does not count.
package struct RequestPattern: Hashable, Sendable {
    private enum Segment: Hashable {
        case any
        /// Literal pieces with anything between them.
        case pieces([[UInt8]])
    }

    private static let sizeLimit = 4096

    /// As it was written.
    package let text: String
    /// Nil for any.
    private let method: [UInt8]?
    private let segments: [Segment]

    /// - Returns: nil if `text` is not a method, a space, and a path that begins with `/`.
    package init?(_ text: String) {
        let parts = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false).map { Array($0.utf8) }
        guard parts.count == 2, text.utf8.count <= Self.sizeLimit, parts[0] == [UInt8(ascii: "*")] || isToken(parts[0]),
            parts[1].first == UInt8(ascii: "/"),
            parts[1].allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "?") })
        else { return nil }
        self.text = text
        method = parts[0] == [UInt8(ascii: "*")] ? nil : parts[0]
        segments = Self.split(Target(parts[1]).normalPath).map { segment in
            guard segment != Array("**".utf8)[...] else { return .any }
            let pieces = segment.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false)
            return .pieces(pieces.map { Array($0) })
        }
    }

    private static func split(_ path: [UInt8]) -> [ArraySlice<UInt8>] {
        path.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    }

    /// - Parameter target: in origin-form, with or without a query.
    package func matches(method: [UInt8], target: [UInt8]) -> Bool {
        matches(method: method, normalPath: Target(target).normalPath)
    }

    /// Takes time proportional to the segments of the path times those of the pattern, at most.
    func matches(method: [UInt8], normalPath: [UInt8]) -> Bool {
        guard self.method == nil || self.method == method else { return false }
        let path = Self.split(normalPath)
        // The places in the pattern that the segments read so far may have led to.
        var places = Array(repeating: false, count: segments.count + 1)
        places[0] = true
        skipAny(&places)
        for segment in path {
            var next = Array(repeating: false, count: segments.count + 1)
            for (place, pattern) in segments.enumerated() where places[place] {
                switch pattern {
                case .any: next[place] = true
                case .pieces(let pieces): if Self.matches(segment, pieces) { next[place + 1] = true }
                }
            }
            skipAny(&next)
            places = next
        }
        return places[segments.count]
    }

    /// `**` also matches no segment.
    private func skipAny(_ places: inout [Bool]) {
        for (place, pattern) in segments.enumerated() where places[place] && pattern == .any {
            places[place + 1] = true
        }
    }

    private static func matches(_ segment: ArraySlice<UInt8>, _ pieces: [[UInt8]]) -> Bool {
        guard let first = pieces.first, let last = pieces.last, segment.starts(with: first) else { return false }
        guard pieces.count > 1 else { return segment.count == first.count }
        let text = Array(segment)
        var index = first.count
        for piece in pieces.dropFirst().dropLast() where !piece.isEmpty {
            guard let found = text.firstOffset(of: piece, from: index) else { return false }
            index = found + piece.count
        }
        return text.count - index >= last.count && text.suffix(last.count) == last[...]
    }
}
