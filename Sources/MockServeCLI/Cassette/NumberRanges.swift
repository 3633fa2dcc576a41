import ArgumentParser
import CassetteStore

/// Numbers, and ranges of them, as `list` shows them.
enum NumberRanges {
    /// Ascending, and none twice.
    static func parse(_ texts: [String]) throws -> [ClosedRange<Int64>] {
        var ranges: [ClosedRange<Int64>] = []
        for range in try read(texts).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = ranges.last, range.lowerBound <= last.upperBound {
                ranges[ranges.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                ranges.append(range)
            }
        }
        return ranges
    }

    private static func read(_ texts: [String]) throws -> [ClosedRange<Int64>] {
        try texts.map { text in
            let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Int64($0) }
            guard let first = ends.first, let first, let last = ends.last, let last, ends.count <= 2,
                first <= last, first > 0
            else { throw ValidationError("`\(text)` is neither a number nor a range such as 7-9.") }
            return first...last
        }
    }
}
