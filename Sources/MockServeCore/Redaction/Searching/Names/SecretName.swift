import Synchronization

/// What the name of a value says about it: read as words, whatever separates them.
struct SecretName: Sendable, Hashable {
    enum Strength: Hashable, Sendable {
        /// Whatever the value is, because a rule says so.
        case ruled
        /// Whatever the value is, unless it is a text about passwords.
        case password
        /// Whatever the value is, if it is one word.
        case strong
        /// In a request, whatever the value is; elsewhere, if the value looks like one.
        case weak
        /// Only if the value looks like one, in a query or a form.
        case vague
        /// Only if the value looks like one.
        case random
        /// Only if the value has the shape of a key of this service (`KeyShape.beside`).
        case beside(String)
    }

    /// As a placeholder shows it.
    let kind: String
    let strength: Strength
    /// Whether, and how, requests are told apart by it.
    var apart: ToldApart?

    // MARK: Words

    private static let passwords: Set<String> = [
        "password", "passwd", "pwd", "passphrase", "passcode", "pswd", "psw", "pin", "otp", "totp", "cvv", "cvc",
        "userpass", "dbpass", "passwords", "psk", "mnemonic", "pword", "bindpw", "userpw", "rootpw", "adminpw", "dbpw",
        // In other languages.
        "passwort", "kennwort", "motdepasse", "mdp", "contrasena", "contraseña", "senha", "wachtwoord", "parola",
        "haslo",
        "hasło", "heslo", "lösenord", "losenord", "adgangskode", "passord", "salasana", "jelszo", "jelszó", "lozinka",
        "sifre",
        "şifre", "пароль", "密码", "密碼", "パスワード", "비밀번호",
    ]
    /// Words before `pass`, which alone may be a ticket or a result.
    private static let owners: Set<String> = [
        "user", "db", "smtp", "imap", "ftp", "login", "admin", "root", "mysql", "pg", "postgres", "redis", "proxy",
        "http", "auth", "mail", "my", "sudo", "new", "old", "re", "repeat", "confirm",
    ]
    /// What makes a token a place in a list.
    private static let cursors: Set<String> = [
        "page", "next", "prev", "previous", "cursor", "continuation", "continue", "sync", "start", "end", "marker",
        "pagination", "paging", "resume", "offset", "scroll", "after", "before", "last", "first", "skip", "delta",
        "watermark", "list", "nextpage", "pagetoken", "iterator",
    ]
    /// What makes a token a piece of text.
    private static let pieces: Set<String> = [
        "max", "min", "num", "count", "total", "prompt", "completion", "input", "output", "cached", "reasoning", "eos",
        "bos", "pad", "unk", "sep", "cls", "mask", "special", "stop", "vocab", "word", "lexical", "syntax", "string",
        "design", "color", "colour", "chain", "payment", "erc20", "nft", "generated",
    ]
    private static let strongTokens: Set<String> = [
        "access", "refresh", "id", "auth", "bearer", "session", "api", "security", "oauth", "private", "personal",
        "deploy", "job", "bot", "vault", "subject", "actor", "csrf", "xsrf", "authenticity", "reset", "impersonation",
    ]
    private static let strongKeys: Set<String> = [
        "api", "access", "secret", "private", "signing", "encryption", "decryption", "master", "auth", "shared",
        "admin", "subscription", "webhook", "ssh", "hmac", "consumer", "xapi", "preshared", "entry",
    ]
    /// Keys that are as often those of a table.
    private static let randomKeys: Set<String> = ["account", "service", "storage", "customer", "primary", "secondary"]
    private static let weakKeys: Set<String> = [
        "app", "application", "license", "licence", "write", "project", "client", "wifi", "network", "wpa", "wep",
    ]
    private static let otherKeys: Set<String> = [
        "idempotency", "cache", "surrogate", "websocket", "partition", "routing", "sort", "correlation",
        "foreign", "public", "object", "map", "event", "message", "translation", "dedup", "deduplication", "range",
        "hash", "lookup", "group", "order", "unique", "i18n", "locale", "row", "record", "item", "issue", "project",
        "ratelimit", "limit", "s3", "file", "blob", "grouping", "trace", "shard", "etag",
    ]
    /// A name that ends in one of these is about a secret, and has none.
    private static let about: Set<String> = [
        "count", "type", "types", "url", "uri", "endpoint", "expires", "expiry", "expiration", "expire", "ttl", "age",
        "lifetime", "name", "id", "ids", "hint", "required", "enabled", "disabled", "length", "len", "min", "max",
        "policy", "label", "placeholder", "title", "description", "message", "error", "errors", "field", "fields",
        "format", "version", "status", "state", "at", "date", "time", "timeout", "in", "on", "by", "for", "from",
        "strength", "rules", "set", "changed", "updated", "created", "attempts", "index", "limit", "usage", "method",
        "methods", "scheme", "algorithm", "alg", "mode", "kind", "schema", "path", "file", "location", "arn", "ref",
        "scopes", "scope", "info", "issuer", "audience", "supported", "exists", "valid", "source", "class", "prefix",
        "suffix", "header", "headers", "param", "parameter", "link", "href", "icon", "details", "size", "tokens",
        "keys", "secrets", "management", "manager", "authority", "author", "provider", "settings", "config", "sent",
    ]
    /// Words that say nothing at the end of a name.
    private static let fillers: Set<String> = [
        "value", "plain", "plaintext", "raw", "confirmation", "confirm", "again", "repeat", "retype", "verify",
        "base64", "b64", "base", "hash", "hashed", "encrypted", "encoded", "clear", "cleartext", "new", "old",
        "current",
        "primary", "secondary", "live", "test", "prod", "dev", "staging", "1", "2", "3", "0", "header",
    ]

