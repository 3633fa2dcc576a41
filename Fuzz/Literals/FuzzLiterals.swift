@testable import MockServeCore

/// Looks for arbitrary literals in arbitrary texts: the automaton finds exactly what comparing every literal at every place does.
///
/// The input is lines. The last one is the text, those before it are literals.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzLiterals(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let lines = UnsafeBufferPointer(start: start, count: count).split(separator: 0x0A).map(Array.init)
    guard let text = lines.last, lines.count > 1, text.count <= 4096, lines.count <= 64 else { return 0 }
    let literals = Array(lines.dropLast())
    let (found, expected) = (found(literals, text), expected(literals, text))
    precondition(found == expected, "found \(found), there are \(expected)")
    return 0
}

private struct Match: Equatable {
    let range: Range<Int>
    let literal: Int
}

private func found(_ literals: [[UInt8]], _ text: [UInt8]) -> [Match] {
    let automaton = LiteralAutomaton(literals)
    var found: [Match] = []
    text.withUnsafeBufferPointer { text in
        var position = 0
        while position + LiteralAutomaton.shortest <= text.count {
            let next = automaton.walk(from: position, text) { found.append(Match(range: $0, literal: $1)) }
            position = max(position + 1, next)
        }
    }
    return found
}

/// The leftmost, of those the longest, of equal ones the first; and so on after its end.
private func expected(_ literals: [[UInt8]], _ text: [UInt8]) -> [Match] {
    var (found, position) = ([Match](), 0)
    while position < text.count {
        var best: Int?
        for index in literals.indices where literals[index].count >= LiteralAutomaton.shortest {
            guard text[position...].starts(with: literals[index]) else { continue }
            if best.map({ literals[$0].count < literals[index].count }) ?? true { best = index }
        }
        guard let best else {
            position += 1
            continue
        }
        found.append(Match(range: position..<position + literals[best].count, literal: best))
        position += literals[best].count
    }
    return found
}
