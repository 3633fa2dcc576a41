/// The fields of a message (RFC 9110 §5) as they were on the wire: order, case, duplicates, inner white space and bytes
/// over 0x7F are kept.
///
/// All names and values are in one byte array, so a message needs few allocations, however many fields it has. Only the
/// optional white space around a value is not kept: it is written back as one space after the colon.
package struct Fields: Sendable {
    /// One field line, a view into the storage of the whole section.
    package struct Field: Sendable {
        package let name: ArraySlice<UInt8>
        package let value: ArraySlice<UInt8>
    }

    /// One field line in place, valid only during a call: nothing is retained for it.
    package struct RawField {
        package let name: UnsafeRawBufferPointer
        package let value: UnsafeRawBufferPointer

        /// Whether this field is called `name`, ignoring ASCII case.
        package func isNamed(_ name: StaticString) -> Bool {
            guard self.name.count == name.utf8CodeUnitCount else { return false }
            for offset in 0..<self.name.count where lowercased(self.name[offset]) != lowercased(name.utf8Start[offset])
            {
                return false
            }
            return true
        }
    }

    private struct Line {
        var nameStart: Int32
        var nameEnd: Int32
        var valueStart: Int32
        var valueEnd: Int32
    }

    private var bytes: [UInt8] = []
    private var lines: [Line] = []

    package init() {}

    package init(_ pairs: [(String, String)]) {
        for (name, value) in pairs { append(name: name.utf8, value: value.utf8) }
    }

    /// Bytes of all names and values together.
    package var byteCount: Int { bytes.count }

    package mutating func append(name: some Collection<UInt8>, value: some Collection<UInt8>) {
        appendLine(name, value)
    }

    private mutating func appendLine(_ name: some Collection<UInt8>, _ value: some Collection<UInt8>) {
        if lines.isEmpty {
            // Enough for most messages.
            bytes.reserveCapacity(240)
            lines.reserveCapacity(6)
        }
        let start = bytes.count
        bytes.append(contentsOf: name)
        let middle = bytes.count
        bytes.append(contentsOf: value)
        addLine(from: start, valueFrom: middle)
    }

    /// Appends a field whose name and value the closures write to the end of the bytes they are given.
    ///
    /// - Returns: whether both closures succeeded; if not, nothing is appended.
    package mutating func append(
        writingName writeName: (inout [UInt8]) -> Bool,
        writingValue writeValue: (inout [UInt8]) -> Bool
    ) -> Bool {
        let start = bytes.count
        let hasName = writeName(&bytes)
        let middle = bytes.count
        guard hasName, writeValue(&bytes) else {
            bytes.removeSubrange(start...)
            return false
        }
        addLine(from: start, valueFrom: middle)
        return true
    }

    /// Adds the field whose name and value are at the end of the bytes.
    private mutating func addLine(from start: Int, valueFrom middle: Int) {
        lines.append(
            Line(
                nameStart: Int32(start),
                nameEnd: Int32(middle),
                valueStart: Int32(middle),
                valueEnd: Int32(bytes.count)
            )
        )
    }

    package mutating func reserve(bytes byteCount: Int, fields count: Int) {
        bytes.reserveCapacity(byteCount)
        lines.reserveCapacity(count)
    }

    package mutating func append(_ name: String, _ value: String) {
        append(name: name.utf8, value: value.utf8)
    }

    // The following are not generic, so that other modules call specialised code.

    package mutating func append(name: ArraySlice<UInt8>, value: ArraySlice<UInt8>) {
        appendLine(name, value)
    }

    package mutating func append(name: ArraySlice<UInt8>, value: [UInt8]) {
        appendLine(name, value)
    }

    package mutating func append(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        appendLine(name, value)
    }

    package mutating func append(name: Slice<UnsafeRawBufferPointer>, value: Slice<UnsafeRawBufferPointer>) {
        appendLine(UnsafeRawBufferPointer(rebasing: name), UnsafeRawBufferPointer(rebasing: value))
    }

    package mutating func append(_ field: Field) {
        append(name: field.name, value: field.value)
    }

    /// Continues the last value after a line fold (RFC 9112 §5.2): one space, then the continuation.
    package mutating func continueLastValue(with value: UnsafeRawBufferPointer) {
        guard let last = lines.indices.last else { return }
        if !value.isEmpty {
            if lines[last].valueEnd > lines[last].valueStart { bytes.append(UInt8(ascii: " ")) }
            bytes.append(contentsOf: value)
        }
        lines[last].valueEnd = Int32(bytes.count)
    }

    /// Bytes that `write(to:)` writes.
    package var wireSize: Int { bytes.count + lines.count * 4 }

    /// Writes all field lines.
    ///
    /// - Returns: how many bytes were written.
    package func write(to target: UnsafeMutableRawBufferPointer) -> Int {
        guard var place = target.baseAddress, target.count >= wireSize else { return 0 }
        bytes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            func put(_ source: UnsafeRawPointer, _ count: Int) {
                place.copyMemory(from: source, byteCount: count)
                place += count
            }
            for line in lines {
                put(base + Int(line.nameStart), Int(line.nameEnd - line.nameStart))
                // An empty value needs no space, but nearly every server writes one.
                put(Self.colon.utf8Start, 2)
                put(base + Int(line.valueStart), Int(line.valueEnd - line.valueStart))
                put(Self.lineEnd.utf8Start, 2)
            }
        }
        return wireSize
    }

    private static let colon: StaticString = ": "
    private static let lineEnd: StaticString = "\r\n"

    /// Values of every field called `name`, in wire order. ASCII case is ignored in names (RFC 9110 §5.1).
    package func values(_ name: StaticString) -> [ArraySlice<UInt8>] {
        var values: [ArraySlice<UInt8>] = []
        var start = 0
        while let index = firstIndex(from: start, { $0.isNamed(name) }) {
            values.append(self[index].value)
            start = index + 1
        }
        return values
    }

    /// The value of the first field called `name`.
    package func first(_ name: StaticString) -> ArraySlice<UInt8>? {
        firstIndex { $0.isNamed(name) }.map { self[$0].value }
    }

    package func contains(_ name: StaticString) -> Bool { contains { $0.isNamed(name) } }

    /// Whether some field line meets `condition`. Lines are checked in wire order.
    package func contains(_ condition: (RawField) -> Bool) -> Bool { firstIndex(condition) != nil }

    /// Calls `body` with every field line, in wire order.
    package func forEachRaw(_ body: (RawField) -> Void) {
        _ = firstIndex { field in
            body(field)
            return false
        }
    }

    private func firstIndex(from start: Int = 0, _ condition: (RawField) -> Bool) -> Int? {
        bytes.withUnsafeBytes { bytes in
            func part(_ start: Int32, _ end: Int32) -> UnsafeRawBufferPointer {
                UnsafeRawBufferPointer(start: bytes.baseAddress.map { $0 + Int(start) }, count: Int(end - start))
            }
            var index = start
            while index < lines.count {
                let line = lines[index]
                let field = RawField(
                    name: part(line.nameStart, line.nameEnd),
                    value: part(line.valueStart, line.valueEnd)
                )
                if condition(field) { return index }
                index += 1
            }
            return nil
        }
    }

    /// Whether each line can be written as it is: its name is not empty and has no colon, and nothing in it is NUL or
    /// ends a line. Parsed fields always can; stored ones may be crafted.
    package var areLineSafe: Bool {
        let breaksLine = bytes.withUnsafeBytes { bytes in
            bytes.contains { $0 <= 0x0D && ($0 == 0 || $0 == 0x0A || $0 == 0x0D) }
        }
        return !breaksLine && !contains { $0.name.isEmpty || $0.name.contains(UInt8(ascii: ":")) }
    }

    /// The fields for which `keep` is true, in the same order.
    package func filter(_ keep: (RawField) -> Bool) -> Fields {
        var kept = Fields()
        forEachRaw { if keep($0) { kept.append(name: $0.name, value: $0.value) } }
        return kept
    }
}

extension Fields: RandomAccessCollection {
    package var startIndex: Int { 0 }
    package var endIndex: Int { lines.count }

    package subscript(position: Int) -> Field {
        let line = lines[position]
        return Field(
            name: bytes[Int(line.nameStart)..<Int(line.nameEnd)],
            value: bytes[Int(line.valueStart)..<Int(line.valueEnd)]
        )
    }
}

extension Fields: Equatable {
    package static func == (left: Fields, right: Fields) -> Bool {
        left.count == right.count
            && zip(left, right).allSatisfy { $0.name == $1.name && $0.value == $1.value }
    }
}

extension Fields: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, String)...) {
        self.init(elements)
    }
}

extension Fields.Field {
    /// Whether this field is called `name`, ignoring ASCII case.
    package func isNamed(_ name: StaticString) -> Bool { withRaw { $0.isNamed(name) } }

    package func withRaw<Result>(_ body: (Fields.RawField) -> Result) -> Result {
        name.withUnsafeBytes { name in
            value.withUnsafeBytes { value in body(Fields.RawField(name: name, value: value)) }
        }
    }
}
