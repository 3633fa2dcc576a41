/// What is wrong with a file of another tool, in words for its owner.
package struct FormatError: Error, Sendable, CustomStringConvertible {
    package let file: String
    /// Counted from 1; nil if it is about the whole file.
    package let line: Int?
    /// What is wrong and what to do, without file and line.
    package let reason: String

    /// Whether nothing is wrong but that there is nothing of a known format.
    package let isAboutNothing: Bool

    package init(_ file: String, _ line: Int?, _ reason: String, isAboutNothing: Bool = false) {
        (self.file, self.line, self.reason, self.isAboutNothing) = (file, line, reason, isAboutNothing)
    }

    package var description: String { "\(file)\(line.map { ":\($0)" } ?? ""): \(reason)" }
}
