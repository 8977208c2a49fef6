// swift-tools-version: 6.2
import PackageDescription

/// Every target of ours is compiled under the same rules.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableExperimentalFeature("Lifetimes"),
  .enableExperimentalFeature("AddressableParameters"),
]

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nio: [Target.Dependency] = [
  .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
]

func extensionTarget(_ name: String, _ more: [Target.Dependency] = []) -> Target {
  .target(
    name: name, dependencies: ["Encoding", "Hashing", "Secp256k1", "Bitcoin", "GLC"] + more,
    path: "Sources/Extensions/\(name)",
    swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let package = Package(
  name: "glc",
  products: [
    .library(name: "Encoding", targets: ["Encoding"]),
    .library(name: "Hashing", targets: ["Hashing"]),
    .library(name: "Secp256k1", targets: ["Secp256k1"]),
    .library(name: "Bitcoin", targets: ["Bitcoin"]),
    .library(name: "GLC", targets: ["GLC"]),
    .library(name: "Base", targets: ["Base"]),
    .library(name: "HTLC", targets: ["HTLC"]),
    .library(name: "PTLC", targets: ["PTLC"]),
    .library(name: "Anchors", targets: ["Anchors"]),
    .library(name: "Signer", targets: ["Signer"]),
    .library(name: "BOLT", targets: ["BOLT"]),
    .library(name: "GLCTesting", targets: ["GLCTesting"]),
    .library(name: "Onchain", targets: ["Onchain"]),
    .library(name: "Negotiation", targets: ["Negotiation"]),
    .library(name: "Noise", targets: ["Noise"]),
    .library(name: "Sphinx", targets: ["Sphinx"]),
    .library(name: "Wire", targets: ["Wire"]),
    .library(name: "Payments", targets: ["Payments"]),
    .library(name: "Routing", targets: ["Routing"]),
    .library(name: "Chain", targets: ["Chain"]),
    .library(name: "Storage", targets: ["Storage"]),
    .library(name: "Node", targets: ["Node"]),
    .library(name: "GLCTool", targets: ["GLCTool"]),
    .executable(name: "glcnode", targets: ["glcnode"]),
    // For the package in Fuzz/ alone.
    .library(name: "FuzzTargets", targets: ["FuzzTargets"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log.git", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-nio.git", from: "2.80.0"),
    .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
  ],
  targets: [
    // Layer 0: system libraries, and what Swift cannot call.
    .systemLibrary(name: "CSecp256k1", pkgConfig: "libsecp256k1", providers: [.apt(["libsecp256k1-dev"])]),
    .systemLibrary(name: "CGMP", providers: [.apt(["libgmp-dev"])]),
    .systemLibrary(name: "CZeroMQ", providers: [.apt(["libzmq3-dev"])]),
    .target(
      name: "CGLC",
      cSettings: [.define("OPENSSL_SUPPRESS_DEPRECATED")],
      linkerSettings: [.linkedLibrary("crypto"), .linkedLibrary("sodium")]),

    // Layer 1: bytes, hashes, curve.
    library("Encoding"),
    library("Hashing", ["CGLC", "Encoding"]),
    library("Secp256k1", ["CSecp256k1", "CGMP", "CGLC", "Encoding", "Hashing"]),

    // Layer 2: Bitcoin.
    library("Bitcoin", ["Encoding", "Hashing", "Secp256k1"]),

    // Layer 3: Lightning's messages, transport and onions, without I/O.
    library("Wire", ["Encoding", "Hashing", "Secp256k1", "Bitcoin"]),
    library("Noise", ["Encoding", "Hashing", "Secp256k1"]),
    library("Sphinx", ["Encoding", "Hashing", "Secp256k1", "Bitcoin"]),

    // Layer 3: the core. No contract by name.
    library("GLC", ["Encoding", "Hashing", "Secp256k1", "Bitcoin"]),

    // Layer 4: what channels are composed of.
    extensionTarget("Base"),
    extensionTarget("HTLC", ["Wire"]),
    extensionTarget("PTLC"),
    extensionTarget("Anchors"),
    library("Signer", ["Encoding", "Hashing", "Secp256k1", "Bitcoin", "GLC"]),
    library("Onchain", ["Encoding", "Hashing", "Secp256k1", "Bitcoin", "GLC"]),
    library("Negotiation", ["Encoding", "Hashing", "Secp256k1", "Bitcoin", "GLC"]),

    // Layer 7: what a node is made of. None of these knows another.
    library(
      "BOLT",
      [
        "Encoding", "Hashing", "Secp256k1", "Bitcoin", "Wire", "GLC", "Base", "HTLC", "PTLC", "Anchors", "Signer",
        "Onchain",
      ]),
    library("Payments", ["Encoding", "Hashing", "Secp256k1", "Bitcoin", "Wire", "Sphinx", "GLC"]),
    library("Routing", ["Encoding", "Hashing", "Secp256k1", "Bitcoin", "Wire"]),
    library("Wallet", ["Encoding", "Hashing", "Secp256k1", "Bitcoin", "GLC", "Onchain"]),
    library(
      "Storage",
      ["Encoding", .product(name: "GRDB", package: "GRDB.swift"), .product(name: "GRDBSQLite", package: "GRDB.swift")]),
    library(
      "Chain",
      ["CZeroMQ", "Encoding", "Hashing", "Bitcoin", "JSON", logging, .product(name: "NIOHTTP1", package: "swift-nio")]
        + nio),
    library("Peers", ["Encoding", "Hashing", "Secp256k1", "Bitcoin", "Wire", "Noise", logging] + nio),
    library("RPC", ["Encoding", "Secp256k1", "Bitcoin", "JSON", logging] + nio),
    library("Configuration", ["Encoding", "Secp256k1", "Bitcoin"]),

    // Layer 8: the node.
    library(
      "Node",
      [
        "Encoding", "Hashing", "Secp256k1", "Bitcoin", "JSON", "Wire", "Noise", "Sphinx", "GLC", "Base", "HTLC",
        "PTLC",
        "Anchors", "Signer", "Onchain", "Negotiation", "BOLT", "Payments", "Routing", "Wallet", "Storage", "Chain",
        "Peers", "RPC",
        "Configuration", logging,
      ] + nio),

    // For extension authors: law checker and simulator.
    library(
      "GLCTesting",
      ["Encoding", "Hashing", "Secp256k1", "Bitcoin", "GLC", "Signer", "Onchain", "Base", "HTLC", "PTLC", "Anchors"]),

    // Layer 7: the command.
    library("JSON"),
    library(
      "GLCTool",
      [
        "Encoding", "Hashing", "Secp256k1", "Bitcoin", "Wire", "Noise", "Sphinx", "GLC", "Base", "HTLC", "PTLC",
        "Anchors", "Signer", "BOLT", "Payments", "JSON",
      ]),
    .executableTarget(
      name: "glcnode",
      dependencies: [
        "Node", "Configuration", "RPC", "Chain", "Storage", "Wallet", "Payments", "BOLT", "Wire", "GLCTool", "JSON",
        "GLC",
        "Signer", "Bitcoin", "Secp256k1", "Hashing", "Encoding", logging,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),

    // Tests. `VectorSupport` finds the vector folder and reads its formats.
    .target(
      name: "VectorSupport", dependencies: ["Bitcoin", "Encoding", "JSON"], path: "Tests/VectorSupport",
      swiftSettings: strict),
    // A real bitcoind, for tests.
    .target(
      name: "BitcoindSupport", dependencies: ["Chain", "Bitcoin", "Hashing", "Encoding", "JSON"],
      path: "Tests/BitcoindSupport", swiftSettings: strict),
    tests("EncodingTests", ["Encoding", "JSON", "VectorSupport"]),
    tests("HashingTests", ["Hashing", "Encoding", "JSON", "VectorSupport"]),
    tests("Secp256k1Tests", ["Secp256k1", "Hashing", "Encoding", "JSON", "VectorSupport"]),
    tests("BitcoinTests", ["Bitcoin", "Secp256k1", "Hashing", "Encoding", "JSON", "VectorSupport"]),
    tests(
      "ExtensionTests",
      [
        "GLC", "Base", "HTLC", "PTLC", "Anchors", "Signer", "GLCTesting", "Bitcoin", "Secp256k1", "Hashing", "Encoding",
        "JSON", "VectorSupport", "Chain", "BitcoindSupport",
      ]),
    tests(
      "OnchainTests",
      [
        "Onchain", "GLC", "Base", "HTLC", "PTLC", "Anchors", "Signer", "GLCTesting", "Bitcoin", "Secp256k1", "Hashing",
        "Encoding",
      ]),
    tests(
      "NegotiationTests",
      [
        "Negotiation", "GLC", "BOLT", "Base", "HTLC", "PTLC", "Anchors", "Signer", "GLCTesting", "Chain",
        "BitcoindSupport", "Bitcoin", "Secp256k1", "Hashing", "Encoding", "JSON",
      ]),
    tests("NoiseTests", ["Noise", "Secp256k1", "Hashing", "Encoding", "VectorSupport"]),
    tests("SphinxTests", ["Sphinx", "Bitcoin", "Secp256k1", "Hashing", "Encoding", "JSON", "VectorSupport"]),
    tests("WireTests", ["Wire", "Bitcoin", "Secp256k1", "Hashing", "Encoding", "JSON", "VectorSupport"]),
    tests(
      "PaymentsTests",
      ["Payments", "GLC", "Wire", "Sphinx", "Bitcoin", "Secp256k1", "Hashing", "Encoding", "JSON", "VectorSupport"]),
    tests(
      "ChainTests",
      ["Chain", "CZeroMQ", "BitcoindSupport", "Bitcoin", "Secp256k1", "Hashing", "Encoding", "JSON"] + nio),
    // The process that the tests of storage kill.
    .executableTarget(
      name: "storagehelper", dependencies: ["Storage", "Encoding"], path: "Tests/StorageHelper", swiftSettings: strict),
    tests("StorageTests", ["Storage", "Encoding", "storagehelper"]),
    tests("WalletTests", ["Wallet", "Onchain", "GLC", "Bitcoin", "Secp256k1", "Hashing", "Encoding"]),
    tests("RoutingTests", ["Routing", "Wire", "Bitcoin", "Secp256k1", "Hashing", "Encoding", "VectorSupport"]),
    tests("PeersTests", ["Peers", "Noise", "Wire", "Bitcoin", "Secp256k1", "Hashing", "Encoding", logging] + nio),
    tests("RPCTests", ["RPC", "JSON", "Encoding", logging] + nio),
    tests("ConfigurationTests", ["Configuration", "Bitcoin", "Encoding", "Secp256k1"]),
    tests(
      "NodeTests",
      [
        "Node", "Negotiation", "Chain", "Storage", "Peers", "RPC", "Configuration", "Payments", "Routing", "Wallet",
        "BOLT", "GLC", "Base", "HTLC", "PTLC", "Anchors", "Wire", "Sphinx", "Bitcoin", "Secp256k1", "Hashing",
        "Encoding", "JSON", "Signer", "BitcoindSupport", logging,
      ] + nio),
    tests("CommandTests", ["Node", "RPC", "JSON", "BitcoindSupport", "Chain", logging] + nio),
    tests("GLCTests", ["GLC", "Encoding"]),
    tests(
      "BOLTTests",
      [
        "BOLT", "Signer", "Base", "HTLC", "PTLC", "Anchors", "Onchain", "Wire", "GLC", "Bitcoin", "Secp256k1",
        "Hashing", "Encoding", "JSON",
      ]),
    tests("GLCToolTests", ["GLCTool", "Bitcoin", "Hashing", "Encoding", "JSON", "VectorSupport"]),

    // What is fuzzed, and the replay of what fuzzing found.
    .target(
      name: "FuzzTargets",
      dependencies: [
        "Encoding", "Hashing", "Secp256k1", "Bitcoin", "Wire", "Noise", "Sphinx", "Payments", "GLC", "BOLT",
        "Negotiation", "Signer", "GLCTesting", "JSON", "GLCTool",
      ],
      path: "Fuzz/Sources/FuzzTargets", swiftSettings: strict),
    tests("FuzzCorpusTests", ["FuzzTargets", "Encoding"]),
  ]
)
