import ContentCoding
import Foundation
import HTTPMessages
@testable import MockServeCore
import Testing

@Suite struct WireMessageTests {
    /// `1: "abc"`, `2: 300`, `3 { 1: "secret", 5: 7 (fixed32) }`, `4: 1.0 (fixed64)`.
    private static let bytes: [UInt8] =
        [0x0A, 3] + Array("abc".utf8) + [0x10, 0xAC, 0x02, 0x1A, 13, 0x0A, 6] + Array("secret".utf8)
        + [0x2D, 7, 0, 0, 0, 0x21, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F]

    @Test func readsFields() throws {
        let message = try #require(WireMessage(Self.bytes[...]))
        #expect(message.fields.map(\.number) == [1, 2, 3, 4])
        #expect(message.fields[0].value == .bytes(ArraySlice("abc".utf8)))
        #expect(message.fields[1].value == .varint(300))
        #expect(message.fields[3].value == .fixed64(0x3FF0_0000_0000_0000))
        #expect(WireMessage([]) == WireMessage([][...]))
    }

    @Test(
        arguments: [
            [0x0A], [0x0A, 4, 1], [0x00], [0x02, 0], [0x0B], [0x0F, 0], [0x10, 0x80], [0x15, 1, 2, 3], [0x11, 1],
            [0x10, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02],
        ] as [[UInt8]]
    )
    func whatIsNoMessageIsNotRead(_ bytes: [UInt8]) { #expect(WireMessage(bytes[...]) == nil) }

    @Test func nothingChangesIfNothingIsReplaced() throws {
        #expect(try #require(WireMessage(Self.bytes[...])).mapped { Array($0) } == Self.bytes)
    }

    @Test func lengthsArePutRight() throws {
        let long = [UInt8](repeating: UInt8(ascii: "x"), count: 200)
        let mapped = try #require(WireMessage(Self.bytes[...])).mapped {
            $0.elementsEqual("secret".utf8) ? long : Array($0)
        }
        let message = try #require(WireMessage(mapped[...]))
        guard case .bytes(let inner) = message.fields[2].value else { throw Missing() }
        #expect(WireMessage(inner)?.fields[0].value == .bytes(long[...]))
        #expect(WireMessage(inner)?.fields[1].value == .fixed32(7))
        #expect(message.fields[3].value == .fixed64(0x3FF0_0000_0000_0000))
    }

    @Test func messagesWithinMessagesEndSomewhere() throws {
        var bytes: [UInt8] = [0x0A, 1, 0x61]
        for _ in 0..<2000 {
            var length: [UInt8] = []
            var rest = bytes.count
            while rest > 0x7F {
                length.append(UInt8(rest & 0x7F) | 0x80)
                rest >>= 7
            }
            bytes = [0x0A] + length + [UInt8(rest)] + bytes
        }
        let message = try #require(WireMessage(bytes[...]))
        #expect(message.mapped { Array($0) } == bytes)
    }

    private struct Missing: Error {}
}

@Suite struct MessageMatchingTests {
    private static func key(_ body: [UInt8], _ fields: [(String, String)], version: Int = 4) throws -> MatchKey {
        let rules = RuleSet([try Rule(.require, "key:\(version)")])
        let request = RequestHead(method: Array("POST".utf8), target: Array("/a.B/C".utf8), fields: Fields(fields))
        let builder = MatchKeyBuilder(request, rules)
        body.withUnsafeBytes { builder.update($0) }
        return builder.key(origin: "http://a")
    }

    private static let grpc = ("content-type", "application/grpc")
    private static let gzip = ("grpc-encoding", "gzip")
    private static let message = Array("a message that is long enough to be compressed, compressed, compressed".utf8)

    private static func compressed() throws -> [UInt8] {
        let payload = try #require(ContentCoding.gzip.encode(message))
        return [1] + Array(GRPCMessage.framed(payload).dropFirst())
    }

