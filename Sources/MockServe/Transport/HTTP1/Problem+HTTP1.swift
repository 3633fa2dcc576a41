import HTTPMessages
import HTTPWire

extension Problem {
    static func badRequest(_ error: WireError) -> Problem {
        Problem(status: error.status, title: "The request is not valid HTTP", detail: error.message)
    }

    /// The head with its length, for an answer outside any exchange.
    func head(closes: Bool) -> ResponseHead {
        var head = response
        head.fields.append("Content-Length", String(body.count))
        if closes { head.fields.append("Connection", "close") }
        return head
    }
}
