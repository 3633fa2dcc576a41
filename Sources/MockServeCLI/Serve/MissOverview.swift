import CassetteStore
import MockServe
import MockServeCore

/// What to do about many misses, said once for all of them.
struct MissOverview {
    /// Misses that differ from the nearest recordings in the same parts.
    private struct Group {
        let title: String
        var misses: [ToldMiss] = []
    }

    /// How many requests of each group are listed.
    private static let named = 10
    /// Of the interactions that a rule makes the same: how many groups are shown, and how many interactions of each.
    private static let shown = 12
    /// How many rules are checked for what else they match.
    private static let tried = 24

    private let cassette: String
    private let misses: [ToldMiss]
    private let groups: [Group]
    /// Rules that would answer all misses that rules should answer, as written after `--ignore`.
    let rules: [String]

    init(_ misses: [ToldMiss], cassette: String) {
        self.cassette = cassette
        self.misses = misses
        rules = Self.merged(misses.flatMap(\.ignore))
        var groups: [Group] = []
        func add(_ miss: ToldMiss, _ title: String) {
            let index = groups.firstIndex { $0.title == title } ?? groups.endIndex
            if index == groups.endIndex { groups.append(Group(title: title)) }
            groups[index].misses.append(miss)
        }
        for miss in misses where !miss.ignore.isEmpty {
            add(miss, "differ in " + Self.merged(miss.ignore, with: rules).joined(separator: ", "))
        }
        for miss in misses where miss.ignore.isEmpty && miss.parts.isEmpty && miss.nearest != nil {
            add(miss, "recorded, but not to be played again")
        }
        for miss in misses where miss.ignore.isEmpty && (!miss.parts.isEmpty || miss.nearest == nil) {
            add(miss, "not recorded")
        }
        self.groups = groups
    }

    // MARK: Rules

    /// Each rule once; several for single elements of an array become one for all elements.
    private static func merged(_ rules: [String]) -> [String] {
        var shapes: [String: Set<String>] = [:]
        for rule in rules { shapes[anyElement(rule), default: []].insert(rule) }
        var merged: [String] = []
        for rule in rules {
            let shape = anyElement(rule)
            let chosen = shapes[shape]?.count == 1 ? rule : shape
            if !merged.contains(chosen) { merged.append(chosen) }
        }
        return merged
    }

    /// The rules for one miss, as they are in the list for all misses.
    private static func merged(_ rules: [String], with all: [String]) -> [String] {
        var found: [String] = []
        for rule in rules.map({ all.contains($0) ? $0 : anyElement($0) }) where !found.contains(rule) {
            found.append(rule)
        }
        return found.sorted()
    }

    /// `json:$.a[*].b` for `json:$.a[3].b`.
    private static func anyElement(_ rule: String) -> String {
        guard rule.hasPrefix("json:") else { return rule }
        var (output, digits, isInQuotes, isInBracket) = ("", "", false, false)
        for character in rule {
            if character == "'" { isInQuotes.toggle() }
            if !isInQuotes, character == "[" {
                (isInBracket, digits) = (true, "")
                output.append(character)
            } else if isInBracket, character.isNumber {
                digits.append(character)
            } else {
                if isInBracket { output += character == "]" && !digits.isEmpty ? "*" : digits }
                isInBracket = false
                output.append(character)
            }
        }
        return output
    }

    // MARK: Telling

    /// - Parameter limit: interactions up to which it is looked up in the cassette what else the rules match; nil for
    ///   no limit.
    func lines(limit: Int?) -> [String] {
        let kinds = groups.count == 1 ? "" : ", in \(groups.count) kinds"
        var lines = ["\(Counted.text(misses.count, "miss", "misses")) of \(cassette)\(kinds):"]
        for group in groups {
            lines += ["", "  \(group.title): \(Counted.text(group.misses.count, "request"))"]
            lines += group.misses.prefix(Self.named).map(line)
            let more = group.misses.count - Self.named
            if more > 0 { lines.append("      … and \(more) more") }
        }
        if !rules.isEmpty { lines += [""] + ruleLines(limit: limit) }
        for fix in fixes { lines += ["", fix] }
        return lines
    }

    private func line(_ miss: ToldMiss) -> String {
        let start = "      \(miss.method) \(miss.target)"
        guard let nearest = miss.nearest else { return start }
        let others =
            miss.ignore.isEmpty && !miss.parts.isEmpty ? ", differs in \(miss.parts.joined(separator: ", "))" : ""
        return "\(start)  (nearest #\(nearest)\(others))"
    }

    /// What else to do, each once.
    private var fixes: [String] {
        misses.filter(\.ignore.isEmpty).map(\.fix).reduce(into: []) { fixes, fix in
            if !fix.isEmpty, !fixes.contains(fix) { fixes.append(fix) }
        }
    }

    private func ruleLines(limit: Int?) -> [String] {
        let answered = misses.count { !$0.ignore.isEmpty }
        let options = rules.map { " --ignore \(ShellText.quoted($0))" }.joined()
        let which = answered == misses.count ? "all of them" : "\(answered) of them"
        return [
            "If what differs does not matter, this answers \(which):", "",
            "  mockserve cassette rule add \(ShellText.quoted(cassette))\(options)", "",
        ] + effects(limit: limit)
    }

    /// For each rule, the recorded requests that it would make the same.
    private func effects(limit: Int?) -> [String] {
        let tried = rules.compactMap { rule in (try? Rule(.ignore, part: rule)).map { (rule, $0) } }.prefix(Self.tried)
        let found: [KeyChanges]?
        do {
            found = try preview(tried.map { [$0.1] }, limit: limit)
        } catch {
            return ["  What else it would match is not known: \(error)"]
        }
        guard let found else {
            return ["  See which recorded requests it would make the same: mockserve explain --all"]
        }
        let effects = zip(tried, found).flatMap { rule, changes -> [String] in
            guard !changes.merged.isEmpty else {
                return ["  \(rule.0): no other recorded requests become the same by it"]
            }
            let groups = changes.merged.prefix(Self.shown).map { group in
                group.prefix(Self.shown).map { "#\($0)" }.joined(separator: " ")
                    + (group.count > Self.shown ? " …" : "")
            }
            let more =
                changes.merged.count > Self.shown ? ["      … and \(changes.merged.count - Self.shown) more"] : []
            return ["  \(rule.0): these would then answer the same requests:"] + groups.map { "      \($0)" } + more
        }
        let left = rules.count - tried.count
        return effects + (left > 0 ? ["  What \(Counted.text(left, "more rule")) would match was not looked up."] : [])
    }

    /// Nil if there are too many interactions.
    private func preview(_ sets: [[Rule]], limit: Int?) throws -> [KeyChanges]? {
        let reader = try CassetteReader(path: cassette)
        defer { reader.close() }
        return try reader.preview(sets, limit: limit)
    }
}
