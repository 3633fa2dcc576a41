import Foundation
import HTTPMessages
import MockServeCore

/// `chunks`: `[[ms, size], …]`. A last size of 0 says that the upstream closed the connection there, -1 that it reset
/// it.
enum ChunksJSON {
    /// - Returns: nil if there is nothing to say.
    static func encode(_ chunks: [ResponseChunk], _ cut: AnswerCut?) -> String? {
        guard !chunks.isEmpty || cut != nil else { return nil }
        let end = cut.map { ["[\($0.offset),\($0.end == .close ? 0 : -1)]"] } ?? []
        return "[" + (chunks.map { "[\($0.offset),\($0.size)]" } + end).joined(separator: ",") + "]"
    }

    /// - Returns: nil if `json` is not of that shape, or anything follows the cut.
    static func decode(_ json: UnsafeBufferPointer<UInt8>) -> (chunks: [ResponseChunk], cut: AnswerCut?)? {
        var chunks: [ResponseChunk] = []
        var cut: AnswerCut?
        var offset: Int?
        var number: Int?
        var isNegative = false
        for byte in json {
            switch byte {
            case 0x30...0x39:
                let digit = Int(byte - 0x30)
                guard (number ?? 0) < 1 << 50 else { return nil }
                number = (number ?? 0) * 10 + digit
            case UInt8(ascii: ","), UInt8(ascii: "]"):
                guard let value = number else { break }
                number = nil
                if byte == UInt8(ascii: ",") {
                    guard offset == nil else { return nil }
                    offset = value
                } else {
                    guard let start = offset, cut == nil, !isNegative || value == 1 else { return nil }
                    if value == 0 || isNegative {
                        cut = AnswerCut(isNegative ? .reset : .close, offset: start)
                    } else {
                        chunks.append(ResponseChunk(offset: start, size: value))
                    }
                    offset = nil
                }
            case UInt8(ascii: "-"):
                guard offset != nil, number == nil, !isNegative else { return nil }
                isNegative = true
            case UInt8(ascii: "["), 0x20: break
            default: return nil
            }
        }
        return offset == nil && number == nil ? (chunks, cut) : nil
    }
}

/// `redacted`: `[[place, placeholder], …]`.
enum RedactionsJSON {
    static func encode(_ notes: RedactionNotes) -> String {
        var output = Array("[".utf8)
        for (index, note) in notes.notes.enumerated() {
            output += (index > 0 ? ",[" : "[").utf8
            FieldsJSON.appendString(Latin1.bytes(note.place) ?? [], to: &output)
            output.append(UInt8(ascii: ","))
            FieldsJSON.appendString(note.placeholder.utf8, to: &output)
            output.append(UInt8(ascii: "]"))
        }
        return String(decoding: output, as: UTF8.self) + "]"
    }

    static let empty = "[]"

    /// What was noted before, then the new notes.
    static func adding(_ notes: RedactionNotes, to json: String) -> String {
        let (old, new) = (json.dropFirst().dropLast(), encode(notes).dropFirst().dropLast())
        return "[" + [old, new].filter { !$0.isEmpty }.joined(separator: ",") + "]"
    }

    /// What was noted of the request in one list, and of the response in another; nil if nothing was.
    static func joined(ofRequest first: String, ofResponse second: String) -> String? {
        let kept =
            (decode(first) ?? []).filter { $0.place.hasPrefix("request") }
            + (decode(second) ?? []).filter { !$0.place.hasPrefix("request") }
        guard !kept.isEmpty else { return nil }
        let pairs = kept.map { note in
            var output: [UInt8] = [UInt8(ascii: "[")]
            FieldsJSON.appendString(Latin1.bytes(note.place) ?? [], to: &output)
            output.append(UInt8(ascii: ","))
            FieldsJSON.appendString(note.placeholder.utf8, to: &output)
            return String(decoding: output, as: UTF8.self) + "]"
        }
        return "[" + pairs.joined(separator: ",") + "]"
    }

    /// The numbers of the placeholders in the request that the client was given.
    static func served(_ json: String) -> Set<Int> {
        let notes = (decode(json) ?? []).filter { $0.place.hasPrefix("request") }
        return Set(
            notes.compactMap { note in
                Placeholder.form(of: Array(note.placeholder.utf8)[...]).flatMap { $0.isOwn ? nil : $0.number }
            }
        )
    }

    /// - Returns: nil if `json` is not of that shape.
    static func decode(_ json: String) -> [(place: String, placeholder: String)]? {
        FieldsJSON.decode(json)?.map { (Latin1.string($0.name), Latin1.string($0.value)) }
    }
}

/// `informational`: `[[status, reason or null, fields], …]`.
enum InformationalJSON {
    static func encode(_ heads: [ResponseHead]) -> String {
        let members = heads.map { head in
            var reason: [UInt8] = []
            if let bytes = head.reason { FieldsJSON.appendString(bytes, to: &reason) } else { reason += "null".utf8 }
            return "[\(head.status),\(String(decoding: reason, as: UTF8.self)),\(FieldsJSON.encode(head.fields))]"
        }
        return "[" + members.joined(separator: ",") + "]"
    }

    /// - Returns: nil if `json` is not of that shape.
    static func decode(_ json: String) -> [ResponseHead]? {
        guard let members = try? JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[Any]] else { return nil }
        var heads: [ResponseHead] = []
        for member in members {
            guard member.count == 3, let status = member[0] as? Int, (100..<200).contains(status), status != 101,
                let pairs = member[2] as? [[String]]
            else { return nil }
            var fields = Fields()
            for pair in pairs {
                guard pair.count == 2, let name = Latin1.bytes(pair[0]), let value = Latin1.bytes(pair[1]) else {
                    return nil
                }
                fields.append(name: name, value: value)
            }
            let reason = (member[1] as? String).flatMap(Latin1.bytes)
            heads.append(ResponseHead(status: status, reason: reason, fields: fields))
        }
        return heads
    }
}
