// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "mockserve",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "MockServe", targets: ["MockServe"]),
        .library(name: "MockServeTesting", targets: ["MockServeTesting"]),
        .executable(name: "mockserve", targets: ["MockServeCLI"]),
    ],
    traits: [
        .trait(name: "CommandLine", description: "The command mockserve, and what only it needs."),
        .default(enabledTraits: ["CommandLine"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", "3.12.3"..<"5.0.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        .systemLibrary(
            name: "CZlib",
            pkgConfig: "zlib",
            providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]
        ),
        .systemLibrary(
            name: "CBrotli",
            pkgConfig: "libbrotlidec",
            providers: [.apt(["libbrotli-dev"]), .brew(["brotli"])]
        ),
        .systemLibrary(
            name: "CZstd",
            pkgConfig: "libzstd",
            providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]
        ),
        .systemLibrary(
            name: "CRE2",
            pkgConfig: "re2",
            providers: [.apt(["libre2-dev"]), .brew(["re2"])]
        ),
        .target(name: "CRegex", dependencies: ["CRE2"]),
        .target(name: "CByteScan"),
        .target(name: "CSQLiteGuard", linkerSettings: [.linkedLibrary("sqlite3")]),
        .target(
            name: "CassetteSchema",
            path: "Schema",
            exclude: ["README.md"],
            resources: [
                .embedInCode("v0001_initial.sql"), .embedInCode("v0002_stubs_and_messages.sql"),
                .embedInCode("v0003_faults.sql"), .embedInCode("v0004_conflicts.sql"),
                .embedInCode("v0005_stub_behavior.sql"),
            ]
        ),
        .target(name: "HTTPMessages"),
        .target(
            name: "HTTPWire",
            dependencies: ["HTTPMessages", .product(name: "NIOCore", package: "swift-nio")]
        ),
        .target(
            name: "ContentCoding",
            dependencies: ["CZlib", "CBrotli", "CZstd"]
        ),
        .target(
            name: "MockServeCore",
            dependencies: [
                "CByteScan",
                "CRegex",
                "HTTPMessages",
                "ContentCoding",
                .product(name: "Crypto", package: "swift-crypto"),
            ]
        ),
        .target(
            name: "CassetteStore",
            dependencies: [
                "HTTPMessages",
                "MockServeCore",
                "CassetteSchema",
                "CSQLiteGuard",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
                .product(name: "Crypto", package: "swift-crypto"),
            ]
        ),
        .target(
            name: "CassetteFormats",
            dependencies: [
                "HTTPMessages",
                "MockServeCore",
                "ContentCoding",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Yams", package: "Yams"),
            ],
            exclude: ["README.md"]
        ),
        .target(
            name: "ServerCertificates",
            dependencies: [
                .product(name: "X509", package: "swift-certificates"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOCore", package: "swift-nio"),
            ]
        ),
        .target(
            name: "MockServe",
            dependencies: [
                "CassetteStore",
                "CassetteFormats",
                "ServerCertificates",
                "MockServeCore",
                "HTTPMessages",
                "HTTPWire",
                "ContentCoding",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOHPACK", package: "swift-nio-http2"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "DequeModule", package: "swift-collections"),
            ]
        ),
        .target(
            name: "MockServeTesting",
            dependencies: ["MockServe", "MockServeCore", .product(name: "Crypto", package: "swift-crypto")]
        ),
        .executableTarget(
            name: "MockServeCLI",
            dependencies: [
                "MockServe",
                "CassetteFormats",
                "CassetteStore",
                "ServerCertificates",
                "MockServeCore",
                "HTTPMessages",
                "HTTPWire",
                "ContentCoding",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(
                    name: "ArgumentParser",
                    package: "swift-argument-parser",
                    condition: .when(traits: ["CommandLine"])
                ),
                .product(
                    name: "UnixSignals",
                    package: "swift-service-lifecycle",
                    condition: .when(traits: ["CommandLine"])
                ),
                .product(name: "Subprocess", package: "swift-subprocess", condition: .when(traits: ["CommandLine"])),
                .product(
                    name: "SystemPackage",
                    package: "swift-system",
                    condition: .when(platforms: [.linux], traits: ["CommandLine"])
                ),
            ]
        ),
        .executableTarget(
            name: "mockserve-bench",
            dependencies: [
                "MockServe",
                "CassetteStore",
                "MockServeCore",
                "HTTPMessages",
                "HTTPWire",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(
                    name: "ArgumentParser",
                    package: "swift-argument-parser",
                    condition: .when(traits: ["CommandLine"])
                ),
            ],
            path: "Benchmarks/MockServeBench"
        ),
        .testTarget(
            name: "HTTPWireTests",
            dependencies: ["HTTPMessages", "HTTPWire", .product(name: "NIOCore", package: "swift-nio")]
        ),
        .testTarget(
            name: "MockServeCoreTests",
            dependencies: ["MockServeCore", "HTTPMessages", "ContentCoding"]
        ),
        .testTarget(
            name: "CassetteStoreTests",
            dependencies: [
                "CassetteStore",
                "MockServeCore",
                "HTTPMessages",
                "ContentCoding",
                "CassetteSchema",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            exclude: ["Versions"]
        ),
        .testTarget(
            name: "CassetteFormatsTests",
            dependencies: ["CassetteFormats", "MockServeCore", "HTTPMessages", "ContentCoding"],
            exclude: ["Fixtures"]
        ),
        .testTarget(name: "ServerCertificatesTests", dependencies: ["ServerCertificates"]),
        .testTarget(
            name: "MockServeTests",
            dependencies: [
                "MockServe",
                "CassetteFormats",
                "CassetteStore",
                "MockServeCore",
                "HTTPMessages",
                "HTTPWire",
                "ContentCoding",
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]
        ),
        .testTarget(
            name: "MockServeTestingTests",
            dependencies: [
                "MockServeTesting",
                "MockServe",
                "MockServeCore",
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ]
        ),
        // The examples of Examples/swift that need no other package; all of them are what `make test-package` builds.
        .testTarget(
            name: "SwiftExampleTests",
            dependencies: ["MockServe", "MockServeTesting"],
            path: "Examples/swift/Tests/NotesTests",
            exclude: ["cassettes"]
        ),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "MockServeCLI",
                .product(name: "Subprocess", package: "swift-subprocess", condition: .when(traits: ["CommandLine"])),
                .product(
                    name: "SystemPackage",
                    package: "swift-system",
                    condition: .when(platforms: [.linux], traits: ["CommandLine"])
                ),
            ],
            exclude: ["Scripts", "requirements.txt"]
        ),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)

