package import HTTPMessages

/// A complete request that any number of stubs look at: what they look at is parsed once.
package final class AskedRequest {
    package let head: RequestHead
    package let body: [UInt8]
    package let trailers: Fields

    package init(_ head: RequestHead, body: [UInt8] = [], trailers: Fields = Fields()) {
        (self.head, self.body, self.trailers) = (head, body, trailers)
    }

    package private(set) lazy var method = String(decoding: head.method, as: UTF8.self)

    /// Without the query, as it was sent.
    package private(set) lazy var path = String(decoding: target.path, as: UTF8.self)

    private lazy var target = Target(Target.originForm(head.target))

    /// The parameters of the query, in order.
    private(set) lazy var query = target.pairs

    /// The fields of a form, in order; empty if the body is none.
    private(set) lazy var form: [FormPair] = {
        let type = head.fields.first("content-type").map { MediaType($0).essence }
        return type == "application/x-www-form-urlencoded" ? FormPair.parse(body[...]) : []
    }()

    /// The body as JSON, whatever its type says; nil if it is none.
    package private(set) lazy var json = JSONValue(body)

    /// The cookies, in order (RFC 6265 §4.2.1).
    private(set) lazy var cookies: [FormPair] = head.fields.values("cookie").flatMap { value in
        value.split(separator: UInt8(ascii: ";")).map { pair in
            let parts = trimmingSpace(pair).split(
                separator: UInt8(ascii: "="),
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            return FormPair(name: Array(parts[0]), value: parts.count == 2 ? Array(parts[1]) : [])
        }
    }

    /// The values of a field: as one, and if there are several, each by itself.
    ///
    /// - Parameter name: case does not count.
    func fieldValues(_ name: String) -> [[UInt8]] {
        guard let all = field(name) else { return [] }
        let single = head.fields.filter { $0.name.count == name.utf8.count && equalsIgnoringCase($0.name, name.utf8) }
        return single.count == 1 ? [all] : [all] + single.map { Array($0.value) }
    }

    /// The values of a field, as one.
    ///
    /// - Parameter name: case does not count.
    func field(_ name: String) -> [UInt8]? {
        var values: [[UInt8]] = []
        for field in head.fields where equalsIgnoringCase(field.name, name.utf8) { values.append(Array(field.value)) }
        // Those of cookies are joined in a way of their own (RFC 9113 §8.2.3).
        let separator = equalsIgnoringCase(name.utf8, "cookie".utf8) ? "; " : ", "
        return values.isEmpty ? nil : Array(values.joined(separator: separator.utf8))
    }
}
