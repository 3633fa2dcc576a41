// The parser within the package Yams, event by event: what Yams itself offers reads a whole document into memory.
import CYaml

/// Reads YAML 1.1 from the bytes of a file, value by value. It reads data only: no tag builds an object, and an alias counts as
/// often as it is used.
package final class YAMLStream: DataStream {
    private let source: ByteSource
    private var parser = yaml_parser_t()
    private var event = yaml_event_t()
    private var hasEvent = false
    private var failure: (any Error)?
    private var rest: ArraySlice<UInt8> = []
    private var budget = NodeBudget()
    /// Values that aliases may stand for, and how much each takes.
    private var anchors: [String: (node: DataNode, nodes: Int, bytes: Int)] = [:]
    private var kept = 0
    /// Bytes that were read since the last event: a value is an event, however long it is.
    private var unread = 0
    /// Tags of objects of programming languages, and where each is first. What stands under them is read as data.
    package private(set) var foreignTags: [String: Int] = [:]

    package init(_ source: ByteSource) throws {
        self.source = source
        guard yaml_parser_initialize(&parser) == 1 else {
            throw FormatError(source.name, nil, "takes too much memory.")
        }
        yaml_parser_set_input(
            &parser,
            { context, buffer, size, count in
                guard let context, let buffer, let count else { return 0 }
                return Unmanaged<YAMLStream>.fromOpaque(context).takeUnretainedValue().fill(buffer, size, count)
            },
            Unmanaged.passUnretained(self).toOpaque()
        )
        try step()
    }

    deinit {
        if hasEvent { yaml_event_delete(&event) }
        yaml_parser_delete(&parser)
    }

    private func fill(_ buffer: UnsafeMutablePointer<UInt8>, _ size: Int, _ count: UnsafeMutablePointer<Int>) -> Int32 {
        do {
            if rest.isEmpty { rest = try source.next()[...] }
        } catch {
            failure = error
            return 0
        }
        let piece = rest.prefix(size)
        unread += piece.count
        guard unread <= NodeBudget.byteLimit else {
            failure = FormatError(file, nil, "has a value of more than \(NodeBudget.byteLimit >> 30) GiB.")
            return 0
        }
        count.pointee =
            UnsafeMutableRawBufferPointer(start: buffer, count: size).initializeMemory(as: UInt8.self, from: piece).1
            .endIndex
        rest = rest.dropFirst(piece.count)
        return 1
    }

    // MARK: Events

    package var file: String { source.name }
    package var line: Int { Int(event.start_mark.line) + 1 }

    /// Goes to the next event.
    private func step() throws {
        if hasEvent { yaml_event_delete(&event) }
        unread = 0
        hasEvent = yaml_parser_parse(&parser, &event) == 1
        guard !hasEvent else { return }
        if let failure { throw failure }
        let reason = parser.problem.map { String(cString: $0) } ?? "it takes too much memory"
        let isRead = parser.error == YAML_READER_ERROR
        let line = Int(parser.problem_mark.line) + 1
        throw FormatError(
            file,
            isRead ? nil : line,
            isRead ? "is not UTF-8 text at byte \(parser.problem_offset): \(reason)." : "is not YAML: \(reason)."
        )
    }

    package func nextDocument() throws -> Bool {
        while event.type != YAML_DOCUMENT_START_EVENT {
            if event.type == YAML_STREAM_END_EVENT { return false }
            try step()
        }
        (anchors, kept) = ([:], 0)
        try step()
        return true
    }

    package func kind() throws -> DataKind {
        switch event.type {
        case YAML_MAPPING_START_EVENT: .object
        case YAML_SEQUENCE_START_EVENT: .list
        default: .other
        }
    }

    package func forEachMember(_ body: (String) throws -> Void) throws {
        guard event.type == YAML_MAPPING_START_EVENT else {
            throw problem("has \(eventName) where a mapping was expected.")
        }
        try step()
        while event.type != YAML_MAPPING_END_EVENT {
            budget = NodeBudget()
            let name = try memberName(0)
            try body(name)
        }
        try step()
    }

    package func forEachElement(_ body: () throws -> Void) throws {
        guard event.type == YAML_SEQUENCE_START_EVENT else {
            throw problem("has \(eventName) where a list was expected.")
        }
        try step()
        while event.type != YAML_SEQUENCE_END_EVENT { try body() }
        try step()
    }

    private var eventName: String {
        switch event.type {
        case YAML_SCALAR_EVENT: "a value"
        case YAML_ALIAS_EVENT: "an alias"
        case YAML_MAPPING_START_EVENT: "a mapping"
        case YAML_SEQUENCE_START_EVENT: "a list"
        default: "nothing"
        }
    }

    // MARK: Values

    package func value() throws -> DataNode {
        budget = NodeBudget()
        return try value(0)
    }

    package func skip() throws { _ = try value() }

    private func memberName(_ depth: Int) throws -> String {
        let line = line
        switch try value(depth).value {
        case .plain(let text), .text(let text): return text
        case .bytes(let bytes): return String(decoding: bytes, as: UTF8.self)
        case .list, .map: throw FormatError(file, line, "has a name of a member that is not a text.")
        }
    }

    private func value(_ depth: Int) throws -> DataNode {
        try NodeBudget.checkDepth(depth, file: file, line: line)
        let line = line
        if event.type == YAML_ALIAS_EVENT {
            let name = String(cString: event.data.alias.anchor)
            guard let (node, nodes, bytes) = anchors[name] else {
                throw problem("has the alias `\(name)` for something that is not there, or not complete yet.")
            }
            try budget.take(nodes: nodes, bytes: bytes, file: file, line: line)
            try step()
            return node
        }
        let before = budget
        try budget.take(file: file, line: line)
        let (anchor, node) = try started(depth, line)
        if let anchor { try keep(node, before.nodes - budget.nodes, before.bytes - budget.bytes, as: anchor, line) }
        return node
    }

    private func started(_ depth: Int, _ line: Int) throws -> (anchor: String?, DataNode) {
        switch event.type {
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let anchor = scalar.anchor.map { String(cString: $0) }
            let node = DataNode(try content(of: scalar), line: line)
            try step()
            return (anchor, node)
        case YAML_SEQUENCE_START_EVENT:
            let anchor = event.data.sequence_start.anchor.map { String(cString: $0) }
            try noteTag(event.data.sequence_start.tag)
            var elements: [DataNode] = []
            try step()
            while event.type != YAML_SEQUENCE_END_EVENT { elements.append(try value(depth + 1)) }
            try step()
            return (anchor, DataNode(.list(elements), line: line))
        case YAML_MAPPING_START_EVENT:
            let anchor = event.data.mapping_start.anchor.map { String(cString: $0) }
            let tag = try noteTag(event.data.mapping_start.tag)
            var members: [(name: String, value: DataNode)] = []
            try step()
            while event.type != YAML_MAPPING_END_EVENT {
                let name = try memberName(depth + 1)
                members.append((name, try value(depth + 1)))
            }
            try step()
            let node = DataNode(.map(try merged(members, line)), line: line)
            return (anchor, Self.content(of: node, tag) ?? node)
        default: throw problem("has \(eventName) where a value was expected.")
        }
    }

    /// With the members of what `<<` names, where there are none of their names (https://yaml.org/type/merge.html).
    private func merged(
        _ members: [(name: String, value: DataNode)],
        _ line: Int
    ) throws -> [(name: String, value: DataNode)] {
        guard members.contains(where: { $0.name == "<<" }) else { return members }
        var merged = members.filter { $0.name != "<<" }
        var names = Set(merged.map(\.name))
        for member in members where member.name == "<<" {
            for source in member.value.list ?? [member.value] {
                for member in source.members ?? [] where names.insert(member.name).inserted {
                    try budget.take(file: file, line: line)
                    merged.append(member)
                }
            }
        }
        return merged
    }

    /// What an object of Python is about: the bytes of a buffer, which are the first part of its state; the elements of an iterator.
    private static func content(of node: DataNode, _ tag: String) -> DataNode? {
        if tag.hasSuffix(bufferTag) {
            return node["state"]?.list?.first?.bytes.map { DataNode(.bytes($0), line: node.line) }
        }
        return tag.hasSuffix(iteratorTag) ? node["args"]?.list?.first : nil
    }

    private static let bufferTag = "io.BytesIO"
    private static let iteratorTag = "object/apply:builtins.iter"

    /// Anchors of earlier interactions stay, as long as they do not stand for too much.
    private func keep(_ node: DataNode, _ nodes: Int, _ bytes: Int, as anchor: String, _ line: Int) throws {
        kept += nodes
        guard kept <= NodeBudget.nodeLimit else {
            throw FormatError(file, line, "has anchors for more than \(NodeBudget.nodeLimit) values.")
        }
        anchors[anchor] = (node, nodes, bytes)
    }

    // MARK: Scalars and tags

    private typealias Scalar = yaml_event_s.__Unnamed_union_data.__Unnamed_struct_scalar

    private func content(of scalar: Scalar) throws -> DataNode.Value {
        let bytes = Array(UnsafeBufferPointer(start: scalar.value, count: scalar.length))
        try budget.take(nodes: 0, bytes: bytes.count, file: file, line: line)
        let isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE
        let text = String(decoding: bytes, as: UTF8.self)
        guard scalar.tag != nil else { return isPlain ? .plain(text) : .text(text) }
        switch try noteTag(scalar.tag) {
        case "binary", "python/bytes":
            guard let bytes = MessageParts.decodedBase64(text) else {
                throw problem("has binary data that is not base64.")
            }
            return .bytes(bytes)
        case "null", "bool", "int", "float", "timestamp", "python/none", "python/bool", "python/int", "python/float":
            return .plain(text)
        default: return .text(text)
        }
    }

    /// The name of a tag without what stands before it; empty if there is none.
    @discardableResult
    private func noteTag(_ pointer: UnsafeMutablePointer<yaml_char_t>?) throws -> String {
        guard let pointer else { return "" }
        let tag = String(cString: pointer)
        let core = "tag:yaml.org,2002:"
        let name = tag.hasPrefix(core) ? String(tag.dropFirst(core.count)) : String(tag.drop { $0 == "!" })
        let known =
            ["str", "map", "seq", "set", "binary", "null", "bool", "int", "float", "timestamp", "omap", ""].contains(
                name
            )
            || ["python/tuple", "python/bytes", "python/dict", "python/list", "python/str", "python/unicode"].contains(
                name
            )
            || ["python/none", "python/bool", "python/int", "python/float"].contains(name)
            || name.hasSuffix(Self.bufferTag)
            || name.hasSuffix(Self.iteratorTag)
        if !known, foreignTags[tag] == nil, foreignTags.count < 100 { foreignTags[tag] = line }
        return name
    }
}
