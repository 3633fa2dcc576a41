import ArgumentParser
import Foundation
import HTTPMessages
import MockServeCore

/// A request, read from the command line of curl.
struct CurlCommandLine {
    private(set) var method: String?
    private(set) var url: String?
    private(set) var fields = Fields()
    private var data: [String] = []
    private var isForm = true
    private var putsDataInQuery = false
    private var isHead = false

    /// Options of curl that take a value and say nothing about the request.
    private static let skipped: Set<String> = [
        "-o", "--output", "-w", "--write-out", "-m", "--max-time", "--connect-timeout", "--retry", "-x", "--proxy",
        "--cacert",
        "--cert", "--key", "-c", "--cookie-jar", "--resolve", "-D", "--dump-header", "--retry-delay", "--limit-rate",
    ]

    /// Options that take none, and say nothing about the request.
    private static let flags: Set<String> = [
        "-s", "--silent", "-S", "--show-error", "-f", "--fail", "--fail-with-body", "-i", "--include", "-k",
        "--insecure", "-L",
        "--location", "-v", "--verbose", "-g", "--globoff", "-N", "--no-buffer", "-n", "--netrc", "-O", "--remote-name",
        "-q",
        "--compressed", "--http1.0", "--http1.1", "--http2", "--http2-prior-knowledge", "--http3", "-0", "-1", "-2",
        "-3", "-4", "-6",
        "--ipv4", "--ipv6", "--no-progress-meter", "-#", "--progress-bar", "--path-as-is", "--raw", "--tcp-nodelay",
        "--tlsv1.2",
        "--tlsv1.3", "-I", "-G",
    ]

    /// - Throws: `ValidationError` that says what cannot be read.
    init(_ text: String) throws {
        var words = try Self.words(text)[...]
        guard let first = words.popFirst(), first == "curl" || first.hasSuffix("/curl") else {
            throw ValidationError("--curl takes a command that begins with curl.")
        }
        while let word = words.popFirst() {
            try read(word, &words)
        }
        guard url != nil else { throw ValidationError("--curl: the command has no URL.") }
    }

    private mutating func read(_ word: String, _ words: inout ArraySlice<String>) throws {
        var (name, attached): (String, String?) = (word, nil)
        if word.hasPrefix("--"), let equals = word.firstIndex(of: "=") {
            (name, attached) = (String(word[..<equals]), String(word[word.index(after: equals)...]))
        } else if word.hasPrefix("-"), !word.hasPrefix("--"), word.count > 2,
            "XHdAeubomw".contains(word[word.index(after: word.startIndex)])
        {
            (name, attached) = (String(word.prefix(2)), String(word.dropFirst(2)))
        }
        func value() throws -> String {
            if let attached { return attached }
            guard let next = words.popFirst() else { throw ValidationError("--curl: `\(name)` has no value.") }
            return next
        }
        switch name {
        case "-X", "--request": method = try value().uppercased()
        case "-H", "--header": try add(try value())
        case "-A", "--user-agent": fields.append("User-Agent", try value())
        case "-e", "--referer": fields.append("Referer", try value())
        case "-b", "--cookie":
            let cookies = try value()
            guard cookies.contains("=") else {
                throw ValidationError("--curl: `\(name)` names a file; write the cookies.")
            }
            fields.append("Cookie", cookies)
        case "-u", "--user":
            fields.append("Authorization", "Basic " + Data(try value().utf8).base64EncodedString())
        case "-d", "--data", "--data-ascii", "--data-raw", "--data-binary":
            let text = try value()
            guard name == "--data-raw" || !text.hasPrefix("@") else {
                throw ValidationError("--curl: `\(name) \(text)` names a file; write what is in it.")
            }
            data.append(text)
        case "--data-urlencode":
            let text = try value()
            guard text.contains("=") || !text.contains("@") else {
                throw ValidationError("--curl: `\(name) \(text)` names a file; write what is in it.")
            }
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let encoded = parts.last?.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
            data.append(parts.count == 2 && !parts[0].isEmpty ? "\(parts[0])=\(encoded)" : encoded)
        case "--json":
            isForm = false
            let text = try value()
            guard !text.hasPrefix("@") else {
                throw ValidationError("--curl: `--json \(text)` names a file; write what is in it.")
            }
            data.append(text)
            for field in ["Content-Type", "Accept"] where !has(field) { fields.append(field, "application/json") }
        case "-G", "--get": putsDataInQuery = true
        case "-I", "--head": isHead = true
        case "--url": url = try value()
        case "-F", "--form", "-T", "--upload-file", "-K", "--config":
            throw ValidationError("--curl: `\(name)` cannot be read; use --request, --request-json and --header.")
        case _ where Self.skipped.contains(name): _ = try value()
        case "--oauth2-bearer": fields.append("Authorization", "Bearer " + (try value()))
        case _ where Self.flags.contains(name): break
        case _ where name.hasPrefix("-") && !name.hasPrefix("--") && name.count > 2:
            // Short options in one word: the last one may take a value.
            for letter in name.dropFirst().dropLast() {
                guard Self.flags.contains("-\(letter)") else {
                    throw ValidationError("--curl: `\(word)` cannot be read.")
                }
                if letter == "I" { isHead = true }
                if letter == "G" { putsDataInQuery = true }
            }
            try read("-\(name.suffix(1))", &words)
        case _ where name.hasPrefix("-") && name != "-":
            throw ValidationError("--curl: `\(name)` cannot be read; leave it out, or use --request and --header.")
        default:
            guard url == nil else {
                throw ValidationError("--curl: there is more than one URL, `\(url ?? "")` and `\(word)`.")
            }
            url = word
        }
    }

