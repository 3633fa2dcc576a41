import Foundation
import NIOCore

/// The names and addresses that a server's certificates are for, and to which its authority is constrained.
package struct ServedNames: Sendable, Equatable {
    /// Lower case. `localhost` stands for the names below it too, as do all others (RFC 5280 §4.2.1.10).
    package private(set) var names: [String] = ["localhost"]
    /// Bytes of addresses, in addition to `127.0.0.1` and `::1`.
    package private(set) var addresses: [[UInt8]] = []
    /// Whether clients may use any name, so that nothing is constrained.
    package private(set) var areAny = false

    /// - Parameters:
    ///   - hosts: names and addresses; `*` for any.
    ///   - listensOnAll: whether the server listens on all addresses of this machine.
    package init(_ hosts: [String], listensOnAll: Bool = false) {
        for host in hosts { add(host.lowercased()) }
        guard listensOnAll else { return }
        for device in (try? System.enumerateDevices()) ?? [] { add(device.address?.ipAddress ?? "") }
    }

    private mutating func add(_ host: String) {
        if host == "*" { return areAny = true }
        if let address = Self.address(host) {
            if !Self.standard.contains(address), !addresses.contains(address) { addresses.append(address) }
        } else if Self.isName(host), !names.contains(host) {
            names.append(host)
        }
    }

    /// Whether certificates can be for it.
    package static func isAddressOrName(_ text: String) -> Bool {
        address(text) != nil || isName(text.lowercased())
    }

    /// The bytes of an IP address; nil for a name.
    private static func address(_ text: String) -> [UInt8]? {
        guard let address = try? SocketAddress(ipAddress: text, port: 0) else { return nil }
        switch address {
        case .v4(let address):
            return withUnsafeBytes(of: address.address.sin_addr) { Array($0) }
        case .v6(let address):
            return withUnsafeBytes(of: address.address.sin6_addr) { Array($0) }
        default: return nil
        }
    }

    /// `127.0.0.1` and `::1`, for which every certificate is.
    static let standard: [[UInt8]] = [[127, 0, 0, 1], [UInt8](repeating: 0, count: 15) + [1]]

    /// Whether a text can be the name of a host in a certificate (RFC 1123 §2.1; `_` is used in practice).
    package static func isName(_ text: String) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        return text.utf8.count <= 253
            && labels.allSatisfy { label in
                !label.isEmpty && label.utf8.count <= 63
                    && label.utf8.allSatisfy { byte in
                        switch byte {
                        case 0x30...0x39, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"): true
                        default: false
                        }
                    }
            }
    }
}
