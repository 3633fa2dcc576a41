extension SecretName {
    /// Whether it has many letters of both cases that are not words, as only chance makes them.
    static func isOfNoWords(_ value: [UInt8]) -> Bool {
        let upper = value.count { $0 &- 0x41 < 26 }
        let lower = value.count { $0 &- 0x61 < 26 }
        return upper + lower >= 12 && upper > 2 && lower > 2 && !value.withUnsafeBufferPointer { hasWords($0[...]) }
    }

    /// Whether most of its letters are in what could be words. Of random ones about one in a thousand is.
    static func hasWords(_ value: UnsafeBufferPointer<UInt8>.SubSequence) -> Bool {
        func isUpper(_ byte: UInt8) -> Bool { byte &- 0x41 < 26 }
        func isLower(_ byte: UInt8) -> Bool { byte &- 0x61 < 26 }
        var (letters, inWords, acronyms) = (0, 0, 0)
        var rest = value
        while let first = rest.first {
            guard isUpper(first) || isLower(first) else {
                rest = rest.dropFirst()
                continue
            }
            let capitals = rest.prefix { isUpper($0) }.count
            let small = rest.dropFirst(capitals).prefix { isLower($0) }.count
            // Of several capitals before small letters, the last belongs to these.
            let count = capitals <= 1 ? capitals + small : small > 0 ? capitals - 1 : capitals
            letters += count
            if count >= 3, capitals > 1 {
                acronyms += 1
                if acronyms == 1 { inWords += count }
            } else if count >= 3, canBeSpoken(rest.prefix(count)) {
                inWords += count
            }
            rest = rest.dropFirst(count)
        }
        return inWords * 4 >= letters * 3
    }

    /// Whether there are vowels among letters, and not too many of a kind in a row.
    private static func canBeSpoken(_ letters: UnsafeBufferPointer<UInt8>.SubSequence) -> Bool {
        var (hasVowel, vowels, consonants) = (false, 0, 0)
        for byte in letters {
            let isY = byte | 0x20 == UInt8(ascii: "y")
            let isVowel = isY || "aeiou".utf8.contains(byte | 0x20)
            hasVowel = hasVowel || isVowel
            vowels = isVowel && !isY ? vowels + 1 : 0
            consonants = isVowel ? 0 : consonants + 1
            if vowels >= 4 || consonants >= 5 { return false }
        }
        return hasVowel
    }
}
