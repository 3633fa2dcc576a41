import NIOPosix

/// The threads on which users' responders run.
///
/// Tests block: a synchronous client in an asynchronous test holds a thread of Swift's cooperative pool until it has its
/// answer, and on a machine with two cores two such tests hold all of them. The answers must not wait for those threads.
final class ResponderExecutor: TaskExecutor {
    /// One for the process, made when the first responder is called.
    static let shared = ResponderExecutor()

    /// A responder may block too; this many of them may do so at once.
    private static let threadCount = 16

    private let pool: NIOThreadPool

    private init() {
        pool = NIOThreadPool(numberOfThreads: Self.threadCount)
        pool.start()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        pool.submit { _ in job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
