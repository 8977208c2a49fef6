// swift-tools-version: 6.2
import PackageDescription

// The libFuzzer executable. What it runs, `FuzzTargets`, belongs to the main package, whose tests replay the corpora.
let package = Package(
  name: "glc-fuzz",
  dependencies: [.package(name: "glc", path: "..")],
  targets: [
    .executableTarget(
      name: "Fuzzer",
      dependencies: [.product(name: "FuzzTargets", package: "glc")],
      swiftSettings: [
        .swiftLanguageMode(.v6),
        .strictMemorySafety(),
        .treatAllWarnings(as: .error),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
      ])
  ]
)
