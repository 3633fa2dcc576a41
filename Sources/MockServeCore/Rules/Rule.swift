import HTTPMessages

/// A change to the defaults: what matching leaves out, takes in or replaces, how answers are played, and what is
/// redacted; for all requests, or for those of a pattern.
///
/// After its action, a rule is written as
///
/// - ignore: `query:NAME`, `query` (all of it), `json:PATH`, `form:NAME`, `part:NAME` (of a multipart body), `body`, or
///   `field:NAME` (one that counts by default);
/// - require: `field:NAME`, or `key:VERSION` (see `KeyVersion`);
/// - map: one of the parts above, `path` or `field:NAME`, and `s/PATTERN/REPLACEMENT/` (see `ValueMap`; another
///   character may take the place of `/`);
/// - play: a playback (see `PlaybackMode`);
/// - redact: `catalog:VERSION` (see `RedactionCatalog`), `field:NAME`, `query:NAME`, `form:NAME` or `json:NAME` (a
///   member of this name at any depth) or `secret:KIND` (a declared one); `keep:PLACE:NAME` for what is no secret,
///   though its name says so, and `apart:PLACE:NAME` for a secret by which requests are told apart in order of first
///   use, or `digest:SALT:PLACE:NAME` by a short digest, where PLACE is `field`, `cookie`, `query`, `form` or `json`.
///
/// - volatile: `field:NAME`, `json:PATH` or `body`, of answers: what changes with every recording. An answer that differs only
///   there is the same answer.
/// - fault: see `FaultPlan`.
///
/// ` for METHOD PATH` may follow (see `RequestPattern`); for a fault, `METHOD PATH: ` in front says the same.
package struct Rule: Hashable, Sendable {
    package enum Action: String, Sendable, CaseIterable {
        case ignore
        case require
        case map
        case play
        case redact
        case fault
        case volatile
    }

    enum Part: Hashable, Sendable {
        case query
        case queryParameter([UInt8])
        case json(JSONPath)
        case formField([UInt8])
        case multipartPart([UInt8])
        case body
        case path
        case field([UInt8])
        case keyVersion(Int)
        case playback(PlaybackMode)
        case redaction(RedactionRule)
        case fault(FaultPlan)
    }

    package let action: Action
    /// The part, playback or redaction, as it was written.
    package let partText: String
    /// For `map` only.
    package let map: ValueMap?
    /// Nil for all requests.
    package let scope: RequestPattern?
    let part: Part

    /// Whether this is the default redaction, of any version.
    package var isDefaultRedaction: Bool { if case .redaction(.catalog) = part { true } else { false } }

    /// - Throws: `RuleError` if that is not a rule.
    package init(_ action: Action, part text: String, map: ValueMap? = nil, scope: RequestPattern? = nil)
        throws(RuleError)
    {
        guard let part = try Part(text, action) else {
            throw RuleError("`\(text)` is nothing to \(action.rawValue): use \(Self.syntax(action))")
        }
        guard (map != nil) == (action == .map) else {
            throw RuleError("an expression goes with map, and only with map")
        }
        if case .redaction(let rule) = part, scope != nil, !rule.canBeScoped {
            throw RuleError("what is redacted by default, and what is declared, is redacted in all requests alike")
        }
        if case .keyVersion = part, scope != nil { throw RuleError("all keys of a cassette are of one version") }
        if case .fault = part, scope == nil {
            throw RuleError("for which requests? Write `GET /path: \(text)`, or `* /**: \(text)` for all")
        }
        if case .playback(let mode) = part {
            guard let scope else {
                throw RuleError("for which requests? Write `\(text) for GET /path`, or use --playback \(text) for all")
            }
            guard mode != .strict else {
                throw RuleError("strict is about the order of all requests, so not for \(scope.text) alone")
            }
        }
        self.action = action
        partText = text
        self.part = part
        self.map = map
        self.scope = scope
    }

    /// Reads a rule as it is written after its action.
    ///
    /// - Throws: `RuleError` if `text` is not a rule.
    package init(_ action: Action, _ text: String) throws(RuleError) {
        let (rest, scope) = action == .fault ? try Self.splitFault(text) : Self.splitScope(text)
        guard action == .map else {
            try self.init(action, part: rest, scope: scope)
            return
        }
        let (part, map) = try Self.splitMap(rest)
        try self.init(action, part: part, map: map, scope: scope)
    }

    private static func splitScope(_ text: String) -> (String, RequestPattern?) {
        guard let found = text.ranges(of: " for ").last, let scope = RequestPattern(String(text[found.upperBound...]))
        else {
            return (text, nil)
        }
        return (String(text[..<found.lowerBound]), scope)
    }

    /// `METHOD PATH: FAULT`, or as other rules are written.
    private static func splitFault(_ text: String) throws(RuleError) -> (String, RequestPattern?) {
        guard let colon = text.firstRange(of: ": ") ?? text.firstRange(of: ":"), !text.contains(" for ") else {
            return splitScope(text)
        }
        guard text[colon].count == 2, let scope = RequestPattern(String(text[..<colon.lowerBound])) else {
            throw RuleError(
                "`\(text[..<colon.lowerBound])` is not a method and a path: write `METHOD /PATH: FAULT`, such as `GET /x: reset`"
            )
        }
        return (String(text[colon.upperBound...]), scope)
    }

    /// `PART s/PATTERN/REPLACEMENT/`; a backslash escapes the separator.
    private static func splitMap(_ text: String) throws(RuleError) -> (String, ValueMap) {
        for found in text.ranges(of: " s") {
            let rest = text[found.upperBound...]
            guard let separator = rest.first, separator.isPunctuation || separator.isSymbol, separator != "\\" else {
                continue
            }
            var pieces = [""]
            var isEscaped = false
            for character in rest.dropFirst() {
                if isEscaped {
                    pieces[pieces.count - 1] += character == separator ? "\(character)" : "\\\(character)"
                    isEscaped = false
                } else if character == "\\" {
                    isEscaped = true
                } else if character == separator {
                    pieces.append("")
                } else {
                    pieces[pieces.count - 1].append(character)
                }
            }
            guard pieces.count == 3, pieces[2].isEmpty, !isEscaped else { continue }
            return (String(text[..<found.lowerBound]), try ValueMap(pieces[0], to: pieces[1]))
        }
        throw RuleError(
            "`\(text)` maps nothing: write PART s/PATTERN/REPLACEMENT/, such as 'query:id s/[0-9]+/N/'"
        )
    }

    /// What is to be redacted; nil for other rules.
    package var redaction: RedactionRule? { if case .redaction(let rule) = part { rule } else { nil } }

    /// Whether another rule is this one, perhaps with the salt that a cassette has given it.
    package func isMet(by other: Rule) -> Bool {
        guard self != other else { return true }
        guard case .redaction(.tellApart(let place, let name, .unsalted)) = part, scope == other.scope,
            case .redaction(.tellApart(place, name, .salted)) = other.part
        else { return false }
        return true
    }

    /// The same rule as a cassette keeps it: digests get a salt.
    package var salted: Rule {
        guard case .redaction(.tellApart(let place, let name, .unsalted)) = part else { return self }
        let salt = (0..<8).map { _ in
            let byte = String(UInt8.random(in: 0...255), radix: 16)
            return byte.count == 1 ? "0" + byte : byte
        }
        let text = "digest:\(salt.joined()):\(place.rawValue):\(name)"
        return (try? Rule(.redact, part: text, scope: scope)) ?? self
    }

    /// What goes wrong, with which requests; nil for other rules.
    package var fault: (plan: FaultPlan, scope: RequestPattern)? {
        guard case .fault(let plan) = part, let scope else { return nil }
        return (plan, scope)
    }

    /// Whether it keeps something that would be redacted otherwise.
    package var isKeep: Bool { if case .redaction(.keep) = part { true } else { false } }

    /// The version of match keys that it requires; nil for other rules.
    package var keyVersion: Int? { if case .keyVersion(let version) = part { version } else { nil } }

    /// As it is written after its action.
    package var text: String {
        var text = partText
        if let map {
            let free = "/#|!,~@%".first { !map.pattern.contains($0) && !map.replacement.contains($0) }
            let separator = String(free ?? "/")
            let pieces = [map.pattern, map.replacement].map { free == nil ? $0.replacing("/", with: "\\/") : $0 }
            text += " s" + separator + pieces[0] + separator + pieces[1] + separator
        }
        if let scope { text += " for \(scope.text)" }
        return text
    }

    /// What can be written after an action, for messages.
    package static func syntax(_ action: Action) -> String {
        switch action {
        case .ignore: "query, query:NAME, json:PATH, form:NAME, part:NAME, body or field:NAME"
        case .require: "field:NAME or key:\(KeyVersion.current)"
        case .map: "path, query, query:NAME, json:PATH, form:NAME, part:NAME, body or field:NAME"
        case .redact:
            "field:NAME, query:NAME, form:NAME or json:NAME (a name at any depth, not a path), or keep:, apart: or digest: before one of these"
        case .fault: FaultPlan.syntax
        case .volatile: "field:NAME, json:PATH or body"
        case .play: PlaybackMode.allCases.filter { $0 != .strict }.map(\.rawValue).joined(separator: ", ")
        }
    }
}

