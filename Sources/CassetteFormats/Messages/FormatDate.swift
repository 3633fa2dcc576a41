import Foundation
import HTTPMessages

/// Times as other tools write them, in milliseconds since 1970 UTC.
enum FormatDate {
    /// Reads `2024-05-06T07:08:09.123+02:00` (RFC 3339; without a zone it is UTC), and the date of HTTP (RFC 9110 §5.6.7).
    static func milliseconds(_ text: String) -> Int64? { iso(text) ?? http(text) }

    /// `2024-05-06T07:08:09.123Z`
    static func iso(_ milliseconds: Int64) -> String {
        let (date, fraction) = parts(milliseconds)
        let day =
            "\(padded(Int(date.tm_year) + 1900, 4))-\(padded(Int(date.tm_mon) + 1, 2))-\(padded(Int(date.tm_mday), 2))"
        return "\(day)T\(time(date)).\(padded(fraction, 3))Z"
    }

    /// `Mon, 06 May 2024 07:08:09 GMT`
    static func http(_ milliseconds: Int64) -> String { HTTPDate.text(Int(clamped(milliseconds) / 1000)) }

    /// Years from 1 to 9999.
    private static func clamped(_ milliseconds: Int64) -> Int64 {
        min(max(milliseconds, -62_135_596_800_000), 253_402_300_799_999)
    }

    private static func parts(_ milliseconds: Int64) -> (tm, fraction: Int) {
        let milliseconds = clamped(milliseconds)
        var seconds = time_t((Double(milliseconds) / 1000).rounded(.down))
        var date = tm()
        gmtime_r(&seconds, &date)
        return (date, Int(milliseconds - Int64(seconds) * 1000))
    }

    private static func time(_ date: tm) -> String {
        "\(padded(Int(date.tm_hour), 2)):\(padded(Int(date.tm_min), 2)):\(padded(Int(date.tm_sec), 2))"
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private static func iso(_ text: String) -> Int64? {
        let text = text.trimmingCharacters(in: .whitespaces)
        guard
            let match = text.wholeMatch(
                of: /(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d+))?\s*(?:[Zz]|UTC|([+-])(\d\d):?(\d\d))?/
            )?.output
        else { return nil }
        guard let seconds = seconds(match.1, month: Int(match.2), match.3, match.4, match.5, match.6) else {
            return nil
        }
        var milliseconds = seconds * 1000
        if let fraction = match.7, let value = Double("0.\(fraction)") {
            milliseconds += Int64((value * 1000).rounded())
        }
        if let sign = match.8, let hours = match.9.flatMap({ Int64($0) }), let minutes = match.10.flatMap({ Int64($0) })
        {
            milliseconds -= (sign == "-" ? -1 : 1) * (hours * 60 + minutes) * 60_000
        }
        return milliseconds
    }

    private static func http(_ text: String) -> Int64? {
        guard
            let match = text.firstMatch(of: /(\d{1,2})[ -]([A-Z][a-z]{2})[ -](\d{4}) (\d\d):(\d\d):(\d\d)/)?.output,
            let month = HTTPDate.months.firstIndex(of: String(match.2))
        else { return nil }
        return seconds(match.3, month: month + 1, match.1, match.4, match.5, match.6).map { $0 * 1000 }
    }

    private static func seconds(
        _ year: Substring,
        month: Int?,
        _ day: Substring,
        _ hour: Substring,
        _ minute: Substring,
        _ second: Substring
    ) -> Int64? {
        guard let year = Int32(year), let month, (1...12).contains(month), let day = Int32(day), (1...31).contains(day),
            let hour = Int32(hour), hour < 25, let minute = Int32(minute), minute < 60, let second = Int32(second),
            second < 61
        else { return nil }
        var date = tm()
        (date.tm_year, date.tm_mon, date.tm_mday) = (year - 1900, Int32(month) - 1, day)
        (date.tm_hour, date.tm_min, date.tm_sec) = (hour, minute, second)
        return Int64(timegm(&date))
    }
}
