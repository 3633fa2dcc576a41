import Foundation

/// How the process was started to handle signals.
enum Signals {
    /// Whether SIGHUP is ignored, as under `nohup`. Then it stays ignored, here and in commands that are run.
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
