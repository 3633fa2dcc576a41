import HTTPMessages

/// Reads field lines (RFC 9112 §5) up to the empty line, strictly or tolerantly.
struct FieldParser {
    let limits: WireLimits
    let isStrict: Bool
    private(set) var fields = Fields()
    private var byteCount = 0

    init(limits: WireLimits, isStrict: Bool) {
        self.limits = limits
        self.isStrict = isStrict
    }

    /// Reads what has arrived.
    ///
    /// - Returns: true once the empty line has been read.
    mutating func read(from lines: inout LineReader) throws(WireError) -> Bool {
        while true {
            let room = limits.fieldSection - byteCount
            let isEnd = try lines.withLine(
                limit: room,
                tooLong: WireError(status: 431, "the fields are longer than \(limits.fieldSection) bytes"),
                allowsBareLF: !isStrict
            ) {
                line throws(WireError) in
                try take(line)
            }
            guard let isEnd else { return false }
            if isEnd { return true }
        }
    }

    private mutating func take(_ line: UnsafeRawBufferPointer) throws(WireError) -> Bool {
        guard let first = line.first else { return true }
        byteCount += line.count + 2
        if first == 0x20 || first == 0x09 {
            try fold(line)
            return false
        }
        guard fields.count < limits.fieldCount else {
            throw WireError(status: 431, "more than \(limits.fieldCount) fields")
        }
        guard let colon = firstIndex(of: UInt8(ascii: ":"), in: line) else {
            throw WireError("a field line without a colon")
        }
        let value = trimmingSpace(line[(colon + 1)...])
        guard isFieldValue(value) else { throw WireError("a field value holds NUL or another control character") }
        let name = isStrict ? line[..<colon] : trimmingSpace(line[..<colon])
        guard isFieldName(name) else { throw WireError("a bad field name, or white space before the colon") }
        fields.append(name: name, value: value)
        return false
    }

    /// obs-fold, RFC 9112 §5.2: a server refuses it, a proxy replaces it with a space.
    private mutating func fold(_ line: UnsafeRawBufferPointer) throws(WireError) {
        guard !isStrict else { throw WireError("a folded field line (obs-fold)") }
        guard !fields.isEmpty else { throw WireError("white space before the first field") }
        let value = trimmingSpace(line[...])
        guard isFieldValue(value) else { throw WireError("a field value holds NUL or another control character") }
        fields.continueLastValue(with: UnsafeRawBufferPointer(rebasing: value))
    }

    private func isFieldName(_ name: Slice<UnsafeRawBufferPointer>) -> Bool {
        if isToken(name) { return true }
        return !isStrict && !name.isEmpty && name.allSatisfy { $0 > 0x20 && $0 != 0x7F }
    }

    /// RFC 9110 §5.5. Some servers send control characters, and clients accept them; NUL is never accepted.
    private func isFieldValue(_ value: Slice<UnsafeRawBufferPointer>) -> Bool {
        value.allSatisfy { byte in
            byte >= 0x20 && byte != 0x7F || byte == 0x09 || !isStrict && byte != 0
        }
    }
}
