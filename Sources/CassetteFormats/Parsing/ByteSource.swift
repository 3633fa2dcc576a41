import ContentCoding
import Foundation

/// The bytes of a file, a piece at a time, however long it is.
package final class ByteSource {
    /// Bytes of what `start` returns at most, and of a piece.
    package static let pieceSize = 1 << 18

    /// How a ZIP archive begins.
    package static let archive: [UInt8] = [0x50, 0x4B, 0x03, 0x04]

    /// As it is called in messages.
    package let name: String
    /// Returns the next bytes; none at the end.
    private let read: () throws -> [UInt8]
    /// What `start` has looked at.
    private var waiting: [UInt8] = []

    private init(name: String, read: @escaping () throws -> [UInt8]) { (self.name, self.read) = (name, read) }

    package convenience init(_ bytes: [UInt8], name: String) {
        var rest = bytes[...]
        self.init(name: name) {
            defer { rest = rest.dropFirst(Self.pieceSize) }
            return Array(rest.prefix(Self.pieceSize))
        }
    }

    /// Opens a file. What is gzip or zlib is decoded on the way.
    ///
    /// - Parameter path: `-` for standard input.
    /// - Throws: `FormatError` if it cannot be opened.
    package static func open(_ path: String) throws -> ByteSource {
        let name = path == "-" ? "standard input" : path
        let file: FileHandle
        do {
            file = try path == "-" ? .standardInput : FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        } catch {
            throw FormatError(name, nil, "cannot be opened: \(error.localizedDescription)")
        }
        let source = ByteSource(name: name) {
            do {
                return Array(try file.read(upToCount: pieceSize) ?? Data())
            } catch {
                throw FormatError(name, nil, "cannot be read: \(error.localizedDescription)")
            }
        }
        let start = try source.start()
        guard !start.starts(with: archive) else {
            throw FormatError(name, nil, "is a ZIP archive: unpack it, and import what is in it.")
        }
        guard let coding = coding(of: start) else { return source }
        return source.decoded(coding)
    }

    private static func coding(of start: [UInt8]) -> ContentCoding? {
        if start.starts(with: [0x1F, 0x8B]) { return .gzip }
        // RFC 1950 §2.2: a window of 32 KiB, and a check of both bytes.
        guard start.count > 1, start[0] == 0x78, (Int(start[0]) << 8 | Int(start[1])) % 31 == 0 else { return nil }
        return .deflate
    }

    private func decoded(_ coding: ContentCoding) -> ByteSource {
        let chain = DecoderChain([coding])
        return ByteSource(name: name) { [self] in
            do {
                while true {
                    if let block = try chain.next() { return block }
                    let piece = try next()
                    guard !piece.isEmpty else {
                        try chain.finish()
                        return []
                    }
                    chain.feed(piece)
                }
            } catch is ContentCodingError {
                throw FormatError(name, nil, "cannot be decoded: its \(coding.name) is damaged, or not complete.")
            }
        }
    }

    /// The next bytes; none at the end.
    package func next() throws -> [UInt8] {
        guard waiting.isEmpty else {
            defer { waiting = [] }
            return waiting
        }
        return try read()
    }

    /// The first bytes, which will come again: fewer than `pieceSize` only if there are no more.
    package func start() throws -> [UInt8] {
        while waiting.count < Self.pieceSize {
            let piece = try read()
            guard !piece.isEmpty else { break }
            waiting += piece
        }
        return waiting
    }
}
