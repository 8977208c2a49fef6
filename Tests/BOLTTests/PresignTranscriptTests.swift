import BOLT
import Bitcoin
import Encoding
import Foundation
import GLC
import HTLC
import JSON
import PTLC
import Testing

/// What both ends of a channel with payments of both kinds say to each other from its first offer to its last settlement, byte for byte
/// (docs/VECTORS.md).
@Suite struct PresignTranscriptTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Vectors/glc")

  private static let names: [UInt16: String] = [
    128: "update_add_htlc", 130: "update_fulfill_htlc", 131: "update_fail_htlc", 132: "commitment_signed",
    133: "revoke_and_ack", 45056: "update_add_ptlc", 45057: "update_fulfill_ptlc", 45058: "update_fail_ptlc",
    45064: "commitment_proposed", 45065: "presignatures",
  ]

  private func deliver(_ pair: inout ChannelPair, _ lines: inout [JSONValue]) throws {
    for _ in 0..<60 {
      for index in 0..<2 {
        if let bytes = pair.ends[index].inbox.first {
          let type = UInt16(bytes[0]) << 8 | UInt16(bytes[1])
          lines.append([
            "from": .string(index == 1 ? "opener" : "acceptor"), "message": .string(Self.names[type] ?? "\(type)"),
            "bytes": .string(Hex.encode(bytes)),
          ])
          try pair.deliver(to: index)
        }
        let context = pair.context(index)
        try pair.carryOut(pair.ends[index].channel?.flush(context) ?? [], index)
      }
    }
  }

  private func transcript(_ scheme: PTLCExtension.Scheme) throws -> String {
    var pair = ChannelPair()
    try pair.openComposed(try ChannelPair.taproot([ChannelPair.htlc, ChannelPair.ptlc(scheme)]))
    try pair.confirm()
    var lines: [JSONValue] = []
    try pair.offer(0, PTLCExtension.id, by: 0, 30_000_000)
    try deliver(&pair, &lines)
    try pair.offer(1, PTLCExtension.id, by: 1, 20_000_000)
    try pair.offer(2, HTLCExtension.id, by: 0, 10_000_000)
    try deliver(&pair, &lines)
    try pair.settle(PaymentName(PTLCExtension.id, 0), number: 0, by: 1)
    try pair.refuse(PaymentName(PTLCExtension.id, 0), by: 0)
    try pair.settle(PaymentName(HTLCExtension.id, 0), number: 2, by: 1)
    try deliver(&pair, &lines)
    #expect(pair.ends.allSatisfy { $0.failures.isEmpty && $0.warnings.isEmpty })
    #expect(pair.balances == [MilliSatoshi(560_000_000), MilliSatoshi(440_000_000)])
    return lines.map { "\($0)\n" }.joined()
  }

  @Test(arguments: [("presign-ptlc", PTLCExtension.Scheme.singleSigner), ("presign-ptlc-musig2", .musig2)])
  func aChannelSaysTheSameBytesEachTime(name: String, scheme: PTLCExtension.Scheme) throws {
    let made = try transcript(scheme)
    let file = Self.folder.appendingPathComponent("\(name).jsonl")
    if ProcessInfo.processInfo.environment["GLC_WRITE_VECTORS"] != nil { try Data(made.utf8).write(to: file) }
    #expect(made == String(decoding: try Data(contentsOf: file), as: UTF8.self))
    let messages = made.split(separator: "\n").filter {
      $0.contains("commitment_proposed") || $0.contains("presignatures")
    }
    #expect(messages.count >= 4 && messages.count.isMultiple(of: 2))
  }
}
