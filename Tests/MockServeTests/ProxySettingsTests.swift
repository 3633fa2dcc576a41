import HTTPMessages
import MockServeCore
import Testing

@testable import MockServe

@Suite struct ProxySettingsTests {
    @Test(arguments: [
        ("http://127.0.0.1:1", false), ("http://127.1.2.3", false), ("http://localhost", false),
        ("http://a.localhost:8", false),
        ("http://[::1]:1", false), ("http://127.evil.com", true), ("http://127.0.0.1.evil.com", true),
        ("http://localhost.evil.com", true), ("http://1270.0.0.1", true), ("http://api.example.com", true),
        ("http://inner.example", false),
    ])
    func onlyLoopbackAndExceptionsAreReachedDirectly(_ url: String, _ isProxied: Bool) throws {
        let settings = try ProxySettings(environment: ["HTTP_PROXY": "http://proxy:3128", "NO_PROXY": "inner.example"])
        let origin = try #require(Origin(url))
        #expect((settings.proxy(for: origin) != nil) == isProxied)
    }
}
