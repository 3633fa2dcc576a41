import HTTPMessages
package import MockServeCore

extension CassetteReader {
    /// Writes the canonical text of the cassette, block by block. Memory is bounded, however many interactions there are.
    ///
    /// - Parameters:
    ///   - isFull: whether what changes with every recording is in it: numbers, dates, timing.
    ///   - schema: of messages of gRPC.
    ///   - write: called with the lines of each block.
    package func writeText(
        isFull: Bool = false,
        schema: ProtobufSchema? = nil,
        _ write: ([String]) -> Void
    ) throws {
        let top = try topLines(isFull: isFull)
        if !top.isEmpty { write(top) }
        let rules = try rules()
        for stored in try stubs() {
            let lines = try text(of: stored, isFull: isFull)
            write(isFull ? lines : StableText.lines(lines, rules))
        }
        try forEach { interaction in
            write(
                isFull
                    ? try text(of: interaction, isFull: true, schema: schema) : try stableText(of: interaction, rules)
            )
            return true
        }
    }

    /// Upstreams and rules.
    func topLines(isFull: Bool = false) throws -> [String] {
        try upstreams().map { VisibleText.line("upstream \($0.name) \($0.origin)") }
            + numberedRules().flatMap { number, rule in
                (isFull ? ["# rule \(number)"] : []) + [VisibleText.line("rule \(rule.action.rawValue) \(rule.text)")]
            }
    }

    /// The lines of a stub.
    package func text(of stored: StoredStub, isFull: Bool = false) throws -> [String] {
        InteractionText.lines(
            stored.stub,
            body: try text(of: stored.body, stored.stub.response.fields),
            remarks: isFull ? ["stub \(stored.number)"] : []
        )
    }

    /// The lines of an interaction, without what changes with every recording.
    ///
    /// - Parameter rules: of the cassette.
    package func stableText(of interaction: Interaction, _ rules: RuleSet) throws -> [String] {
        let request = interaction.request
        let target = Target(Target.originForm(request.target))
        return StableText.lines(try text(of: interaction), rules.applying(toMethod: request.method, target: target))
    }

    /// The lines of an interaction.
    ///
    /// - Parameter schema: of messages of gRPC.
    package func text(
        of interaction: Interaction,
        isFull: Bool = false,
        schema: ProtobufSchema? = nil
    ) throws -> [String] {
        func text(_ body: BodyReference?, _ fields: Fields, isRequest: Bool) throws -> BodyText? {
            let type = schema?.type(of: interaction.request.target, isRequest: isRequest)
            return try self.text(of: body, fields, schema: schema, type: type)
        }
        return InteractionText.lines(
            interaction.content,
            requestBody: try text(interaction.requestBody, interaction.request.fields, isRequest: true),
            responseBody: try text(interaction.responseBody, interaction.response.fields, isRequest: false),
            remarks: isFull ? try remarks(of: interaction) : []
        )
    }

    private func remarks(of interaction: Interaction) throws -> [String] {
        let content = interaction.content
        var remarks = [
            "number \(interaction.id), recorded \(Timestamp.text(content.recordedAt)) UTC, match key \(content.matchKey)"
        ]
        if let firstByte = content.firstByte {
            let last = content.chunks.last?.offset ?? 0
            let chunks = Counted.text(content.chunks.count, "chunk")
            remarks.append("first byte after \(firstByte) ms, \(chunks) within \(last) ms")
        }
        let steps = try read { try MessageSQL.steps(of: interaction.id, $0) }
        if !steps.isEmpty {
            let order = steps.filter { $0.kind != .end }.map { $0.sender == .client ? ">" : "<" }.joined()
            remarks.append("conversation \(order.prefix(200))\(order.count > 200 ? "…" : "")")
        }
        if let cut = content.cut { remarks.append("cut after \(cut.offset) ms") }
        for (place, placeholder) in try redactions(of: interaction.id) {
            remarks.append(VisibleText.line("redacted \(place): \(placeholder)"))
        }
        return remarks
    }

    /// Nil if there is no body.
    private func text(
        of body: BodyReference?,
        _ fields: Fields,
        schema: ProtobufSchema? = nil,
        type: String? = nil
    ) throws -> BodyText? {
        guard let body else { return nil }
        return BodyText(
            try bytes(of: body, limit: BodyText.limit),
            size: body.size,
            digest: try digest(of: body),
            fields,
            schema: schema,
            type: type
        )
    }

    /// SHA-256 of a stored body, in hexadecimal.
    private func digest(of body: BodyReference) throws -> String {
        try text("SELECT lower(hex(sha256)) FROM body WHERE id = ?1", [.integer(body.id)]) ?? ""
    }
}
