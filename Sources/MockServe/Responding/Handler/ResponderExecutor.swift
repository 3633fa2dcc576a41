import NIOPosix

/// The threads on which users' responders run.
///
/// Tests block: in an asynchronous test, a synchronous client holds a thread of Swift's cooperative pool until it has
/// its answer. On a machine with two cores, two of these tests hold all threads. The answers must not wait for those.
final class ResponderExecutor: TaskExecutor {
    /// Shared by the whole process, and made when the first responder is called.
    static let shared = ResponderExecutor()

    /// A responder may block too; this many may do so at once.
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
