import CassetteStore
import HTTPMessages
import MockServeCore
import NIOCore

/// What the connections of a server are made of, in every version of HTTP.
struct ConnectionSetup: Sendable {
    let timeouts: ConnectionTimeouts
    let tls: ServerTLS
    private let configuration: MockServerConfiguration
    private let service: RunningService
    private let hosts: HostPolicy

    init(_ configuration: MockServerConfiguration, _ service: RunningService) {
        self.configuration = configuration
        self.service = service
        timeouts = ConnectionTimeouts(configuration.limits)
        tls = service.tls
        hosts = HostPolicy(
            configuration.allowedHosts + service.upstreams.map(\.origin.host) + configuration.listen.names
        )
    }

    /// Prepares a channel that was just accepted.
    ///
    /// - Parameters:
    ///   - origin: of the listener.
    ///   - listener: its number.
    func begin(_ channel: any Channel, _ origin: Origin, listener: Int) throws {
        try channel.pipeline.syncOperations.addHandler(ConnectionStart(self, origin, listener))
    }

    /// - Parameters:
    ///   - isSecure: whether the client speaks TLS.
    ///   - client: who it is, if it has said so.
    func reception(
        _ origin: Origin,
        _ listener: Int,
        isSecure: Bool,
        _ client: ClientIdentity?,
        on eventLoop: any EventLoop
    ) -> Reception {
        let scheme: Origin.Scheme = isSecure ? .https : .http
        return Reception(
            Entrance(listener: listener, scheme: scheme),
            exchanges: service.exchanges.handler(on: eventLoop),
            prepared: service.preparedAnswers(on: eventLoop),
            upstreams: service.table,
            admission: Admission(Origin(scheme: scheme, host: origin.host, port: origin.port), hosts),
            client: client,
            refusal: configuration.demandsTLS && !isSecure ? .needsTLS : nil,
            limits: configuration.limits,
            timeouts: timeouts
        )
    }
}

extension Problem {
    /// For a client without TLS, where that is demanded.
    fileprivate static let needsTLS = Problem(
        status: 400,
        title: "This server speaks HTTPS here",
        detail: "The request came without TLS. Use https:// in the URL, or start the server without --tls."
    )
}
