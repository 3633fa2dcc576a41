import ArgumentParser
import MockServe

/// Settings given by options of the command line, which override all others.
struct GivenSettings {
    private var settings: [(name: String, text: String, option: String)] = []

    /// - Parameter option: the option that gives it, if that is not `--NAME`.
    mutating func add(_ name: String, _ value: (some CustomStringConvertible)?, by option: String? = nil) {
        if let value { settings.append((name, value.description, option ?? "--\(name)")) }
    }

    /// An option that may be repeated.
    mutating func add(_ name: String, _ values: [String]) {
        if !values.isEmpty { add(name, values.joined(separator: ",")) }
    }

    /// - Throws: `ValidationError` that says what an option takes.
    func validate() throws {
        for (name, text, option) in settings {
            guard let problem = Setting.named(name)?.problem(with: text) else { continue }
            throw ValidationError("\(option) \(problem), not \(text).")
        }
    }

    func apply(to configuration: inout MockServerConfiguration) throws {
        for (name, text, option) in settings { try configuration.set(name, to: text, by: option) }
    }
}