    // MARK: Reading

    /// Names that were looked at and are not those of secrets, by a hash: nearly all names of a text, again and again.
    /// Any thread may use it: the slots are atomic, and their place never changes.
    struct Memo: @unchecked Sendable {
        private static let size = 4096

        private let slots: UnsafeMutablePointer<Atomic<UInt64>>
        /// So that nobody can make a name that is taken for another.
        private let seed = UInt64.random(in: 1...UInt64.max)
        /// Chosen on its own: of seeds with a known difference, names with the same difference would have the same hash.
        private let fieldSeed = UInt64.random(in: 1...UInt64.max)

        fileprivate init() {
            slots = .allocate(capacity: Self.size)
            for index in 0..<Self.size { (slots + index).initialize(to: Atomic(0)) }
        }

        /// - Parameter isField: whether it is the name of a field, which is read in another way.
        @inline(__always)
        fileprivate func find(
            _ name: UnsafeRawBufferPointer,
            isField: Bool,
            _ read: () -> SecretName?
        ) -> SecretName? {
            let hash = hash(name, isField ? fieldSeed : seed)
            // Two for each place, or two names of one place would be read again and again.
            let first = slots + Int(truncatingIfNeeded: hash >> 40) & (Self.size - 2)
            let newest = first.pointee.load(ordering: .relaxed)
            if newest == hash || (first + 1).pointee.load(ordering: .relaxed) == hash { return nil }
            let found = read()
            if found == nil {
                (first + 1).pointee.store(newest, ordering: .relaxed)
                first.pointee.store(hash, ordering: .relaxed)
            }
            return found
        }

        @inline(__always)
        private func hash(_ name: UnsafeRawBufferPointer, _ seed: UInt64) -> UInt64 {
            var hash = seed ^ UInt64(truncatingIfNeeded: name.count)
            var index = 0
            while index + 8 <= name.count {
                hash = mixed(hash, name.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                index += 8
            }
            var rest: UInt64 = 0
            while index < name.count {
                rest = rest << 8 | UInt64(name[index])
                index += 1
            }
            return mixed(hash, rest)
        }

        @inline(__always)
        private func mixed(_ hash: UInt64, _ word: UInt64) -> UInt64 {
            let product = (hash ^ word).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
            return product.high ^ product.low
        }
    }

    static let memo = Memo()