// The fuzz targets link against libFuzzer's main, so they are libraries that Fuzz/run.sh links (see CONTRIBUTING.md).
if Context.environment["MOCKSERVE_FUZZ"] != nil {
    for name in ["Requests", "Responses", "Keys", "Redaction", "Literals", "Names", "Cassettes", "Formats", "Messages"]
    {
        package.targets.append(
            .target(
                name: "Fuzz\(name)",
                dependencies: [
                    "HTTPMessages", "HTTPWire", "MockServeCore", .product(name: "NIOCore", package: "swift-nio"),
                ] + (name == "Cassettes" ? ["CassetteStore", "MockServe"] : [])
                    + (name == "Formats" ? ["CassetteFormats"] : []),
                path: "Fuzz/\(name)"
            )
        )
        package.products.append(.library(name: "Fuzz\(name)", type: .static, targets: ["Fuzz\(name)"]))
    }
}

for target in package.targets where target.type != .system {
    target.swiftSettings =
        (target.swiftSettings ?? []) + [
            .enableUpcomingFeature("ExistentialAny"),
            .enableUpcomingFeature("InternalImportsByDefault"),
            .enableUpcomingFeature("MemberImportVisibility"),
            .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
            .enableUpcomingFeature("InferIsolatedConformances"),
        ]
}
