import Testing

/// What a test is called in the source: the names of its cassette are made from it, never from its display name.
struct TestName: Sendable, Hashable {
    /// The path of the source file.
    let file: String
    /// The types it is in, from the outermost.
    let suites: [String]
    /// `user()`, `user(_:)`; nil for a suite.
    let function: String?
    /// One for each argument of a test case.
    var arguments: [TestArgument] = []

    /// `GitHubTests.user()`, with arguments if there are some: for people.
    var title: String {
        let name = (suites + (function.map { [$0] } ?? [])).joined(separator: ".")
        return arguments.isEmpty ? name : "\(name) [\(arguments.map(\.text).joined(separator: ", "))]"
    }

    /// Whether it is a case of a test with arguments that are not known.
    var lacksArguments = false

    /// How to record what a test needs, for people.
    var recordCommand: String {
        let parts = suites + (function.map { [String($0.prefix { $0 != "(" })] } ?? [])
        let filter = parts.joined(separator: "/").replacing("`", with: "")
        return "MOCKSERVE_MODE=missing swift test --filter '\(filter.replacing("'", with: "."))'"
    }
}

extension TestName {
    init(_ test: Test, _ testCase: Test.Case?) {
        let place = test.sourceLocation
        self.init(
            file: place.path,
            suites: Self.suites(test),
            function: test.isSuite ? nil : test.name,
            arguments: testCase.map(TestArgument.all) ?? []
        )
        lacksArguments = testCase != nil && test.isParameterized && arguments.isEmpty
    }

    /// From the identifier: `Module.Outer/Inner/two(_:b:)/File.swift:17:10` for a function, `Module.Outer/Inner` for a
    /// suite.
    private static func suites(_ test: Test) -> [String] {
        let place = test.sourceLocation
        var text = String(describing: test.id)[...]
        if text.hasPrefix("\(place.moduleName).") { text = text.dropFirst(place.moduleName.count + 1) }
        if !test.isSuite {
            let end = "\(test.name)/\(place.fileName):\(place.line):\(place.column)"
            if text.hasSuffix(end) { text = text.dropLast(end.count) }
        }
        return text.split(separator: "/").map(String.init)
    }
}

extension SourceLocation {
    /// The path of the file, as the compiler was told.
    var path: String {
        #if compiler(>=6.3)
            filePath
        #else
            _filePath
        #endif
    }
}