    private mutating func add(_ line: String) throws {
        // `Name;` is a field without a value, `Name:` takes one away.
        if line.hasSuffix(";"), !line.contains(":") {
            fields.append(String(line.dropLast()), "")
            return
        }
        let (name, value) = try AnswerOptions.field(line, "--curl: -H")
        if !value.isEmpty { fields.append(name: name, value: value) }
    }

    private func has(_ name: String) -> Bool { fields.contains { equalsIgnoringCase($0.name, name.utf8) } }

    /// The request, and the origin that it goes to.
    func request() throws -> (head: RequestHead, body: [UInt8], origin: Origin?) {
        var text = url ?? ""
        if !text.contains("://") { text = "http://" + text }
        text = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).first.map(String.init) ?? text
        let rest = text[(text.firstRange(of: "://")?.upperBound ?? text.startIndex)...]
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? text.endIndex
        guard let origin = Origin(String(text[..<end])) else {
            throw ValidationError("--curl: `\(url ?? "")` is not a URL that can be recorded from.")
        }
        var target = String(text[end...])
        if !target.hasPrefix("/") { target = "/" + target }
        var body = data.joined(separator: isForm ? "&" : "")
        if putsDataInQuery, !body.isEmpty {
            target += (target.contains("?") ? "&" : "?") + body
            body = ""
        }
        var fields = fields
        if !body.isEmpty, !fields.contains("content-type") {
            fields.append("Content-Type", "application/x-www-form-urlencoded")
        }
        let verb = method ?? (isHead ? "HEAD" : body.isEmpty ? "GET" : "POST")
        let bytes = Array(target.utf8)
        guard isToken(Array(verb.utf8)), bytes.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            throw ValidationError("--curl: `\(verb) \(target)` is not a request.")
        }
        return (RequestHead(method: Array(verb.utf8), target: bytes, fields: fields), Array(body.utf8), origin)
    }

    /// Words as a shell cuts them, without expanding anything.
    private static func words(_ text: String) throws -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        var isEscaped = false
        // In `$'…'`, as browsers write it, a backslash begins an escape of C.
        var isDollar = false
        for character in text {
            if isEscaped, isDollar {
                isEscaped = false
                let escapes: [Character: String] = [
                    "n": "\n", "r": "\r", "t": "\t", "\\": "\\", "'": "'", "\"": "\"", "!": "!",
                ]
                guard let meant = escapes[character] else {
                    throw ValidationError("--curl: the escape `\\\(character)` cannot be read.")
                }
                word = (word ?? "") + meant
            } else if isEscaped {
                isEscaped = false
                // In double quotes a backslash escapes few characters; before a line break it joins lines.
                if character.isNewline { continue }
                if quote == "\"", !"\"\\$`".contains(character) { word = (word ?? "") + "\\" }
                word = (word ?? "") + String(character)
            } else if character == "\\", quote != "'" || isDollar {
                isEscaped = true
            } else if character == quote {
                quote = nil
                isDollar = false
            } else if quote == nil, character == "'" || character == "\"" {
                isDollar = character == "'" && word?.hasSuffix("$") == true
                if isDollar { word?.removeLast() }
                quote = character
                word = word ?? ""
            } else if quote == nil, character.isWhitespace {
                if let word { words.append(word) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        guard quote == nil else { throw ValidationError("--curl: a quotation mark is not closed.") }
        if let word { words.append(word) }
        return words
    }
}
