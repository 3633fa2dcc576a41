import HTTPMessages
import MockServeCore

extension Problem {
    /// Bytes of a message: clients take 8 KiB of metadata at least, and this is encoded.
    private static let messageLimit = 2000

    /// The same for a client of gRPC, which makes nothing readable of a status of HTTP: an answer that consists of
    /// trailers only (gRPC over HTTP/2, "Responses").
    func responseOfGRPC(to request: RequestHead) -> ResponseHead {
        var fields = Fields()
        if let type = request.fields.first("content-type") {
            fields.append(name: Array("content-type".utf8), value: type)
        }
        for field in trailersOfGRPC { fields.append(field) }
        return ResponseHead(status: 200, reason: ReasonPhrase.standard(200), fields: fields)
    }

    /// The same at the end of an answer that has begun.
    var trailersOfGRPC: Fields {
        var fields = Fields([
            ("grpc-status", String(codeOfGRPC)), ("grpc-message", encoded(oneLine ?? "\(title). \(detail)")),
        ])
        for field in self.fields { fields.append(field) }
        return fields
    }

    /// The code that says the same, as near as there is one (gRPC, "Status codes and their use").
    private var codeOfGRPC: Int {
        switch status {
        case 404, 501: 12  // UNIMPLEMENTED
        case 413, 414, 431: 8  // RESOURCE_EXHAUSTED
        case 403, 421: 7  // PERMISSION_DENIED
        case 502, 503, 504: 14  // UNAVAILABLE
        case 400..<500: 3  // INVALID_ARGUMENT
        default: 13  // INTERNAL
        }
    }

    /// Percent-encoded, as `grpc-message` is.
    private func encoded(_ text: String) -> String {
        var output = ""
        for byte in text.utf8.prefix(Self.messageLimit) {
            if byte >= 0x20, byte < 0x7F, byte != UInt8(ascii: "%") {
                output.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                output += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return output
    }
}
