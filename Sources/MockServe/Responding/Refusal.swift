import HTTPMessages
import MockServeCore
import NIOCore

/// Answers at once and ignores the rest of the request.
final class Refusal: ExchangeReceiver {
    init(_ exchange: Exchange, _ problem: Problem) {
        exchange.answer(problem)
    }

    func receive(_ bytes: ByteBuffer) {}
    func receiveEnd(trailers: Fields) {}
    func connectionLost() {}
    func writabilityRestored() {}
}

extension Problem {
    /// For a request for which the server has no upstream.
    static let noUpstream = Problem(
        status: 421,
        title: "No upstream",
        detail: "This server stands for no server that the request could be for."
    )

    /// Why a reverse proxy refuses a request (a WebSocket upgrade, `CONNECT`); nil for all others.
    static func unsupported(_ request: RequestHead) -> Problem? {
        if request.fields.list("upgrade", has: "websocket") {
            return Problem(
                status: 501,
                title: "WebSocket is not supported",
                detail: "The upgrade was not forwarded, as what follows it could not be recorded."
            )
        }
        guard request.isCONNECT else { return nil }
        return Problem(
            status: 501,
            title: "CONNECT is not supported",
            detail: "Use this server as the base URL of your client, not as its proxy."
        )
    }
}