    /// - Returns: nil if it is not the name of a secret.
    static func read(_ name: UnsafeBufferPointer<UInt8>.SubSequence, _ memo: Memo = memo) -> SecretName? {
        guard (2...128).contains(name.count) else { return nil }
        let bytes = UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: name))
        return memo.find(bytes, isField: false) { read(words: words(of: name)) }
    }

    static func read(_ name: String) -> SecretName? {
        var name = name
        return name.withUTF8 { read($0[...]) }
    }

    /// `dbPassword`, `DB_PASSWORD`, `db-password`, `db[password]`, `db.password` → `db`, `password`.
    private static func words(of name: some Collection<UInt8>) -> [String] {
        var (words, word, wasLower, wasUpper) = ([String](), [UInt8](), false, false)
        func end() {
            if !word.isEmpty { words.append(String(decoding: word, as: UTF8.self)) }
            word = []
        }
        let bytes = TextView.plain(ArraySlice(Array(name)))
        for (index, byte) in bytes.enumerated() {
            let isUpper = byte &- 0x41 < 26
            let isLower = byte &- 0x61 < 26
            guard isUpper || isLower || byte &- 0x30 < 10 || byte >= 0x80 else {
                end()
                (wasLower, wasUpper) = (false, false)
                continue
            }
            // `APIKey` is `API` and `Key`.
            let next = index + 1 < bytes.count ? bytes[index + 1] : 0
            if isUpper, wasLower || wasUpper && next &- 0x61 < 26 { end() }
            word.append(isUpper ? byte | 0x20 : byte)
            (wasLower, wasUpper) = (isLower || byte &- 0x30 < 10, isUpper)
        }
        end()
        return words
    }

    private static let joined = [
        "password", "passwd", "passphrase", "secretkey", "privatekey", "accesskey", "apikey", "secret", "token",
        "authorization",
    ]

    /// A last word that is several without anything between them.
    private static func split(_ word: String) -> [String] {
        guard let end = joined.first(where: { word.count > $0.count && word.hasSuffix($0) }) else {
            return switch word {
            case "apikey": ["api", "key"]
            case "secretkey": ["secret", "key"]
            case "privatekey": ["private", "key"]
            case "accesskey": ["access", "key"]
            default: [word]
            }
        }
        return [String(word.dropLast(end.count))] + split(end)
    }

    /// What a placeholder shows of a name. A part of it that may be a secret itself is left out.
    private static func kind(of words: [String]) -> String {
        func hasDigits(_ word: String) -> Bool { word.utf8.contains { $0 &- 0x30 < 10 } }
        // `s3`, `oauth2`, `2fa`: not several pieces.
        let mayHaveDigits = words.lazy.filter(hasDigits).count == 1
        let shown = words.filter { word in
            word.utf8.count <= 16 && (!hasDigits(word) || mayHaveDigits && word.utf8.count <= 6)
        }
        return Placeholder.kind(shown.suffix(5).joined(separator: "_"))
    }

    private static func read(words: [String]) -> SecretName? {
        guard var last = words.last else { return nil }
        var words = words
        let kind = kind(of: words)
        while words.count > 1, fillers.contains(last) || isVersion(last) {
            words.removeLast()
            last = words[words.count - 1]
        }
        // An attribute of HTML.
        if words == ["accesskey"] { return SecretName(kind: kind, strength: .weak) }
        // `password2`
        let letters = last.reversed().drop { $0.isNumber }
        if letters.count >= 3 { last = String(letters.reversed()) }
        words = words.dropLast() + split(last)
        last = words[words.count - 1]
        let before = words.count > 1 ? words[words.count - 2] : ""
        func found(_ strength: Strength) -> SecretName { SecretName(kind: kind, strength: strength) }
        switch last {
        case _ where passwords.contains(last):
            if last == "pin", !before.isEmpty, !["user", "card", "security", "login", "new", "old"].contains(before) {
                return nil
            }
            return found(last == "pin" ? .weak : .password)
        case "pass": return owners.contains(before) ? found(.password) : before.isEmpty ? found(.weak) : nil
        case "repass": return found(.password)
        case "pw": return found(.weak)
        case "passe": return before == "de" ? found(.password) : nil
        case "codes": return ["recovery", "backup"].contains(before) ? found(.weak) : nil
        case "seed": return ["totp", "otp", "mfa", "secret", "wallet"].contains(before) ? found(.strong) : nil
        case "phrase":
            return ["seed", "recovery", "secret", "mnemonic", "pass"].contains(before) ? found(.password) : nil
        case "string": return before == "secret" ? found(.strong) : nil
        case "ticket", "pfx", "pkcs12", "keystore": return found(.random)
        case "token":
            if words.dropLast().contains(where: { cursors.contains($0) || pieces.contains($0) }) { return nil }
            let isCursor = { (word: String) in
                word.count > 4 && before.hasPrefix(word) || word.count > 3 && before.hasSuffix(word)
            }
            if cursors.contains(where: isCursor) {
                return nil
            }
            return found(strongTokens.contains(before) ? .strong : .weak)
        case "key":
            if strongKeys.contains(before) { return found(.strong) }
            if otherKeys.contains(before) { return nil }
            if randomKeys.contains(before) { return found(.random) }
            if weakKeys.contains(before) { return found(.weak) }
            return words.count == 1 ? found(.vague) : nil
        case "secret": return found(before.isEmpty ? .weak : .strong)
        case "id":
            // Of AWS Secrets Manager it is a name, of HashiCorp Vault a UUID.
            if before == "secret" { return found(.random) }
            return ["session", "sess"].contains(before) ? found(.weak) : nil
        case "assertion", "verifier": return ["client", "code", "saml"].contains(before) ? found(.strong) : nil
        case "response": return before == "saml" || before == "samlresponse" ? found(.strong) : nil
        case "code":
            if ["device", "authorization", "auth"].contains(before) { return found(.strong) }
            if ["otp", "mfa", "totp", "2fa", "security", "verification", "sms", "backup", "recovery"].contains(before) {
                return found(.weak)
            }
            return words.count == 1 ? found(.vague) : nil
        case "authorization": return found(.strong)
        case "authentication": return found(.weak)
        // Made from the verifier (RFC 7636 §4.2), anew for each login.
        case "challenge": return before == "code" ? found(.strong) : nil
        case "samlresponse": return found(.strong)
        case "jwt", "bearer", "credential", "credentials", "csrf", "xsrf", "sessionid", "phpsessid", "jsessionid",
            "sessid", "sid", "cookie", "cookies", "setcookie":
            return found(.weak)
        case "auth": return words.count == 1 || before == "x" || before == "basic" ? found(.weak) : nil
        case "signature", "hmac": return found(.weak)
        // Signatures of packages are public.
        case "sig": return found(.vague)
        case "session": return words.count == 1 ? found(.random) : nil
        case "sign": return before == "access" ? found(.strong) : nil
        case _ where about.contains(last): return nil
        default:
            let services = ShapeFinder.standard.besideWords
            return words.first { services[$0] != nil }.map { found(.beside($0)) }
        }
    }

    /// `v4`
    private static func isVersion(_ word: String) -> Bool {
        word.hasPrefix("v") && (2...3).contains(word.utf8.count) && word.utf8.dropFirst().allSatisfy { $0 &- 0x30 < 10 }
    }

    // MARK: Fields

    private static let fields: [String: SecretName] = {
        var fields: [String: SecretName] = [:]
        for field in RedactionCatalog.fields {
            fields[field.name.lowercased()] = SecretName(kind: field.kind, strength: .strong)
        }
        return fields
    }()

    /// The same for the name of a field. Fields that end in `-key` are those of some service.
    static func read(field name: some Sequence<UInt8>) -> SecretName? {
        ContiguousArray(name).withUnsafeBytes { read(field: $0, memo) }
    }

    static func read(field name: UnsafeRawBufferPointer, _ memo: Memo) -> SecretName? {
        memo.find(name, isField: true) {
            read(field: String(decoding: name.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }, as: UTF8.self))
        }
    }

    private static func read(field name: String) -> SecretName? {
        if let known = fields[name] { return known }
        // These are answered with a digest, or are none.
        if name.hasPrefix("sec-") || name.hasPrefix("access-control-") || name.hasSuffix("idempotency-key")
            || name == "www-authenticate"
        {
            return nil
        }
        let words = words(of: name.utf8)
        // The name of a field in which something is sent is none.
        if words.last == "header" { return nil }
        let isOwn = words.count == 2 && words[0] == "x" && words[1] == "session"
        if isOwn || words.last == "auth" || words.last == "assertion" {
            return SecretName(kind: kind(of: words), strength: .strong)
        }
        if let found = read(words: words) {
            switch found.strength {
            case .ruled, .password, .strong, .weak: return SecretName(kind: found.kind, strength: .strong)
            case .vague, .random, .beside: break
            }
        }
        guard words.last == "key", words.count > (words[0] == "x" ? 2 : 1), !otherKeys.contains(words[words.count - 2])
        else { return nil }
        return SecretName(kind: kind(of: words), strength: .strong)
    }
}
