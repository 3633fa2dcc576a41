package import HTTPMessages

/// Rules in the form in which matching uses them.
package final class RuleSet: Sendable {
    /// A map and what it applies to.
    struct Map<Subject: Sendable>: Sendable {
        let subject: Subject
        let map: ValueMap
    }

    package let rules: [Rule]
    /// Nil if nothing is redacted.
    package let redactor: Redactor?
    /// What keys are made of (`KeyVersion`).
    package let keyVersion: Int
    let ignoresQuery: Bool
    let ignoresBody: Bool
    private let queryParameters: Set<[UInt8]>
    let json: JSONRules
    private let formFields: Set<[UInt8]>
    private let multipartParts: Set<[UInt8]>
    /// In lower case.
    let ignoredFields: Set<[UInt8]>
    /// In lower case, sorted.
    let requiredFields: [[UInt8]]
    private let pathMaps: [ValueMap]
    let bodyMaps: [ValueMap]
    /// The subject is a name; empty for all.
    private let queryMaps: [Map<[UInt8]>]
    private let formMaps: [Map<[UInt8]>]
    private let partMaps: [Map<[UInt8]>]
    private let fieldMaps: [Map<[UInt8]>]
    /// What changes with every recording of an answer.
    let volatileJSON: JSONRules
    /// In lower case.
    let volatileFields: Set<[UInt8]>
    let ignoresAnswerBody: Bool
    private let playbacks: [(scope: RequestPattern, mode: PlaybackMode)]
    /// Whether any rule except those of playback is for some requests only.
    private let isScoped: Bool

    package static let none = RuleSet([])

    /// - Parameter secrets: values that are replaced by their placeholders before comparing.
    package convenience init(_ rules: [Rule], secrets: KnownSecrets = KnownSecrets()) {
        let redactions = rules.filter { $0.scope == nil }.compactMap(\.redaction)
        let scoped = rules.compactMap { rule in
            rule.scope.flatMap { scope in rule.redaction.map { (scope: scope, rule: $0) } }
        }
        let version = rules.compactMap(\.keyVersion).max() ?? 1
        let redactor = Redactor.for(redactions, scoped: scoped, secrets, isCurrent: version >= 3)
        self.init(rules, redactor: redactor)
    }

    private init(_ rules: [Rule], redactor: Redactor?) {
        self.rules = rules
        self.redactor = redactor
        keyVersion = rules.compactMap(\.keyVersion).max() ?? 1
        let ignored = rules.filter { $0.action == .ignore }.map(\.part)
        ignoresQuery = ignored.contains(.query)
        ignoresBody = ignored.contains(.body)
        queryParameters = Set(ignored.compactMap { if case .queryParameter(let name) = $0 { name } else { nil } })
        formFields = Set(ignored.compactMap { if case .formField(let name) = $0 { name } else { nil } })
        multipartParts = Set(ignored.compactMap { if case .multipartPart(let name) = $0 { name } else { nil } })
        ignoredFields = Set(ignored.compactMap { if case .field(let name) = $0 { name } else { nil } })
        // A field that is mapped must count.
        let required = rules.filter { $0.action == .require || $0.action == .map }.map(\.part)
        // So must one by which requests are told apart.
        let apart = rules.compactMap { rule -> [UInt8]? in
            guard case .tellApart(.field, let name, _)? = rule.redaction else { return nil }
            return Array(name.lowercased().utf8)
        }
        requiredFields = Set(required.compactMap { if case .field(let name) = $0 { name } else { nil } } + apart)
            .sorted { $0.lexicographicallyPrecedes($1) }
        let maps = rules.compactMap { rule in rule.map.map { Map(subject: rule.part, map: $0) } }
        json = JSONRules(
            ignored: ignored.compactMap { if case .json(let path) = $0 { path } else { nil } },
            mapped: maps.compactMap { map in
                if case .json(let path) = map.subject { Map(subject: path, map: map.map) } else { nil }
            }
        )
        pathMaps = maps.filter { $0.subject == .path }.map(\.map)
        bodyMaps = maps.filter { $0.subject == .body }.map(\.map)
        func named(_ name: (Rule.Part) -> [UInt8]?) -> [Map<[UInt8]>] {
            maps.compactMap { map in name(map.subject).map { Map(subject: $0, map: map.map) } }
        }
        queryMaps = named { part in
            if case .queryParameter(let name) = part { name } else { part == .query ? [] : nil }
        }
        formMaps = named { if case .formField(let name) = $0 { name } else { nil } }
        partMaps = named { if case .multipartPart(let name) = $0 { name } else { nil } }
        fieldMaps = named { if case .field(let name) = $0 { name } else { nil } }
        playbacks = rules.compactMap { rule in
            if case .playback(let mode) = rule.part, let scope = rule.scope { (scope, mode) } else { nil }
        }
        let volatile = rules.filter { $0.action == .volatile }.map(\.part)
        volatileJSON = JSONRules(
            ignored: volatile.compactMap { if case .json(let path) = $0 { path } else { nil } },
            mapped: []
        )
        volatileFields = Set(volatile.compactMap { if case .field(let name) = $0 { name } else { nil } })
        ignoresAnswerBody = volatile.contains(.body)
        isScoped = rules.contains { $0.scope != nil && $0.action != .play }
    }

    /// The same rules, with this redactor if they redact nothing.
    package func redacting(by redactor: Redactor?) -> RuleSet {
        self.redactor == nil ? RuleSet(rules, redactor: redactor) : self
    }

    /// The same rules without what was learned; nil if they redact nothing.
    var unlearned: RuleSet? { redactor.map { RuleSet(rules, redactor: $0.unlearned) } }

    /// The same rules and some more, none of which redacts.
    package func adding(_ more: [Rule]) -> RuleSet { RuleSet(rules + more, redactor: redactor) }

    /// The rules that are for this request, except those of redaction.
    package func applying(toMethod method: [UInt8], target: Target) -> RuleSet {
        guard isScoped else { return self }
        let path = target.normalPath
        return RuleSet(
            rules.filter { $0.scope?.matches(method: method, normalPath: path) ?? true },
            redactor: redactor
        )
    }

    /// The same rules, of which those of redaction are for this request.
    package func redacting(_ method: [UInt8], _ target: [UInt8]) -> RuleSet {
        guard let redactor else { return self }
        let own = redactor.applying(toMethod: method, target: target)
        return own === redactor ? self : RuleSet(rules, redactor: own)
    }

    /// Whether bodies are judged by their content (version 2 of keys), not by their label.
    package var looksAtContent: Bool { keyVersion >= 2 }

    /// Whether bodies of gRPC are compared by their messages.
    var splitsMessages: Bool { keyVersion >= 4 }

    /// Whether the placeholders that requests carry count (version 3 of keys).
    package var knowsPlaceholders: Bool { keyVersion >= 3 && redactor != nil }

    /// Whether the conditions of requests count (version 2 of keys).
    package var knowsConditions: Bool { keyVersion >= 2 }

    /// Whether any rule says how answers are played.
    package var hasPlaybacks: Bool { !playbacks.isEmpty }

    /// How the answers to this request are played, by the first rule that is for it; nil if there is none.
    package func playback(_ request: MatchKeyBuilder) -> PlaybackMode? {
        guard !playbacks.isEmpty else { return nil }
        let path = Target(Target.originForm(request.target)).normalPath
        return playbacks.first { $0.scope.matches(method: request.method, normalPath: path) }?.mode
    }

    // MARK: What counts of a request

    /// A decoded body as it is compared: with the same placeholder for all secrets.
    func comparable(_ body: [UInt8], _ fields: Fields, _ notes: inout RedactionNotes) -> [UInt8] {
        redactor?.redact(body: body, fields, nil, &notes) ?? body
    }

    package func comparable(_ body: [UInt8], _ fields: Fields) -> [UInt8] {
        var notes = RedactionNotes()
        return comparable(body, fields, &notes)
    }

    func comparable(target: [UInt8], _ notes: inout RedactionNotes) -> [UInt8] {
        redactor?.redact(target: target, nil, &notes) ?? target
    }

    package func comparable(_ fields: Fields) -> Fields {
        var notes = RedactionNotes()
        return comparable(fields, &notes)
    }

    /// - Parameter isExact: whether placeholders that we have served keep their numbers.
    func comparable(_ fields: Fields, isExact: Bool = false, _ notes: inout RedactionNotes) -> Fields {
        redactor?.redact(fields, "request", nil, isExact: isExact, &notes) ?? fields
    }

    func counted(path: [UInt8]) -> [UInt8] { pathMaps.isEmpty ? path : pathMaps.apply(to: path) }

    /// The pairs of a query that count, mapped.
    func counted(_ pairs: [FormPair]) -> [FormPair] {
        guard !ignoresQuery, !pairs.isEmpty else { return [] }
        let volatile = SignedURL.volatileNames(pairs, keyVersion)
        let counted = pairs.filter { !queryParameters.contains($0.name) && !volatile.contains($0.name) }
        return Self.mapped(counted, queryMaps)
    }

    /// The pairs of a form that count, mapped.
    func countedForm(_ pairs: [FormPair]) -> [FormPair] {
        let volatile = SignedURL.volatileFields(pairs.map(\.name), keyVersion)
        let pairs = volatile.isEmpty ? pairs : pairs.filter { !volatile.contains($0.name) }
        return Self.mapped(formFields.isEmpty ? pairs : pairs.filter { !formFields.contains($0.name) }, formMaps)
    }

    /// The parts of a multipart body that count.
    func countedParts(_ parts: [Multipart.Part]) -> [Multipart.Part] {
        let volatile = SignedURL.volatileFields(parts.compactMap(\.name), keyVersion)
        return parts.filter { counts(part: $0.name) && !($0.name.map(volatile.contains) ?? false) }
    }

    private static func mapped(_ pairs: [FormPair], _ maps: [Map<[UInt8]>]) -> [FormPair] {
        guard !maps.isEmpty else { return pairs }
        return pairs.map { pair in
            let own = maps.filter { $0.subject.isEmpty || $0.subject == pair.name }.map(\.map)
            return FormPair(name: pair.name, value: own.apply(to: pair.value))
        }
    }

    /// A value of a required field, mapped.
    func counted(_ value: ArraySlice<UInt8>, of field: [UInt8]) -> [UInt8] {
        fieldMaps.filter { $0.subject == field }.map(\.map).apply(to: Array(value))
    }

    /// Whether a part of a multipart body counts.
    func counts(part name: [UInt8]?) -> Bool { name.map { !multipartParts.contains($0) } ?? true }

    /// The maps for a part of a multipart body.
    func maps(forPart name: [UInt8]?) -> [ValueMap] {
        partMaps.isEmpty ? [] : partMaps.filter { $0.subject == name }.map(\.map)
    }
}

