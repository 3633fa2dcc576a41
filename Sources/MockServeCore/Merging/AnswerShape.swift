package import HTTPMessages

/// How far an answer has moved from the one that was recorded.
package enum AnswerDrift: String, Sendable, CaseIterable {
    /// Only what changes with every recording differs.
    case same
    /// Other values, of the same types under the same names, with a status of the same class.
    case values
    /// Another status class, media type, or names and types.
    case shape
}

/// The types and names in an answer, without its values.
package enum AnswerShape {
    /// Differences that are named.
    private static let limit = 20

    /// What differs in shape; empty if nothing does.
    ///
    /// - Parameter bodies: decoded; nil if one is too long to be looked at.
    package static func differences(
        _ old: ResponseHead,
        _ new: ResponseHead,
        bodies: (old: [UInt8], new: [UInt8])?
    ) -> [String] {
        var found: [String] = []
        if old.status / 100 != new.status / 100 { found.append("status: \(new.status), was \(old.status)") }
        let types = [old, new].map { $0.fields.first("content-type").map { MediaType($0).essence } ?? "" }
        if types[0] != types[1] {
            found.append("type: \(types[1].isEmpty ? "none" : types[1]), was \(types[0].isEmpty ? "none" : types[0])")
        }
        guard let bodies else { return found }
        guard let before = JSONValue(bodies.old), let after = JSONValue(bodies.new) else {
            if bodies.old.isEmpty != bodies.new.isEmpty {
                found.append(
                    "body: \(bodies.new.isEmpty ? "empty" : "not empty"), was \(bodies.old.isEmpty ? "empty" : "not empty")"
                )
            }
            return found
        }
        compare(Shape(before), Shape(after), "$", &found)
        return Array(found.prefix(limit)) + (found.count > limit ? ["… and \(found.count - limit) more"] : [])
    }

    /// The shape of a value. Elements of an array are taken together: what some of them lack is optional.
    private indirect enum Shape: Equatable {
        /// Null, or nothing known, as in an empty array.
        case anything
        case leaf(String)
        case array(Shape)
        case object([String: Shape], optional: Set<String>)
        /// Elements of an array that have little in common.
        case mixed(Set<String>)

        init(_ value: JSONValue) {
            switch value {
            case .null: self = .anything
            case .bool: self = .leaf("boolean")
            case .integer, .number: self = .leaf("number")
            case .string: self = .leaf("string")
            case .array(let elements): self = .array(elements.reduce(.anything) { $0.joined(Shape($1)) })
            case .object(let members): self = .object(members.mapValues { Shape($0) }, optional: [])
            }
        }

        var name: String {
            switch self {
            case .anything: "null"
            case .leaf(let name): name
            case .array: "array"
            case .object: "object"
            case .mixed(let names): names.sorted().joined(separator: " or ")
            }
        }

        func joined(_ other: Shape) -> Shape {
            switch (self, other) {
            case (.anything, _): return other
            case (_, .anything): return self
            case (.array(let left), .array(let right)): return .array(left.joined(right))
            case (.object(let left, let optional), .object(let right, let more)):
                let apart = Set(left.keys).symmetricDifference(right.keys)
                return .object(left.merging(right) { $0.joined($1) }, optional: optional.union(more).union(apart))
            default: return self == other ? self : .mixed(names.union(other.names))
            }
        }

        private var names: Set<String> { if case .mixed(let names) = self { names } else { [name] } }
    }

    private static func compare(_ old: Shape, _ new: Shape, _ path: String, _ found: inout [String]) {
        switch (old, new) {
        case (.anything, _), (_, .anything): return
        case (.array(let left), .array(let right)): compare(left, right, path + "[]", &found)
        case (.object(let left, let wasOptional), .object(let right, let isOptional)):
            for name in Set(left.keys).union(right.keys).sorted() {
                let place = path + "." + name
                switch (left[name], right[name]) {
                case (let before?, let after?): compare(before, after, place, &found)
                case (let before?, nil):
                    if !wasOptional.contains(name) { found.append("\(place): gone, was \(before.name)") }
                case (nil, let after?): if !isOptional.contains(name) { found.append("\(place): new, \(after.name)") }
                case (nil, nil): break
                }
            }
        default: if old.name != new.name { found.append("\(path): \(new.name), was \(old.name)") }
        }
    }
}
