/// What a stub does besides answering, and when it takes part.
package struct StubBehavior: Sendable, Hashable {
    /// The priority of stubs that do not say one.
    package static let usualPriority = 5

    /// Of several stubs that fit, those with the lowest number are asked first; among these, the newest.
    package var priority = StubBehavior.usualPriority
    /// Variables of the server that must have these values; nil for one that has none. All have none at the start.
    package var requires: [String: String?] = [:]
    /// What the variables are afterwards; nil for none.
    package var sets: [String: String?] = [:]
    /// How long the answer waits, in addition to the delay that is a number.
    package var wait: FaultWait?
    /// What goes wrong with the answer. Not `delay` and not `status`.
    package var fault: FaultKind?

    package init() {}

    package var changesVariables: Bool { !requires.isEmpty || !sets.isEmpty }

    package var isUsual: Bool { self == StubBehavior() }
}

/// A JSON object with any of `priority`, `requires` and `sets` (objects of strings and nulls), `wait` (as after `delay` in a
/// `FaultPlan`) and `fault` (as in a `FaultPlan`).
extension StubBehavior {
    /// - Throws: `StubError` if `json` is not of this shape.
    package init(json: String) throws(StubError) {
        guard case .object(let members)? = JSONValue(Array(json.utf8)) else {
            throw StubError("its behavior is not an object")
        }
        for (name, value) in members {
            switch (name, value) {
            case ("priority", .integer(let number)):
                guard let priority = Int32(exactly: number) else { throw StubError("its priority is out of range") }
                self.priority = Int(priority)
            case ("requires", .object(let members)): requires = try Self.variables(members)
            case ("sets", .object(let members)): sets = try Self.variables(members)
            case ("wait", .string(let text)):
                guard case .delay(let wait)? = Self.fault("delay \(text)") else {
                    throw StubError("`\(text.prefix(60))` is not a time to wait")
                }
                self.wait = wait
            case ("fault", .string(let text)):
                switch Self.fault(text) {
                case nil, .delay, .status: throw StubError("`\(text.prefix(60))` is not a fault of a stub")
                case let fault?: self.fault = fault
                }
            default: throw StubError("`\(name.prefix(60))` is not a behavior that is known, or has no such value")
            }
        }
    }

    private static func fault(_ text: String) -> FaultKind? {
        guard let plan = try? FaultPlan(text), plan == FaultPlan(plan.kind) else { return nil }
        return plan.kind
    }

    private static func variables(_ members: [String: JSONValue]) throws(StubError) -> [String: String?] {
        var variables: [String: String?] = [:]
        for (name, value) in members {
            switch value {
            case .string(let text): variables[name] = .some(text)
            case .null: variables.updateValue(nil, forKey: name)
            default: throw StubError("the variable `\(name.prefix(60))` is neither a string nor null")
            }
        }
        return variables
    }

    /// Equal behavior gives equal text.
    package var json: String {
        func object(_ variables: [String: String?]) -> JSONValue {
            .object(variables.mapValues { $0.map { .string($0) } ?? .null })
        }
        var members: [String: JSONValue] = [:]
        if priority != Self.usualPriority { members["priority"] = .integer(Int64(priority)) }
        if !requires.isEmpty { members["requires"] = object(requires) }
        if !sets.isEmpty { members["sets"] = object(sets) }
        if let wait { members["wait"] = .string(wait.text) }
        if let fault { members["fault"] = .string(fault.text) }
        return String(decoding: JSONValue.object(members).text, as: UTF8.self)
    }
}
