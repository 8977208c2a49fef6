internal import Bitcoin
internal import CFloor
internal import Encoding
internal import Foundation
internal import Hashing
internal import Secp256k1
internal import Wire

extension Suite {
  mutating func addMessages() {
    group = "Messages"
    let channelID = ChannelID(sample(60))
    let add128 = UpdateAddHTLC(
      channelID: channelID, id: 7, amountMsat: MilliSatoshi(1_000_000), paymentHash: sample(61), cltvExpiry: 800_000,
      onionRoutingPacket: try! OnionRoutingPacket(sampleBytes(1366)))
    let signature = CompactSignature(sampleKey(3).signECDSA(sample(62)))
    let commitmentSigned = CommitmentSigned(
      channelID: channelID, signature: signature, htlcSignatures: Array(repeating: signature, count: 483))
    let revoke = RevokeAndAck(
      channelID: channelID, perCommitmentSecret: sample(63), nextPerCommitmentPoint: sampleKey(4).publicKey)
    addCodec(add128)
    addCodec(commitmentSigned, suffix: ", 483 htlcs")
    // Reading a point is most of reading this message.
    addCodec(revoke, points: 1)
    addCodec(sampleUpdate)
  }

  /// Reading a message beside a copy of its bytes to new memory; writing it beside the same.
  private mutating func addCodec<M: WireMessage>(_ message: M, suffix: String = "", points: Int = 0) {
    let encoded = try! message.encoded()
    let point = sampleKey(4).publicKey.array
    add("decode \(M.name)" + suffix, isComparable: false) { turns in
      var sum: UInt64 = 0
      for _ in 0..<turns { if case .some = try? Message(decoding: encoded.bytes) { sum &+= 1 } }
      return sum
    } floor: { turns in
      floor_copy_out(turns, encoded, encoded.count) &+ floor_public_key_parse(turns * points, point)
    }
    add("encode \(M.name)" + suffix, isComparable: false) { turns in
      var sum: UInt64 = 0
      for _ in 0..<turns { sum &+= try! message.encoded().word }
      return sum
    } floor: { turns in
      floor_copy_out(turns, encoded, encoded.count)
    }
  }

  mutating func addGossip() {
    group = "Gossip"
    let announcement = sampleAnnouncement
    let bytes = try! announcement.encoded()
    let payload = Array(bytes.dropFirst(2))
    let keys = [
      announcement.nodeID1.publicKey, announcement.nodeID2.publicKey, announcement.bitcoinKey1,
      announcement.bitcoinKey2,
    ].flatMap(\.array)
    add("read and verify channel_announcement") { turns in
      var sum: UInt64 = 0
      for _ in 0..<turns {
        let message = try! ChannelAnnouncement(decoding: bytes)
        try! message.verifySignatures()
        sum &+= 1
      }
      return sum
    } floor: { turns in
      floor_verify_announcement(turns, payload, payload.count, keys)
    }

    let update = try! sampleUpdate.encoded()
    let updatePayload = Array(update.dropFirst(2))
    let signer = NodeID(sampleKey(1).publicKey)
    add("read and verify channel_update") { turns in
      var sum: UInt64 = 0
      for _ in 0..<turns {
        let message = try! ChannelUpdate(decoding: update)
        try! message.verifySignature(by: signer)
        sum &+= 1
      }
      return sum
    } floor: { turns in
      floor_verify_gossip(turns, updatePayload, updatePayload.count, signer.publicKey.array)
    }

    // On the clock of the wall: ours on every core, the floor on one.
    let cores = ProcessInfo.processInfo.activeProcessorCount
    let batch = [GossipMessage](repeating: .channelAnnouncement(announcement), count: 128)
    add("verify 128 channel_announcements, all cores", isParallel: true) { turns in
      var sum: UInt64 = 0
      for _ in 0..<turns {
        sum &+= waiting { await UInt64(GossipBatch.verify(batch, workers: cores).count { $0 == nil }) }
      }
      return sum
    } floor: { turns in
      floor_verify_announcement(turns * 128, payload, payload.count, keys)
    }
  }
}

/// Runs an asynchronous operation to its end.
func waiting(_ operation: @escaping @Sendable () async -> UInt64) -> UInt64 {
  let done = DispatchSemaphore(value: 0)
  let result = Result()
  Task.detached {
    result.value = await operation()
    done.signal()
  }
  done.wait()
  return result.value
}

/// Written before the signal, read after it.
private final class Result: @unchecked Sendable { var value: UInt64 = 0 }

private var sampleAnnouncement: ChannelAnnouncement {
  let (first, second) = sampleKey(1).publicKey < sampleKey(2).publicKey ? (1, 2) as (UInt8, UInt8) : (2, 1)
  let zero = CompactSignature(Bytes64())
  var announcement = ChannelAnnouncement(
    nodeSignature1: zero, nodeSignature2: zero, bitcoinSignature1: zero, bitcoinSignature2: zero,
    features: FeatureSet(), chainHash: .bitcoin, shortChannelID: ShortChannelID(rawValue: 0x0a_ae60_0003_1c00_01),
    nodeID1: NodeID(sampleKey(first).publicKey), nodeID2: NodeID(sampleKey(second).publicKey),
    bitcoinKey1: sampleKey(3).publicKey, bitcoinKey2: sampleKey(4).publicKey)
  let hash = announcement.signatureHash
  announcement.nodeSignature1 = CompactSignature(sampleKey(first).signECDSA(hash))
  announcement.nodeSignature2 = CompactSignature(sampleKey(second).signECDSA(hash))
  announcement.bitcoinSignature1 = CompactSignature(sampleKey(3).signECDSA(hash))
  announcement.bitcoinSignature2 = CompactSignature(sampleKey(4).signECDSA(hash))
  return announcement
}

private var sampleUpdate: ChannelUpdate {
  var update = ChannelUpdate(
    signature: CompactSignature(Bytes64()), chainHash: .bitcoin,
    shortChannelID: ShortChannelID(rawValue: 0x0a_ae60_0003_1c00_01), timestamp: 1_700_000_000,
    messageFlags: .mustBeOne,
    channelFlags: [], cltvExpiryDelta: 40, htlcMinimumMsat: MilliSatoshi(1), feeBaseMsat: 1000,
    feeProportionalMillionths: 1, htlcMaximumMsat: MilliSatoshi(1_000_000_000))
  update.signature = CompactSignature(sampleKey(1).signECDSA(update.signatureHash))
  return update
}
