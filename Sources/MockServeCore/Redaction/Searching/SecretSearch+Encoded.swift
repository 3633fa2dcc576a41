extension SecretSearch {
    /// Segments of a path that look random, after one that is called as a secret is: `/reset-password/…`, `/token/…`.
    func segments(_ text: UnsafeBufferPointer<UInt8>, _ source: Source, _ found: inout [Finding]) {
        let path = text.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        guard path.count > 24 else { return }
        var before = 0..<0
        for segment in path.split(separator: UInt8(ascii: "/")) {
            let range = segment.startIndex..<segment.endIndex
            defer { before = range }
            guard range.count >= 16, !before.isEmpty, SecretName.looksRandom(segment),
                let name = SecretName.read(text[before]), name.isTelling
            else { continue }
            take(PairScanner.Found(range: range, name: name), text, nil, &found)
        }
    }

    /// What holds secrets in base64 is replaced as a whole.
    func encoded(
        _ text: UnsafeBufferPointer<UInt8>,
        _ view: TextView?,
        _ source: Source,
        _ learned: LearnedSecrets.Snapshot?,
        _ found: inout [Finding],
        _ spared: inout Set<String>
    ) {
        Base64Runs.forEach(in: text, isContinued: source.isContinued) { range, bytes in
            let inner = Source(isRequest: source.isRequest)
            var within: [Finding] = []
            bytes.withUnsafeBufferPointer { bytes in
                search(bytes, nil, inner, learned, &within, &spared)
                for view in Self.views(of: bytes, nil) {
                    view.bytes.withUnsafeBufferPointer { search($0, view, inner, learned, &within, &spared) }
                }
            }
            let secrets = within.filter { $0.how != .placeholder }
            guard let first = secrets.first else { return }
            var finding = Finding(
                range: view?.origin(range) ?? range,
                kind: first.kind,
                value: Array(text[range]),
                form: .base64,
                how: first.how
            )
            finding.within = secrets.filter { $0.how == .name || $0.how == .shape }
            finding.isOpen = source.isOpen && range.upperBound == text.count
            found.append(finding)
        }
    }
}
