import CassetteFormats
import HTTPMessages
import MockServeCore
import Testing

/// What is written for people and their tools.
@Suite struct TextFormatTests {
    private func interaction(
        _ method: String = "POST",
        _ target: String = "/a?q='x",
        _ fields: [(String, String)] = [("Host", "a"), ("X-Quote", "it's $HOME `id`"), ("X-Empty", "")],
        body: [UInt8] = Array(#"{"a": "it's"}"#.utf8)
    ) -> WholeInteraction {
        WholeInteraction(
            origin: "https://api.example.com",
            request: RequestHead(method: Array(method.utf8), target: Array(target.utf8), fields: Fields(fields)),
            requestBody: body,
            response: ResponseHead(
                status: 200,
                reason: Array("OK".utf8),
                fields: Fields([("Content-Type", "text/html"), ("Content-Length", "20")])
            ),
            responseBody: Array("<b>```</b>\n````\n| x |".utf8)
        )
    }

    private func text(_ format: any WritableFormat, _ interactions: WholeInteraction...) throws -> String {
        String(decoding: try Writing(MemoryContents(interactions: interactions), format).bytes, as: UTF8.self)
    }

    @Test func curlCommandsAreQuoted() throws {
        let binary = interaction("PUT", "/b", [("Content-Type", "image/png")], body: [0, 0xFF])
        #expect(
            try text(
                CurlCommands(),
                interaction(),
                binary,
                interaction("GET", "/", [], body: []),
                interaction("HEAD", "/", [], body: [])
            )
                == #"""
                #!/bin/sh

                # POST https://api.example.com/a?q='x → 200 OK, text/html
                curl --path-as-is --globoff 'https://api.example.com/a?q='\''x' -H 'X-Quote: it'\''s $HOME `id`' -H 'X-Empty;' -H 'Content-Type:' --data-raw '{"a": "it'\''s"}'

                # PUT https://api.example.com/b → 200 OK, text/html
                printf %s AP8= | base64 -d | curl -X PUT --path-as-is --globoff https://api.example.com/b -H 'Content-Type: image/png' --data-binary @-

                # GET https://api.example.com/ → 200 OK, text/html
                curl --path-as-is --globoff https://api.example.com/

                # HEAD https://api.example.com/ → 200 OK, text/html
                curl --head --path-as-is --globoff https://api.example.com/

                """#
        )
    }

    @Test func anHTTPFileHasARequestEach() throws {
        #expect(
            try text(
                HTTPFile(),
                interaction("POST", "/a", [("Host", "a"), ("X", "1")]),
                interaction("GET", "/b", [], body: [])
            )
                == """
                ### POST https://api.example.com/a → 200 OK, text/html
                POST https://api.example.com/a HTTP/1.1
                X: 1

                {"a": "it's"}

                ### GET https://api.example.com/b → 200 OK, text/html
                GET https://api.example.com/b HTTP/1.1


                """
        )
    }

    @Test func rawMessagesAreAsOnTheWire() throws {
        let writing = try Writing(
            MemoryContents(interactions: [interaction("GET", "/", [("X", "1")], body: [])]),
            RawMessages()
        )
        #expect(writing.files["00001-request.http"] == Array("GET / HTTP/1.1\r\nX: 1\r\n\r\n".utf8))
        let response = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 20\r\n\r\n<b>```</b>\n````\n| x |"
        #expect(writing.files["00001-response.http"] == Array(response.utf8))
    }

    @Test func aReportFencesWhatItShows() throws {
        let report = try text(MarkdownReport(), interaction())
        #expect(report.contains("| [1](#1) | POST | `https://api.example.com/a?q='x` | 200 | text/html | 21 |"))
        #expect(
            report.contains(
                "\n`````http\nHTTP/1.1 200 OK\nContent-Type: text/html\nContent-Length: 20\n\n<b>```</b>\n````\n| x |\n`````\n"
            ),
            "\(report)"
        )
    }

    @Test func aDescriptionIsInferred() throws {
        func get(_ target: String, _ body: String) -> WholeInteraction {
            var interaction = interaction("GET", target, [], body: [])
            interaction.response.fields = Fields([("Content-Type", "application/json")])
            interaction.responseBody = Array(body.utf8)
            return interaction
        }
        let description = try text(
            OpenAPI(),
            get("/users/1?page=2", #"{"id": 1, "name": "a"}"#),
            get("/users/22", #"{"id": 2.5, "tags": ["x"], "name": null}"#),
            get("/users", "[]")
        )
        for part in [
            "\"/users/{id}\":\n    get:\n",
            "name: \"page\"\n          in: \"query\"\n          required: false\n          schema:\n            type: \"integer\"",
            "id:\n                    type: \"number\"",
            "name:\n                    type:\n                      - \"null\"\n                      - \"string\"",
            "required:\n                  - \"id\"\n                  - \"name\"\n",
            "- url: \"https://api.example.com\"",
        ] {
            #expect(description.contains(part), "\(part) in \(description)")
        }
        // And it is read again.
        let reading = try Reading(Array(description.utf8))
        #expect(reading.stubs.map(\.definition.pattern) == ["GET /users/{id}", "GET /users"])
        #expect(reading.stubs.first?.body == Array(#"{"id":1,"name":"a"}"#.utf8))
    }
}
