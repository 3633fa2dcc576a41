import ArgumentParser
import CassetteFormats
import CassetteStore
import MockServe

/// The statuses with which the program ends, after `sysexits.h` where that has one.
enum ExitStatus: Int32 {
    case misses = 3
    case unused = 4
    case drift = 5
    case usage = 64
    case unreadable = 66
    case upstream = 69
    case listen = 71
    case unwritable = 74
    case refused = 77

    var code: ExitCode { ExitCode(rawValue) }

    init(_ code: MockServeError.Code) {
        switch code {
        case .cannotListen: self = .listen
        case .cassetteUnwritable: self = .unwritable
        case .invalidConfiguration: self = .usage
        case .recordingRefused: self = .refused
        case .unmatchedRequests: self = .misses
        case .unusedInteractions: self = .unused
        case .upstreamUnreachable: self = .upstream
        default: self = .unreadable
        }
    }

    /// Runs `body`. An error of ours is shown in plain words and becomes its exit status.
    static func reporting<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch {
            throw report(error)
        }
    }

    static func reporting<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch {
            throw report(error)
        }
    }

    private static func report(_ error: any Error) -> any Error {
        let ours = (error as? CassetteError).map { MockServeError($0) }
        let foreign = (error as? FormatError).map { MockServeError(.cassetteUnreadable, Console.safe($0.description)) }
        let known = ours ?? foreign ?? error as? MockServeError
        guard let known else { return error }
        Console.say("mockserve: \(known.message)")
        return ExitStatus(known.code).code
    }
}
