import HTTPMessages

/// The canonical text of interactions and stubs: one block each, line by line. It says what they are, and nothing that changes
/// with every recording, so that two cassettes can be compared by it. `Schema/README.md` describes it.
package enum InteractionText {
    /// What introduces a line.
    package enum Mark: String, CaseIterable, Sendable {
        case header = "==="
        case remark = "#"
        case request = ">"
        case response = "<"
        case body = "|"
        case summary = "@"
        case condition = "?"
        case cut = "!"
    }

    /// - Parameter remarks: what else is known of it, a line each.
    package static func lines(
        _ content: InteractionContent,
        requestBody: BodyText?,
        responseBody: BodyText?,
        remarks: [String] = []
    ) -> [String] {
        var lines = [header(content)]
        lines += remarks.map { line(.remark, $0) }
        let request = content.request
        lines.append(line(.request, "\(text(request.method)) \(text(request.target)) \(request.version.rawValue)"))
        add(request.fields, .request, to: &lines)
        add(requestBody, content.requestTrailers, .request, to: &lines)
        for head in content.informational { add(head, to: &lines) }
        add(content.response, to: &lines)
        add(responseBody, content.responseTrailers, .response, to: &lines)
        if let cut = content.cut { lines.append(line(.cut, cut.end == .close ? "closed" : "reset")) }
        return lines
    }

    package static func lines(_ stub: StubDefinition, body: BodyText?, remarks: [String] = []) -> [String] {
        var lines = [line(.header, "stub \(VisibleText.line(stub.pattern)) \(stub.response.status)")]
        lines += remarks.map { line(.remark, $0) }
        if !stub.conditions.isEmpty { lines.append(line(.condition, VisibleText.line(stub.conditions.json))) }
        if stub.delay > 0 { lines.append(line(.condition, "delay \(stub.delay)ms")) }
        if !stub.behavior.isUsual { lines.append(line(.condition, VisibleText.line("behavior \(stub.behavior.json)"))) }
        add(stub.response, to: &lines)
        add(body, stub.trailers, .response, to: &lines)
        return lines
    }

    /// What people search for: method, URL and status. Without an upstream, the target stands alone.
    package static func header(_ content: InteractionContent) -> String {
        let target = Target.originForm(content.request.target)
        let isPath = target.first == UInt8(ascii: "/")
        let url = VisibleText.line(content.origin) + (isPath || content.origin.isEmpty ? "" : " ") + text(target)
        return line(.header, "\(text(content.request.method)) \(url) \(content.response.status)")
    }

    private static func line(_ mark: Mark, _ text: String) -> String {
        text.isEmpty ? mark.rawValue : "\(mark.rawValue) \(text)"
    }

    private static func text(_ bytes: some Collection<UInt8>) -> String { VisibleText.line(Latin1.string(bytes)) }

    /// A field as its line shows it.
    static func text(_ field: Fields.Field) -> String { "\(text(field.name)): \(text(field.value))" }

    private static func add(_ fields: Fields, _ mark: Mark, to lines: inout [String]) {
        for field in fields { lines.append(line(mark, text(field))) }
    }

    private static func add(_ head: ResponseHead, to lines: inout [String]) {
        let reason = head.reason.map { " " + text($0) } ?? ""
        lines.append(line(.response, "\(head.version.rawValue) \(head.status)\(reason)"))
        add(head.fields, .response, to: &lines)
    }

    private static func add(_ body: BodyText?, _ trailers: Fields, _ mark: Mark, to lines: inout [String]) {
        switch body {
        case .lines(let text): lines += text.map { line(.body, $0) }
        case .summary(let text): lines += text.map { line(.summary, $0) }
        // Otherwise they could not be told from the fields.
        case nil: if !trailers.isEmpty { lines.append(line(.summary, "no body")) }
        }
        add(trailers, mark, to: &lines)
    }
}
