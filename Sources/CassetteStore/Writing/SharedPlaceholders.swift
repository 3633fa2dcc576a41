import Foundation
import MockServeCore
import Synchronization

extension PlaceholderBook {
    private struct Weak {
        weak var book: PlaceholderBook?
    }

    private static let books = Mutex<[String: Weak]>([:])

    /// The book shared by all runs of this process that write into the same cassette, so that equal values get equal
    /// numbers.
    static func shared(for path: String) -> PlaceholderBook {
        let name = CassetteFile.canonicalPath(path)
        return books.withLock { books in
            books = books.filter { $0.value.book != nil }
            if let book = books[name]?.book { return book }
            let book = PlaceholderBook()
            books[name] = Weak(book: book)
            return book
        }
    }
}
