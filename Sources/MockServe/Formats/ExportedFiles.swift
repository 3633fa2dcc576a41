import Foundation

/// A file or a folder that is being written under another name.
final class ExportedFiles {
    private let target: URL
    private let draft: URL
    private let isFolder: Bool
    private let overwrites: Bool
    private var file: FileHandle?

    /// - Throws: `MockServeError` if it is there already, or cannot be made.
    init(_ target: String, isFolder: Bool, overwrites: Bool) throws {
        self.target = URL(fileURLWithPath: target).standardizedFileURL
        (self.isFolder, self.overwrites) = (isFolder, overwrites)
        let name = ".\(self.target.lastPathComponent).mockserve-\(ProcessInfo.processInfo.processIdentifier)"
        draft = self.target.deletingLastPathComponent().appendingPathComponent(name)
        let exists = FileManager.default.fileExists(atPath: self.target.path)
        guard !exists || overwrites else {
            throw Self.failure(target, "is there already. Give another name, or --force.")
        }
        do {
            try FileManager.default.createDirectory(
                at: draft.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            if isFolder {
                try FileManager.default.createDirectory(at: draft, withIntermediateDirectories: true)
            } else {
                try Data().write(to: draft)
                file = try FileHandle(forWritingTo: draft)
            }
        } catch {
            throw Self.failure(target, "cannot be written: \(error.localizedDescription)")
        }
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
            let place = draft.appendingPathComponent(path)
            try FileManager.default.createDirectory(
                at: place.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(bytes).write(to: place)
        } catch {
            throw Self.failure(target.path, "cannot be written: \(error.localizedDescription)")
        }
    }

    func publish() throws {
        do {
            try file?.close()
            file = nil
            guard isFolder, FileManager.default.fileExists(atPath: target.path) else {
                guard rename(draft.path, target.path) == 0 else {
                    throw Self.failure(target.path, "cannot be written: \(String(cString: strerror(errno))).")
                }
                return
            }
            try merge()
        } catch let error as MockServeError {
            throw error
        } catch {
            throw Self.failure(target.path, "cannot be written: \(error.localizedDescription)")
        }
    }

    /// Moves the files into a folder that is there.
    private func merge() throws {
        for name in FileManager.default.enumerator(atPath: draft.path).map({ $0.compactMap { $0 as? String } }) ?? [] {
            let (from, to) = (draft.appendingPathComponent(name), target.appendingPathComponent(name))
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: from.path, isDirectory: &isFolder), !isFolder.boolValue else {
                continue
            }
            try FileManager.default.createDirectory(
                at: to.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            guard rename(from.path, to.path) == 0 else {
                throw Self.failure(to.path, "cannot be written: \(String(cString: strerror(errno))).")
            }
        }
    }

    /// Removes what was not published.
    func discard() {
        try? file?.close()
        try? FileManager.default.removeItem(at: draft)
    }
}
