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
            "\(NumberText.padded(Int(date.tm_year) + 1900, 4))-\(NumberText.padded(Int(date.tm_mon) + 1, 2))-\(NumberText.padded(Int(date.tm_mday), 2))"
        return "\(day)T\(time(date)).\(NumberText.padded(fraction, 3))Z"
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
        "\(NumberText.padded(Int(date.tm_hour), 2)):\(NumberText.padded(Int(date.tm_min), 2)):\(NumberText.padded(Int(date.tm_sec), 2))"
    }

    private static func iso(_ text: String) -> Int64? {
        var reader = Reader(text)
        reader.skipSpace()
        guard let year = reader.number(4), reader.take("-"), let month = reader.number(2), reader.take("-"),
            let day = reader.number(2), reader.take("T") || reader.take("t") || reader.take(" "),
            let time = reader.time(),
            let seconds = seconds(year, month, day, time)
        else { return nil }
        var milliseconds = seconds * 1000
        if reader.take(".") || reader.take(",") {
            guard let fraction = reader.fraction() else { return nil }
            milliseconds += Int64((fraction * 1000).rounded())
        }
        reader.skipSpace()
        if reader.take("Z") || reader.take("z") || reader.take("UTC") || reader.isAtEnd {
            reader.skipSpace()
            return reader.isAtEnd ? milliseconds : nil
        }
        let isWest = reader.take("-")
        guard isWest || reader.take("+"), let hours = reader.number(2) else { return nil }
        _ = reader.take(":")
        guard let minutes = reader.number(2), reader.isAtEnd else { return nil }
        return milliseconds - (isWest ? -1 : 1) * Int64(hours * 60 + minutes) * 60_000
    }

    /// `Mon, 06 May 2024 07:08:09 GMT`; also with hyphens, as early versions had it.
    private static func http(_ text: String) -> Int64? {
        var reader = Reader(text)
        reader.skip { $0 &- 0x30 >= 10 }
        guard let day = reader.number(2) ?? reader.number(1), reader.take(" ") || reader.take("-"),
            let month = HTTPDate.months.firstIndex(where: { reader.take($0) }), reader.take(" ") || reader.take("-"),
            let year = reader.number(4), reader.take(" "), let time = reader.time()
        else { return nil }
        return seconds(year, month + 1, day, time).map { $0 * 1000 }
    }

    private static func seconds(_ year: Int, _ month: Int, _ day: Int, _ time: (hour: Int, minute: Int, second: Int))
        -> Int64?
    {
        guard (1...12).contains(month), (1...31).contains(day), time.hour < 25, time.minute < 60, time.second < 61
        else {
            return nil
        }
        var date = tm()
        (date.tm_year, date.tm_mon, date.tm_mday) = (Int32(year) - 1900, Int32(month) - 1, Int32(day))
        (date.tm_hour, date.tm_min, date.tm_sec) = (Int32(time.hour), Int32(time.minute), Int32(time.second))
        return Int64(timegm(&date))
    }

    /// Reads a date from its start. Every interaction has one, so it is not done by a regular expression.
    private struct Reader {
        private let bytes: [UInt8]
        private var index = 0

        init(_ text: String) { bytes = Array(text.utf8) }

        var isAtEnd: Bool { index == bytes.count }

        mutating func skip(_ isSkipped: (UInt8) -> Bool) {
            while index < bytes.count, isSkipped(bytes[index]) { index += 1 }
        }

        mutating func skipSpace() { skip { $0 == 0x20 } }

        mutating func take(_ text: String) -> Bool {
            guard bytes[index...].starts(with: text.utf8) else { return false }
            index += text.utf8.count
            return true
        }

        /// Exactly so many digits.
        mutating func number(_ width: Int) -> Int? {
            guard index + width <= bytes.count else { return nil }
            var number = 0
            for byte in bytes[index..<(index + width)] {
                guard byte &- 0x30 < 10 else { return nil }
                number = number * 10 + Int(byte &- 0x30)
            }
            index += width
            return number
        }

        /// `07:08:09`
        mutating func time() -> (hour: Int, minute: Int, second: Int)? {
            guard let hour = number(2), take(":"), let minute = number(2), take(":"), let second = number(2) else {
                return nil
            }
            return (hour, minute, second)
        }

        mutating func fraction() -> Double? {
            let start = index
            skip { $0 &- 0x30 < 10 }
            return start == index ? nil : Double("0." + String(decoding: bytes[start..<index], as: UTF8.self))
        }
    }
}
