import Testing

@testable import CassetteFormats

@Suite struct FormatDateTests {
    @Test(
        arguments: [
            ("2024-05-06T07:08:09Z", 1_714_979_289_000), ("2024-05-06T07:08:09.1Z", 1_714_979_289_100),
            ("2024-05-06T07:08:09.1234567+02:00", 1_714_972_089_123), ("2024-05-06T07:08:09-0130", 1_714_984_689_000),
            ("2024-05-06 07:08:09 UTC", 1_714_979_289_000), ("2024-05-06T07:08:09", 1_714_979_289_000),
            (" 2024-05-06t07:08:09,5z ", 1_714_979_289_500), ("Mon, 06 May 2024 07:08:09 GMT", 1_714_979_289_000),
            ("Monday, 6 May 2024 07:08:09 GMT", 1_714_979_289_000),
            ("Mon, 06-May-2024 07:08:09 GMT", 1_714_979_289_000),
            ("1969-12-31T23:59:59.999Z", -1),
        ] as [(String, Int64)]
    )
    func isRead(_ text: String, _ milliseconds: Int64) { #expect(FormatDate.milliseconds(text) == milliseconds) }

    @Test(
        arguments: [
            "", "2024", "2024-05-06", "2024-13-06T07:08:09Z", "2024-05-06T07:08:09.Z", "2024-05-06T07:08:09+2",
            "yesterday",
            "2024-05-06T07:08:09Z and more", "06 Foo 2024 07:08:09",
        ]
    )
    func otherTextsAreNone(_ text: String) { #expect(FormatDate.milliseconds(text) == nil) }

    @Test func isWrittenAsItIsRead() {
        for time in [0, -1, 1_714_979_289_123, 253_402_300_799_999, -62_135_596_800_000] as [Int64] {
            #expect(FormatDate.milliseconds(FormatDate.iso(time)) == time)
        }
        #expect(
            FormatDate.iso(Int64.max) == "9999-12-31T23:59:59.999Z"
                && FormatDate.iso(Int64.min) == "0001-01-01T00:00:00.000Z"
        )
        #expect(FormatDate.http(1_714_979_289_999) == "Mon, 06 May 2024 07:08:09 GMT")
    }
}
