import CassetteStore
import Foundation

/// A file or a folder that is being written under another name. What is not a file, such as a pipe, is written to directly.
final class ExportedFiles {
    /// Where symbolic links lead.
    private let target: URL
    /// Nil if the target is written to directly.
    private let draft: URL?
    private var file: FileHandle?
    /// Those in it that are there.
    private var folders: Set<String> = []

    /// - Parameter source: a file that must not be replaced.
    /// - Throws: `MockServeError` if it is there already, or cannot be made.
    init(_ target: String, isFolder: Bool, overwrites: Bool, source: String) throws {
        self.target = Self.resolved(target)
        let kind = FileStatus(self.target.path)?.kind
        if kind != nil, CassetteFile.isSame(self.target.path, source) {
            throw Self.failure(target, "is the cassette itself. Give another name.")
        }
        if !isFolder, kind == .pipe || kind == .other {
            draft = nil
            guard let file = FileHandle(forWritingAtPath: self.target.path) else {
                throw Self.failure(target, "cannot be written.")
            }
            self.file = file
            return
        }
        guard kind == nil || kind == (isFolder ? .folder : .regular) else {
            throw Self.failure(target, isFolder ? "is not a folder." : "is a folder. Give a file.")
        }
        guard kind == nil || overwrites else {
            throw Self.failure(target, "is there already. Give another name, or --force.")
        }
        let parent = self.target.deletingLastPathComponent()
        let draft = parent.appendingPathComponent(".\(self.target.lastPathComponent).mockserve-\(UUID().uuidString)")
        self.draft = draft
        do {
            try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
            if isFolder {
                try FileManager.default.createDirectory(at: draft, withIntermediateDirectories: false)
            } else {
                file = try Self.create(draft.path)
            }
        } catch {
            throw Self.failure(target, "cannot be written: \(error.localizedDescription)")
        }
    }

    /// A new file. One that is there, or a link, is an error.
    private static func create(_ path: String) throws -> FileHandle {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    /// Where a path leads, also to a place where nothing is yet.
    private static func resolved(_ path: String) -> URL {
        var url = URL(fileURLWithPath: path)
        for _ in 0..<20 {
            guard let link = try? FileManager.default.destinationOfSymbolicLink(atPath: url.path) else { break }
            url = URL(fileURLWithPath: link, relativeTo: url.deletingLastPathComponent()).absoluteURL
        }
        return url.resolvingSymlinksInPath()
    }

    private static func failure(_ target: String, _ reason: String) -> MockServeError {
        MockServeError(.cassetteUnwritable, "\(target) \(reason)")
    }

    /// - Parameter path: within the folder; nil to append to the file.
    func write(_ bytes: [UInt8], to path: String?) throws {
        do {
            guard let path else {
                try file?.write(contentsOf: Data(bytes))
                return
            }
            guard let draft else { return }
            let folder = path.split(separator: "/").dropLast().joined(separator: "/")
            if folders.insert(folder).inserted {
                let place = draft.appendingPathComponent(folder)
                try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
            }
            let file = try Self.create("\(draft.path)/\(path)")
            try file.write(contentsOf: Data(bytes))
            try file.close()
        } catch {
            throw Self.failure(target.path, "cannot be written: \(error.localizedDescription)")
        }
    }

    func publish() throws {
        do {
            let isFolder = file == nil
            try file?.close()
            file = nil
            guard let draft else { return }
            if isFolder, FileManager.default.fileExists(atPath: target.path) { return try merge(draft) }
            try move(draft, to: target)
        } catch let error as MockServeError {
            throw error
        } catch {
            throw Self.failure(target.path, "cannot be written: \(error.localizedDescription)")
        }
    }

    private func move(_ from: URL, to place: URL) throws {
        guard rename(from.path, place.path) == 0 else {
            throw Self.failure(place.path, "cannot be written: \(String(cString: strerror(errno))).")
        }
    }

    /// Moves the files into a folder that is there.
    private func merge(_ draft: URL) throws {
        for name in try FileManager.default.subpathsOfDirectory(atPath: draft.path) {
            let (from, to) = (draft.appendingPathComponent(name), target.appendingPathComponent(name))
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: from.path, isDirectory: &isFolder), !isFolder.boolValue else {
                continue
            }
            try FileManager.default.createDirectory(
                at: to.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try move(from, to: to)
        }
    }

    /// Removes what was not published.
    func discard() {
        try? file?.close()
        if let draft { try? FileManager.default.removeItem(at: draft) }
    }
}
