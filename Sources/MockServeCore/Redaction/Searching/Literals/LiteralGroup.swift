import Foundation

/// Literals with the same first bytes, in order, so that those that a text begins with are found by halving.
struct LiteralGroup: Sendable {
    private struct Member {
        let literal: Int
        let bytes: Range<Int>
        /// The longest other member that this one begins with; -1 for none.
        var prefix = -1
    }

    private var members: [Member] = []
    /// Of all members, one after the other.
    private var bytes: [UInt8] = []

    /// - Parameter indices: of `literals`. Of equal ones, the first counts.
    init(_ indices: [Int], _ literals: [[UInt8]]) {
        let sorted = indices.sorted { one, other in
            literals[one] == literals[other] ? one < other : literals[one].lexicographicallyPrecedes(literals[other])
        }
        for index in sorted {
            if let last = members.last, bytes[last.bytes].elementsEqual(literals[index]) { continue }
            var member = Member(literal: index, bytes: bytes.count..<bytes.count + literals[index].count)
            var candidate = members.count - 1
            while candidate >= 0, !literals[index].starts(with: bytes[members[candidate].bytes]) {
                candidate = members[candidate].prefix
            }
            member.prefix = candidate
            members.append(member)
            bytes += literals[index]
        }
    }

    /// The longest member that a text has at `begin`.
    func longest(at begin: Int, _ text: UnsafeBufferPointer<UInt8>) -> (end: Int, literal: Int)? {
        guard let base = text.baseAddress else { return nil }
        return bytes.withUnsafeBufferPointer { bytes -> (end: Int, literal: Int)? in
            guard let own = bytes.baseAddress else { return nil }
            /// Below 0 if the text is before the member in the order, 0 if it begins with it.
            func order(_ member: Member) -> Int32 {
                let count = min(member.bytes.count, text.count - begin)
                let order = memcmp(base + begin, own + member.bytes.lowerBound, count)
                return order == 0 && count < member.bytes.count ? -1 : order
            }
            // The last member that is not after the text.
            var (low, high) = (0, members.count)
            while low < high {
                let middle = (low + high) / 2
                if order(members[middle]) < 0 { high = middle } else { low = middle + 1 }
            }
            var candidate = low - 1
            while candidate >= 0 {
                let member = members[candidate]
                if order(member) == 0 { return (begin + member.bytes.count, member.literal) }
                candidate = member.prefix
            }
            return nil
        }
    }
}