extension Rule.Part {
    /// - Returns: nil if `text` is not a part that `action` can have.
    ///
    /// - Throws: `RuleError` if there is more to say.
    fileprivate init?(_ text: String, _ action: Rule.Action) throws(RuleError) {
        if action == .fault {
            self = .fault(try FaultPlan(text))
            return
        }
        if action == .play {
            guard let mode = PlaybackMode(rawValue: text) else { return nil }
            self = .playback(mode)
            return
        }
        if action == .redact {
            guard let rule = RedactionRule(text) else { return nil }
            self = .redaction(rule)
            return
        }
        let pieces = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let name = pieces.count == 2 ? Array(pieces[1].utf8) : []
        guard pieces.count == 1 || !name.isEmpty else { return nil }
        let part: Self?
        switch (pieces[0], pieces.count) {
        case ("query", 1): part = .query
        case ("body", 1): part = .body
        case ("path", 1): part = action == .map ? .path : nil
        case ("query", 2): part = .queryParameter(name)
        case ("form", 2): part = .formField(name)
        case ("part", 2): part = .multipartPart(name)
        case ("json", 2): part = JSONPath(pieces[1]).map { .json($0) }
        case ("field", 2): part = isToken(name) ? .field(name.map(lowercased)) : nil
        case ("key", 2):
            part = Int(pieces[1]).flatMap { (1...KeyVersion.current).contains($0) ? .keyVersion($0) : nil }
        default: part = nil
        }
        guard let part else { return nil }
        if action == .volatile {
            switch part {
            case .field, .json, .body: break
            default: return nil
            }
        }
        switch part {
        case .field: break
        case .keyVersion: guard action == .require else { return nil }
        default: guard action != .require else { return nil }
        }
        self = part
    }
}

/// Why something is not a rule, in words for its writer.
package struct RuleError: Error, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
