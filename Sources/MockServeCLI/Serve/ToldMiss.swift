import Foundation
import MockServe

/// A miss, read from its problem details.
struct ToldMiss {
    let method: String
    let target: String
    /// The nearest interaction; nil if the cassette was empty.
    let nearest: Int?
    /// The parts in which that differs; empty if it is the same request, withheld by the playback.
    let parts: [String]
    /// The parts to ignore so that it would answer.
    let ignore: [String]
    /// What else to do.
    let fix: String

    init(_ problem: [String: Any]) {
        method = problem["method"] as? String ?? ""
        target = problem["target"] as? String ?? ""
        let first = (problem["nearest"] as? [[String: Any]])?.first
        nearest = first?["interaction"] as? Int
        parts = (first?["differences"] as? [[String: Any]] ?? []).compactMap { $0["part"] as? String }
        ignore = problem["ignore"] as? [String] ?? []
        fix = problem["fix"] as? String ?? ""
    }

    init(_ miss: Miss) {
        self.init((try? JSONSerialization.jsonObject(with: Data(miss.json.utf8))) as? [String: Any] ?? [:])
    }
}
