// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "notes",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "mockserve", path: "../.."),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.24.0"),
    ],
    targets: [
        .testTarget(
            name: "NotesTests",
            dependencies: [.product(name: "MockServeTesting", package: "mockserve")],
            exclude: ["cassettes"]
        ),
        .testTarget(
            name: "AsyncClientTests",
            dependencies: [
                .product(name: "MockServeTesting", package: "mockserve"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
            ],
            exclude: ["cassettes"]
        ),
    ],
    swiftLanguageModes: [.v6]
)
