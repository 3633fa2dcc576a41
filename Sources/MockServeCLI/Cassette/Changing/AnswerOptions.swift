import ArgumentParser
import CassetteStore
import Foundation
import HTTPMessages
import MockServe
import MockServeCore

/// An answer that is written by hand.
struct AnswerOptions: ParsableArguments {
    @Option(help: "Status of the answer, 200 to 599.")
    var status = 200

    @Option(name: [.long, .customShort("H")], help: ArgumentHelp("A field of the answer.", valueName: "name: value"))
    var header: [String] = []

    @Option(help: "A JSON body.")
    var json: String?

    @Option(help: "A text body.")
    var text: String?

    @Option(help: "A body from a file, or `-` for standard input.", completion: .file())
    var file: String?

    func validate() throws {
        guard (200...599).contains(status) else { throw ValidationError("--status takes 200 to 599, not \(status).") }
        guard [json, text, file].compactMap({ $0 }).count <= 1 else {
            throw ValidationError("Give one of --json, --text and --file.")
        }
        try Self.checkJSON("--json", json)
        _ = try fields
    }

    static func checkJSON(_ option: String, _ value: String?) throws {
        guard let value else { return }
        do {
            _ = try JSONSerialization.jsonObject(with: Data(value.utf8), options: .fragmentsAllowed)
        } catch {
            throw ValidationError("\(option) is not JSON: \(value.prefix(60))")
        }
    }

    /// `Content-Length` is set, and `Content-Type` unless it was given.
    func response() throws -> (head: ResponseHead, body: [UInt8]) {
        let body = try body
        var head = ResponseHead(status: status, reason: ReasonPhrase.standard(status), fields: try fields)
        if let type = defaultType, !head.fields.contains("content-type") { head.fields.append("Content-Type", type) }
        if !ResponseHead.isBodyless(status: status), !head.fields.contains("content-length") {
            head.fields.append("Content-Length", String(body.count))
        }
        return (head, body)
    }

    private var fields: Fields {
        get throws {
            var fields = Fields()
            for line in header {
                let (name, value) = try Self.field(line, "--header")
                fields.append(name: name, value: value)
            }
            return fields
        }
    }

    /// A field that was given as `Name: value`.
    static func field(_ line: String, _ option: String) throws -> (name: [UInt8], value: [UInt8]) {
        guard let colon = line.firstIndex(of: ":"), isToken(Array(line[..<colon].utf8)) else {
            throw ValidationError("\(option) takes 'Name: value', not `\(line)`.")
        }
        let value = trimmingSpace(Array(line[line.index(after: colon)...].utf8))
        guard value.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
            throw ValidationError("\(option) has a control character in its value: `\(line[..<colon])`.")
        }
        return (Array(line[..<colon].utf8), Array(value))
    }

    private var defaultType: String? {
        if json != nil { return "application/json" }
        if text != nil { return "text/plain; charset=utf-8" }
        return file == nil ? nil : "application/octet-stream"
    }

    private var body: [UInt8] {
        get throws {
            if let json { return Array(json.utf8) }
            if let text { return Array(text.utf8) }
            guard let file else { return [] }
            do {
                if file == "-" { return Array(try FileHandle.standardInput.readToEnd() ?? Data()) }
                return Array(try Data(contentsOf: URL(fileURLWithPath: file)))
            } catch {
                throw MockServeError(
                    .cassetteUnreadable,
                    "--file \(file) cannot be read: \(error.localizedDescription)",
                    cause: error
                )
            }
        }
    }
}
