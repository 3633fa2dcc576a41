import ContentCoding
import Foundation

/// Finds the messages in a body of gRPC that arrives in pieces: a flag of one byte, a length of four, and so many bytes (gRPC
/// over HTTP/2, "Length-Prefixed-Message"). Keeps no bytes but those of an incomplete prefix.
package struct MessageSplitter: Sendable {
    /// A part of a message, as it was found.
    package enum Part: Sendable, Equatable {
        /// A message begins.
        ///
        /// - size: bytes, with the prefix.
        case begin(size: Int, isCompressed: Bool)
        /// The message has ended.
        case end
    }

    package static let prefixSize = 5

    private var prefix: [UInt8] = []
    private var remaining = 0

    package init() {}

    /// Whether a message has begun that is not complete.
    package var isWithin: Bool { remaining > 0 || !prefix.isEmpty }

    /// - Parameters:
    ///   - take: called with what begins and ends, in order.
    ///   - payload: called with the bytes of messages, without prefixes, between the parts that they belong to.
    /// - Returns: how many messages end in these bytes.
    @discardableResult
    package mutating func push(
        _ bytes: UnsafeRawBufferPointer,
        payload: (UnsafeRawBufferPointer) -> Void = { _ in },
        _ take: (Part) -> Void
    ) -> Int {
        var rest = bytes[...]
        var ended = 0
        while !rest.isEmpty {
            if remaining > 0 {
                let taken = rest.prefix(remaining)
                payload(UnsafeRawBufferPointer(rebasing: taken))
                remaining -= taken.count
                rest = rest.dropFirst(taken.count)
            } else {
                let taken = rest.prefix(Self.prefixSize - prefix.count)
                prefix.append(contentsOf: taken)
                rest = rest.dropFirst(taken.count)
                guard prefix.count == Self.prefixSize else { break }
                remaining = prefix.dropFirst().reduce(0) { $0 << 8 | Int($1) }
                take(.begin(size: Self.prefixSize + remaining, isCompressed: prefix[0] & 1 == 1))
                prefix = []
            }
            if remaining == 0, prefix.isEmpty {
                take(.end)
                ended += 1
            }
        }
        return ended
    }
}

/// A whole message of gRPC.
package struct GRPCMessage: Sendable, Equatable {
    /// Where it is in the body, with its prefix.
    package let range: Range<Int>
    package let isCompressed: Bool
    /// As it was sent.
    package let payload: ArraySlice<UInt8>

    /// The messages of a body; what is incomplete at its end is left out.
    package static func all(in body: [UInt8]) -> [GRPCMessage] {
        var messages: [GRPCMessage] = []
        var start = 0
        while body.count - start >= MessageSplitter.prefixSize {
            let length = body[(start + 1)..<(start + MessageSplitter.prefixSize)].reduce(0) { $0 << 8 | Int($1) }
            let begin = start + MessageSplitter.prefixSize
            guard length <= body.count - begin else { break }
            messages.append(
                GRPCMessage(
                    range: start..<(begin + length),
                    isCompressed: body[start] & 1 == 1,
                    payload: body[begin..<(begin + length)]
                )
            )
            start = begin + length
        }
        return messages
    }

    /// A message that is not compressed, with its prefix.
    package static func framed(_ payload: [UInt8]) -> [UInt8] {
        let length = withUnsafeBytes(of: UInt32(clamping: payload.count).bigEndian) { Array($0) }
        return [0] + length + payload
    }

    /// A body of gRPC-Web as text: Base64, padded wherever the sender paused. Nil if it is none.
    package static func binary(ofText text: [UInt8]) -> [UInt8]? {
        var output: [UInt8] = []
        var rest = text[...]
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: "=")) ?? rest.endIndex
            let padding = rest[end...].prefix { $0 == UInt8(ascii: "=") }
            let part = rest[..<padding.endIndex]
            guard part.count % 4 == 0, let data = Data(base64Encoded: Data(part)) else { return nil }
            output += data
            rest = rest[padding.endIndex...]
        }
        return output
    }

    /// Bytes to which one message may decode.
    private static let decodedLimit = 64 << 20

    /// A payload without compression.
    ///
    /// - Parameter encoding: the value of `grpc-encoding`.
    /// - Returns: the payload itself if it cannot be decoded.
    package static func decoded(_ payload: [UInt8], _ encoding: ArraySlice<UInt8>?) -> [UInt8] {
        guard let encoding, let coding = ContentCoding(encoding),
            let decoded = try? coding.decode(payload, limit: decodedLimit)
        else { return payload }
        return decoded
    }
}
