import HTTPMessages

/// How the messages of gRPC stand in a body.
package enum GRPCForm: Sendable {
    /// Each after its length (gRPC over HTTP/2, "Length-Prefixed-Message"): `application/grpc`, `application/grpc-web`, also
    /// with a codec, such as `+proto`.
    case binary
    /// The same in Base64: `application/grpc-web-text`.
    case text

    private static let prefix = Array("application/grpc".utf8)

    /// Nil if a body of this type has no messages of gRPC.
    init?(_ type: MediaType) {
        guard type.essence.utf8.starts(with: Self.prefix) else { return nil }
        let rest = type.essence.utf8.dropFirst(Self.prefix.count)
        guard rest.isEmpty || rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") else { return nil }
        self = rest.starts(with: "-web-text".utf8) ? .text : .binary
    }

    /// The bytes of a body without Base64; nil if it is none.
    func binary(_ body: [UInt8]) -> [UInt8]? {
        switch self {
        case .binary: body
        case .text: GRPCMessage.binary(ofText: body)
        }
    }

    fileprivate static func mayBe(_ type: ArraySlice<UInt8>) -> Bool {
        type.count >= prefix.count && equalsIgnoringCase(type.prefix(prefix.count), prefix)
    }
}

extension Fields {
    /// Of the body of a message with these fields; nil if that has no messages of gRPC.
    package var formOfGRPC: GRPCForm? {
        // Every request is asked this, and few are of gRPC.
        guard let type = first("content-type"), GRPCForm.mayBe(type) else { return nil }
        return GRPCForm(MediaType(type))
    }
}
