import HTTPTypes
import HTTPMessages
import MockServeCore
import NIOCore

/// Answers by a user's routes what they fit, and leaves the rest to the next responder.
final class RoutedResponder: ExchangeResponder {
    private let routes: Router
    private let handlers: TaskResponder
    private let next: any ExchangeResponder

    init(_ routes: Router, handlers: TaskResponder, next: any ExchangeResponder) {
        self.routes = routes
        self.handlers = handlers
        self.next = next
    }

    func responder(on eventLoop: any EventLoop) -> any LoopResponder {
        LoopRoutedResponder(routes, handlers: handlers, next: next.responder(on: eventLoop))
    }

    func shutDown(deadline: NIODeadline, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        handlers.shutDown(deadline: deadline, on: eventLoop).flatMap {
            self.next.shutDown(deadline: deadline, on: eventLoop)
        }
    }
}

/// It prepares no answers: those are found by bytes, before anybody knows the path.
private final class LoopRoutedResponder: LoopResponder {
    private let routes: Router
    private let handlers: TaskResponder
    private let next: any LoopResponder

    init(_ routes: Router, handlers: TaskResponder, next: any LoopResponder) {
        self.routes = routes
        self.handlers = handlers
        self.next = next
    }

    func respond(to exchange: Exchange) -> any ExchangeReceiver {
        let request = exchange.request
        let path = Target(Target.originForm(request.target)).path
        let method = HTTPRequest.Method(String(decoding: request.method, as: UTF8.self))
        let isOwn = method.map { routes.answers($0, String(decoding: path, as: UTF8.self)) } ?? false
        return isOwn ? handlers.respond(to: exchange) : next.respond(to: exchange)
    }
}
