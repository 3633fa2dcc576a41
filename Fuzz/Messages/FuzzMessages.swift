import HTTPMessages
@testable import MockServeCore

/// Reads arbitrary bodies of gRPC: messages are the same however a body is cut, nothing changes if nothing is replaced, what is
/// redacted still consists of as many messages, and a conversation does not go back.
///
/// The first byte says what the body is, and where it is cut.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzMessages(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 1, count <= 4096 else { return 0 }
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    let (choice, body) = (bytes[0], Array(bytes.dropFirst()))
    let types = [
        "application/grpc", "application/grpc-web+proto", "application/grpc-web-text", "application/grpc+json",
    ]
    let fields = Fields([
        ("content-type", types[Int(choice & 3)]), ("grpc-encoding", choice & 4 == 0 ? "gzip" : "identity"),
    ])
    checkSplitting(body, at: Int(choice) * body.count / 256)
    if let message = WireMessage(body[...]) {
        precondition(message.mapped { Array($0) } == body, "a message that was not changed has changed")
        _ = WireMessage(message.mapped { [0x61] + $0 + [0x62] }[...])
    }
    _ = MessageText(ProtobufSchema(body)).lines(body, fields, type: ".a.B")
    _ = MessageText.differences((body, fields), (Array(body.reversed()), fields))
    checkRedaction(body, fields)
    checkConversation(body)
    return 0
}

private func parts(_ pieces: [ArraySlice<UInt8>]) -> ([MessageSplitter.Part], [UInt8]) {
    var splitter = MessageSplitter()
    var (parts, payload) = ([MessageSplitter.Part](), [UInt8]())
    for piece in pieces {
        piece.withUnsafeBytes { bytes in
            _ = splitter.push(bytes) {
                payload.append(contentsOf: $0)
            } _: {
                parts.append($0)
            }
        }
    }
    return (parts, payload)
}

private func checkSplitting(_ body: [UInt8], at cut: Int) {
    let whole = parts([body[...]])
    precondition(whole == parts([body[..<cut], body[cut...]]), "messages depend on how the body is cut")
    let messages = GRPCMessage.all(in: body)
    precondition(messages.count == whole.0.count { $0 == .end }, "\(messages.count) messages, \(whole.0) parts")
}

private nonisolated(unsafe) let redactor: Redactor? = {
    guard let secret = try? DeclaredSecret("TOKEN", Array("secret-value".utf8)) else { return nil }
    return Redactor.for([.catalog(RedactionCatalog.version)], KnownSecrets([secret]), isCurrent: true)
}()

private func checkRedaction(_ body: [UInt8], _ fields: Fields) {
    guard let redactor, let form = fields.formOfGRPC, let sent = form.binary(body) else { return }
    var notes = RedactionNotes()
    let redacted = redactor.redact(body: body, fields, nil, &notes)
    guard let written = form.binary(redacted) else { preconditionFailure("Base64 has become something else") }
    let (before, after) = (GRPCMessage.all(in: sent), GRPCMessage.all(in: written))
    precondition(after.count >= before.count, "\(before.count) messages have become \(after.count)")
}

private func checkConversation(_ body: [UInt8]) {
    let steps = body.prefix(64).map { byte in
        ConversationStep(byte & 1 == 0 ? .client : .server, byte & 14 == 14 ? .end : .grpc, offset: Int(byte))
    }
    func digests(_ sender: ConversationStep.Sender) -> [[UInt8]] {
        steps.filter { $0.sender == sender && $0.kind == .grpc }.map { [UInt8($0.offset & 3)] }
    }
    let client = digests(.client)
    let recorded = RecordedConversation(id: 1, steps: Array(steps), client: client, server: digests(.server))
    var state = ConversationState([recorded])
    var sent = 0
    func look(_ action: ConversationState.Action) {
        guard case .send(_, let upTo) = action else { return }
        precondition(upTo > sent && upTo <= recorded.server.count, "\(upTo) after \(sent)")
        sent = upTo
    }
    look(state.begin())
    for digest in client { look(state.receive(digest)) }
    look(state.end())
}
