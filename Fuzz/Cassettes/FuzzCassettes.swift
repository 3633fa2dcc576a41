import CassetteStore
import Foundation
import HTTPMessages
import HTTPWire
import MockServe
import MockServeCore

/// Opens arbitrary bytes as a cassette and plays whatever it holds: an error or an answer, no crash, no hang.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzCassettes(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard write(UnsafeRawBufferPointer(start: start, count: count)) else { return 0 }
    do {
        try play()
    } catch is CassetteError {
        // What it should be for nearly all inputs.
    } catch {
        preconditionFailure("an error that is none of the cassette's: \(error)")
    }
    return 0
}

private let path = "/dev/shm/mockserve-fuzz-\(getpid()).cassette"

private func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return Foundation.write(descriptor, bytes.baseAddress, bytes.count) == bytes.count
}

private func play() throws {
    let reader = try CassetteReader(path: path)
    defer { reader.close() }
    _ = try reader.upstreams()
    let rules = try reader.rules()
    _ = try reader.loadedStubs()
    let recording = try PlaybackReader(path: path)
    defer { recording.close() }
    _ = try recording.begin()
    var playback = PlaybackState(.timeline)
    var remaining = 50
    try reader.forEach { interaction in
        remaining -= 1
        let builder = MatchKeyBuilder(interaction.request, rules)
        try read(interaction.requestBody, reader) { slice in slice.withUnsafeBytes { builder.update($0) } }
        try read(interaction.responseBody, reader) { _ in }
        let key = try recording.playbackKey(builder.key(origin: interaction.content.origin), for: interaction.request)
        _ = try recording.rows(key.match, limit: 3)
        _ = try recording.only(key.match)
        let (answer, _) = try recording.answer(interaction.id)
        if let body = answer.body { _ = try recording.slice(BodySlices.count(of: body.size) / 2, of: body) }
        _ = try playback.step(key, isWrite: !interaction.request.isSafe, recording)
        _ = try reader.redactions(of: interaction.id)
        _ = try reader.nearMisses(to: builder.compared(origin: "http://a"), rules, limit: 2)
        return remaining > 0
    }
}

private func read(_ body: BodyReference?, _ reader: CassetteReader, _ take: ([UInt8]) -> Void) throws {
    guard let body else { return }
    for number in 0..<min(4, BodySlices.count(of: body.size)) { take(try reader.slice(number, of: body)) }
}
