import ArgumentParser

struct GitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "git",
        abstract: "Make cassettes readable in diffs of git, and mergeable.",
        discussion: """
            Once installed, `git diff`, `git log -p` and `git show` show cassettes as text, and `git merge`, `rebase`, \
            `cherry-pick` and `stash pop` merge them by interaction.

            EXAMPLE
              mockserve git install
              mockserve git check
            """,
        subcommands: [
            InstallCommand.self, UninstallCommand.self, GitCheckCommand.self, TextconvCommand.self,
            MergeDriverCommand.self,
        ]
    )
}
