/// Reads JSON or YAML value by value, so that a file may be longer than memory.
package protocol DataStream: AnyObject {
    /// As the file is called in messages.
    var file: String { get }
    /// Counted from 1.
    var line: Int { get }

    /// Goes to the next value of the file: a document of YAML, or one more value after another of JSON.
    ///
    /// - Returns: whether there is one.
    func nextDocument() throws -> Bool

    /// What comes next.
    func kind() throws -> DataKind

    /// Calls `body` with the name of each member of an object; it must read or skip the value.
    func forEachMember(_ body: (String) throws -> Void) throws

    /// Calls `body` before each element of a list; it must read or skip it.
    func forEachElement(_ body: () throws -> Void) throws

    /// Reads a whole value, whose size is bounded (`NodeBudget`).
    func value() throws -> DataNode

    /// Passes a value over.
    func skip() throws
}

package enum DataKind {
    case object
    case list
    case other
}

extension DataStream {
    package func problem(_ reason: String) -> FormatError { FormatError(file, line, reason) }

    /// Calls `body` before each element, if the value is a list, and passes it over otherwise.
    func forEachElementIfList(_ body: () throws -> Void) throws {
        try kind() == .list ? try forEachElement(body) : try skip()
    }
}
