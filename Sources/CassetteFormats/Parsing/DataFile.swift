/// Files of JSON or YAML: tools write one or the other in the same shape.
enum DataFile {
    /// A reader of JSON, if the file begins as JSON; otherwise of YAML.
    static func stream(_ source: ByteSource) throws -> any DataStream {
        let text = try source.start().drop { $0 <= 0x20 || $0 == 0xEF || $0 == 0xBB || $0 == 0xBF }
        let isJSON = text.first == UInt8(ascii: "{") || text.first == UInt8(ascii: "[")
        return try isJSON ? JSONStream(source) : YAMLStream(source)
    }

    /// Calls `body` with each element of a list that is a member of the object which the file is.
    ///
    /// - Throws: `FormatError` also if there is no such list.
    static func forEach(
        in list: String,
        of source: ByteSource,
        _ reading: FormatImport,
        _ body: (DataNode) throws -> Void
    ) throws {
        let stream = try stream(source)
        guard try stream.nextDocument() else { throw stream.problem("is empty.") }
        guard try stream.kind() == .object else { throw stream.problem("does not begin with an object.") }
        var isThere = false
        try stream.forEachMember { name in
            guard name == list else { return try stream.skip() }
            isThere = true
            // Written as null, or left empty, by tools that recorded nothing.
            try stream.forEachElementIfList { try body(try stream.value()) }
        }
        try end(stream, reading)
        guard isThere else { throw FormatError(source.name, nil, "has no list `\(list)`.") }
    }

    /// Takes note of what follows, and of what was read as data only.
    static func end(_ stream: any DataStream, _ reading: FormatImport) throws {
        if try stream.nextDocument() { reading.lost("what comes after the first value of the file", line: stream.line) }
        noteTags(of: stream, reading)
    }

    static func noteTags(of stream: any DataStream, _ reading: FormatImport) {
        guard let stream = stream as? YAMLStream else { return }
        for (tag, line) in stream.foreignTags.sorted(by: { $0.value < $1.value }) {
            reading.lost("the tag \(tag.prefix(100)), whose data is read as it is", line: line)
        }
    }
}
