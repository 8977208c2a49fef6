import Encoding
import Foundation
import FuzzTargets
import Testing

/// Replays what fuzzing left behind: every input that once led somewhere new, or that once broke a law.
@Suite struct CorpusTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Fuzz/Corpus")

  private static func corpus(of target: FuzzTarget) throws -> [(name: String, bytes: [UInt8])] {
    let directory = folder.appendingPathComponent(target.name)
    return try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted().map { name in
      (name, Array(try Data(contentsOf: directory.appendingPathComponent(name))))
    }
  }

  @Test("every law holds for every input of the corpus and every seed", arguments: FuzzTarget.all.map(\.name))
  func corpus(name: String) throws {
    let target = try #require(FuzzTarget.all.first { $0.name == name })
    let corpus = try Self.corpus(of: target)
    #expect(!corpus.isEmpty, "Fuzz/Corpus/\(name) is empty: run scripts/fuzz minimise \(name)")
    var outcomes: Set<FuzzTarget.Outcome> = []
    for (file, bytes) in corpus + target.seeds().enumerated().map({ ("seed \($0)", $1) }) {
      do {
        outcomes.insert(try target.run(bytes.bytes))
      } catch {
        Issue.record("\(name)/\(file): \(error)\n\(hex(bytes))")
      }
    }
    #expect(outcomes.count == 2, "the corpus of \(name) has inputs of one kind alone: \(outcomes)")
  }

  /// A little fuzzing in each test run: every input cut off anywhere, and damaged in a few places. The seed is printed;
  /// `FUZZ_SEED` takes one.
  @Test("every law holds for damaged inputs", arguments: FuzzTarget.all.map(\.name))
  func damaged(name: String) throws {
    let target = try #require(FuzzTarget.all.first { $0.name == name })
    let seed = ProcessInfo.processInfo.environment["FUZZ_SEED"].flatMap { UInt64($0) } ?? .random(in: 0...UInt64.max)
    var generator = SplitMix64(state: seed)
    for (file, bytes) in try Self.corpus(of: target) where bytes.count <= 600 {
      var inputs = stride(from: 0, to: bytes.count, by: max(1, bytes.count / 16)).map { Array(bytes[..<$0]) }
      for _ in 0..<16 where !bytes.isEmpty {
        var damaged = bytes
        for _ in 0...generator.next(below: 3) {
          damaged[generator.next(below: damaged.count)] = UInt8(truncatingIfNeeded: generator.next())
        }
        inputs.append(damaged)
      }
      for input in inputs {
        do {
          _ = try target.run(input.bytes)
        } catch {
          Issue.record("\(name), damaged \(file), FUZZ_SEED=\(seed): \(error)\n\(hex(input))")
        }
      }
    }
  }

  @Test("every folder of Fuzz/Corpus belongs to a target") func folders() throws {
    let folders = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
    #expect(Set(folders) == Set(FuzzTarget.all.map(\.name)))
  }

  @Test("a body that finds a broken law says so") func violation() {
    let target = FuzzTarget.brokenOnPurpose
    #expect(throws: Violation.self) { try target.run([1].bytes) }
  }

  private func hex(_ bytes: [UInt8]) -> String { Hex.encode(bytes) }
}

/// A small generator with a 64-bit seed (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").
private struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }

  mutating func next(below bound: Int) -> Int { Int(next() % UInt64(max(bound, 1))) }
}
