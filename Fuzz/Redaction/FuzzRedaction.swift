import HTTPMessages
import HTTPWire
import MockServeCore

/// Redacts arbitrary bodies and heads: no crash, the same however the body is cut, and nothing outside of the placeholders changes.
///
/// The first byte of the input picks the media type and coding; the rest is the body, and its beginning a target and a field.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRedaction(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let kind = input.first, let redactor = redactors[Int(kind) % redactors.count] else { return 0 }
    // A book remembers so many values only.
    book = PlaceholderBook()
    let body = Array(input.dropFirst())
    let types = [
        "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=AB", "text/html",
        "text/plain", "application/octet-stream",
    ]
    var fields = Fields([("Content-Type", types[Int(kind & 15) % types.count])])
    let codings = ["gzip", "deflate", "br", "zstd"]
    if kind & 0x80 != 0 { fields.append("Content-Encoding", codings[Int(kind >> 4 & 3)]) }
    let whole = redact(redactor, fields, [body[...]])
    let middle = body.count / 2
    precondition(
        redact(redactor, fields, [body[..<middle], body[middle...]]) == whole,
        "cutting the body changes the result"
    )

    var notes = RedactionNotes()
    let value = body.prefix(300).filter { $0 >= 0x20 && $0 != 0x7F }
    let names = ["Cookie", "Set-Cookie", "Authorization", "Location", "X"]
    let head = Fields([(names[Int(kind >> 4) % names.count], Latin1.string(value))])
    let once = redactor.redact(head, "request", book, &notes)
    precondition(once.count == 1, "a field was lost")
    _ = redactor.redact(target: [UInt8(ascii: "/")] + value, nil, &notes)
    return 0
}

nonisolated(unsafe) private var book = PlaceholderBook()

/// One for each version of the catalog.
private let redactors: [Redactor?] = (1...RedactionCatalog.version).map { version in
    guard let rule = try? Rule(.redact, "catalog:\(version)"), let custom = try? Rule(.redact, "json:pin"),
        let secret = try? DeclaredSecret("declared", Array("s3cret/\"value".utf8))
    else { return nil }
    return RuleSet([rule, custom], secrets: KnownSecrets([secret])).redactor
}

/// The result, or nil if the body is refused.
private func redact(_ redactor: Redactor, _ fields: Fields, _ pieces: [ArraySlice<UInt8>]) -> [UInt8]? {
    var redaction = BodyRedaction(redactor, fields, "body", book)
    var output: [UInt8] = []
    var chunks: [ResponseChunk] = []
    for piece in pieces where !piece.isEmpty {
        output += redaction.push(Array(piece))
        chunks.append(ResponseChunk(offset: 0, size: piece.count))
    }
    guard let rest = try? redaction.finish() else { return nil }
    output += rest
    let sum = redaction.resized(chunks).reduce(0) { $0 + $1.size }
    precondition(sum == output.count, "chunks of \(sum) bytes, body of \(output.count)")
    return output
}