    @Test func compressionDoesNotCount() throws {
        let plain = try Self.key(GRPCMessage.framed(Self.message), [Self.grpc])
        #expect(try Self.key(Self.compressed(), [Self.grpc, Self.gzip]) == plain)
        #expect(try Self.key(GRPCMessage.framed([1]), [Self.grpc]) != plain)
        // As it was up to version 3.
        #expect(try Self.key(Self.compressed(), [Self.grpc, Self.gzip], version: 3) != plain)
    }

    @Test func whereMessagesEndCounts() throws {
        let one = GRPCMessage.framed([1, 2])
        let two = GRPCMessage.framed([1]) + GRPCMessage.framed([2])
        #expect(try Self.key(one, [Self.grpc]) != Self.key(two, [Self.grpc]))
    }

    @Test func textForTheWebIsComparedDecoded() throws {
        let type = ("content-type", "application/grpc-web-text+proto")
        // The same bytes in one piece, and in two that are padded.
        #expect(try Self.key(Array("AAAAAAIIAQ==".utf8), [type]) == Self.key(Array("AAAAAAI=CAE=".utf8), [type]))
        #expect(try Self.key(Array("AAAAAAIIAQ==".utf8), [type]) != Self.key(Array("AAAAAAIIAg==".utf8), [type]))
        #expect(try Self.key(Array("no Base64".utf8), [type]) != Self.key(Array("nor this".utf8), [type]))
    }

    @Test func secretsInMessagesAreReplacedAndLengthsPutRight() throws {
        let secret = "s3cr3t-Tk9vQm9keUtub3dz"
        let secrets = KnownSecrets([try DeclaredSecret("TOKEN", Array(secret.utf8))])
        let redactor = try #require(Redactor.for([.catalog(RedactionCatalog.version)], secrets, isCurrent: true))
        let inner: [UInt8] = [0x0A, UInt8(secret.utf8.count)] + Array(secret.utf8) + [0x10, 5]
        let payload: [UInt8] = [0x08, 1, 0x12, UInt8(inner.count)] + inner + [0x1A, 2, 0x68, 0x69]
        for isCompressed in [false, true] {
            let sent = isCompressed ? try #require(ContentCoding.gzip.encode(payload)) : payload
            var body = GRPCMessage.framed(sent)
            body[0] = isCompressed ? 1 : 0
            var notes = RedactionNotes()
            let other = GRPCMessage.framed([0x08, 7])
            let fields = Fields([Self.grpc, Self.gzip])
            let redacted = redactor.redact(body: body + other, fields, nil, &notes)
            let messages = GRPCMessage.all(in: redacted)
            #expect(messages.count == 2)
            #expect(messages.last?.range.upperBound == redacted.count)
            #expect(Array(redacted.suffix(other.count)) == other)
            let first = Array(try #require(messages.first).payload)
            let decoded = isCompressed ? try ContentCoding.gzip.decode(first, limit: 1000) : first
            let message = try #require(WireMessage(decoded[...]))
            #expect(message.fields.map(\.number) == [1, 2, 3])
            guard case .bytes(let bytes) = message.fields[1].value else { continue }
            #expect(WireMessage(bytes)?.fields.map(\.number) == [1, 2])
            #expect(!Latin1.string(decoded).contains(secret))
        }
    }

    @Test func secretsInMessagesAsTextAreReplaced() throws {
        let secret = "s3cr3t-Tk9vQm9keUtub3dz"
        let secrets = KnownSecrets([try DeclaredSecret("TOKEN", Array(secret.utf8))])
        let redactor = try #require(Redactor.for([.catalog(RedactionCatalog.version)], secrets, isCurrent: true))
        let fields = Fields([("content-type", "application/grpc-web-text")])
        // The secret begins at the first, the second and the third byte of a group of three.
        for before in 0..<3 {
            let payload =
                [0x0A, UInt8(before)] + [UInt8](repeating: 0x61, count: before)
                + [0x12, UInt8(secret.utf8.count)] + Array(secret.utf8)
            let other = GRPCMessage.framed([0x08, 7])
            let body = [GRPCMessage.framed(payload), other].map { Data($0).base64EncodedString() }.joined()
            var notes = RedactionNotes()
            let redacted = redactor.redact(body: Array(body.utf8), fields, nil, &notes)
            let binary = try #require(GRPCMessage.binary(ofText: redacted))
            let messages = GRPCMessage.all(in: binary)
            #expect(messages.count == 2 && messages.last?.range.upperBound == binary.count)
            #expect(Array(binary.suffix(other.count)) == other)
            let first = try #require(messages.first)
            #expect(WireMessage(first.payload)?.fields.map(\.number) == [1, 2])
            #expect(!Latin1.string(binary).contains(secret))
        }
        // What has no secret stays as it was sent, with its padding.
        let body = Array("AAAAAAI=CAE=".utf8)
        var notes = RedactionNotes()
        #expect(redactor.redact(body: body, fields, nil, &notes) == body)
    }

    @Test func secretsInGroupsAreReplacedAndLengthsPutRight() throws {
        let secret = "s3cr3t-Tk9vQm9keUtub3dz"
        let secrets = KnownSecrets([try DeclaredSecret("TOKEN", Array(secret.utf8))])
        let redactor = try #require(Redactor.for([.catalog(RedactionCatalog.version)], secrets, isCurrent: true))
        // `1: secret`, `3 { 1: 1 }` as a group.
        let payload = [0x0A, UInt8(secret.utf8.count)] + Array(secret.utf8) + [0x1B, 0x08, 0x01, 0x1C]
        var notes = RedactionNotes()
        let redacted = redactor.redact(body: GRPCMessage.framed(payload), Fields([Self.grpc]), nil, &notes)
        let first = try #require(GRPCMessage.all(in: redacted).first)
        let message = try #require(WireMessage(first.payload))
        #expect(message.fields.map(\.number) == [1, 3, 1, 3])
        #expect(!Latin1.string(redacted).contains(secret))
        // Groups end where they have begun.
        #expect(
            WireMessage([0x1B, 0x24][...]) == nil && WireMessage([0x1B][...]) == nil && WireMessage([0x1C][...]) == nil
        )
    }

