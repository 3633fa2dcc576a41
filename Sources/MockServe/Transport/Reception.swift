import HTTPMessages
import MockServeCore
import NIOCore

/// Where a connection came in. What its requests are taken for depends on it.
struct Entrance: Hashable, Sendable {
    /// The number of the listener.
    let listener: Int
    /// Whether its client speaks TLS.
    let scheme: Origin.Scheme
}

/// Takes the requests of one connection, in any version of HTTP, and makes exchanges of them.
struct Reception {
    let entrance: Entrance
    /// Asked before there is an exchange; nil if every request needs one.
    let prepared: (any PreparedAnswers)?
    let limits: RequestLimits
    let timeouts: ConnectionTimeouts
    private let exchanges: any ExchangeHandler
    private let upstreams: UpstreamTable
    private var admission: Admission
    private let client: ClientIdentity?
    /// Why every request of the connection is refused; nil if that depends on the request.
    private let standingRefusal: Problem?

    init(
        _ entrance: Entrance,
        exchanges: any ExchangeHandler,
        prepared: (any PreparedAnswers)?,
        upstreams: UpstreamTable,
        admission: Admission,
        client: ClientIdentity?,
        refusal: Problem?,
        limits: RequestLimits,
        timeouts: ConnectionTimeouts
    ) {
        self.entrance = entrance
        self.exchanges = exchanges
        // Who the client is would be missing in the journal.
        self.prepared = refusal == nil && client == nil ? prepared : nil
        self.upstreams = upstreams
        self.admission = admission
        self.client = client
        standingRefusal = refusal
        self.limits = limits
        self.timeouts = timeouts
    }

    /// The origin and the upstream of a request that may be answered with a prepared response; nil if it is refused.
    mutating func admit(_ head: RequestHead) -> (origin: Origin, upstream: ServedUpstream?)? {
        let (origin, isAllowed) = admission.admit(head)
        guard isAllowed, standingRefusal == nil else { return nil }
        return (origin, upstreams.upstream(for: head, listener: entrance.listener))
    }

    /// - Returns: the exchange of a request, and why it is to be refused, if it is.
    mutating func exchange(
        _ head: RequestHead,
        _ transport: any ExchangeTransport,
        shortCut: (any PreparedAnswerTransport)? = nil
    ) -> (Exchange, refusal: Problem?) {
        let (origin, isAllowed) = admission.admit(head)
        let exchange = Exchange(
            request: head,
            servedOrigin: origin,
            upstream: upstreams.upstream(for: head, listener: entrance.listener),
            client: client,
            transport: transport,
            shortCut: client == nil ? shortCut : nil
        )
        return (exchange, standingRefusal ?? (isAllowed ? nil : HostPolicy.refusal(head)))
    }

    /// Has an exchange answered. That may be done when this returns.
    func answer(_ exchange: Exchange, _ refusal: Problem?) -> any ExchangeReceiver {
        refusal.map { Refusal(exchange, $0) } ?? exchanges.respond(to: exchange)
    }
}
