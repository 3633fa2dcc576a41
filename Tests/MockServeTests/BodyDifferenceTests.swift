import Foundation
import MockServe
import Testing

/// How bodies differ, as a miss shows it.
@Suite(.timeLimit(.minutes(5)))
struct BodyDifferenceTests {
    private func post(_ body: String, _ type: String = "application/json", _ fields: [(String, String)] = [])
        -> Recorded
    {
        Recorded(method: "POST", target: "/", fields: [("Content-Type", type)] + fields, body: body)
    }

    @Test(arguments: [
        "application/json", "application/octet-stream", "application/x-amz-json-1.1", "text/plain",
        "application/x-www-form-urlencoded",
    ])
    func jsonIsToldAsJSONWhateverItsLabel(type: String) async throws {
        let text = try await miss([post("{\"a\": 1, \"b\": [1]}", type)], post("{\"b\": [2], \"a\": 1}", type))
        #expect(text.contains("#1 POST /\n      json:$.b[0]\n        asked:    2\n        recorded: 1\n"), "\(text)")
    }

    /// No rule is shown that would not help: an element that does not count still takes its place.
    @Test func onlyRulesThatWouldDoItAreTold() async throws {
        let text = try await miss([post("[{\"a\": 1}]")], post("[{\"a\": 1}, 2]"))
        #expect(text.contains("      json:$[1]\n") && !text.contains("--ignore"), "\(text)")
    }

    @Test func aPartOfAMultipartBodyIsNamed() async throws {
        func body(_ boundary: String, _ title: String, _ file: String) -> Recorded {
            let content = """
                --\(boundary)\r\nContent-Disposition: form-data; name="title"\r\n\r\n\(title)\r
                --\(boundary)\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n\(file)\r
                --\(boundary)--\r\n
                """
            return post(content, "multipart/form-data; boundary=\(boundary)")
        }
        let text = try await miss([body("one", "A", "same")], body("two", "B", "same"))
        #expect(text.contains("#1 POST /\n      part:title\n        asked:    B\n        recorded: A\n"), "\(text)")
        #expect(text.hasSuffix(" --ignore part:title\n") && !text.contains("part:file"))
        let long = String(repeating: "x", count: 300_000)
        let other = try await miss([body("one", "A", long + "1" + long)], body("two", "A", long + "2" + long))
        #expect(other.contains("part:file\n        asked:    600001 bytes, from byte 300000 on: 2xxx"), "\(other)")
    }

    @Test(arguments: [300_000, 600_000])
    func longBodiesOfOneSizeAreToldByTheFirstBytesThatDiffer(size: Int) async throws {
        let one = String(repeating: "a", count: size)
        let other = String(repeating: "a", count: size - 10) + "b" + String(repeating: "a", count: 9)
        let text = try await miss([post(one, "application/octet-stream")], post(other, "application/octet-stream"))
        let start = (size - 10) / 262_144 * 262_144
        #expect(
            text.contains("asked:    \(size) bytes, the first that differ are among \(start) to \(size - 1)\n"),
            "\(text)"
        )
        #expect(!text.contains("the same request"))
    }

    @Test func aLongJSONTextIsToldByTheFirstByteThatDiffers() async throws {
        let filler = String(repeating: "x", count: 2 << 20)
        let text = try await miss([post("{\"a\": 1, \"b\": \"\(filler)\"}")], post("{\"a\": 2, \"b\": \"\(filler)\"}"))
        #expect(text.contains("bytes, from byte 6 on: 2, \"b\": \"xxx"), "\(text)")
    }

    @Test func requestsThatOnlyTheMatchKeyTellsApartAreNotCalledTheSame() async throws {
        let digits = "12345678901234567890123456789"
        let text = try await miss([post("{\"a\": \(digits)0}")], post("{\"a\": \(digits)1}"))
        #expect(text.contains("#1 POST /\n      ") && !text.contains("the same request"), "\(text)")
    }
}
