import Foundation
import MockServe
import Synchronization

/// Which file is the cassette of a test.
enum CassetteLocation {
    /// Beside the test file, unless the settings name another folder.
    static func of(_ settings: TestServerSettings, _ name: TestName) -> URL {
        let source = URL(fileURLWithPath: name.file)
        let folder = URL(
            fileURLWithPath: settings.folder ?? "cassettes",
            relativeTo: source.deletingLastPathComponent()
        ).absoluteURL
        if let shared = settings.name, settings.isShared { return folder.appendingPathComponent(shared) }
        var path = folder
        for part in settings.name?.split(separator: "/").map(String.init) ?? [] {
            path.appendPathComponent(FileName([part], identity: [part], isWhole: true).text)
        }
        let stem = source.deletingPathExtension().lastPathComponent
        path.appendPathComponent(FileName([stem], identity: [stem], isWhole: true).text)
        return path.appendingPathComponent("\(file(name).text).cassette")
    }

    private static func file(_ name: TestName) -> FileName {
        let function = name.function ?? ""
        let base = function.prefix { $0 != "(" }.filter { $0 != "`" }
        let hasParameters = !function.isEmpty && !function.hasSuffix("()")
        return FileName(
            (name.suites.map { $0.filter { $0 != "`" } } + [base]).filter { !$0.isEmpty },
            details: name.arguments.map(\.text),
            identity: name.suites + [function] + name.arguments.flatMap { [$0.type, $0.text] },
            isWhole: !hasParameters
        )
    }

    /// Who has which file in this process, by its path in lower case.
    private static let claims = Mutex<[String: (path: String, owner: String)]>([:])

    /// - Throws: `MockServeError` if another test would have the same file, here or where the case of letters does not
    ///   count.
    static func claim(_ settings: TestServerSettings, _ name: TestName) throws -> URL {
        guard !name.lacksArguments else {
            throw MockServeError(
                .invalidConfiguration,
                """
                The arguments of \(name.title) cannot be seen with this version of Swift Testing, so its cases would share a cassette.
                Give the test a file that all of them share: .mockServer("name.cassette")
                """
            )
        }
        let location = of(settings, name)
        if settings.isShared { return location }
        let other = claims.withLock { claims -> (path: String, owner: String)? in
            let key = location.path.lowercased()
            if let other = claims[key], other.owner != name.title || other.path != location.path { return other }
            claims[key] = (location.path, name.title)
            return nil
        }
        guard let other else { return location }
        throw MockServeError(
            .invalidConfiguration,
            """
            \(name.title) and \(other.owner) would have the same cassette on some file systems: \(location.path).
            Rename one of them, or give one a name of its own: .mockServer("name").
            """
        )
    }

    /// Whether a test of this run has this file.
    static func isClaimed(_ file: URL) -> Bool { claims.withLock { $0[file.path.lowercased()] != nil } }

    /// The name of a file without its extension.
    static func stem(_ file: URL) -> String { file.deletingPathExtension().lastPathComponent }

    /// An error of starting, with how to record.
    static func explained(_ error: any Error, _ name: TestName) -> String {
        guard let error = error as? MockServeError, error.code == .recordingRefused else {
            return String(describing: error)
        }
        return "\(error)\nOn your own machine: \(name.recordCommand)"
    }
}
