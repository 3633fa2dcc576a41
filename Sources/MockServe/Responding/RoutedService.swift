import HTTPTypes
import HTTPMessages
import MockServeCore
import NIOCore

/// Answers the requests that a user's routes match, and passes the others to the next service.
final class RoutedService: ExchangeService {
    private let routes: Router
    private let handlers: ResponderService
    private let next: any ExchangeService

    init(_ routes: Router, handlers: ResponderService, next: any ExchangeService) {
        self.routes = routes
        self.handlers = handlers
        self.next = next
    }

    func handler(on eventLoop: any EventLoop) -> any ExchangeHandler {
        RoutedHandler(routes, handlers: handlers, next: next.handler(on: eventLoop))
    }

    func shutDown(deadline: NIODeadline, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        handlers.shutDown(deadline: deadline, on: eventLoop).flatMap {
            self.next.shutDown(deadline: deadline, on: eventLoop)
        }
    }
}

/// Prepared answers are not used with routes: they are found by the bytes of a request, before its path is known.
private final class RoutedHandler: ExchangeHandler {
    private let routes: Router
    private let handlers: ResponderService
    private let next: any ExchangeHandler

    init(_ routes: Router, handlers: ResponderService, next: any ExchangeHandler) {
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