/// Which parts of a JSON text are ignored, and which are mapped.
struct JSONRules: Sendable {
    let ignored: [JSONPath]
    let mapped: [RuleSet.Map<JSONPath>]

    static let none = JSONRules(ignored: [], mapped: [])
}

/// One place in a JSON text, and which rules apply there.
struct JSONPlace {
    private let rules: JSONRules
    private let ignored: JSONPathMatch
    private let mapped: JSONPathMatch

    /// The whole text.
    init(_ rules: JSONRules) {
        self.rules = rules
        ignored = JSONPathMatch(rules.ignored)
        mapped = JSONPathMatch(rules.mapped.map(\.subject))
    }

    private init(_ rules: JSONRules, _ ignored: JSONPathMatch, _ mapped: JSONPathMatch) {
        self.rules = rules
        self.ignored = ignored
        self.mapped = mapped
    }

    /// Whether no rule applies here or below.
    var isPlain: Bool { ignored.isEmpty && mapped.isEmpty }

    var isIgnored: Bool { !ignored.isEmpty && !ignored.selected.isEmpty }

    /// A string, or the text of a number, mapped.
    func counted(_ value: [UInt8]) -> [UInt8] {
        mapped.isEmpty ? value : mapped.selected.sorted().map { rules.mapped[$0].map }.apply(to: value)
    }

    func member(_ name: [UInt8]) -> JSONPlace { JSONPlace(rules, ignored.member(name), mapped.member(name)) }

    func element(_ index: Int) -> JSONPlace { JSONPlace(rules, ignored.element(index), mapped.element(index)) }
}
