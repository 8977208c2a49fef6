import Bitcoin
import Encoding
import Foundation
import GLC
import JSON
import Negotiation
import Testing

/// What two nodes say to each other, byte for byte: for whoever makes another implementation. The keys are those of `Negotiator`, so that
/// each line can be made again.
@Suite struct TranscriptTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Vectors/glc")

  private func lines(_ text: String, _ contributions: [UInt64]) throws -> String {
    var world = try OpeningWorld(text, contributions: contributions)
    try world.run()
    try world.expectOpened()
    var lines = world.transcript.map { entry -> JSONValue in
      [
        "from": .string(entry.from == 0 ? "opener" : "acceptor"), "message": .string(entry.message.name),
        "bytes": .string(Hex.encode(entry.message.encoded)),
      ]
    }
    let opened = try #require(world.nodes[0].opened)
    lines.append([
      "funding": .string(Hex.encode(opened.funding.encoded(withWitness: true))),
      "txid": .string("\(opened.funding.txid)"), "output": .unsigned(UInt64(opened.outPoint.vout)),
      "commitments": .array(
        [world.nodes[0], world.nodes[1]].map { node in
          let commitment = try? node.opened?.channel.localCommitments(node.signer).first
          return .string(commitment.map { Hex.encode($0.transaction.encoded(withWitness: false)) } ?? "")
        }),
    ])
    return lines.map { "\($0)\n" }.joined()
  }

  @Test(arguments: [
    ("negotiation-anchors", "htlc + anchors", [600_000, 0] as [UInt64]),
    ("negotiation-ptlc-musig2", "musig2 + htlc + ptlc(musig2) + anchors", [600_000, 800_000]),
    ("negotiation-musig2-ptlc", "musig2 + htlc + ptlc + anchors", [600_000, 800_000]),
  ])
  func aNegotiationIsTheSameBytesEachTime(name: String, text: String, contributions: [UInt64]) throws {
    let made = try lines(text, contributions)
    let file = Self.folder.appendingPathComponent("\(name).jsonl")
    if ProcessInfo.processInfo.environment["GLC_WRITE_VECTORS"] != nil {
      try FileManager.default.createDirectory(at: Self.folder, withIntermediateDirectories: true)
      try Data(made.utf8).write(to: file)
    }
    #expect(made == String(decoding: try Data(contentsOf: file), as: UTF8.self))
  }
}
