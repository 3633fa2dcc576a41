extension SecretSearch {
    /// A secret in a text.
    struct Finding {
        var range: Range<Int>
        let kind: String
        /// Without encodings; of one that is declared or learned and found in base64, the secret itself.
        let value: [UInt8]
        let form: Placeholder.Form
        let how: How
        /// Of what is to be learned: how else it may be written.
        var spellings: [[UInt8]] = []
        /// Whether it was found by its name.
        var isNamed = false
        /// Whether, and how, requests are told apart by it.
        var apart: ToldApart?
        /// Whether it is a key whose checksum is right.
        var isChecked = false
        /// Whether it may be one, depending on what follows the text.
        var isOpen = false

        /// What it holds in base64, for learning.
        var within: [Finding] = []

        /// How it was recognised.
        var reason: String {
            switch how {
            case .name: "by its name"
            case .shape: isChecked ? "by its shape, and its checksum is right" : "by its shape"
            case .learned: "as one that was recognised elsewhere"
            case .declared: "as it was declared"
            case .placeholder: "as a number that looks like a placeholder but was never given"
            }
        }
    }

    enum How: Sendable {
        case name
        case shape
        case learned
        case declared
        /// One that was replaced already.
        case placeholder
    }

    /// In order; of those that overlap, the outermost, and of equal ones the first.
    static func merged(_ found: [Finding]) -> [Finding] {
        let sorted = found.enumerated().sorted { left, right in
            let (one, other) = (left.element.range, right.element.range)
            if one.lowerBound != other.lowerBound { return one.lowerBound < other.lowerBound }
            if one.upperBound != other.upperBound { return one.upperBound > other.upperBound }
            return left.offset < right.offset
        }
        var merged: [Finding] = []
        for (_, finding) in sorted where !finding.range.isEmpty {
            guard let last = merged.last, finding.range.lowerBound < last.range.upperBound else {
                merged.append(finding)
                continue
            }
            let end = max(last.range.upperBound, finding.range.upperBound)
            if last.range == finding.range {
                // A placeholder is found by its shape and by its name; the name says more.
                if last.kind.isEmpty { merged[merged.count - 1] = finding }
                if let apart = finding.apart { merged[merged.count - 1].apart = apart }
            }
            // A placeholder that only begins or ends in something else is replaced with it.
            if end > last.range.upperBound {
                if last.how == .placeholder { merged[merged.count - 1] = finding }
                merged[merged.count - 1].range = last.range.lowerBound..<end
            }
        }
        return merged
    }
}
