/// The formats that can be imported and exported.
package enum KnownFormats {
    /// The first that recognizes a file reads it: what is special comes before what is general.
    package static let readable: [any ReadableFormat] = [
        Polly(), HAR(), Betamax(), RubyVCR(), TestServer(), Cassetter(), GoVCR(), VCRPy(), Nock(), MitmproxyFlows(),
        WireMock(), Hoverfly(), HTTPMock(), Postman(), OpenAPI(),
    ]

    package static let writable: [any WritableFormat] = [
        HAR(), RubyVCR(), VCRPy(), Betamax(), GoVCR(), GoVCR(version: 1), Nock(), Cassetter(),
        Polly(), WireMock(), Hoverfly(), HTTPMock(), OpenAPI(), CurlCommands(), HTTPFile(), RawMessages(),
        MarkdownReport(),
    ]

    /// The format of a file that begins so; nil if it is none of these.
    package static func format(of start: FileStart) -> (any ReadableFormat)? {
        readable.first { $0.recognizes(start) }
    }

    /// How the names of files end that may be of one of these formats.
    package static let fileEndings = readable.reduce(into: Set<String>()) { $0.formUnion($1.fileEndings) }

    package static func readable(_ name: String) -> (any ReadableFormat)? { readable.first { $0.name == name } }

    package static func writable(_ name: String) -> (any WritableFormat)? { writable.first { $0.name == name } }
}
