// swift-tools-version: 6.2
import PackageDescription

// Every benchmark beside its floor: see docs/PERFORMANCE.md.
let package = Package(
  name: "glc-benchmarks",
  dependencies: [.package(name: "glc", path: "..")],
  targets: [
    .target(
      name: "CFloor", cSettings: [.define("OPENSSL_SUPPRESS_DEPRECATED")],
      linkerSettings: [.linkedLibrary("secp256k1"), .linkedLibrary("crypto"), .linkedLibrary("sodium")]),
    .target(name: "CAllocations"),
    .executableTarget(
      name: "Benchmarks",
      dependencies: [
        "CFloor", "CAllocations",
        .product(name: "Encoding", package: "glc"),
        .product(name: "Hashing", package: "glc"),
        .product(name: "Secp256k1", package: "glc"),
        .product(name: "Bitcoin", package: "glc"),
        .product(name: "Wire", package: "glc"),
        .product(name: "Noise", package: "glc"),
        .product(name: "Sphinx", package: "glc"),
        .product(name: "GLC", package: "glc"),
        .product(name: "HTLC", package: "glc"),
        .product(name: "Signer", package: "glc"),
        .product(name: "BOLT", package: "glc"),
        .product(name: "Base", package: "glc"),
        .product(name: "PTLC", package: "glc"),
        .product(name: "Anchors", package: "glc"),
        .product(name: "Routing", package: "glc"),
        .product(name: "Storage", package: "glc"),
      ],
      swiftSettings: [
        .swiftLanguageMode(.v6),
        .treatAllWarnings(as: .error),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
      ]),
  ]
)
