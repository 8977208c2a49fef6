import Bitcoin
import Encoding
import GLC
import HTLC
import Testing

/// Updates that are stored beside their channel.
@Suite struct StoredLogTests {
  private func ends() throws -> TwoEnds {
    var ends = try TwoEnds(BOLT3Stack.anchors.stack)
    try ends.update(.add(0, 10_000_000), by: 0)
    try ends.update(.add(1, 20_000_000, preimage: 2), by: 0)
    return ends
  }

  /// The stored form of every update in the log, by serial number.
  private func updates(_ channel: Channel) -> [UInt64: [UInt8]] {
    channel.log.entries.reduce(into: [:]) { found, entry in
      if case .extension(_, let update) = entry.content { found[entry.serial] = update.encoded }
    }
  }

  @Test func aChannelIsReadBackWithUpdatesThatWereKeptApart() throws {
    let channel = try ends().channels[0]
    let registry = ExtensionRegistry(channel.stack)
    let all = updates(channel)
    #expect(all.count == 2)
    for kept in [[], [0], [1], [0, 1]] as [Set<UInt64>] {
      let stored = channel.encoded { serial, update in
        #expect(update.encoded == all[serial])
        return kept.contains(serial)
      }
      #expect(channel.encoded.count - stored.count > kept.count * HTLCUpdate.onionByteCount - 1)
      let apart = all.filter { kept.contains($0.key) }
      let read = try Channel(decoding: stored.bytes, registry: registry, apart: apart)
      #expect(read.encoded == channel.encoded)
      for missing in kept {
        let rest = all.filter { $0.key != missing }
        #expect(throws: StoredStateError.malformed(.malformed("an update that is not there"))) {
          _ = try Channel(decoding: stored.bytes, registry: registry, apart: rest)
        }
      }
    }
  }

  @Test func noTwoUpdatesOfAChannelHaveTheSameSerialNumber() throws {
    var ends = try ends()
    var seen = Set(ends.channels[1].log.entries.map(\.serial))
    try ends.commit()
    #expect(ends.channels.allSatisfy { $0.log.entries.isEmpty })
    let registry = ExtensionRegistry(ends.channels[1].stack)
    let stored = ends.channels[1].encoded
    ends.channels[1] = try Channel(decoding: stored.bytes, registry: registry)
    #expect(ends.channels[1].encoded == stored)
    ends.channels[0].disconnect()
    let greetings = try [0, 1].map { try ends.channels[$0].reestablish(ends.signers[$0]) }
    for index in 0..<2 {
      _ = try ends.channels[index].receive(.reestablish(greetings[1 - index]), ends.signers[index])
    }
    try ends.update(.fulfill(0), by: 1)
    try ends.update(.fulfill(1, preimage: 2), by: 1)
    for entry in ends.channels[1].log.entries { #expect(seen.insert(entry.serial).inserted) }
    #expect(seen.count == 4)
  }

  /// Version 2 had no serial numbers, version 3 one stack for all commitments.
  @Test(arguments: [StoredChannels.version2, StoredChannels.version3])
  func aChannelOfAVersionBeforeIsReadBack(parts: [String]) throws {
    let onion = String(repeating: "07", count: HTLCUpdate.onionByteCount)
    let old = try Hex.decode(parts.joined(separator: onion))
    let channel = try ends().channels[0]
    let read = try Channel(decoding: old.bytes, registry: ExtensionRegistry(channel.stack))
    #expect(read.log.entries.map(\.serial) == [0, 1])
    #expect(read.namedKeys == channel.stack.keys.sorted() && read.stack.isSame(as: channel.stack))
    let isSame = read.encoded == channel.encoded
    #expect(isSame)
  }
}
