/// Numbers as texts of a fixed width.
enum NumberText {
    /// `00012`
    static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
