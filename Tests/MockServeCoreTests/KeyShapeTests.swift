import Foundation
import Testing

@testable import MockServeCore

@Suite struct KeyShapeTests {
    private func keys(_ text: [UInt8], _ finder: ShapeFinder) -> [(Range<Int>, KeyShape)] {
        var found: [(Range<Int>, KeyShape)] = []
        text.withUnsafeBufferPointer { finder.forEachKey(in: $0) { found.append(($0, $1)) } }
        return found
    }

    @Test func theCatalogIsWellFormed() {
        #expect(Set(KeyShape.all.map(\.kind)).count > 300)
        for shape in KeyShape.all {
            #expect(Placeholder.kind(shape.kind) == shape.kind && !shape.source.isEmpty)
            #expect(ShapePattern.parse(shape.pattern) != nil, "\(shape.kind): \(shape.pattern)")
        }
    }

    @Test func everyShapeIsFoundAndNothingThatIsAlmostOne() throws {
        for shape in KeyShape.all where shape.beside == nil {
            let finder = ShapeFinder([shape])
            let samples = try #require(KeyShapeSamples(pattern: shape.pattern, check: shape.check))
            for number in 0..<5 as Range<UInt64> {
                let key = samples.positive(number)
                let found = keys(Array("x \"".utf8) + key + Array("\" y".utf8), finder)
                #expect(
                    found.count == 1 && found.first?.0 == 3..<3 + key.count,
                    "\(shape.kind) \(String(decoding: key, as: UTF8.self))"
                )
                #expect(keys(key, finder).count == 1)
                #expect(shape.check?.matches(key[...]) ?? true)
            }
            for key in samples.negatives() {
                let isKey = keys(Array("x ".utf8) + key + Array(" y".utf8), finder).contains { range, _ in
                    // One with a wrong checksum is replaced, too.
                    shape.check?.matches(key[(range.lowerBound - 2)..<(range.upperBound - 2)]) ?? true
                }
                #expect(!isKey, "\(shape.kind) \(String(decoding: key, as: UTF8.self))")
            }
        }
    }

    @Test func someShapesCountOnlyBesideAWord() throws {
        for shape in KeyShape.all {
            guard let word = shape.beside else { continue }
            let samples = try #require(KeyShapeSamples(pattern: shape.pattern, check: shape.check))
            let key = samples.positive()
            #expect(ShapeFinder.standard.kind(of: key[...], beside: word) != nil, "\(shape.kind)")
            #expect(ShapeFinder.standard.kind(of: Array("hello".utf8)[...], beside: word) == nil)
        }
    }

    @Test(arguments: KeyShapeSamples.published) func keysOfDocumentsAreFound(_ kind: String, _ key: String) {
        let found = keys(Array("<\(key)>".utf8), .standard)
        let words = KeyShape.all.compactMap { $0.kind == kind ? $0.beside : nil }
        let isBeside = words.contains { ShapeFinder.standard.kind(of: Array(key.utf8)[...], beside: $0) == kind }
        #expect(found.contains { $0.1.kind == kind } || isBeside)
    }
}
