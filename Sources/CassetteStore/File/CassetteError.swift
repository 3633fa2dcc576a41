/// What is wrong with a cassette file, in words for its owner.
package struct CassetteError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable {
        /// Missing, not readable, or not a regular file.
        case unreadable
        /// Not a cassette, or made by a newer mockserve.
        case foreign
        /// A cassette whose content is broken.
        case damaged
        /// Cannot be created or written.
        case unwritable
    }

    package let code: Code
    package let path: String
    /// What is wrong and what to do, without the path.
    package let reason: String

    package init(_ code: Code, path: String, _ reason: String) {
        self.code = code
        self.path = path
        self.reason = reason
    }

    package var description: String { "\(path): \(reason)" }
}
