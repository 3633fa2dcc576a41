import CassetteFormats
import MockServeCore

/// Stubs as lines, to compare them with what is expected.
enum StubLines {
    static func lines(_ stub: WholeStub) -> [String] {
        [stub.definition.pattern]
    }
}
