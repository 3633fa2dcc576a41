/// The first bytes of a file, and which members its objects have, as far as these bytes go.
package final class FileStart {
    private static let depthLimit = 6
    private static let pathLimit = 2000

    package let bytes: [UInt8]
    /// In lower case, without folders.
    package let name: String
    /// Members by their path: `log.entries[].request`. Texts and numbers of the first object are there with their values.
    private let paths: Set<String>
    private let values: [String: String]
    /// Why the file is neither JSON nor YAML, if it ends within these bytes.
    package let problem: FormatError?

    /// - Throws: `FormatError` if the file cannot be read.
    package init(_ source: ByteSource) throws {
        bytes = try source.start()
        name = source.name.split(separator: "/").last.map { $0.lowercased() } ?? ""
        var shape = Shape()
        let failure = shape.read(bytes)
        (paths, values) = (shape.paths, shape.values)
        problem =
            bytes.count < ByteSource.pieceSize ? failure.map { FormatError(source.name, $0.line, $0.reason) } : nil
    }

    package func has(_ path: String) -> Bool { paths.contains(path) }

    /// Whether the first bytes have this text in them.
    package func contains(_ text: String) -> Bool { bytes.firstRange(of: Array(text.utf8)) != nil }

    package func value(_ path: String) -> String? { values[path] }

    package var isEmpty: Bool { bytes.allSatisfy { $0 == 0x20 || (0x09...0x0D).contains($0) } }

    private struct Shape {
        var paths: Set<String> = []
        var values: [String: String] = [:]

        /// What is cut off is an error of the parser, before which everything that can be known is known.
        mutating func read(_ bytes: [UInt8]) -> FormatError? {
            do {
                let stream = try DataFile.stream(ByteSource(bytes, name: ""))
                while try stream.nextDocument() { try note("", stream, 0) }
                return nil
            } catch {
                return error as? FormatError
            }
        }

        private mutating func note(_ path: String, _ stream: any DataStream, _ depth: Int) throws {
            guard depth < FileStart.depthLimit, paths.count < FileStart.pathLimit else { return try stream.skip() }
            switch try stream.kind() {
            case .object:
                try stream.forEachMember { name in
                    let member = path.isEmpty ? name : "\(path).\(name)"
                    paths.insert(member)
                    try note(member, stream, depth + 1)
                }
            case .list: try stream.forEachElement { try note("\(path)[]", stream, depth + 1) }
            case .other:
                let node = try stream.value()
                if values[path] == nil, let text = node.text { values[path] = String(text.prefix(200)) }
            }
        }
    }
}
