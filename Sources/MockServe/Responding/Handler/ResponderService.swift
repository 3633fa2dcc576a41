import HTTPTypes
import HTTPMessages
import NIOCore

/// Answers every exchange by a user's ``Responder``.
final class ResponderService: ExchangeService, ExchangeHandler {
    private let responder: any Responder
    private let bodyLimit: Int
    private let tasks: ResponderTasks

    init(_ responder: any Responder, bodyLimit: Int, journal: ScopeJournal) {
        self.responder = responder
        self.bodyLimit = bodyLimit
        tasks = ResponderTasks(journal)
    }

    func respond(to exchange: Exchange) -> any ExchangeReceiver {
        let responder = responder
        return tasks.answer(exchange, bodyLimit: bodyLimit) { try await responder.respond(to: $0) }
    }

    func shutDown(deadline: NIODeadline, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        tasks.shutDown(deadline: deadline, on: eventLoop)
    }
}

extension HTTPRequest {
    /// The request as swift-http-types can hold it: bytes that are not UTF-8 are replaced.
    init(_ head: RequestHead, origin: Origin) {
        self.init(
            method: HTTPRequest.Method(String(decoding: head.method, as: UTF8.self)) ?? .get,
            scheme: origin.scheme.rawValue,
            authority: head.fields.first("host").map { String(decoding: $0, as: UTF8.self) } ?? origin.authority,
            path: String(decoding: Target.originForm(head.target), as: UTF8.self),
            headerFields: HTTPFields(head.fields.filter { !$0.isNamed("host") })
        )
    }
}

extension HTTPFields {
    init(_ fields: Fields) {
        self.init()
        for field in fields {
            guard let name = HTTPField.Name(String(decoding: field.name, as: UTF8.self)) else { continue }
            append(HTTPField(name: name, value: String(decoding: field.value, as: UTF8.self)))
        }
    }
}
