/// Three versions of a list become one: what either side has added, changed, removed or put in another order.
package struct MergePlan: Sendable, Equatable {
    /// Something of the result, or something that both sides have made different.
    package enum Item: Sendable, Equatable {
        /// Place in our version.
        case ours(Int)
        /// Place in their version.
        case theirs(Int)
        /// Nil for the side that has removed it.
        case conflict(ours: Int?, theirs: Int?)
    }

    /// In the order of the result.
    package private(set) var items: [Item] = []

    private struct Node {
        let item: Item
        let base: Int?
        let ours: Int?
        let theirs: Int?
    }

    /// - Parameter isAlike: whether our version at the first place, and theirs at the second, may be taken for one another
    ///   although their content differs. Ours stays then.
    package init(
        base: [MergeEntry],
        ours: [MergeEntry],
        theirs: [MergeEntry],
        isAlike: (Int, Int) throws -> Bool
    ) rethrows {
        let (toOurs, toTheirs) = (EntryPairs(base, ours), EntryPairs(base, theirs))
        var nodes: [Node] = []
        for place in base.indices {
            let item = try Self.item(
                place,
                toOurs.newOfOld[place],
                toTheirs.newOfOld[place],
                base,
                ours,
                theirs,
                isAlike
            )
            guard let item else { continue }
            nodes.append(Node(item: item, base: place, ours: toOurs.newOfOld[place], theirs: toTheirs.newOfOld[place]))
        }
        // What both have added for the same requests, in order.
        let newOurs = ours.indices.filter { toOurs.oldOfNew[$0] == nil }
        let newTheirs = theirs.indices.filter { toTheirs.oldOfNew[$0] == nil }
        let added = EntryPairs(newOurs.map { ours[$0] }, newTheirs.map { theirs[$0] })
        for (index, place) in newOurs.enumerated() {
            guard let other = added.newOfOld[index].map({ newTheirs[$0] }) else {
                nodes.append(Node(item: .ours(place), base: nil, ours: place, theirs: nil))
                continue
            }
            let isSame = try ours[place].content == theirs[other].content || isAlike(place, other)
            let item: Item = isSame ? .ours(place) : .conflict(ours: place, theirs: other)
            nodes.append(Node(item: item, base: nil, ours: place, theirs: other))
        }
        for (index, place) in newTheirs.enumerated() where added.oldOfNew[index] == nil {
            nodes.append(Node(item: .theirs(place), base: nil, ours: nil, theirs: place))
        }
        items = Self.ordered(nodes).map(\.item)
    }

    /// What becomes of something that was there before; nil if it is gone.
    private static func item(
        _ place: Int,
        _ our: Int?,
        _ their: Int?,
        _ base: [MergeEntry],
        _ ours: [MergeEntry],
        _ theirs: [MergeEntry],
        _ isAlike: (Int, Int) throws -> Bool
    ) rethrows -> Item? {
        let before = base[place].content
        switch (our, their) {
        case (nil, nil): return nil
        case (let our?, nil): return ours[our].content == before ? nil : .conflict(ours: our, theirs: nil)
        case (nil, let their?): return theirs[their].content == before ? nil : .conflict(ours: nil, theirs: their)
        case (let our?, let their?):
            let (mine, other) = (ours[our].content, theirs[their].content)
            if mine == other || other == before { return .ours(our) }
            if mine == before { return .theirs(their) }
            return try isAlike(our, their) ? .ours(our) : .conflict(ours: our, theirs: their)
        }
    }

    // MARK: Order

    /// The order of the side that has changed it; of what only the other side has, each comes after what it comes after
    /// there.
    private static func ordered(_ nodes: [Node]) -> [Node] {
        let common = nodes.filter { $0.base != nil && $0.ours != nil && $0.theirs != nil }.sorted {
            before($0.base, $1.base)
        }
        let isOursMoved = !isAscending(common.map(\.ours))
        let isTheirsMoved = !isAscending(common.map(\.theirs))
        let isTheirsFirst = isTheirsMoved && !isOursMoved
        let first: (Node) -> Int? = isTheirsFirst ? { $0.theirs } : { $0.ours }
        let second: (Node) -> Int? = isTheirsFirst ? { $0.ours } : { $0.theirs }
        let lead = nodes.filter { first($0) != nil }.sorted { before(first($0), first($1)) }
        var placeInLead: [Int: Int] = [:]
        for (place, node) in lead.enumerated() { if let number = second(node) { placeInLead[number] = place } }
        // What only the other side has, by the place in the lead that it comes after; -1 is the front.
        var following: [Int: [Node]] = [:]
        var last = -1
        for node in nodes.filter({ second($0) != nil }).sorted(by: { before(second($0), second($1)) }) {
            if let place = second(node).flatMap({ placeInLead[$0] }) {
                last = place
            } else {
                following[last, default: []].append(node)
            }
        }
        var result: [Node] = []
        var waiting = following[-1] ?? []
        for (place, node) in lead.enumerated() {
            // Ours come first where both have added something at the same place.
            if isTheirsFirst || second(node) != nil {
                result += waiting
                waiting = []
            }
            result.append(node)
            waiting += following[place] ?? []
        }
        return result + waiting
    }

    private static func before(_ left: Int?, _ right: Int?) -> Bool { (left ?? 0) < (right ?? 0) }

    private static func isAscending(_ places: [Int?]) -> Bool {
        zip(places, places.dropFirst()).allSatisfy { before($0, $1) }
    }
}
