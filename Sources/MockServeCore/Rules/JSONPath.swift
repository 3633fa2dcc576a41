import HTTPMessages

/// A path into JSON: the part of RFC 9535 that rules need. `$`, `.name`, `['name']`, `[0]`, `.*`, `[*]`, and each of
/// these after `..` for any depth.
package struct JSONPath: Hashable, Sendable {
    enum Selector: Hashable, Sendable {
        case name([UInt8])
        case index(Int)
        case any
    }

    struct Segment: Hashable, Sendable {
        let selector: Selector
        /// Whether it matches at any depth below (`..`).
        let isDescendant: Bool
    }

    /// As it was written.
    package let text: String
    let segments: [Segment]

    /// - Returns: nil if `text` is not such a path, or longer than 1000 bytes.
    package init?(_ text: String) {
        var reader = Reader(rest: Array(text.utf8)[...])
        guard text.utf8.count <= 1000, let segments = reader.path() else { return nil }
        self.text = text
        self.segments = segments
    }

    private struct Reader {
        var rest: ArraySlice<UInt8>

        mutating func path() -> [Segment]? {
            guard take("$") else { return nil }
            var segments: [Segment] = []
            while !rest.isEmpty {
                let isDescendant = take("..")
                let isShort = !isDescendant && take(".")
                guard
                    let selector = rest.first == UInt8(ascii: "[") && !isShort
                        ? bracket() : short(isShort || isDescendant)
                else { return nil }
                segments.append(Segment(selector: selector, isDescendant: isDescendant))
            }
            return segments
        }

        private mutating func take(_ token: StaticString) -> Bool {
            let bytes = UnsafeBufferPointer(start: token.utf8Start, count: token.utf8CodeUnitCount)
            guard rest.starts(with: bytes) else { return false }
            rest = rest.dropFirst(bytes.count)
            return true
        }

        private mutating func short(_ isAllowed: Bool) -> Selector? {
            guard isAllowed else { return nil }
            if take("*") { return .any }
            let name = rest.prefix { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), 0x80...: true
                default: false
                }
            }
            guard let first = name.first, !(0x30...0x39).contains(first) else { return nil }
            rest = rest[name.endIndex...]
            return .name(Array(name))
        }

        private mutating func bracket() -> Selector? {
            rest = rest.dropFirst()
            let selector: Selector?
            if take("*") {
                selector = .any
            } else if let quote = rest.first, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") {
                selector = quoted(quote).map { .name($0) }
            } else {
                let digits = rest.prefix { $0 != UInt8(ascii: "]") }
                rest = rest[digits.endIndex...]
                selector = parseDecimal(digits).map { .index($0) }
            }
            return take("]") ? selector : nil
        }

        private mutating func quoted(_ quote: UInt8) -> [UInt8]? {
            var name: [UInt8] = []
            rest = rest.dropFirst()
            while let byte = rest.popFirst() {
                if byte == quote { return name }
                if byte == UInt8(ascii: "\\") {
                    guard let escaped = rest.popFirst(), escaped == quote || escaped == UInt8(ascii: "\\") else {
                        return nil
                    }
                    name.append(escaped)
                } else {
                    name.append(byte)
                }
            }
            return nil
        }
    }
}

/// How far several paths have matched at one place in a JSON text; each member or element is one step for all of them.
struct JSONPathMatch {
    private struct State: Hashable {
        let path: Int
        let position: Int
    }

    private let paths: [JSONPath]
    private let states: Set<State>

    init(_ paths: [JSONPath]) {
        self.paths = paths
        states = paths.isEmpty ? [] : Set(paths.indices.map { State(path: $0, position: 0) })
    }

    private init(_ paths: [JSONPath], _ states: Set<State>) {
        self.paths = paths
        self.states = states
    }

    /// Whether nothing below can match.
    var isEmpty: Bool { states.isEmpty }

    /// Indices of the paths that end here.
    var selected: [Int] { states.filter { $0.position == paths[$0.path].segments.count }.map(\.path) }

    func member(_ name: [UInt8]) -> JSONPathMatch { step { $0 == .any || $0 == .name(name) } }

    func element(_ index: Int) -> JSONPathMatch { step { $0 == .any || $0 == .index(index) } }

    private func step(_ matches: (JSONPath.Selector) -> Bool) -> JSONPathMatch {
        guard !states.isEmpty else { return self }
        var next: Set<State> = []
        for state in states {
            let segments = paths[state.path].segments
            guard state.position < segments.count else { continue }
            let segment = segments[state.position]
            if segment.isDescendant { next.insert(state) }
            if matches(segment.selector) { next.insert(State(path: state.path, position: state.position + 1)) }
        }
        return JSONPathMatch(paths, next)
    }
}
