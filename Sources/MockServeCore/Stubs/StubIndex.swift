/// Values by method and path template, found by the fixed parts of the path: among ten thousand as fast as among ten.
package struct StubIndex<Value: Sendable>: Sendable {
    private struct Entry: Sendable {
        let number: Int
        /// Nil for any.
        let method: String?
        let template: PathTemplate
        let value: Value

        func answers(_ asked: String) -> Bool {
            method == nil || method == asked || method == "GET" && asked == "HEAD"
        }
    }

    private struct Node: Sendable {
        var literals: [String: Int] = [:]
        /// For a segment that is a parameter.
        var parameter: Int?
        /// Of templates that end here.
        var ends: [Entry] = []
        /// Of templates that go on with any number of segments.
        var rests: [Entry] = []
    }

    /// One that matches, and what its parameters are.
    package struct Match: Sendable {
        package let number: Int
        package let value: Value
        fileprivate let template: PathTemplate
        fileprivate let segments: [String]

        package var parameters: [String: String] { template.parameters(of: segments) }
    }

    private var nodes = [Node()]
    private var last = 0
    package private(set) var count = 0

    package init() {}

    /// - Returns: a number for removing it.
    package mutating func insert(method: String?, _ template: PathTemplate, _ value: Value) -> Int {
        last += 1
        count += 1
        let entry = Entry(number: last, method: method, template: template, value: value)
        let (node, isRest) = node(for: template)
        if isRest { nodes[node].rests.append(entry) } else { nodes[node].ends.append(entry) }
        return last
    }

    package mutating func remove(_ number: Int, _ template: PathTemplate) {
        let (node, isRest) = node(for: template)
        let before = nodes[node].ends.count + nodes[node].rests.count
        if isRest {
            nodes[node].rests.removeAll { $0.number == number }
        } else {
            nodes[node].ends.removeAll { $0.number == number }
        }
        count -= before - nodes[node].ends.count - nodes[node].rests.count
    }

    private mutating func node(for template: PathTemplate) -> (node: Int, isRest: Bool) {
        var node = 0
        for segment in template.segments {
            switch segment {
            case .rest: return (node, true)
            case .parameter: node = child(of: node, nodes[node].parameter) { $0.parameter = $1 }
            case .literal(let text): node = child(of: node, nodes[node].literals[text]) { $0.literals[text] = $1 }
            }
        }
        return (node, false)
    }

    private mutating func child(of node: Int, _ known: Int?, _ set: (inout Node, Int) -> Void) -> Int {
        if let known { return known }
        nodes.append(Node())
        set(&nodes[node], nodes.count - 1)
        return nodes.count - 1
    }

    /// Those that match, the last added first.
    ///
    /// - Parameter path: without a query.
    package func matches(method: String, path: String) -> [Match] {
        guard count > 0 else { return [] }
        var found: [Entry] = []
        let segments = PathTemplate.split(path).map(PathTemplate.decoded)
        // Of nodes at the same depth, each is reached once: at most two for each that was reached before.
        var reached = [0]
        for (index, segment) in segments.enumerated() {
            var next: [Int] = []
            for node in reached {
                found += nodes[node].rests
                if let literal = nodes[node].literals[segment] { next.append(literal) }
                if !segment.isEmpty, let parameter = nodes[node].parameter { next.append(parameter) }
            }
            reached = next
            if index == segments.count - 1 { for node in next { found += nodes[node].ends + nodes[node].rests } }
        }
        return found.filter { $0.answers(method) }.sorted { $0.number > $1.number }.map {
            Match(number: $0.number, value: $0.value, template: $0.template, segments: segments)
        }
    }
}
