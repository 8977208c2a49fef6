internal import Encoding
internal import Hashing

/// A failure on its way back to the sender (BOLT 4 §Returning Errors): the `reason` and the `attribution_data` of `update_fail_htlc`.
public struct FailurePacket: Hashable, Sendable {
  /// Opaque to all but the sender.
  public private(set) var reason: [UInt8]
  /// Nil where a node does not support it.
  public private(set) var attribution: Attribution?

  /// What was received. `reason` can be any bytes: it shows only at the sender what they are worth.
  public init(reason: [UInt8], attribution: Attribution? = nil) {
    self.reason = reason
    self.attribution = attribution
  }

  /// BOLT 4: "SHOULD set `pad` such that the `failure_len` plus `pad_len` is equal to 256."
  public static let paddedByteCount = 256

  /// What the erring node returns. `sharedSecret` is the onion's. With a `holdTime`, in units of 100 milliseconds, attribution data is
  /// made too. `paddedByteCount` is the least that `failure_len` and `pad_len` add up to; it is never below 256, and no more padding
  /// is added than a `reason` can hold. Nil when the message is longer than 65,499 bytes.
  public init?(
    message: [UInt8], sharedSecret: SharedSecret, holdTime: UInt32? = nil, paddedByteCount: Int = Self.paddedByteCount
  ) {
    let maximum = Int(UInt16.max) - 36
    guard message.count <= maximum else { return nil }
    // BOLT 4: MUST set `pad` such that the `failure_len` plus `pad_len` is at least 256.
    let padded = min(max(paddedByteCount, Self.paddedByteCount, message.count), maximum)
    var writer = ByteWriter(reservingCapacity: padded + 36)
    writer.write(zeros: 32)
    writer.write(UInt16(truncatingIfNeeded: message.count))
    writer.write(message)
    writer.write(UInt16(truncatingIfNeeded: padded - message.count))
    writer.write(zeros: padded - message.count)
    reason = writer.bytes
    let um = OnionKey.um.authenticate(sharedSecret.bytes)
    let hmac = HMACSHA256(key: um.bytes).authenticate(reason.bytes.extracting(32..<reason.count))
    for index in 0..<32 { reason[index] = hmac[index] }
    if let holdTime {
      var attribution = Attribution()
      attribution.add(sharedSecret: sharedSecret, holdTime: holdTime, packet: reason.bytes)
      self.attribution = attribution
    }
    applyStream(sharedSecret)
  }

  /// What a forwarding node does with its successor's failure before it returns it. With a `holdTime`, in units of 100 milliseconds,
  /// attribution data is added; without one it is dropped, since what is not updated proves nothing.
  public mutating func wrap(sharedSecret: SharedSecret, holdTime: UInt32? = nil) {
    if let holdTime {
      // BOLT 4: otherwise: MUST instantiate an all-zeroes `attribution_data` block.
      // Taken out, so that it is changed in place.
      var updated = attribution.take() ?? Attribution()
      updated.shift()
      updated.add(sharedSecret: sharedSecret, holdTime: holdTime, packet: reason.bytes)
      attribution = updated
    } else {
      attribution = nil
    }
    applyStream(sharedSecret)
  }

  /// BOLT 4: "Generate the node's `ammag` key, generate the pseudo-random byte streams, and apply the result".
  private mutating func applyStream(_ sharedSecret: SharedSecret) {
    Self.applyStream(sharedSecret, to: &reason)
  }

  private static func applyStream(_ sharedSecret: SharedSecret, to reason: inout [UInt8]) {
    let ammag = OnionKey.ammag.authenticate(sharedSecret.bytes)
    ChaCha20.apply(key: ammag, streamOffset: 0, to: &reason, in: 0..<reason.count)
  }
}

