import HTTPMessages
@testable import MockServeCore
import Testing

@Suite struct MessageTextTests {
    private static let fields = Fields([("content-type", "application/grpc")])

    /// `package demo; message Note { string text = 1; sint32 n = 2; Kind kind = 3; repeated int32 many = 4; Note note = 5;
    /// double d = 6; enum Kind { NONE = 0; SOME = 1; } } service Notes { rpc Get(Note) returns (Note); }`
    private static var schema: [UInt8] {
        func text(_ number: UInt8, _ text: String) -> [UInt8] { bytes(number, Array(text.utf8)) }
        func bytes(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
            let length =
                bytes.count > 127 ? [UInt8(bytes.count & 127) | 128, UInt8(bytes.count >> 7)] : [UInt8(bytes.count)]
            return [number << 3 | 2] + length + bytes
        }
        func field(_ name: String, _ number: UInt8, _ type: UInt8, _ typeName: String = "") -> [UInt8] {
            bytes(2, text(1, name) + [0x18, number, 0x28, type] + (typeName.isEmpty ? [] : text(6, typeName)))
        }
        let kind = text(1, "Kind") + bytes(2, text(1, "NONE") + [0x10, 0]) + bytes(2, text(1, "SOME") + [0x10, 1])
        let note =
            text(1, "Note") + field("text", 1, 9) + field("n", 2, 17) + field("kind", 3, 14, ".demo.Note.Kind")
            + field("many", 4, 5) + field("note", 5, 11, ".demo.Note") + field("d", 6, 1) + bytes(4, kind)
        let method = text(1, "Get") + text(2, ".demo.Note") + text(3, ".demo.Note")
        let service = text(1, "Notes") + bytes(2, method)
        return bytes(1, text(1, "demo.proto") + text(2, "demo") + bytes(4, note) + bytes(6, service))
    }

    private static let payload: [UInt8] =
        [0x0A, 2, 0x68, 0x69, 0x10, 3, 0x18, 1, 0x22, 3, 1, 0xAC, 0x02, 0x2A, 3, 0x0A, 1, 0x61, 0x31]
        + [0, 0, 0, 0, 0, 0, 0xF8, 0x3F]

    @Test func showsNumbersWithoutASchema() {
        let lines = MessageText().lines(GRPCMessage.framed(Self.payload) + GRPCMessage.framed([]), Self.fields)
        #expect(
            lines == [
                "message 1, 27 bytes", "  1: \"hi\"", "  2: 3", "  3: 1", "  4: 0x01ac02", "  5 {", "    1: \"a\"",
                "  }",
                "  6: 4609434218613702656", "message 2, 0 bytes",
            ]
        )
    }

    @Test func showsNamesWithOne() throws {
        let schema = try #require(ProtobufSchema(Self.schema))
        let type = try #require(schema.type(of: Array("/demo.Notes/Get".utf8), isRequest: true))
        #expect(schema.type(of: Array("/demo.Notes/Other".utf8), isRequest: false) == nil)
        let lines = MessageText(schema).lines(GRPCMessage.framed(Self.payload), Self.fields, type: type)
        #expect(
            lines == [
                "message 1, 27 bytes", "  text: \"hi\"", "  n: -2", "  kind: SOME", "  many: [1, 300]", "  note {",
                "    text: \"a\"", "  }", "  d: 1.5",
            ]
        )
    }

    @Test func whatIsNotOfMessagesIsNotShownAsSuch() {
        #expect(MessageText().lines([0, 0, 0, 0, 9, 1], Self.fields) == nil)
        #expect(MessageText().lines(GRPCMessage.framed([1]), Fields([("content-type", "text/plain")])) == nil)
        #expect(MessageText().lines([], Self.fields) == nil)
        #expect(ProtobufSchema([]) == nil)
        #expect(ProtobufSchema([1, 2, 3]) == nil)
    }

    @Test func aPayloadThatIsNoProtobufIsShownAsItIs() {
        let json = GRPCMessage.framed(Array("{\"a\": 1}".utf8))
        #expect(MessageText().lines(json, Self.fields) == ["message 1, 8 bytes", "  \"{\\\"a\\\": 1}\""])
        #expect(MessageText().lines(GRPCMessage.framed([0xFF]), Self.fields)?.last == "  0xff")
    }

    @Test func differencesAreOfFields() throws {
        let one = GRPCMessage.framed([0x0A, 1, 0x61, 0x12, 2, 0x08, 5])
        let other = GRPCMessage.framed([0x0A, 1, 0x62, 0x12, 2, 0x08, 6, 0x18, 1]) + GRPCMessage.framed([0x08, 1])
        let found = try #require(MessageText.differences((one, Self.fields), (other, Self.fields)))
        #expect(
            found == [
                Difference("message 1 field 1", asked: "\"a\"", recorded: "\"b\""),
                Difference("message 1 field 2.1", asked: "5", recorded: "6"),
                Difference("message 1 field 3", asked: nil, recorded: "1"),
                Difference("message 2", asked: nil, recorded: "2 bytes"),
            ]
        )
    }
}
