import MockServeCore
import NIOCore

/// How answers are played.
struct ReplayOptions: Sendable {
    /// As `MockServerConfiguration.speed`.
    var speed: Double
    /// As `MockServerConfiguration.missStatus`.
    var missStatus: Int
    /// As `MockServerConfiguration.playback`.
    var playback: PlaybackMode
    /// As `MockServerConfiguration.freshness`.
    var freshness: TimeAmount
    /// As `MockServerConfiguration.cacheSize`.
    var cacheSize: Int
    /// Event loops that share that memory, at least one.
    var loopCount: Int
    /// As `MockServerConfiguration.opensOnLoop`.
    var opensOnLoop: Bool
    /// Values that count as their placeholders in the cassette.
    var secrets: KnownSecrets
    /// As `MockServerConfiguration.recordCommand`.
    var recordCommand: String?
    /// As `MockServerConfiguration.importedFrom`.
    var importedFrom: String?
}
