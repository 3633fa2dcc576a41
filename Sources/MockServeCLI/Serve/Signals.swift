import Foundation

/// How the process was started to take signals.
enum Signals {
    /// Whether SIGHUP is to be ignored, as `nohup` says: then it stays so, here and in what is run.
    static var hangUpIsIgnored: Bool {
        var action = sigaction()
        guard sigaction(SIGHUP, nil, &action) == 0 else { return false }
        #if os(Linux)
            let handler = action.__sigaction_handler.sa_handler
        #else
            let handler = action.__sigaction_u.__sa_handler
        #endif
        return unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}
