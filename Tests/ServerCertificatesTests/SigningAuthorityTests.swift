import Foundation
import ServerCertificates
import Testing

@Suite struct SigningAuthorityTests {
    @Test func isConstrainedToItsNamesAndLoopback() throws {
        let served = ServedNames(["API.example.com", "10.0.0.5", "127.0.0.9", "not a name", "::1"])
        let authority = try SigningAuthority(for: served, constrainsAddresses: true)
        #expect(authority.permitted == ["localhost", "api.example.com", "127.0.0.0/8", "::1", "10.0.0.5"])
    }

    @Test func addressesAreOnlyConstrainedIfThatIsAskedFor() throws {
        let served = ServedNames(["api.example.com", "10.0.0.5"])
        let authority = try SigningAuthority(for: served, constrainsAddresses: false)
        #expect(authority.permitted == ["localhost", "api.example.com"])
    }

    @Test func isNotConstrainedIfAnyNameIsServed() throws {
        #expect(try SigningAuthority(for: ServedNames(["*"]), constrainsAddresses: true).permitted == [])
    }

    @Test func twoHaveDifferentNamesAndKeys() throws {
        let served = ServedNames([])
        let (first, second) = (
            try SigningAuthority(for: served, constrainsAddresses: true),
            try SigningAuthority(for: served, constrainsAddresses: true)
        )
        #expect(first.subject != second.subject)
        #expect(try first.keptText != second.keptText)
    }

    @Test func issuesCertificatesThatAreReadable() throws {
        let served = ServedNames(["api.example.com"])
        let authority = try SigningAuthority(for: served, constrainsAddresses: true)
        let certificate = try authority.issue(["other.localhost"], served, SigningAuthority.LeafKey())
        #expect(SigningAuthority.subject(of: certificate) == "O=mockserve")
        let bytes = Data(certificate)
        for name in ["other.localhost", "localhost", "api.example.com"] {
            #expect(bytes.range(of: Data(name.utf8)) != nil)
        }
        #expect(SigningAuthority.subject(of: [1, 2, 3]) == nil)
    }

    @Test func canBeKept() throws {
        let authority = try SigningAuthority(
            for: ServedNames(["api.example.com"]),
            constrainsAddresses: true,
            validity: 1000
        )
        let read = try SigningAuthority(kept: try authority.keptText)
        #expect(try read.der == authority.der)
        #expect(try read.keptText == authority.keptText)
        let renewed = try read.renewed(validity: 2000)
        #expect(renewed.permitted == authority.permitted)
        #expect(renewed.end > authority.end)
        #expect(try renewed.keptText != authority.keptText)
    }

    @Test func whatWasNotKeptWholeIsRefused() throws {
        let (one, other) = (
            try SigningAuthority(for: ServedNames([]), constrainsAddresses: true),
            try SigningAuthority(for: ServedNames([]), constrainsAddresses: true)
        )
        let key = try other.keptText.dropFirst(try other.pem.count)
        #expect(throws: SigningAuthority.Unreadable.notBoth) { try SigningAuthority(kept: try one.pem) }
        #expect(throws: SigningAuthority.Unreadable.notBoth) { try SigningAuthority(kept: "") }
        #expect(throws: SigningAuthority.Unreadable.otherKey) { try SigningAuthority(kept: try one.pem + key) }
        let old = try SigningAuthority(for: ServedNames([]), constrainsAddresses: true, validity: -1)
        #expect(throws: SigningAuthority.Unreadable.expired) { try SigningAuthority(kept: try old.keptText) }
    }

    @Test(arguments: ["", "a..b", "-", "a b", "a/b", "ä.example", String(repeating: "a", count: 64), "a:1"])
    func whatIsNoNameIsRefused(_ text: String) { #expect(ServedNames.isAddressOrName(text) == (text == "-")) }

    @Test(arguments: ["localhost", "API.example.com", "127.0.0.1", "::1", "a_b.example", "xn--bcher-kva.example"])
    func namesAndAddressesAreTaken(_ text: String) { #expect(ServedNames.isAddressOrName(text)) }
}

@Suite struct TrustStoreTests {
    @Test func readsEveryCertificateOfAText() throws {
        let (one, other) = (
            try SigningAuthority(for: ServedNames([]), constrainsAddresses: true),
            try SigningAuthority(for: ServedNames([]), constrainsAddresses: true)
        )
        let text = try "# a remark\n\(one.pem)\nbetween\n\(other.keptText)-----BEGIN CERTIFICATE-----\nAA"
        #expect(TrustStores.certificates(inPEM: text) == [try one.der, try other.der])
        #expect(TrustStores.certificates(inPEM: "") == [])
    }

    @Test func aJavaStoreHoldsWhatItSays() {
        let store = TrustStores.java([[1, 2, 3], [4]], now: Date(timeIntervalSince1970: 1))
        #expect(store.starts(with: [0xFE, 0xED, 0xFE, 0xED, 0, 0, 0, 2, 0, 0, 0, 2]))
        let entry: [UInt8] =
            [0, 0, 0, 2, 0, 9] + Array("trusted-1".utf8) + [0, 0, 0, 0, 0, 0, 3, 0xE8, 0, 5] + Array("X.509".utf8)
            + [0, 0, 0, 1, 4]
        #expect(Array(store.dropLast(20).suffix(entry.count)) == entry)
    }
}
