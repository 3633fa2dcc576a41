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
}
