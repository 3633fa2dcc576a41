extension SecretName {
    /// Whether a value may be the secret that its name promises.
    ///
    /// - Parameters:
    ///   - isRequest: whether somebody sends it. There, values are not looked at closely, because all credentials must
    ///     be treated alike.
    ///   - isPair: whether it is in a query or a form.
    func admits(_ value: UnsafeBufferPointer<UInt8>.SubSequence, isRequest: Bool, isPair: Bool) -> Bool {
        guard let first = value.first, value.count < 1 << 20 else { return !value.isEmpty }
        if strength == .ruled || isRequest && apart != nil { return true }
        // In a request, any value of such a name may be a wrong password.
        let isAnything = isRequest && (strength == .password || strength == .strong)
        if Self.isNothing(value) || !isAnything && (Self.isConstant(value) || Self.isScheme(value)) { return false }
        if !isRequest, Self.isReference(value) || Self.isMask(value) { return false }
        // `pwd` is a folder, too.
        if kind.hasSuffix("pwd"), first == UInt8(ascii: "/") || value.dropFirst().first == UInt8(ascii: ":") {
            return false
        }
        switch strength {
        case .ruled: return true
        case .password where Self.ofDigits.contains { kind.hasSuffix($0) }:
            // Of a version, a status or a channel, nothing.
            return isRequest || value.count < 10 && value.allSatisfy { $0 &- 0x30 < 10 || $0 == 0x20 || $0 == 0x2D }
                || Self.looksRandom(value)
        case .password:
            let isPhrase = kind.hasSuffix("phrase") || kind.hasSuffix("mnemonic")
            return isRequest || !Self.isLabel(value, isPassword: true, isPhrase: isPhrase)
        case .strong:
            if isRequest { return isPair || !Self.hasWords(value, 2) }
            return !Self.isLabel(value) && !Self.hasWords(value, 2)
        case .weak:
            if isRequest { return isPair || !Self.hasWords(value, 1) }
            return first != UInt8(ascii: "/") && Self.looksRandom(value) && !Self.isWordWithNumber(value)
        case .beside(let word):
            return ShapeFinder.standard.kind(of: ArraySlice(Array(value)), beside: word) != nil
        case .random: return value.count >= 20 && Self.looksRandom(value)
        case .vague: return isPair && value.count >= 20 && first != UInt8(ascii: "/") && Self.looksRandom(value)
        }
    }

    /// Whether the name alone says that it is one of a secret, so that a value that was left alone is worth telling.
    var isTelling: Bool {
        switch strength {
        case .ruled, .password, .strong, .weak: true
        case .vague, .random, .beside: false
        }
    }

    /// Whether a number of JSON may be the secret that its name promises. A token that is a short number is a piece of a
    /// text, a session is an hour of a conference, and a code is a status.
    func admits(number digits: Int, isRequest: Bool) -> Bool {
        if isRequest, apart != nil { return true }
        return switch strength {
        case .ruled: true
        // In an answer, few digits are those of a count, or of a pin of a board.
        case .password: isRequest || digits >= (Self.ofDigits.contains { kind.hasSuffix($0) } ? 3 : 6)
        case .strong: !kind.hasSuffix("token") || digits >= 12
        case .weak: kind.hasSuffix("pin") && (isRequest || digits >= 4) || kind.hasSuffix("_code") || digits >= 12
        case .vague, .random, .beside: false
        }
    }

    /// Names of passwords that have digits only.
    private static let ofDigits = ["otp", "cvv", "cvc"]

    /// Whether it says where a value is: `$NAME`, `${NAME}`, `{{name}}`, `%(name)s`, `<name>`.
    private static func isReference(_ value: UnsafeBufferPointer<UInt8>.SubSequence) -> Bool {
        guard value.count > 2, let first = value.first, let last = value.last else { return false }
        let second = value[value.startIndex + 1]
        func isName(_ byte: UInt8) -> Bool { byte == 0x5F || (byte | 0x20) &- 0x61 < 26 }
        switch first {
        case UInt8(ascii: "$"):
            if second == UInt8(ascii: "{") || second == UInt8(ascii: "(") { return true }
            return value.dropFirst().allSatisfy { isName($0) && $0 &- 0x61 > 25 }
        case UInt8(ascii: "{"): return second == UInt8(ascii: "{") && last == UInt8(ascii: "}")
        case UInt8(ascii: "%"): return second == UInt8(ascii: "(")
        case UInt8(ascii: "<"): return last == UInt8(ascii: ">")
        default: return false
        }
    }

    /// Whether it is there instead of a secret: `****`, `••••`, `your-api-key`.
    private static func isMask(_ value: UnsafeBufferPointer<UInt8>.SubSequence) -> Bool {
        if value.allSatisfy({ $0 == UInt8(ascii: "*") }) || value.allSatisfy({ [0xE2, 0x80, 0xA2].contains($0) }) {
            return true
        }
        // `sk-...abcd`
        if value.count < 40, Array(value).firstRange(of: Array("...".utf8)) != nil { return true }
        guard value.count > 6, value[value.startIndex + 4] == 0x2D || value[value.startIndex + 4] == 0x5F else {
            return false
        }
        return value.prefix(4).map({ $0 | 0x20 }).elementsEqual("your".utf8)
            && value.allSatisfy { $0 == 0x2D || $0 == 0x5F || ($0 | 0x20) &- 0x61 < 26 }
    }

    /// `degree2020`: a word, and a number of up to four digits.
    private static func isWordWithNumber(_ value: UnsafeBufferPointer<UInt8>.SubSequence) -> Bool {
        let word = value.prefix { ($0 | 0x20) &- 0x61 < 26 }
        let number = value.dropFirst(word.count)
        return (1...4).contains(number.count) && number.allSatisfy { $0 &- 0x30 < 10 }
            && (word.dropFirst().allSatisfy { $0 &- 0x61 < 26 } || word.allSatisfy { $0 &- 0x41 < 26 })
    }

    /// Whether it is an expression of a program: `settings.API_KEY`, `os.environ[`, `var.db_password`. A word with a dot
    /// in it may be a password as well, so the first one decides.
    static func isExpression(_ value: UnsafeBufferPointer<UInt8>.SubSequence) -> Bool {
        let word = value.last == UInt8(ascii: "[") ? value.dropLast() : value
        let parts = word.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count > 1, let root = parts.first, roots.contains(where: { root.elementsEqual($0.utf8) }) else {
            return false
        }
        return parts.allSatisfy { part in
            part.first.map { $0 == 0x5F || ($0 | 0x20) &- 0x61 < 26 } == true
                && part.allSatisfy { $0 == 0x5F || ($0 | 0x20) &- 0x61 < 26 || $0 &- 0x30 < 10 }
        }
    }

    /// What programs call where they have values from.
    private static let roots = [
        "os", "process", "env", "ENV", "var", "local", "data", "module", "settings", "config", "conf", "self", "this",
        "app", "args", "options", "opts", "params", "props", "request", "req", "context", "ctx", "secrets", "state",
    ]

    private static let constants: Set<[UInt8]> = Set(
        [
            "null", "true", "false", "none", "nil", "undefined", "yes", "no", "string", "str", "int",
            "bool", "any", "object", "number", "integer", "boolean", "*", "-",
        ].map { Array($0.utf8) }
    )

    private static func isScheme(_ value: UnsafeBufferPointer<UInt8>.SubSequence) -> Bool {
        guard value.count < 24, let last = value.last, last <= 0x20 || (last | 0x20) &- 0x61 < 26 else { return false }
        let word = value.prefix { $0 > 0x20 }
        guard value.dropFirst(word.count).allSatisfy({ $0 <= 0x20 }) else { return false }
        return RedactionCatalog.schemes.contains(
            String(decoding: word.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }, as: UTF8.self)
        )
    }

    private static func isNothing(_ value: UnsafeBufferPointer<UInt8>.SubSequence) -> Bool {
        value.count <= 9 && ["null", "nil", "undefined", "true", "false"].contains { value.elementsEqual($0.utf8) }
    }

    private static func isConstant(_ value: UnsafeBufferPointer<UInt8>.SubSequence) -> Bool {
        value.count <= 9 && constants.contains(value.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 })
    }

    /// More words than these: a sentence, not a credential, whose scheme may be a word before it.
    private static func hasWords(_ value: UnsafeBufferPointer<UInt8>.SubSequence, _ limit: Int) -> Bool {
        value.split(maxSplits: limit + 1, whereSeparator: { $0 <= 0x20 }).count > limit
    }

    /// Whether it is a text for people: letters and punctuation between them, no digits.
    ///
    /// - Parameters:
    ///   - isPassword: whether small words may be a secret.
    ///   - isPhrase: whether several words may be one.
    private static func isLabel(
        _ value: UnsafeBufferPointer<UInt8>.SubSequence,
        isPassword: Bool = false,
        isPhrase: Bool = false
    ) -> Bool {
        let last = value[value.index(before: value.endIndex)]
        if hasWords(value, 2) {
            if isPhrase { return last == UInt8(ascii: ".") || last == UInt8(ascii: "?") }
            // A sentence has numbers in it, but no words that are half a number.
            return !value.split(whereSeparator: { $0 <= 0x20 }).contains { word in
                word.contains { $0 &- 0x30 < 10 } && word.contains { ($0 | 0x20) &- 0x61 < 26 }
            }
        }
        // `TOO_SHORT`, `token_expired`: a code of an error. A password may be small words, too.
        if value.contains(UInt8(ascii: "_")), !isPhrase,
            value.allSatisfy({ $0 == 0x5F || $0 &- 0x41 < 26 })
                || !isPassword && value.allSatisfy({ $0 == 0x5F || $0 &- 0x61 < 26 })
        {
            return true
        }
        // Chinese, Japanese and Korean.
        if value.contains(where: { $0 &- 0xE3 < 11 }), !value.contains(where: { ($0 | 0x20) &- 0x61 < 26 }) {
            return true
        }
        var (hasSpace, hasForeign, capitals, letters) = (false, false, 0, 0)
        for byte in value {
            switch byte {
            case 0x30...0x39, UInt8(ascii: "$"), UInt8(ascii: "#"), UInt8(ascii: "@"), UInt8(ascii: "_"),
                UInt8(ascii: "^"), UInt8(ascii: "~"), UInt8(ascii: "+"), UInt8(ascii: "="):
                return false
            case 0x41...0x5A: (capitals, letters) = (capitals + 1, letters + 1)
            case 0x61...0x7A: letters += 1
            case 0x20: hasSpace = true
            case 0x80...: hasForeign = true
            default: break
            }
        }
        if hasForeign || hasSpace { return !isPhrase && letters + (hasForeign ? 1 : 0) > 0 }
        // `Password:`, `Kennwort*`, `Forgot?`
        let isMarked = last == UInt8(ascii: ":") || last == UInt8(ascii: "*") || last == UInt8(ascii: "?")
        guard letters == value.count - (isMarked ? 1 : 0), letters > 0, letters < 24, let first = value.first else {
            return value.count < 3
        }
        if capitals == 1, first &- 0x41 < 26 { return true }
        let lower = value.map { $0 | 0x20 }
        return [
            "pass", "secret", "required", "optional", "hidden", "text", "token", "basic", "bearer", "contras",
            "wachtwoord", "senha",
        ]
        .contains { word in lower.starts(with: word.utf8) }
    }

    /// Whether it is what a machine makes: long enough, one word, and of more than letters of one case.
    static func looksRandom(_ value: [UInt8]) -> Bool { value.withUnsafeBufferPointer { looksRandom($0[...]) } }

    static func looksRandom(_ value: UnsafeBufferPointer<UInt8>.SubSequence) -> Bool {
        guard value.count >= 8 else { return false }
        var (digits, upper, lower, other, seen) = (0, 0, 0, 0, (UInt64(0), UInt64(0)))
        var spaces = 0
        var (changes, wasLower, odd) = (0, false, false)
        for byte in value {
            // From a small letter to a capital.
            if wasLower, byte &- 0x41 < 26 { changes += 1 }
            wasLower = byte &- 0x61 < 26
            if byte < 64 { seen.0 |= 1 << UInt64(byte) } else { seen.1 |= 1 << UInt64(byte & 63) }
            switch byte {
            case 0x30...0x39: digits += 1
            case 0x41...0x5A: upper += 1
            case 0x61...0x7A: lower += 1
            case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "~"), UInt8(ascii: "+"),
                UInt8(ascii: "/"), UInt8(ascii: "="), UInt8(ascii: ":"), UInt8(ascii: "%"), UInt8(ascii: "!"),
                UInt8(ascii: "*"):
                other += 1
            case 0x20:
                // Only after the name of a scheme.
                if digits + other + spaces > 0 || value.count < 16 { return false }
                spaces += 1
            case UInt8(ascii: "|"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "^"), UInt8(ascii: "&"),
                UInt8(ascii: "@"), UInt8(ascii: ","), UInt8(ascii: "?"):
                // Addresses of people, lists and texts have them too.
                guard value.count >= 12 else { return false }
                odd = true
                other += 1
            default: return false
            }
        }
        if odd, digits < 2 || upper == 0 || lower == 0 { return false }
        // An address of a blockchain is public.
        if value.count == 42, value.starts(with: "0x".utf8),
            value.allSatisfy({ TextView.hexDigit($0) != nil || $0 == 0x78 })
        {
            return false
        }
        guard digits < value.count, seen.0.nonzeroBitCount + seen.1.nonzeroBitCount >= 5 else { return false }
        if value.count > 8, value.dropFirst(3).prefix(6).contains(UInt8(ascii: ":")), value.contains(UInt8(ascii: "/")),
            Array(value).firstRange(of: Array("://".utf8)) != nil
        {
            return false
        }
        if digits > 0, upper + lower > 0 { return digits + upper > 1 || value.count > 12 }
        // Letters of both cases, but not as in `CamelCase` or `Kebab-Case`, or many of one without the shape of words.
        guard upper > 2, lower > 2, value.count >= 16 else {
            // In base32, which has no zero and no one, some have no digit.
            return lower == 0 && other == 0 && upper >= 16 && upper % 2 == 0
        }
        return other == 0 || upper > 4 && changes * 4 >= value.count || !hasWords(value)
    }
}
