import CassetteFormats
import HTTPMessages
import MockServeCore

/// Stubs as lines, to compare them with what is expected.
enum StubLines {
    static func lines(_ stub: WholeStub) -> [String] {
        let definition = stub.definition
        let digest = BodyText(stub.body, size: stub.body.count, digest: "", definition.response.fields)
        return InteractionText.lines(definition, body: stub.body.isEmpty ? nil : digest, remarks: [])
    }
}
