/// Which interactions were searched before all secrets of the scope were known.
struct SearchedInteractions {
    /// The latest of what was known when an exchange began (`Redactor.learnedVersion`).
    private var newest = 0
    /// The highest numbers of interactions that began with this, and with less.
    private var (lastNewest, lastOlder) = (Int64(0), Int64(0))

    /// - Parameter version: what was known when the exchange began.
    mutating func note(_ number: Int64, _ version: Int) {
        if version > newest {
            lastOlder = max(lastOlder, lastNewest)
            (newest, lastNewest) = (version, 0)
        }
        if version == newest { lastNewest = max(lastNewest, number) } else { lastOlder = max(lastOlder, number) }
    }

    /// The highest number of an interaction that began when less was known; 0 if there is none.
    func lastBefore(_ version: Int) -> Int64 { version > newest ? max(lastOlder, lastNewest) : lastOlder }
}
