import Foundation
import HTTPMessages
import MockServeCore

/// A description of OpenAPI 3.1 inferred from what was recorded: operations by method and path, in which numbers, UUIDs and long
/// hexadecimal segments are parameters; the parameters of queries; schemas of JSON bodies; the first body of each kind as an example.
extension OpenAPI: WritableFormat {
    package var fileExtension: String? { "yaml" }

    /// Bytes of an example.
    private static let exampleLimit = 64 << 10
    /// Operations that are described.
    private static let operationLimit = 5000

    private final class Operation {
        let method: String
        let path: String
        var query: [String: (count: Int, schema: InferredSchema)] = [:]
        var count = 0
        var request = Content()
        var responses: [Int: Content] = [:]

        init(_ method: String, _ path: String) { (self.method, self.path) = (method, path) }
    }

    /// Bodies of one kind, by type.
    private struct Content {
        var types: [(name: String, schema: InferredSchema?, example: DataNode?)] = []

        mutating func add(_ body: [UInt8], _ fields: Fields) {
            guard !body.isEmpty, let type = fields.first("content-type").map({ MediaType($0) }) else { return }
            let decoded = BodyText.decoded(body, fields) ?? body
            let json = type.isJSON ? (try? JSONStream(ByteSource(decoded, name: "")).value()) : nil
            let index: Int
            if let known = types.firstIndex(where: { $0.name == type.essence }) {
                index = known
            } else {
                index = types.count
                let text =
                    decoded.count <= OpenAPI.exampleLimit
                    ? json ?? String(validating: decoded, as: UTF8.self).map { .text($0) } : nil
                types.append((type.essence, nil, text))
            }
            guard let json else { return }
            var schema = types[index].schema ?? InferredSchema()
            schema.add(json)
            types[index].schema = schema
        }

        var node: DataNode? {
            guard !types.isEmpty else { return nil }
            return .object(
                types.map { type in
                    (
                        type.name,
                        .object([
                            "schema": type.schema?.node ?? .object(["type": .text("string")]), "example": type.example,
                        ])
                    )
                }
            )
        }
    }

    package func write(_ contents: some CassetteContents, to export: FormatExport) throws {
        var operations: [String: Operation] = [:]
        var order: [String] = []
        var servers: [String] = []
        try contents.forEachInteraction { interaction in
            let target = Target(Target.originForm(interaction.request.target))
            let method = Latin1.string(interaction.request.method)
            guard Self.described.contains(method) else {
                return export.lost("an interaction with the method \(method.prefix(20))")
            }
            let path = Self.template(
                AbsoluteURL.text(target.path)
            )
            let key = "\(method) \(path)"
            if operations[key] == nil {
                guard order.count < Self.operationLimit else {
                    return export.lost("an operation beyond \(Self.operationLimit)")
                }
                operations[key] = Operation(method, path)
                order.append(key)
            }
            if !interaction.origin.isEmpty, !servers.contains(interaction.origin), servers.count < 100 {
                servers.append(interaction.origin)
            }
            operations[key].map { Self.add(interaction, target, to: $0) }
        }
        var paths: [(name: String, value: DataNode)] = []
        for key in order {
            guard let operation = operations[key] else { continue }
            let index = paths.firstIndex { $0.name == operation.path } ?? paths.count
            if index == paths.count { paths.append((operation.path, .object([]))) }
            paths[index].value.set(operation.method.lowercased(), Self.node(operation))
        }
        let document = DataNode.object([
            "openapi": .text("3.1.0"),
            "info": .object([
                "title": .text("Recorded"), "version": .text("1"),
                "description": .text("Inferred from recorded interactions: what was not recorded is not described."),
            ]),
            "servers": servers.isEmpty ? nil : .list(servers.map { .object(["url": .text($0)]) }),
            "paths": .object(paths),
        ])
        try export.write(DataText.bytes(document, .yaml(binary: "!!binary")) + [0x0A])
        try export.loseAllBut(interactionsOf: contents)
    }

    private static let described: Set<String> = ["GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"]

    private static func add(_ interaction: WholeInteraction, _ target: Target, to operation: Operation) {
        operation.count += 1
        var seen: Set<String> = []
        for pair in target.pairs {
            let name = String(decoding: pair.name, as: UTF8.self)
            var known = operation.query[name] ?? (0, InferredSchema())
            let value = String(decoding: pair.value, as: UTF8.self)
            known.schema.add(Int(value) == nil ? .text(value) : .number(Int(value) ?? 0))
            if seen.insert(name).inserted { known.count += 1 }
            operation.query[name] = known
        }
        operation.request.add(interaction.requestBody, interaction.request.fields)
        operation.responses[interaction.response.status, default: Content()].add(
            interaction.responseBody,
            interaction.response.fields
        )
    }

    private static func node(_ operation: Operation) -> DataNode {
        let inPath = operation.path.matches(of: /\{([a-z0-9]+)\}/).map { match in
            DataNode.object([
                "name": .text(String(match.output.1)), "in": .text("path"), "required": .bool(true),
                "schema": .object(["type": .text("string")]),
            ])
        }
        let inQuery = operation.query.sorted { $0.key < $1.key }.map { name, value in
            DataNode.object([
                "name": .text(name), "in": .text("query"), "required": .bool(value.count == operation.count),
                "schema": value.schema.node,
            ])
        }
        let responses = operation.responses.sorted { $0.key < $1.key }.map {
            status,
            content -> (name: String, value: DataNode) in
            let reason = String(decoding: ReasonPhrase.standard(status), as: UTF8.self)
            return (
                String(status),
                .object(["description": .text(reason.isEmpty ? String(status) : reason), "content": content.node])
            )
        }
        return .object([
            "parameters": inPath.isEmpty && inQuery.isEmpty ? nil : .list(inPath + inQuery),
            "requestBody": operation.request.node.map { .object(["content": $0]) },
            "responses": .object(responses),
        ])
    }

    /// `/users/17/keys` as `/users/{id}/keys`.
    private static func template(_ path: String) -> String {
        var number = 0
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).map { segment -> String in
            guard isIdentifier(segment) else {
                return String(segment).replacing("{", with: "%7B").replacing("}", with: "%7D")
            }
            number += 1
            return number == 1 ? "{id}" : "{id\(number)}"
        }
        return segments.joined(separator: "/")
    }

    private static func isIdentifier(_ segment: Substring) -> Bool {
        guard segment.contains(where: { $0.isASCII && $0.isNumber }) else { return false }
        if segment.allSatisfy({ $0.isASCII && $0.isNumber }) { return true }
        let digits = segment.filter { $0 != "-" }
        return digits.count >= 16 && digits.allSatisfy { $0.isASCII && $0.isHexDigit }
    }
}