/// What the sender makes of a failure.
public struct ReceivedFailure: Hashable, Sendable {
  /// The hop that made it, as an index into the secrets; nil when no hop's HMAC is right.
  public let origin: Int?
  /// The `failuremsg`; nil when `origin` is, or when that hop filled its packet with nonsense.
  public let message: [UInt8]?
  /// The proven hold times, from the first hop on, in units of 100 milliseconds.
  public let holdTimes: [UInt32]
  /// BOLT 4: "When the failure source cannot be identified from the return packet AND `attribution_data` is present: SHOULD use
  /// `attribution_data` to identify the failure source": the first hop whose HMAC there is wrong (the last hop when all are right), to
  /// blame together with the one before. Nil when `origin` is known or no attribution data came.
  public let blamedHop: Int?
  /// The `reason` without the layers of all the secrets. A trampoline node whose own hops did not make the failure passes this on; a
  /// sender goes on with the secrets of the trampoline onion.
  public let remainder: [UInt8]

}

extension FailurePacket {
  /// BOLT 4: "SHOULD continue decrypting, until the loop has been repeated 27 times (maximum route length of tlv payload type)."
  public static let unwrappingRounds = 27

  /// Reads a failure at the sender. `sharedSecrets` are the onion's, in the order of the route.
  ///
  /// The work is the same whichever hop made the failure and however long the route is: all rounds run, with constant keys behind the
  /// route's end, and the packet is picked out by masking, so that the erring node cannot tell its position from our next attempt.
  public func unwrap(sharedSecrets: [SharedSecret]) -> ReceivedFailure {
    var packet = reason
    var remainder = reason
    var selected = [UInt8](repeating: 0, count: packet.count)
    var origin = 0
    var found: UInt8 = 0
    var rest = attribution ?? Attribution()
    var holdTimes: [UInt32] = []
    var isProven = attribution != nil

    let content = min(32, packet.count)
    for round in 0..<max(Self.unwrappingRounds, sharedSecrets.count) {
      let isReal = round < sharedSecrets.count
      // BOLT 4: SHOULD use constant `ammag` and `um` keys to obfuscate the route length.
      let secret = isReal ? sharedSecrets[round] : SharedSecret(Bytes32())
      Self.applyStream(secret, to: &packet)
      if round == sharedSecrets.count - 1 { remainder = packet }

      // Whether attribution data came is no secret.
      if attribution != nil, round < Attribution.maximumHopCount {
        let distance = max(min(sharedSecrets.count, Attribution.maximumHopCount) - 1 - round, 0)
        let holdTime = rest.remove(sharedSecret: secret, packet: packet.bytes, distance: distance)
        if let holdTime, isProven, isReal { holdTimes.append(holdTime) } else { isProven = false }
      }

      let um = OnionKey.um.authenticate(secret.bytes)
      let hmac = HMACSHA256(key: um.bytes).authenticate(packet.bytes.extracting(content..<packet.count))
      let isRight = hmac.bytes.constantTimeEquals(packet.bytes.extracting(0..<content))
      let mask: UInt8 = (isRight && isReal ? 0xff : 0) & ~found
      for index in 0..<packet.count { selected[index] |= packet[index] & mask }
      origin |= round & Int(truncatingIfNeeded: Int8(bitPattern: mask))
      found |= mask
    }
    return ReceivedFailure(
      origin: found == 0 ? nil : origin, message: found == 0 ? nil : Self.message(in: selected), holdTimes: holdTimes,
      blamedHop: found != 0 || attribution == nil || sharedSecrets.isEmpty
        ? nil : min(holdTimes.count, sharedSecrets.count - 1),
      remainder: remainder)
  }

  /// The `failuremsg` between its length and the padding; nil when the lengths do not fit.
  private static func message(in packet: [UInt8]) -> [UInt8]? {
    var reader = ByteReader(packet.bytes)
    do throws(DecodingError) {
      try reader.skip(32)
      let message = try reader.readArray(count: Int(try reader.readUInt16()))
      try reader.skip(Int(try reader.readUInt16()))
      return message
    } catch {
      return nil
    }
  }
}
