public import Encoding
internal import Hashing
public import Secp256k1

/// One layer of an onion, taken off.
public struct PeeledOnion: Hashable, Sendable {
  /// The TLV stream for us, without its length.
  public let payload: [UInt8]
  /// For returning errors.
  public let sharedSecret: SharedSecret
  /// What the next node gets, of the same size; nil when we are the final node.
  public let next: OnionPacket?

  public var isFinal: Bool { next == nil }
}

/// Why an onion was not peeled, by BOLT 4's names.
public enum OnionError: Error, Hashable, Sendable {
  /// BOLT 4: "if `version` is not 0: MUST abort processing the packet and fail."
  case invalidOnionVersion
  /// The ephemeral key is no point on the curve.
  case invalidOnionKey
  /// The HMAC differs: the onion, or what it is associated with, was changed, or it is not for us.
  case invalidOnionHMAC
  /// The HMAC is right, but the payload's length makes no sense. The secret is for the error that is returned.
  case invalidOnionPayload(SharedSecret)
  /// The replay filter has seen this onion before. The secret is for the error that is returned.
  case replayed(SharedSecret)
}

/// Remembers which onions have passed. BOLT 4: "if the onion is for a payment: if `hmac` has previously been received: (...) MUST abort
/// processing the packet and fail" (unless the preimage is known).
public protocol OnionReplayFilter {
  /// Asked once for each onion whose HMAC is right, before anything of its payload is released. `identity` is the SHA-256 of the
  /// shared secret: the same for the same onion, of no use to an attacker who reads the filter's storage. True when it is new, and
  /// is then remembered.
  mutating func admit(_ identity: Bytes32) -> Bool
}

extension Onion {
  /// Takes our layer off (BOLT 4 §Onion Decryption). `associatedData` is the payment hash for a payment, nothing for an onion message.
  /// `blinding` belongs to the `path_key` that came beside the onion, when one did.
  public static func peel(
    _ packet: OnionPacket, associatedData: RawSpan, nodeKey: borrowing SecretKey, blinding: BlindingSecret? = nil
  ) throws(OnionError) -> PeeledOnion {
    var filter = NoFilter()
    return try peel(packet, associatedData: associatedData, nodeKey: nodeKey, blinding: blinding, filter: &filter)
  }

  public static func peel(
    _ packet: OnionPacket, associatedData: [UInt8] = [], nodeKey: borrowing SecretKey, blinding: BlindingSecret? = nil
  ) throws(OnionError) -> PeeledOnion {
    try peel(packet, associatedData: associatedData.bytes, nodeKey: nodeKey, blinding: blinding)
  }

  /// Takes our layer off, and asks `filter` whether the onion is a replay.
  public static func peel(
    _ packet: OnionPacket, associatedData: RawSpan, nodeKey: borrowing SecretKey, blinding: BlindingSecret? = nil,
    filter: inout some OnionReplayFilter
  ) throws(OnionError) -> PeeledOnion {
    guard packet.version == 0 else { throw .invalidOnionVersion }
    guard let publicKey = PublicKey(parsing: packet.publicKey) else { throw .invalidOnionKey }

    let secret: SharedSecret
    if let blinding {
      // BOLT 4: "Tweak its own `node_privkey` below by multiplying by HMAC256("blinded_node_id", blinding_ss)": cheaper than the
      // equivalent tweak of the point.
      do throws(Secp256k1Error) {
        secret = SharedSecret(try blinding.blindedKey(of: nodeKey).sharedSecret(with: publicKey))
      } catch {
        throw .invalidOnionHMAC
      }
    } else {
      secret = SharedSecret(nodeKey.sharedSecret(with: publicKey))
    }

    var mac = HMACSHA256(key: OnionKey.mu.authenticate(secret.bytes).bytes)
    mac.update(packet.hopPayloads)
    mac.update(associatedData)
    // BOLT 4: MUST use a constant time comparison of the computed HMAC and `hmac`.
    guard mac.finish().bytes.constantTimeEquals(packet.hmac) else { throw .invalidOnionHMAC }
    guard filter.admit(sha256(secret.bytes)) else { throw .replayed(secret) }

    let rho = OnionKey.rho.authenticate(secret.bytes)
    guard let (lengthByteCount, length) = payloadLength(of: packet, rho: rho) else {
      throw .invalidOnionPayload(secret)
    }
    let size = packet.hopPayloads.byteCount
    let payloadEnd = lengthByteCount + length
    let shift = payloadEnd + 32

    var payload = packet.hopPayloads.extracting(lengthByteCount..<payloadEnd).array
    ChaCha20.apply(key: rho, streamOffset: lengthByteCount, to: &payload, in: 0..<length)
    guard var nextHMAC = try? Bytes32(copying: packet.hopPayloads.extracting(payloadEnd..<shift)) else {
      throw .invalidOnionPayload(secret)
    }
    ChaCha20.apply(key: rho, streamOffset: payloadEnd, to: &nextHMAC)
    // BOLT 4: all-zero `next_hmac`: This is the final destination of the onion.
    guard nextHMAC != Bytes32() else { return PeeledOnion(payload: payload, sharedSecret: secret, next: nil) }

    let nextKey: PublicKey
    do throws(Secp256k1Error) {
      nextKey = try publicKey.multiplied(by: OnionKey.blindingFactor(publicKey, secret))
    } catch {
      throw .invalidOnionPayload(secret)
    }
    var next = ByteWriter(reservingCapacity: OnionPacket.overhead + size)
    next.write(0 as UInt8)
    next.write(nextKey)
    next.write(packet.hopPayloads.extracting(shift..<size))
    next.write(zeros: shift)
    ChaCha20.apply(key: rho, streamOffset: shift, to: &next.bytes, in: 34..<34 + size)
    next.write(nextHMAC)
    return PeeledOnion(payload: payload, sharedSecret: secret, next: OnionPacket(unchecked: next.bytes))
  }

  /// How many bytes the length takes and the length itself; nil when it is malformed, reserved, or longer than the onion.
  private static func payloadLength(of packet: OnionPacket, rho: Bytes32) -> (lengthByteCount: Int, length: Int)? {
    let size = packet.hopPayloads.byteCount
    var head = FixedBytes<9>()
    for index in 0..<min(size, 9) { head[index] = packet.hopPayloads[index] }
    ChaCha20.apply(key: rho, streamOffset: 0, to: &head)
    var reader = ByteReader(head.bytes.extracting(0..<min(size, 9)))
    // BOLT 4: "Remove a `bigsize` from the front (...). If that is malformed: MUST abort", "If the `payload_length` is less than
    // two: MUST abort", and it must leave as many bytes as came in: with the zeros behind, that is to end within them.
    guard let length = try? reader.readBigSize(), length >= 2, length <= UInt64(size),
      reader.offset + Int(length) + 32 <= size
    else { return nil }
    return (reader.offset, Int(length))
  }
}

/// Lets everything pass.
private struct NoFilter: OnionReplayFilter {
  func admit(_ identity: Bytes32) -> Bool { true }
}
