import MockServeCore
import Testing

@Suite struct ShellTextTests {
    @Test(
        arguments: [
            ("plain/a-b_c.d:e=f@g%h+i,j", "plain/a-b_c.d:e=f@g%h+i,j"), ("", "''"), ("a b", "'a b'"),
            ("it's", #"'it'\''s'"#),
            ("$(x) `y` \\", "'$(x) `y` \\'"), ("a\nb", "'a\nb'"),
            // To a shell, it is a quotation mark whatever combines with it.
            ("'\u{301};x;'\u{301}", "''\\''\u{301};x;'\\''\u{301}'"), ("'\u{FE0F}", "''\\''\u{FE0F}'"),
        ]
    )
    func isOneWord(_ text: String, _ quoted: String) {
        #expect(Array(ShellText.quoted(text).unicodeScalars) == Array(quoted.unicodeScalars))
    }
}
