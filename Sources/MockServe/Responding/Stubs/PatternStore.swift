import MockServeCore
import Synchronization

/// What a server has for the requests of one pattern, until it is removed: a stub or a fault.
protocol PatternRule: AnyObject, Sendable {
    var template: PathTemplate { get }
    var removal: Removal { get }
}

/// Takes something away, once.
final class Removal: Sendable {
    private let action = Mutex<(@Sendable () -> Void)?>(nil)

    func set(_ action: @escaping @Sendable () -> Void) { self.action.withLock { $0 = action } }

    func callAsFunction() { action.withLock { $0.take() }?() }
}

/// All of these, by pattern. Any thread may add and remove some while the server runs.
final class PatternStore<Element: PatternRule>: Sendable {
    private let index = Mutex(StubIndex<Element>())
    private let count = Atomic(0)

    var isEmpty: Bool { size == 0 }

    var size: Int { count.load(ordering: .acquiring) }

    /// - Parameter method: nil for any.
    func add(_ rule: Element, method: String?) {
        let number = change { $0.insert(method: method, rule.template, rule) }
        rule.removal.set { [weak self, weak rule] in
            guard let self, let rule else { return }
            change { $0.remove(number, rule.template) }
        }
    }

    private func change<Result: Sendable>(_ body: @Sendable (inout StubIndex<Element>) -> Result) -> Result {
        index.withLock { index in
            defer { count.store(index.count, ordering: .releasing) }
            return body(&index)
        }
    }

    /// Those for a request, the last added first.
    ///
    /// - Parameter path: without a query.
    func matches(_ method: String, _ path: String) -> [StubIndex<Element>.Match] {
        index.withLock { $0.matches(method: method, path: path) }
    }
}
