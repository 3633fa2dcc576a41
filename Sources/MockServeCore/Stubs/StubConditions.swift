import Foundation
import HTTPMessages

/// What a request must have, besides method and path, for a stub to answer it.
package struct StubConditions: Sendable, Hashable {
    /// The path must be this, without the query, as it was sent.
    package var path: TextCondition?
    /// The target must be this: path and query, as they were sent.
    package var target: TextCondition?
    /// Parameters that the query must have, among others.
    package var query: [String: TextCondition]
    /// Fields that it must have, among others. Case does not count in names.
    package var fields: [String: TextCondition]
    package var cookies: [String: TextCondition]
    /// All must be met.
    package var bodies: [BodyCondition]

    package init(
        path: TextCondition? = nil,
        target: TextCondition? = nil,
        query: [String: TextCondition] = [:],
        fields: [String: TextCondition] = [:],
        cookies: [String: TextCondition] = [:],
        bodies: [BodyCondition] = []
    ) {
        (self.path, self.target, self.query) = (path, target, query)
        (self.fields, self.cookies, self.bodies) = (fields, cookies, bodies)
    }

    /// With values that parameters and fields must be equal to.
    package init(query: [String: String] = [:], fields: [String: String] = [:], body: BodyCondition?) {
        self.init(
            query: query.mapValues { .equals($0) },
            fields: fields.mapValues { .equals($0) },
            bodies: body.map { [$0] } ?? []
        )
    }

    /// Adds a condition of a parameter to those that it has: of two parameters of one name, both are asked for.
    package mutating func addQuery(_ name: String, _ condition: TextCondition) {
        query[name] = query[name].map { .all([$0, condition]) } ?? condition
    }

    package var isEmpty: Bool {
        path == nil && target == nil && query.isEmpty && fields.isEmpty && cookies.isEmpty && bodies.isEmpty
    }

    package func areMet(by request: AskedRequest) -> Bool {
        areMetByHead(of: request) && areMetByBody(of: request)
    }

    package func areMetByHead(of request: AskedRequest) -> Bool {
        path?.isMet(by: [Array(request.path.utf8)]) ?? true
            && target?.isMet(by: [Target.originForm(request.head.target)]) ?? true
            && query.allSatisfy { Self.meets($0, $1, request.query) }
            && fields.allSatisfy { name, condition in condition.isMet(by: request.fieldValues(name)) }
            && (cookies.isEmpty || cookies.allSatisfy { Self.meets($0, $1, request.cookies) })
    }

    package func areMetByBody(of request: AskedRequest) -> Bool { bodies.allSatisfy { $0.isMet(by: request) } }

    static func meets(_ name: String, _ condition: TextCondition, _ pairs: [FormPair]) -> Bool {
        condition.isMet(by: pairs.filter { $0.name.elementsEqual(name.utf8) }.map { Array($0.value) })
    }
}

// MARK: As the cassette keeps them

/// A JSON object with any of `path` and `target` (conditions), `query`, `fields` and `cookies` (objects of conditions), and the
/// members of one `BodyCondition`, or several of these in the list `body`.
extension StubConditions {
    /// - Throws: `StubError` if `json` is not of this shape, also if there is a condition that is not known: without it, the stub
    ///   would answer too much.
    package init(json: String) throws(StubError) {
        guard case .object(let members)? = JSONValue(Array(json.utf8)) else {
            throw StubError("its conditions cannot be read: they are not of a shape that is known")
        }
        do {
            try self.init(members)
        } catch {
            throw StubError("its conditions cannot be read: \(error)")
        }
    }

    private init(_ members: [String: JSONValue]) throws(StubError) {
        self.init()
        var body: [String: JSONValue] = [:]
        for (name, value) in members {
            switch (name, value) {
            case ("path", _): path = try TextCondition(value)
            case ("target", _): target = try TextCondition(value)
            case ("query", .object(let members)): query = try Self.conditions(members)
            case ("fields", .object(let members)): fields = try Self.conditions(members)
            case ("cookies", .object(let members)): cookies = try Self.conditions(members)
            case ("body", .array(let elements)):
                for element in elements {
                    guard case .object(let members) = element else {
                        throw StubError("`body` is not a list of objects")
                    }
                    bodies.append(try BodyCondition(members))
                }
            case ("is", _): body[name] = value
            case _ where BodyCondition.names.contains(name): body[name] = value
            default: throw StubError("`\(name.prefix(100))` is not a condition that is known, or has no such value")
            }
        }
        if !body.isEmpty { bodies.append(try BodyCondition(body)) }
    }

    static func conditions(_ members: [String: JSONValue]) throws(StubError) -> [String: TextCondition] {
        var conditions: [String: TextCondition] = [:]
        for (name, value) in members { conditions[name] = try TextCondition(value) }
        return conditions
    }

    /// Whether what `json` gives can be read: numbers that JSON does not have cannot be written.
    var isWritable: Bool { (try? StubConditions(json: json)) == self }

    /// Equal conditions give equal text. Those of a `StubDefinition` can be written; of others, the text cannot be read.
    package var json: String {
        var members: [String: JSONValue] = [:]
        members["path"] = path?.json
        members["target"] = target?.json
        if !query.isEmpty { members["query"] = .object(query.mapValues(\.json)) }
        if !fields.isEmpty { members["fields"] = .object(fields.mapValues(\.json)) }
        if !cookies.isEmpty { members["cookies"] = .object(cookies.mapValues(\.json)) }
        if bodies.count == 1 {
            members.merge(bodies[0].members) { $1 }
        } else if !bodies.isEmpty {
            members["body"] = .array(bodies.map { .object($0.members) })
        }
        return String(decoding: JSONValue.object(members).text, as: UTF8.self)
    }
}
