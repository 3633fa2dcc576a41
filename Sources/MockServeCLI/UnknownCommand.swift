import ArgumentParser

/// Finds a command that does not exist, and the one that was probably meant.
enum UnknownCommand {
    /// - Returns: the error; nil if the arguments begin with existing commands.
    static func message(
        _ arguments: [String],
        in command: any ParsableCommand.Type,
        path: String = "mockserve"
    ) -> String? {
        let commands = command.configuration.subcommands
        guard !commands.isEmpty, let word = arguments.first, !word.hasPrefix("-"), word != "help" else { return nil }
        let names = commands.filter { $0.configuration.shouldDisplay }.compactMap { $0.configuration.commandName }
        if let index = commands.firstIndex(where: { $0.configuration.commandName == word }) {
            return message(Array(arguments.dropFirst()), in: commands[index], path: "\(path) \(word)")
        }
        let start = "Error: There is no command `\(path) \(Console.safe(word))`."
        guard let near = nearest(to: word, among: names) else {
            return "\(start) Commands: \(names.joined(separator: ", ")).\nSee '\(path) --help'."
        }
        return "\(start) Did you mean `\(path) \(near)`?"
    }

    /// A name that begins with the word, or differs from it in a few letters; nil if there is none.
    private static func nearest(to word: String, among names: [String]) -> String? {
        let word = word.lowercased()
        if word.count >= 2, let whole = names.first(where: { $0.hasPrefix(word) }) { return whole }
        let near = names.map { (distance: distance(word, $0), name: $0) }.min { $0.distance < $1.distance }
        return near.flatMap { $0.distance <= max(1, min(3, word.count / 2)) ? $0.name : nil }
    }

    /// The number of letters to add, leave out, change, or swap with the next.
    private static func distance(_ one: String, _ other: String) -> Int {
        let (left, right) = (Array(one.prefix(32)), Array(other))
        var rows = [Array(0...right.count)]
        for (index, letter) in left.enumerated() {
            var row = [index + 1]
            for (column, candidate) in right.enumerated() {
                var least = min(rows[index][column] + (letter == candidate ? 0 : 1), rows[index][column + 1] + 1)
                least = min(least, row[column] + 1)
                if index > 0, column > 0, letter == right[column - 1], left[index - 1] == candidate {
                    least = min(least, rows[index - 1][column - 1] + 1)
                }
                row.append(least)
            }
            rows.append(row)
        }
        return rows[left.count][right.count]
    }
}
