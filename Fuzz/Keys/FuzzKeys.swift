import HTTPMessages
import HTTPWire
import MockServeCore

/// Computes match keys of arbitrary bodies under arbitrary rules: no crash, the same key however the body is cut, and the same key
/// for a body that says the same in another order.
///
/// The input is a byte that picks the media type, a rule, a line feed, and the body.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzKeys(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let kind = input.first, let end = input.firstIndex(of: 0x0A), end > 0 else { return 0 }
    let rule = String(decoding: input[1..<end], as: UTF8.self)
    let body = Array(input[(end + 1)...])
    let types = [
        "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=AB", "text/plain",
        "application/vnd.api+json; charset=utf-8", "multipart/mixed; boundary=\"A\\B\"; x=y",
    ]
    var fields = Fields([("Content-Type", types[Int(kind) % types.count])])
    switch kind >> 5 {
    case 0: fields.append("Content-Encoding", "gzip")
    case 1: fields.append("Content-Encoding", "br")
    case 2: fields.append("Content-Encoding", "deflate, gzip")
    default: break
    }
    // The body stands for the query too.
    let target = Array("/p?".utf8) + body.prefix(200).map { $0 > 0x20 && $0 != 0x7F ? $0 : 0x2B }
    let head = RequestHead(method: Array("POST".utf8), target: target, fields: fields)
    for version in 1...KeyVersion.current {
        let versionRule = [try? Rule(.require, "key:\(version)")].compactMap { $0 }
        let rules = RuleSet(
            versionRule + Rule.Action.allCases.compactMap { try? Rule($0, rule) } + defaultRules
        )
        let whole = key(head, rules, [body[...]])
        let middle = body.count / 2
        precondition(key(head, rules, [body[..<middle], body[middle...]]) == whole, "cutting the body changes the key")
    }
    return 0
}

private let defaultRules = [
    try? Rule(.ignore, "json:$..a"), try? Rule(.map, "json:$..b s/[0-9]+(x*)/N\\1/"), try? Rule(.map, "query s/a|b*//"),
].compactMap { $0 }

private func key(_ head: RequestHead, _ rules: RuleSet, _ pieces: [ArraySlice<UInt8>]) -> MatchKey {
    let builder = MatchKeyBuilder(head, rules)
    for piece in pieces { piece.withUnsafeBytes { builder.update($0) } }
    return builder.key(origin: "http://a")
}