    @Test func aCompressedMessageWithoutItsEndIsNotRecorded() throws {
        let secrets = KnownSecrets([try DeclaredSecret("TOKEN", Array("s3cr3t-Tk9vQm9keUtub3dz".utf8))])
        let redactor = try #require(Redactor.for([.catalog(RedactionCatalog.version)], secrets, isCurrent: true))
        let whole = try #require(ContentCoding.gzip.encode(Array("s3cr3t-Tk9vQm9keUtub3dz".utf8)))
        let body = [1, 0, 0, 1, 0] + whole
        var (stream, output, notes) = (
            redactor.stream(Fields([Self.grpc, Self.gzip]), "", nil), [UInt8](), RedactionNotes()
        )
        stream.push(body, isLast: true, into: &output, &notes)
        #expect(stream.refusal?.contains("ends within a compressed message") == true)
    }

    @Test func aMessageInAFieldStaysOne() throws {
        let secret = "s3cr3t-Tk9vQm9keUtub3dz"
        let secrets = KnownSecrets([try DeclaredSecret("TOKEN", Array(secret.utf8))])
        let redactor = try #require(Redactor.for([.catalog(RedactionCatalog.version)], secrets, isCurrent: true))
        // google.rpc.Status: `1: 3`, `2: secret`.
        let status = [0x08, 0x03, 0x12, UInt8(secret.utf8.count)] + Array(secret.utf8)
        let fields = Fields([("grpc-status-details-bin", Data(status).base64EncodedString())])
        var notes = RedactionNotes()
        let redacted = redactor.redact(fields, "response trailer", nil, &notes)
        let value = try #require(redacted.first("grpc-status-details-bin"))
        let bytes = Array(try #require(Data(base64Encoded: Data(value), options: [])))
        #expect(WireMessage(bytes[...])?.fields.map(\.number) == [1, 2])
        #expect(!Latin1.string(bytes).contains(secret))
    }
}
