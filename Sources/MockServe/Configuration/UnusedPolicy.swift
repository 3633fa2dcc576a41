/// What happens to a scope that did not use every recorded interaction. More may be added.
public struct UnusedPolicy: Sendable, Equatable {
    private let isFailure: Bool

    /// Nothing.
    public static let ignore = UnusedPolicy(isFailure: false)
    /// It throws ``MockServeError/Code/unusedInteractions`` when it ends, unless there is another error.
    public static let fail = UnusedPolicy(isFailure: true)
}
