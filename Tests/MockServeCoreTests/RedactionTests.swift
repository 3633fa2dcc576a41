import ContentCoding
import Foundation
import HTTPMessages
import Testing

@testable import MockServeCore

@Suite struct RedactionTests {
    private let book = PlaceholderBook()

    private func redactor(_ rules: [String] = [], secrets: [String] = [], learns: Bool = true) throws -> Redactor {
        let all = try (["catalog:4"] + rules).map { try Rule(.redact, $0) }
        let declared = try secrets.map { try DeclaredSecret("declared", Array($0.utf8)) }
        let known = KnownSecrets(declared, learned: learns ? LearnedSecrets() : nil)
        return try #require(RuleSet(all, secrets: known).redactor)
    }

    private func redacted(
        _ body: String,
        _ type: String,
        isRequest: Bool = false,
        _ redactor: Redactor? = nil
    ) throws -> String {
        let redactor = try redactor ?? self.redactor()
        var notes = RedactionNotes()
        let fields: Fields = ["Content-Type": "\(type)"]
        let output = redactor.redact(body: Array(body.utf8), fields, book, isRequest: isRequest, &notes)
        return String(decoding: output, as: UTF8.self)
    }

    // MARK: Places

    /// Values that are not beside their names, or not alone there.
    @Test(arguments: [
        (#"{"password":{"S":"SECRET"},"n":1}"#, "application/json"),
        (#"{"db_password":{"value":"SECRET","sensitive":true}}"#, "application/json"),
        (#"{"createApiKey":{"id":1,"key":"SECRET"}}"#, "application/json"),
        (#"{"passwords":[["SECRET"],["a",{"value":"SECRET"}]]}"#, "application/json"),
        (#"[{"value":"SECRET","name":"api_key"}]"#, "application/json"),
        (#"{"a":1,"Type":"String","Value":"SECRET","Name":"/prod/db/password"}"#, "application/json"),
        ("<dict><key>password</key><string>SECRET</string></dict>", "application/xml"),
        ("<member><name>password</name><value><string>SECRET</string></value></member>", "text/xml"),
        ("<P><ParameterKey>DBPassword</ParameterKey><ParameterValue>SECRET</ParameterValue></P>", "text/xml"),
        ("a: 1\npassword: |\n  SECRET\nb: 2\n", "application/yaml"),
        ("passwords:\n  - SECRET\n  - 'SECRET'\nb: 2\n", "application/yaml"),
        ("env:\n  - name: DB_PASSWORD\n    value: SECRET\n", "application/yaml"),
        ("<input type=hidden name=csrf_token value=SECRET>", "text/html"),
        ("curl -H 'Authorization: Bearer SECRET' https://a.example/ -d x", "text/plain"),
        (
            "machine a.example login anna password SECRET\nmachine b.example\n  login b\n  password SECRET\n",
            "text/plain"
        ),
    ])
    func findsValuesThatBelongToNames(_ text: String, _ type: String) throws {
        let secret = "hT5jR8wE1qNs6VbK3mXd"
        let body = text.replacing("SECRET", with: secret)
        let output = try redacted(body, type)
        #expect(!output.contains(secret), "\(output)")
        if type.hasSuffix("json") {
            #expect(throws: Never.self) {
                try JSONSerialization.jsonObject(with: Data(output.utf8), options: .fragmentsAllowed)
            }
        }
        #expect(try redacted(output, type) == output)
    }

    @Test(arguments: [
        #"{"pin":[1234,"hunter2",{"v":"hunter2","w":[true,5678]}],"other":1}"#, #"{"pin":{"v":["hunter2"]},"other":1}"#,
    ])
    func rulesReplaceWhateverThereIs(_ text: String) throws {
        let output = try redacted(text, "application/json", isRequest: true, redactor(["json:pin"]))
        #expect(!output.contains("hunter2") && !output.contains("1234") && !output.contains("5678"), "\(output)")
        #expect(output.hasSuffix(#","other":1}"#))
        #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(output.utf8)) }
    }

    /// What is in base64 is searched, and replaced as a whole; other base64 stays.
    @Test func looksIntoBase64() throws {
        func coded(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
        let hidden = [
            coded("DB_PASSWORD=hT5jR8wE1qNs6VbK3mXd\nMODE=production\n"),
            coded(#"{"user":"anna","password":"hT5jR8wE1q"}"#),
            coded("postgres://anna:hT5jR8wE1qNs6VbK@db.example/shop"),
        ]
        for text in hidden {
            let output = try redacted(#"{"data":{"config":"\#(text)"},"n":1}"#, "application/json")
            #expect(!output.contains(text))
            let object = try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any]
            let value = try #require((object?["data"] as? [String: String])?["config"])
            let plain = try #require(Data(base64Encoded: value).map { String(decoding: $0, as: UTF8.self) })
            #expect(plain.hasPrefix("redacted."))
            #expect(try redacted(output, "application/json") == output)
        }
        for text in [
            coded("Nothing to see in this text, it is about a walk."), coded(#"{"page":2,"after":"item-4711"}"#),
        ] {
            let body = #"{"cursor":"\#(text)","path":"/api/v1/users/list/everything/here"}"#
            #expect(try redacted(body, "application/json") == body)
        }
    }

    /// A colon or a sign of equality in a text of JSON is no end of a name.
    @Test(arguments: [
        #"{"a":"Password:","b":"x"}"#, #"{"a":"Password: ","b":"x"}"#, #"{"a":["Your token:","secret ="],"b":1}"#,
        #"{"a":"set password=","b":"x","c":"y"}"#, #"{"label":"API key:"}"#,
        #"{"session":"Opening Keynote 2024","credential":"Master of Science 2019"}"#,
        #"{"password":"********","apiKey":"sk-...abcd","token":"your-api-token-here"}"#,
    ])
    func leavesTextsForPeople(_ text: String) throws {
        #expect(try redacted(text, "application/json") == text)
    }

    /// Names in texts within texts: JSON stays JSON.
    @Test(arguments: [
        #"{"a\"token\":":"{\"tok"}"#, #"{"note":"\"password\":","b":"hunter2-9A"}"#,
        #"{"db_pass\":[\"x\"26716856":"{\"token"}"#, #"{"n{\"token\":`{\"te":"{\"token\":`I"}"#,
        #"{"note":"token: 'abcd-1x","b":"it's"}"#, #"{"a\"token$: 1Hi$":"t\u0001"}"#,
        #"{"note":"my password: hunter2-9A","b":1}"#, #"{"a":"\"token: #:\"abcde"}"#,
        #"{"a":"accesskey:\n- i?x7Kd9"}"#, #"{"a":"accesskey: |\n  i?x7Kd9 and more"}"#,
        #"{"a\"atoken\":\"\\\\\\\\\\\\\\\\\\\\\\":"x:y"}"#,
    ])
    func quotationMarksBelongToTheirText(_ text: String) throws {
        let output = try redacted(text, "application/json", isRequest: true)
        #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(output.utf8)) }
    }

    @Test func readsPaths() throws {
        for path in ["/reset-password/hT5jR8wE1qNs6VbK3mXd", "/api/token/hT5jR8wE1qNs6VbK3mXd/x"] {
            var notes = RedactionNotes()
            let output = Latin1.string(try redactor().redact(target: Array(path.utf8), book, &notes))
            #expect(!output.contains("hT5jR8wE1q") && output.hasPrefix(path.prefix(10)))
        }
        var notes = RedactionNotes()
        for path in ["/reset-password/form", "/users/hT5jR8wE1qNs6VbK3mXd", "/token/refresh-everything-now"] {
            #expect(Latin1.string(try redactor().redact(target: Array(path.utf8), book, &notes)) == path)
        }
    }

    @Test func longNumbersAreLearned() throws {
        let redactor = try redactor()
        _ = try redacted(#"{"access_token":918273645546372819}"#, "application/json", redactor)
        let later = try redacted(#"{"id":"918273645546372819"}"#, "application/json", redactor)
        #expect(!later.contains("918273645546372819"))
    }

    @Test(arguments: [
        ("Authorization", "Bearer abc", "Bearer redacted.authorization.c1"),
        ("Authorization", "abc", "redacted.authorization.c1"), ("Authorization", "", ""),
        ("Authorization", "Bearer redacted.authorization.7", "Bearer redacted.authorization.7"),
        ("Authorization", "Bearer [redacted:authorization:7]", "Bearer [redacted:authorization:7]"),
        ("Cookie", "a=1; b=2; c=1", "a=redacted.cookie.c1; b=redacted.cookie.c2; c=redacted.cookie.c1"),
        ("Cookie", "a=;b", "a=;redacted.cookie.c1"),
        ("Set-Cookie", "a=1; Path=/; Max-Age=1", "a=redacted.cookie.c1; Path=/; Max-Age=1"),
        ("X-Vendor-Key", "abc", "redacted.x_vendor_key.c1"), ("X-Csrf-Token", "abc", "redacted.x_csrf_token.c1"),
        ("Idempotency-Key", "abc", "abc"), ("Sec-WebSocket-Key", "abc", "abc"),
        ("ETag", "\"6ba7b810\"", "\"6ba7b810\""),
        (
            "Referer", "/cb?access_token=x&a=b#id_token=y",
            "/cb?access_token=redacted.access_token.c1&a=b#id_token=redacted.id_token.c2"
        ),
        // Of a pair, the password is never left.
        (
            "Authorization", "Basic U0swMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjpteXBhc3N3b3Jk",
            "Basic redacted.authorization.c1"
        ),
        ("Cookie", "a=1404172800000", "a=redacted.cookie.c1"),
        ("Referer", "https://user:pass@a.example/", "https://redacted.url-user.c1@a.example/"),
        ("Accept", "text/html", "text/html"),
    ])
    func redactsFields(_ name: String, _ value: String, _ expected: String) throws {
        var notes = RedactionNotes()
        let output = try redactor().redact(Fields([(name, value)]), "request", book, &notes)
        #expect(output.map { Latin1.string($0.value) } == [expected])
    }

    @Test(arguments: [
        ("/a?api_key=x&b=1", "/a?api_key=redacted.api_key.c1&b=1"), ("/a?token=", "/a?token="),
        ("/a?user%5Btoken%5D=x", "/a?user%5Btoken%5D=redacted.user_token.c1"), ("/a?tokens=1", "/a?tokens=1"),
        ("/a?page_token=abcdefgh1234", "/a?page_token=abcdefgh1234"),
        ("/a?u=http%3A%2F%2Fx%2F%3Ftoken%3Dyyyy%26b%3D1", "/a?u=http%3A%2F%2Fx%2F%3Ftoken%3Dredacted.token.c1%26b%3D1"),
        ("/k?X-Amz-Signature=a&X-Amz-Date=b", "/k?X-Amz-Signature=redacted.x_amz_signature.c1&X-Amz-Date=b"),
        ("*", "*"),
    ])
    func redactsTargets(_ target: String, _ expected: String) throws {
        var notes = RedactionNotes()
        let output = try redactor().redact(target: Array(target.utf8), book, &notes)
        #expect(String(decoding: output, as: UTF8.self) == expected)
    }

    @Test(arguments: [
        ("application/json", #"{"password":"a\"b","n":1}"#, #"{"password":"redacted.password.1","n":1}"#),
        ("application/json", #"{"dbPassword":"hunter2"}"#, #"{"dbPassword":"redacted.db_password.1"}"#),
        ("application/json", #"{"password":123456}"#, #"{"password":1404000001}"#),
        ("application/json", #"{"token":1234}"#, #"{"token":1234}"#),
        ("application/json", #"{"token":null,"token":true,"token":""}"#, #"{"token":null,"token":true,"token":""}"#),
        ("application/json", #"{"password":"Forgot your password?"}"#, #"{"password":"Forgot your password?"}"#),
        ("application/json", #"{"max_tokens":"12345678a"}"#, #"{"max_tokens":"12345678a"}"#),
        ("application/json", #"{"nextPageToken":"CAUQAAabc123xyz"}"#, #"{"nextPageToken":"CAUQAAabc123xyz"}"#),
        (
            "application/json", #"{"access_token":["x9y8","y7"]}"#,
            #"{"access_token":["redacted.access_token.1","redacted.access_token.2"]}"#
        ),
        ("application/json", #"["{\"password\":\"x1\"}"]"#, #"["{\"password\":\"redacted.password.1\"}"]"#),
        (
            "application/x-amz-json-1.1", #"{"SecretAccessKey":"x1y2"}"#,
            #"{"SecretAccessKey":"redacted.secret_access_key.1"}"#
        ),
        (
            "text/xml", "<A><SessionToken>x1y2z3w4</SessionToken></A>",
            "<A><SessionToken>redacted.session_token.1</SessionToken></A>"
        ),
        ("text/xml", #"<add key="Password" value="x1"/>"#, #"<add key="Password" value="redacted.password.1"/>"#),
        (
            "text/html", #"<input type="hidden" name="csrf_token" value="x1y2z3w4">"#,
            #"<input type="hidden" name="csrf_token" value="redacted.csrf_token.1">"#
        ),
        (
            "text/html", #"<meta name="csrf-token" content="x1y2z3w4">"#,
            #"<meta name="csrf-token" content="redacted.csrf_token.1">"#
        ),
        ("text/plain", "user: me\npassword: hunter2 # mine\n", "user: me\npassword: redacted.password.1 # mine\n"),
        ("text/plain", "DB_PASSWORD=hunter2\n", "DB_PASSWORD=redacted.db_password.1\n"),
        ("text/plain", "postgres://me:hunter2@db/x", "postgres://redacted.url-user.1@db/x"),
        ("text/css", "https://a.example:8080/x@2.png", "https://a.example:8080/x@2.png"),
        (
            "text/javascript", #"t={password:e.password,token:t.token,key:"Enter"}"#,
            #"t={password:e.password,token:t.token,key:"Enter"}"#
        ),
        (
            "multipart/form-data; boundary=b",
            "--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nx\r\n-y\r\n--b--\r\n",
            "--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nredacted.password.1\r\n--b--\r\n"
        ),
        (
            "application/x-www-form-urlencoded", "user[password]=a;b,c&x=1",
            "user[password]=redacted.user_password.1&x=1"
        ),
        (
            "application/json", #"[{"name":"API_KEY","value":"x1"}]"#,
            #"[{"name":"API_KEY","value":"redacted.api_key.1"}]"#
        ),
        ("image/png", #"{"password":"x"}"#, #"{"password":"x"}"#),
    ])
    func redactsBodies(_ type: String, _ body: String, _ expected: String) throws {
        #expect(try redacted(body, type) == expected)
    }

    // MARK: Forms

    @Test func aPlaceholderHasTheFormOfItsSecret() throws {
        let uuid = try redacted(#"{"api_key":"0b5a8c1e-7f3d-4f6a-9d43-3a2c1b4e5f60"}"#, "application/json")
        #expect(uuid == #"{"api_key":"4edac7ed-0000-4000-8000-000000000001"}"#)
        let hex = try redacted(#"{"api_key":"9f86d081884c7d659a2feaa0c55ad015"}"#, "application/json")
        #expect(hex == #"{"api_key":"4edac7ed000000000000000000000002"}"#)
        let base64 = try redacted(#"{"api_key":"n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="}"#, "application/json")
        let text = try #require(base64.split(separator: "\"").dropFirst(3).first)
        #expect(Data(base64Encoded: String(text)).map { String(decoding: $0, as: UTF8.self) } == "redacted.api_key.3")
        let token =
            "eyJhbGciOiJIUzI1NiJ9."
            + Data(#"{"sub":"me@example.com","exp":1700000000}"#.utf8).base64EncodedString()
            .replacing("=", with: "") + ".c2lnbmF0dXJl"
        let jwt = try redacted(#"{"id_token":"\#(token)"}"#, "application/json")
        let parts = try #require(jwt.split(separator: "\"").dropFirst(3).first).split(separator: ".")
        let claims = try #require(Base64.decode(parts[1].utf8)).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        #expect(parts[0] == "eyJhbGciOiJIUzI1NiJ9" && parts[2].hasPrefix("redactedJWT"))
        #expect(claims.contains(#""exp":1700000000"#) && !claims.contains("example.com"))
        let pem = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nAAAA\n-----END PRIVATE KEY-----\n"
        let block = try redacted(pem, "text/plain").split(separator: "\n")
        #expect(block.count == 3 && block[0].hasPrefix("-----BEGIN") && Data(base64Encoded: String(block[1])) != nil)
        for text in [uuid, hex, base64, jwt, block.joined(separator: "\n")] {
            #expect(try redacted(text, "application/json") == text)
        }
    }

    // MARK: Learned

    @Test func whatWasRecognisedOnceIsFoundEverywhere() throws {
        let redactor = try redactor()
        var notes = RedactionNotes()
        let secret = "s3cr3t/Value+17\"x"
        redactor.learn(from: Fields([("Authorization", "Bearer \(secret)")]), isRequest: true)
        let spellings = [
            secret, "s3cr3t%2FValue%2B17%22x", "s3cr3t%252FValue%252B17%2522x", #"s3cr3t\/Value+17\"x"#,
            #"\u00733cr3t/Value\u002b17\u0022x"#, "s3cr3t/Value+17&quot;x", "s3cr3t/Value&#43;17&#x22;x",
            "=\n s3cr3t/Value=2B17=22x", Data(secret.utf8).base64EncodedString(),
            Data(" \(secret)".utf8).base64EncodedString(), Data("  \(secret) ".utf8).base64EncodedString(),
        ]
        for spelling in spellings {
            let text = try redacted("<p>\(spelling)</p>", "text/html", redactor)
            #expect(text.contains("redacted.") || text.contains("cmVkYWN0ZWQu"), "\(spelling): \(text)")
            #expect(!text.contains("cr3t"))
        }
        let wide = "\u{FEFF}say \(secret).".utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
        let output = redactor.redact(body: wide, [:], book, isRequest: false, &notes)
        let narrow = String(decoding: output.filter { $0 != 0 }, as: UTF8.self)
        #expect(narrow.contains("say redacted.authorization.") && !narrow.contains("cr3t") && output.count % 2 == 0)
    }

    /// A long text in UTF-16 is one to its end, whatever letters it has where it is cut, and what was replaced there.
    @Test func wideTextsMayBeLongAndForeign() throws {
        let redactor = try redactor(secrets: ["declared-secret-value"])
        let foreign = String(repeating: "日本語の文章", count: 2000)
        let text = (0..<6).map { "\($0) say declared-secret-value. \(foreign)" }.joined()
        let wide = text.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
        var (output, notes) = ([UInt8](), RedactionNotes())
        var stream = redactor.stream([:], "response body", book)
        for start in stride(from: 0, to: wide.count, by: 5001) {
            stream.push(wide[start..<min(start + 5001, wide.count)], isLast: false, into: &output, &notes)
        }
        stream.push([], isLast: true, into: &output, &notes)
        #expect(notes.counts == ["declared": 6])
        let expected = text.replacing("declared-secret-value", with: "redacted.declared.1")
        let isExpected = output == expected.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
        #expect(isExpected)
    }

    @Test(arguments: [
        "short", "12345678901234", "Europe/Berlin", "2026-11-27T10:00:00Z", "password", "/path/to/1", "me@example.com",
        "true", "aaaaaaaaaa",
    ])
    func whatIsTooCommonIsNotLearned(_ value: String) { #expect(!LearnedSecrets.isDistinctive(Array(value.utf8))) }

    @Test(arguments: [
        "Content-Security-Policy", "X-Frame-Options_v", "MyHTTPServer-NameList", "en-US_POSIX-Traditional",
        "SomeService-ClientAPI_Key",
    ])
    func namesAreNotLearned(_ value: String) { #expect(!LearnedSecrets.isDistinctive(Array(value.utf8))) }

    /// Found by the fuzzer: of names that were read before, it is remembered that they are not those of secrets.
    @Test func aNameIsNotTakenForAnotherThatWasRead() {
        for name in ["X-Secret", "X-Token1", "My-Secret-Token1"] {
            let bytes = Array(name.utf8)
            let opposite = bytes.map { ~$0 }
            _ = opposite.withUnsafeBufferPointer { SecretName.read($0[...]) }
            #expect(SecretName.read(field: bytes) != nil, "\(name)")
            _ = SecretName.read(field: opposite)
            #expect(SecretName.read(name) != nil, "\(name)")
        }
    }

    /// Found by the fuzzer. Otherwise JSON would lose the end of a string.
    @Test(arguments: [
        (#"{"a":"<db_password>hunter2hunter2","b":"x<y"}"#, #"{"a":"<db_password>redacted.db_password.1","b":"x<y"}"#),
        (
            #"{"a":"<db_password>hunter2hunter2","b":"x</y>"}"#,
            #"{"a":"<db_password>redacted.db_password.1","b":"x</y>"}"#
        ),
        (#"{"a":"<db_password>hunter2hunter2"}"#, #"{"a":"<db_password>redacted.db_password.1"}"#),
        (
            #"{"a":"<db_password>hunter2hun\"ter2<\/db_password>"}"#,
            #"{"a":"<db_password>redacted.db_password.1<\/db_password>"}"#
        ),
        (#"<db_password>hunter2hun"ter2</db_password>"#, "<db_password>redacted.db_password.1</db_password>"),
    ])
    func anElementWithoutItsEndStaysWithinItsString(_ text: String, _ expected: String) throws {
        #expect(try redacted(text, "application/json", redactor()) == expected)
    }

    /// As `token_urlsafe` makes them; one in fifty has no digit, and may look as if it had words in it.
    @Test func whatChanceMakesIsLearned() {
        #expect(LearnedSecrets.isDistinctive(Array("GPNvyHERvirLIVFU_XD-JfMo".utf8)))
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        var random = SplitMix64(seed: 20)
        let values = (0..<100_000).map { _ in (0..<24).map { _ in letters[Int.random(in: 0..<64, using: &random)] } }
        let missed = values.filter { !LearnedSecrets.isDistinctive($0) }
        #expect(missed.count < 100, "\(missed.map { String(decoding: $0, as: UTF8.self) })")
    }

    @Test func percentSignsWithinQuotedPrintableAreNotDecodedWithIt() throws {
        let redactor = try redactor()
        redactor.learn(from: Fields([("Authorization", "Bearer Rw%jJh2VP%41HtJG100%Odwow")]), isRequest: true)
        let text = try redacted("it is Rw%jJh2VP%41H=\r\ntJG100%Odwow now", "text/plain", redactor)
        #expect(text == "it is redacted.authorization.1 now")
    }

    /// The padding of base64 before the end of a line is no sign of quoted-printable.
    @Test func paddingOfBase64DoesNotHideOtherEscapes() throws {
        let redactor = try redactor(secrets: ["declared/secret+value"])
        for end in ["\n-----END CERTIFICATE-----\n", "\nnext: 1\n", "\r\n--boundary\r\n"] {
            let text = try redacted(
                "cert: TUlJQ2pqQ0NBWFlDQ1E=\(end)x=declared%2Fsecret%2Bvalue",
                "text/plain",
                redactor
            )
            #expect(text.hasSuffix("x=redacted.declared.1"), "\(text)")
        }
        // Lines longer than those of quoted-printable.
        for count in 60..<100 where count != 75 {
            let line = String(repeating: "Q", count: count)
            let text = try redacted("\(line)=\nx=declared%2Fsecret%2Bvalue", "text/plain", redactor)
            #expect(!text.contains("%2Fsecret") || count % 4 != 3, "\(count): \(text)")
        }
        let soft = try redacted("it is declared/sec=\r\nret=2Bvalue", "text/plain", redactor)
        #expect(soft == "it is redacted.declared.1")
    }

    /// What is kept before a piece may begin within a name, of which nothing must be learned.
    @Test func whereATextIsCutMakesNoName() throws {
        let lines = (0..<900).map {
            "cache_key=\(String(UInt64($0) &* 0x9E37_79B9_7F4A_7C15 | 1 << 63, radix: 16))0a1b2c3d user=1\n"
        }
        let text = lines.joined()
        for size in [65_000, 7001, 997] {
            let redactor = try redactor()
            var stream = redactor.stream(["Content-Type": "text/plain"], "response body", book)
            var (output, notes, rest) = ([UInt8](), RedactionNotes(), Array(text.utf8)[...])
            while !rest.isEmpty {
                stream.push(rest.prefix(size), isLast: false, into: &output, &notes)
                rest = rest.dropFirst(size)
            }
            stream.push([], isLast: true, into: &output, &notes)
            #expect(redactor.learnedVersion == 0 && notes.isEmpty && output == Array(text.utf8))
        }
    }

    /// A key is seen whole wherever the text is cut for searching.
    @Test func longKeysAreFoundAcrossPieces() throws {
        let part = String(repeating: "aB3_", count: 2300)
        let token = "eyJhbGciOiJIUzI1NiJ9\(part).eyJzdWIiOiIxMjM0In0\(part).c2lnbmF0dXJl"
        let redactor = try redactor(learns: false)
        for offset in stride(from: 40_000, through: 70_000, by: 1117) {
            let text =
                String(repeating: "x ", count: offset / 2) + token + " end" + String(repeating: " y", count: 60_000)
            let output = try redacted(text, "text/plain", redactor)
            #expect(!output.contains("c2lnbmF0dXJl") && !output.contains("aB3_aB3_aB3_"), "\(offset)")
        }
    }

    @Test(arguments: [
        // Cut within a string, before a certificate.
        #"{"key":"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj","c":"-----END CERTIFICATE-----"}"#,
        #"{"card_pin": 4711, "user_pin": 4711}"#, "password=MIIEvQIBADAN&x=1",
    ])
    func nothingOfTheseStays(_ body: String) throws {
        let type = body.first == "{" ? "application/json" : "application/x-www-form-urlencoded"
        let output = try redacted(body, type)
        #expect(!output.contains("MIIEvQIBADAN") && !output.contains("4711"), "\(output)")
    }

    /// In files of settings, a dot, a bracket or a small word may be part of a password; what a program has from somewhere
    /// else is none.
    @Test(arguments: [
        ("DB_PASSWORD=blue.horse\nA=1\n", true), ("DB_PASSWORD=p[ss.word9\nA=1\n", true),
        ("password: blue.horse9\na: 1\n", true), ("api_key = settings.API_KEY\nx = 1\n", false),
        ("api_key = os.environ[\"API_KEY\"]\n", false), ("password: ${DB_PASSWORD}\na: 1\n", false),
    ])
    func expressionsAreNoPasswords(_ text: String, _ isRedacted: Bool) throws {
        #expect(try (redacted(text, "text/plain") != text) == isRedacted)
    }

    @Test(arguments: [
        (#"{"password":"correct_horse"}"#, true), (#"{"password":"TOO_SHORT"}"#, false),
        (#"{"access_token":["token_expired"]}"#, false), (#"{"pin":13}"#, false), (#"{"pin":4711}"#, true),
        (#"{"mnemonic":"abandon ability able about above absent"}"#, true), (#"{"otp":"sms"}"#, false),
        (#"{"key":"DB_PASSWORD","value":"hunter22"}"#, true), (#"{"pass":"Hx7-quokka-92"}"#, true),
        (#"{"kty":"RSA","e":"AQAB","d":"X4cTteJY_gn4FYPsXB8rdXix5vwsg1FLN5E3EaG6RJoVH"}"#, true),
        (#"{"set-cookie":["sid=abc123; Path=/","remember=xyz; Secure"]}"#, true), (#"{"k":"short"}"#, false),
    ])
    func namesAndValuesOfAnswersAreJudgedTogether(_ body: String, _ isRedacted: Bool) throws {
        let output = try redacted(body, "application/json")
        #expect((output != body) == isRedacted, "\(output)")
        #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(output.utf8)) }
    }

    @Test func aNameMayHaveOneLetter() throws {
        let redactor = try redactor(["json:x", "json:id"])
        let body = try redacted(#"{"x":"one","id":"two","d":"three"}"#, "application/json", redactor)
        #expect(body == #"{"x":"redacted.x.1","id":"redacted.id.2","d":"three"}"#)
    }

    /// A JWT keeps what a client may do and the form of its claims, and nothing of whom it is for.
    @Test func claimsKeepTheirForm() throws {
        func part(_ json: String) -> String {
            String(decoding: Base64.encode(Array(json.utf8), isURLSafe: true), as: UTF8.self)
        }
        let claims =
            #"{"sub":"anna-4711","roles":["admin"],"at_hash":"abc","groups":{"a":["b"]},"teams":["red"],"exp":9}"#
        let token = part(#"{"alg":"none"}"#) + "." + part(claims) + ".c2lnbmF0dXJl"
        let body = try redacted(token, "text/plain")
        let payload = try #require(Base64.decode(Array(body.split(separator: ".")[1].utf8)[...]))
        let made = try #require(try JSONSerialization.jsonObject(with: Data(payload)) as? [String: Any])
        #expect(made["roles"] as? [String] == ["admin"] && made["groups"] as? [String: [String]] == ["a": ["b"]])
        #expect(made["at_hash"] == nil && made["exp"] as? Int == 9)
        #expect((made["sub"] as? String)?.hasPrefix("redacted.claim.") == true)
        #expect((made["teams"] as? [String])?.allSatisfy { $0.hasPrefix("redacted.claim.") } == true)
    }

    /// A name may hold a secret, which is shown in no placeholder and not at the end.
    @Test func kindsHoldNoSecrets() throws {
        let redactor = try redactor(secrets: ["mysecretvalue"])
        let body = try redacted(
            #"{"ghp_16C7e42F292c6912E7_token":"abc12345xyz98765","mysecretvalue_token":"hi there"}"#,
            "application/json",
            redactor
        )
        #expect(!body.contains("16c7") && !body.contains("mysecretvalue") && body.contains("redacted.ghp_token.1"))
        #expect(redactor.sparedNames.allSatisfy { !$0.contains("mysecretvalue") })
    }

    /// Whatever somebody sends as a password may be a wrong one.
    @Test(arguments: ["none", "token", "splunk", "str"]) func wordsArePasswordsInRequests(_ word: String) throws {
        let output = try redacted("user=a&password=\(word)", "application/x-www-form-urlencoded", isRequest: true)
        #expect(output.hasPrefix("user=a&password=redacted.password.c"))
    }

    /// So that it can be given back, a placeholder of a declared secret always says which one it is.
    @Test func declaredSecretsAreToldByTheirPlaceholders() throws {
        let value = "0b9f7d1e-52a4-4c3b-8d6f-1a2b3c4d5e6f"
        let redactor = try redactor(secrets: [value])
        let body = try redacted(#"{"access_token":"\#(value)","note":"\#(value)"}"#, "application/json", redactor)
        #expect(body == #"{"access_token":"redacted.declared.1","note":"redacted.declared.1"}"#)
        var notes = RedactionNotes()
        let fields = redactor.redact(Fields([("Authorization", "Bearer \(value)")]), "request", book, &notes)
        #expect(fields.first("authorization").map { Latin1.string($0) } == "Bearer redacted.declared.1")
    }

    @Test func whatWasServedIsRecognisedInBasicAndStaysAsItIs() throws {
        let redactor = try redactor()
        let sent = "Basic " + Data("x-token:redacted.access_token.5".utf8).base64EncodedString()
        var notes = RedactionNotes()
        let written = redactor.redact(Fields([("Authorization", sent)]), "request", book, &notes)
        #expect(notes.served == [5] && notes.isEmpty)
        let again = redactor.redact(written, "request", book, &notes)
        #expect(again == written && notes.isEmpty)
    }

    @Test func theLongestDeclaredSecretIsKnownInBase64() throws {
        let value = String(decoding: (0..<16_384).map { UInt8(0x61 + ($0 &* 2_654_435_761 >> 9) % 26) }, as: UTF8.self)
        let redactor = try redactor(secrets: [value])
        let text = Array(Data(value.utf8).base64EncodedString().utf8)
        #expect(redactor.knowsSecrets && redactor.longestKnown >= text.count)
        #expect(redactor.knownSecret(in: text) == "declared" && redactor.knownSecret(in: Array("clean".utf8)) == nil)
        #expect(try !self.redactor().knowsSecrets)
    }

    @Test func itIsSaidHowASecretWasRecognised() throws {
        var notes = RedactionNotes()
        let redactor = try redactor(secrets: ["declared-secret-value"])
        let body = #"{"password":"hunter22","a":"declared-secret-value","b":"AKIAABCDEFGHIJKLMNOP","c":"hunter22"}"#
        _ = redactor.redact(body: Array(body.utf8), [:], book, isRequest: false, &notes)
        #expect(
            Set(notes.notes.map(\.how)).isSuperset(of: ["by its name", "as it was declared", "by its shape"])
        )
    }

    @Test func learningHasLimits() {
        let learned = LearnedSecrets(countLimit: 100)
        for number in 0..<105 { learned.learn("x", Array("s3cr3t-\(number)-v4Lue".utf8)) }
        #expect(learned.isFull && learned.version == 100)
    }

    // MARK: Properties

    /// Pieces of texts with secrets in them.
    private static let fragments = [
        #"{"password":"#, #""abc\"d""#, ",", #""token" : "xyz1234w""#, "}", "&token=abc12345", "&a=b",
        " AKIAABCDEFGHIJKLMNOP ", "plain text ", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
        "-----BEGIN PRIVATE KEY-----", "\nMIIabc\n", "-----END PRIVATE KEY-----", "https://user:pass@host/",
        "redacted.token.3", "[redacted:token:3]", "[redacted:", "redacted.", "declared-secret-value",
        "declared%2Dsecret%2Dvalue", "\r\n", "ZGVjbGFyZWQtc2VjcmV0LXZhbHVl", "%7B%22password%22%3A%22a%26b%22%7D",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789", "<Password>", "</Password>",
        #"<input name="token" value="x1y2z3w4">"#,
        "4edac7ed-0000-4000-8000-000000000007", "&quot;secret&quot;:&quot;x1y2z3w4&quot;", "secret: ", "\n",
    ]

    private static func text(_ random: inout SplitMix64) -> [UInt8] {
        var text: [UInt8] = []
        for _ in 0..<Int.random(in: 0..<12, using: &random) {
            text += Array((fragments.randomElement(using: &random) ?? "").utf8)
            // Seldom more than is searched at once, as that takes long in a debug build.
            let size = Int.random(in: 0..<60, using: &random) == 0 ? 90_000 : 300
            if Int.random(in: 0..<6, using: &random) == 0 || size > 300 {
                text += Array(repeating: 0x2E, count: Int.random(in: size / 2..<size, using: &random))
            }
        }
        return text
    }

    private func shown(_ text: [UInt8]) -> String { String(decoding: text.filter { $0 != 0x2E }, as: UTF8.self) }

    /// It does not matter how a text is cut into pieces, redacting twice is the same as once, and the edits say what was
    /// done.
    @Test func changesNothingElse() throws {
        let redactor = try redactor(secrets: ["declared-secret-value"], learns: false)
        var random = SplitMix64(seed: 11)
        for round in 0..<150 {
            let text = Self.text(&random)
            let type = ["application/json", "text/html", "application/x-www-form-urlencoded", "text/plain"][round % 4]
            let fields = Fields([("Content-Type", type)])
            var (whole, notes) = ([UInt8](), RedactionNotes())
            var one = redactor.stream(fields, "response body", book)
            one.push(text, isLast: true, into: &whole, &notes)

            var pieces: [UInt8] = []
            var cut = redactor.stream(fields, "response body", book)
            var rest = text[...]
            while !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 1..<9000, using: &random))
                cut.push(piece, isLast: false, into: &pieces, &notes)
                rest = rest.dropFirst(piece.count)
            }
            cut.push([], isLast: true, into: &pieces, &notes)
            #expect(pieces == whole && cut.edits == one.edits, "\(shown(text))\n→ \(shown(whole))\n→ \(shown(pieces))")

            var again = RedactionNotes()
            let twice = redactor.redact(body: whole, fields, book, isRequest: false, &again)
            #expect(twice == whole && again.isEmpty, "\(shown(text))\n→ \(shown(whole))\n→ \(shown(twice))")

            // Walk along both texts: they are equal outside the edits.
            var (from, to) = (0, 0)
            for edit in one.edits {
                let length = edit.offset - from
                #expect(text[from..<edit.offset] == whole[to..<(to + length)])
                from = edit.offset + edit.count
                to += length + edit.newCount
            }
            #expect(text.count - from == whole.count - to)
        }
    }

    /// The key of a request, computed from what was sent and from what was written, is the same.
    @Test func keysAreTheSameFromTheFile() throws {
        let rules = try ["catalog:4"].map { try Rule(.redact, $0) } + [Rule(.require, "key:3")]
        var random = SplitMix64(seed: 3)
        for round in 0..<200 {
            let text = Self.text(&random)
            let type = ["application/json", "text/html", "application/x-www-form-urlencoded", "text/plain"][round % 4]
            let set = RuleSet(rules, secrets: KnownSecrets([], learned: LearnedSecrets()))
            func key(_ body: [UInt8], _ rules: RuleSet) -> MatchKey {
                let fields = Fields([("Content-Type", type)])
                let head = RequestHead(method: Array("POST".utf8), target: Array("/x".utf8), fields: fields)
                let builder = MatchKeyBuilder(head, rules)
                body.withUnsafeBytes { builder.update($0) }
                return builder.key(origin: "")
            }
            let before = key(text, set)
            var notes = RedactionNotes()
            let redactor = try #require(set.redactor)
            let written = redactor.redact(body: text, Fields([("Content-Type", type)]), book, &notes)
            let after = key(written, RuleSet(rules))
            let compared = [(text, redactor), (written, try #require(RuleSet(rules).redactor))].map { body, redactor in
                shown(redactor.redact(body: body, Fields([("Content-Type", type)]), nil, &notes))
            }
            #expect(before == after, "\(type) \(shown(text))\n→ \(shown(written))\n\(compared[0])\n\(compared[1])")
        }
    }

    /// Where requests are compared, all secrets are equal.
    @Test func secretsDoNotCount() throws {
        let rules = RuleSet(
            try [Rule(.redact, "catalog:4"), Rule(.require, "key:3"), Rule(.require, "field:Authorization")]
        )
        func key(_ asked: Asked) -> MatchKey { asked.key(rules) }
        #expect(key(.get("/?token=a&b=1")) == key(.get("/?b=1&token=bcd")))
        #expect(key(.get("/?token=a&b=1")) == key(.get("/?token=redacted.token.9&b=1")))
        #expect(key(.get("/?token=a&b=1")) == key(.get("/?token=[redacted:token:9]&b=1")))
        #expect(key(.get("/?token=a&b=1")) != key(.get("/?token=a&b=2")))
        #expect(key(.get("/?b=1")) != key(.get("/?token=a&b=1")))
        #expect(key(.json(#"{"token":"a","b":1}"#)) == key(.json(#"{"b":1,"token":"redacted.token.c3"}"#)))
        #expect(key(.json(#"{"password":"a"}"#)) == key(.json(#"{"password":1405000001}"#)))
        #expect(key(.json(#"{"token":"a"}"#).coded(.gzip)) == key(.json(#"{"token":"b"}"#)))
        #expect(
            key(Asked.get("/").with("Authorization", "Bearer a"))
                == key(Asked.get("/").with("Authorization", "Bearer b"))
        )
        #expect(
            key(Asked.get("/").with("Authorization", "Bearer a"))
                != key(Asked.get("/").with("Authorization", "Basic b"))
        )
    }
}
