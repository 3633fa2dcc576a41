import ArgumentParser
import CassetteStore
import Foundation
import MockServe
import MockServeCore

struct TextconvCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "textconv",
        abstract: "Print a cassette as the text that git compares. Git calls this.",
        discussion: """
            Prints what `mockserve cassette show --text` prints. Of a file that is not a cassette, what it is.

            EXAMPLE
              mockserve git textconv github.cassette
            """
    )

    @Argument(help: "The file.")
    var file: String

    func run() throws {
        try ExitStatus.reporting {
            let reader: CassetteReader
            do {
                reader = try CassetteReader(path: file)
            } catch let error as CassetteError {
                // Without a text, git shows nothing of all the other files either.
                return Console.print(
                    Self.text(ofOther: file) ?? "not readable as a cassette: \(Console.safe(error.reason))"
                )
            }
            defer { reader.close() }
            var isFirst = true
            try reader.writeText { lines in
                if !isFirst { Console.print("") }
                isFirst = false
                for line in lines { Console.print(line) }
            }
        }
    }

    /// A small text that stands for a cassette, such as a pointer of git-lfs.
    private static func text(ofOther file: String) -> String? {
        guard let data = FileManager.default.contents(atPath: file), data.count < 4096 else { return nil }
        guard let text = String(validating: data, as: UTF8.self), !text.isEmpty else { return nil }
        return Console.safe(text.hasSuffix("\n") ? String(text.dropLast()) : text)
    }
}
