import Foundation
import MockServe

/// A miss as its problem details tell it.
struct ToldMiss {
    let method: String
    let target: String
    /// The interaction that is nearest; nil if the cassette was empty.
    let nearest: Int?
    /// In what that differs; none if it is the same request, which playback does not answer.
    let parts: [String]
    /// By which rules it would answer.
    let ignore: [String]
    /// What else there is to do.
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
