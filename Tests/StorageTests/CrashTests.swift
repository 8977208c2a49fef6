import Encoding
import Foundation
import Testing

@testable import Storage

/// Processes that die, or lose their disk, in the middle of commits.
@Suite(.serialized) struct CrashTests {
  private static let collections: [CollectionName] = ["first", "second", "last"]
  private static let helperSchema = StoreSchema(collections: collections)

  private static func bigEndian(_ number: Int) -> [UInt8] {
    var writer = ByteWriter()
    writer.write(UInt32(number))
    return writer.bytes
  }

  /// What the helper has stored must hold everything that it had acknowledged, and no half of a batch.
  private func verify(_ folder: String, acknowledged: [Int: Int]) async throws -> Int {
    let store = try SQLiteStore(folder: folder, schema: Self.helperSchema)
    try await store.integrityCheck()
    let first = try await store.records(in: "first")
    let second = try await store.records(in: "second")
    #expect(first.map(\.key) == second.map(\.key))
    for (a, b) in zip(first, second) { #expect(a.value == b.value.reversed(), "\(a.key)") }
    var last: [[UInt8]: [UInt8]] = [:]
    for record in try await store.records(in: "last") { last[record.key] = record.value }
    var counts: [[UInt8]: Int] = [:]
    for record in first { counts[Array(record.key.prefix(4)), default: 0] += 1 }
    for (caller, count) in counts {
      // Numbers from 0 on without a gap, as they were submitted.
      #expect(last[caller] == Self.bigEndian(count - 1))
    }
    for (caller, number) in acknowledged {
      #expect(
        counts[Self.bigEndian(caller), default: 0] > number, "caller \(caller) was told that \(number) is durable")
    }
    try await store.close()
    return first.count
  }

  @Test("kill -9 in the middle of commits loses nothing that was acknowledged and tears nothing")
  func kill() async throws {
    let seed = UInt64(ProcessInfo.processInfo.environment["GLC_SEED"] ?? "") ?? UInt64.random(in: 0..<1 << 32)
    var delays = Linear(state: seed)
    try await withFolder { folder in
      var acknowledged: [Int: Int] = [:]
      var total = 0
      for round in 0..<12 {
        let helper = try Helper(["commit", folder, round.isMultiple(of: 3) ? "1" : "32"])
        #expect(helper.firstLine() == "ready", "seed \(seed)")
        try await Task.sleep(for: .milliseconds(Int64(delays.next() % 120)))
        helper.kill()
        // The last line may be cut off: then nobody was told.
        var lines = String(decoding: try helper.output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
          .split(separator: "\n", omittingEmptySubsequences: false)
        lines.removeLast()
        helper.process.waitUntilExit()
        for line in lines {
          let parts = line.split(separator: " ").compactMap { Int($0) }
          guard parts.count == 2 else {
            Issue.record("unexpected line \(line)")
            continue
          }
          acknowledged[parts[0]] = max(acknowledged[parts[0]] ?? -1, parts[1])
          total += 1
        }
        _ = try await verify(folder, acknowledged: acknowledged)
      }
      #expect(total > 0, "seed \(seed)")
    }
  }

  @Test(
    "an error of the disk stops the store, and what was acknowledged is there afterwards",
    arguments: [300_000, 700_001])
  func diskError(bytes: Int) async throws {
    try await withFolder { folder in
      let lines = try Helper(["limit", folder, "\(bytes)"]).finish()
      let parts = lines.first?.split(separator: " ").map(String.init) ?? []
      #expect(parts.count == 2 && parts[1] == "true", "\(lines)")
      let number = try #require(Int(parts.first ?? ""))
      #expect(number > 10)
      let count = try await verify(folder, acknowledged: [0: number - 1])
      // The one that failed may have been written all the same, or not.
      #expect(number...number + 1 ~= count)
    }
  }

  /// Mounting a small file system takes rights that not every machine gives.
  private static let canMount: Bool = {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
    process.arguments = ["-rm", "sh", "-c", "mount -t tmpfs -o size=1m none /mnt"]
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }()

  @Test(
    "a file system that is really full fails the commit, and later ones work when there is room",
    .enabled(if: CrashTests.canMount, "needs the right to mount a tmpfs (unshare -rm)"))
  func fullFileSystem() async throws {
    let script = #"mount -t tmpfs -o size=4m none /mnt && exec "$0" "$@""#
    let lines = try Helper(["fill", "/mnt/store"], through: ["/usr/bin/unshare", "-rm", "sh", "-c", script]).finish()
    #expect(lines.count == 2, "\(lines)")
    let first = lines.first?.split(separator: " ").map(String.init) ?? []
    let number = try #require(Int(first.first ?? ""))
    #expect(first.last == "true")
    #expect(number > 10)
    #expect(lines.last == "true \(number + 1)")
  }
}

/// Numbers that a seed gives again.
struct Linear {
  var state: UInt64

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state >> 33
  }
}
