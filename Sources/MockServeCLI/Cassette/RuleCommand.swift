import ArgumentParser
import CassetteStore
import MockServeCore

struct RuleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rule",
        abstract: "Change what matching leaves out or takes in.",
        discussion: """
            Rules are kept in the cassette. Changing them computes the match key of every interaction anew, and says which \
            interactions now answer the same requests, and which no longer do.

            EXAMPLE
              mockserve cassette rule add github.cassette --ignore query:ts --ignore 'json:$..nonce'
              mockserve cassette rule list github.cassette
              mockserve cassette rule remove github.cassette 1
            """,
        subcommands: [AddRuleCommand.self, ListRulesCommand.self, RemoveRuleCommand.self]
    )
}

/// Rules as they are given on the command line.
enum RuleArguments {
    static func parse(ignore: [String], require: [String]) throws -> [Rule] {
        let texts = ignore.map { (Rule.Action.ignore, $0) } + require.map { (Rule.Action.require, $0) }
        return try texts.map { action, text in
            guard let rule = Rule(action, text) else {
                throw ValidationError("--\(action.rawValue) takes \(Rule.syntax(action)), not `\(text)`.")
            }
            return rule
        }
    }

    static func say(_ changes: KeyChanges) {
        func list(_ groups: [[Int64]], _ words: String) {
            for group in groups.prefix(20) {
                let numbers = group.prefix(20).map { "#\($0)" }.joined(separator: " ") + (group.count > 20 ? " …" : "")
                Console.say("mockserve: \(words): \(numbers)")
            }
            if groups.count > 20 { Console.say("mockserve: … and \(groups.count - 20) more groups") }
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
            """
    )

    @Argument(help: "The cassette file.", completion: .file(extensions: ["cassette"]))
    var cassette: String

    @Option(help: ArgumentHelp("Leave a part of requests out: \(Rule.syntax(.ignore)).", valueName: "part"))
    var ignore: [String] = []

    @Option(help: ArgumentHelp("Let a field count: \(Rule.syntax(.require)).", valueName: "part"))
    var require: [String] = []

    func validate() throws {
        guard !ignore.isEmpty || !require.isEmpty else {
            throw ValidationError("Which rule? Give --ignore or --require.")
        }
        _ = try RuleArguments.parse(ignore: ignore, require: require)
    }

    func run() throws {
        try ExitStatus.reporting {
            let rules = try RuleArguments.parse(ignore: ignore, require: require)
            RuleArguments.say(try CassetteEditor.add(rules, to: cassette))
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
                let (action, part) = (rule.action.rawValue, Console.safe(rule.text))
                Console.print(
                    json
                        ? "{\"id\":\(number),\"action\":\"\(action)\",\"part\":\(JSONText.string(rule.text))}"
                        : "\(String(number).padded(4, right: true)) \(action.padded(7)) \(part)"
                )
            }
        }
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

    func run() throws {
        try ExitStatus.reporting { RuleArguments.say(try CassetteEditor.removeRules(numbers, from: cassette)) }
    }
}
