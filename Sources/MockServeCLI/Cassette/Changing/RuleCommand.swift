import ArgumentParser
import CassetteStore
import MockServeCore

struct RuleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rule",
        abstract: "Change what matching leaves out or takes in, how answers are played, and which go wrong.",
        discussion: """
            Rules are kept in the cassette. Changing those of matching computes the match key of every interaction anew, and says which \
            interactions now answer the same requests, and which no longer do.

            EXAMPLE
              mockserve cassette rule add github.cassette --ignore query:ts --ignore 'json:$..nonce'
              mockserve cassette rule list github.cassette
              mockserve cassette rule remove github.cassette 1
            """,
        subcommands: [AddRuleCommand.self, ListRulesCommand.self, RemoveRuleCommand.self]
    )
}

/// Rules given on the command line.
struct RuleOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Leave a part of requests out of matching: \(Rule.syntax(.ignore)).", valueName: "part")
    )
    var ignore: [String] = []

    @Option(help: ArgumentHelp("Let a field count in matching: \(Rule.syntax(.require)).", valueName: "part"))
    var require: [String] = []

    @Option(
        help: ArgumentHelp(
            """
            Replace what an expression matches before comparing: PART s/PATTERN/REPLACEMENT/, where PART is \
            \(Rule.syntax(.map)).
            """,
            valueName: "rule"
        )
    )
    var map: [String] = []

    @Option(
        help: ArgumentHelp(
            "Play some answers in a way of their own: `PLAYBACK for METHOD PATH`.",
            discussion:
                "Every rule can end in ` for METHOD PATH`, the requests that it is for: `query:ts for GET /a/*`.",
            valueName: "rule"
        )
    )
    var play: [String] = []

    var rules: [Rule] {
        get throws {
            let texts: [(Rule.Action, [String])] = [(.ignore, ignore), (.require, require), (.map, map), (.play, play)]
            return try texts.flatMap { try Self.rules($0, $1) }
        }
    }

    /// - Parameter texts: the values of the option that is named after the action.
    static func rules(_ action: Rule.Action, _ texts: [String]) throws -> [Rule] {
        try texts.map { text in
            do {
                return try Rule(action, text)
            } catch {
                throw ValidationError("--\(action.rawValue): \(error).")
            }
        }
    }

    func validate() throws { _ = try rules }
}

/// Faults given on the command line.
struct FaultOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Make answers go wrong, as in 'GET /x: reset on 2': `METHOD PATH: FAULT`, where FAULT is \(Rule.syntax(.fault)).",
            valueName: "rule"
        )
    )
    var fault: [String] = []

    var rules: [Rule] { get throws { try RuleOptions.rules(.fault, fault) } }

    func validate() throws { _ = try rules }
}

/// What changes with every recording, given on the command line.
struct VolatileOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Let an answer that differs only in this part count as the same: \(Rule.syntax(.volatile)).",
            valueName: "part"
        )
    )
    var volatile: [String] = []

    var rules: [Rule] { get throws { try RuleOptions.rules(.volatile, volatile) } }

    func validate() throws { _ = try rules }
}

/// Tells a person what a change of rules did.
enum RuleChanges {
    static func say(_ changes: KeyChanges) {
        func list(_ groups: [[Int64]], _ words: String) {
            for group in groups.prefix(20) {
                let numbers = group.prefix(20).map { "#\($0)" }.joined(separator: " ") + (group.count > 20 ? " …" : "")
                Console.say("mockserve: \(words): \(numbers)")
            }
            if groups.count > 20 { Console.say("mockserve: … and \(Counted.text(groups.count - 20, "more group"))") }
        }
        list(changes.merged, "now answer the same requests")
        list(changes.parted, "no longer answer the same requests")
    }
}

struct AddRuleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add rules.",
        discussion: """
            EXAMPLE
              mockserve cassette rule add github.cassette --ignore query:ts --require field:Accept
              mockserve cassette rule add github.cassette --map 'path s/[0-9a-f]{8}-[0-9a-f-]{27}/UUID/'
              mockserve cassette rule add github.cassette --play 'cycle for GET /status'
              mockserve cassette rule add github.cassette --fault 'GET /status: status 503 retry-after 1 times 2'
              mockserve cassette rule add github.cassette --volatile field:X-Request-Id --volatile 'json:$..generated_at'
            """
    )

    @Argument(help: "The cassette file.", completion: .file(extensions: ["cassette"]))
    var cassette: String

    @OptionGroup var options: RuleOptions
    @OptionGroup var faults: FaultOptions
    @OptionGroup var volatile: VolatileOptions

    private var rules: [Rule] { get throws { try options.rules + faults.rules + volatile.rules } }

    func validate() throws {
        guard try !rules.isEmpty else {
            throw ValidationError("Which rule? Give --ignore, --require, --map, --play, --fault or --volatile.")
        }
    }

    func run() throws {
        try ExitStatus.reporting {
            RuleChanges.say(try CassetteEditor.add(try rules, to: cassette))
        }
    }
}

struct ListRulesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the rules of a cassette.",
        discussion: """
            EXAMPLE
              mockserve cassette rule list github.cassette
            """
    )

    @Argument(help: "The cassette file.", completion: .file(extensions: ["cassette"]))
    var cassette: String

    @Flag(help: "One JSON object a line.")
    var json = false

    func run() throws {
        try ExitStatus.reporting {
            let reader = try CassetteReader(path: cassette)
            defer { reader.close() }
            for (number, rule) in try reader.numberedRules() {
                let action = rule.action.rawValue
                Console.print(
                    json
                        ? object(number, rule)
                        : "\(String(number).padded(4, right: true)) \(action.padded(7)) \(Console.safe(rule.text))"
                )
            }
        }
    }
}

extension ListRulesCommand {
    private func object(_ number: Int64, _ rule: Rule) -> String {
        var members = [
            ("id", String(number)), ("action", JSONText.string(rule.action.rawValue)),
            ("part", JSONText.string(rule.partText)),
        ]
        if let map = rule.map {
            members += [("pattern", JSONText.string(map.pattern)), ("replacement", JSONText.string(map.replacement))]
        }
        if let scope = rule.scope { members.append(("scope", JSONText.string(scope.text))) }
        return "{" + members.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
    }
}

struct RemoveRuleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Remove rules.",
        discussion: """
            If one of the numbers does not exist, nothing is removed.

            EXAMPLE
              mockserve cassette rule remove github.cassette 1
            """
    )

    @Argument(help: "The cassette file.", completion: .file(extensions: ["cassette"]))
    var cassette: String

    @Argument(help: ArgumentHelp("Numbers of rules, as `list` shows them.", valueName: "n"))
    var numbers: [Int64]

    @Flag(name: .customLong("dry-run"), help: "Say what would change, and change nothing.")
    var dryRun = false

    func run() throws {
        try ExitStatus.reporting {
            let changes = try CassetteEditor.removeRules(numbers, isDryRun: dryRun, from: cassette)
            if dryRun {
                Console.say("mockserve: would remove \(Counted.text(Set(numbers).count, "rule")) from \(cassette)")
            }
            RuleChanges.say(changes)
        }
    }
}
