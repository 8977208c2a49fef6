internal import Encoding
internal import Hashing
public import Secp256k1

/// BOLT 4's onions: making them, and taking one layer off.
public enum Onion {}

/// One hop of a route, with what it is to be told.
public struct OnionHop: Hashable, Sendable {
  /// The node's id, or its blinded node id.
  public var publicKey: PublicKey
  /// The TLV stream for this hop, without its length.
  public var payload: [UInt8]

  public init(publicKey: PublicKey, payload: [UInt8]) {
    self.publicKey = publicKey
    self.payload = payload
  }

  /// What the payload takes in the onion: its length as `bigsize`, itself, an HMAC.
  public var byteCount: Int { compactSizeLength(payload.count) + payload.count + 32 }
}

/// An onion with the secrets that its errors are read with.
public struct CreatedOnion: Hashable, Sendable {
  public let packet: OnionPacket
  /// One for each hop, in the order of the route.
  public let sharedSecrets: [SharedSecret]
}

public enum OnionCreationError: Error, Hashable, Sendable {
  case noHops
  /// BOLT 4: "`length` values of 0 and 1 are reserved."
  case payloadTooShort(hop: Int)
  /// The payloads of all hops take more than there is.
  case payloadsTooLong(needed: Int, available: Int)
  /// More than a 16-bit length can hold, or a negative number.
  case invalidSize(Int)
  /// A blinding factor outside of the curve's order. It does not happen by chance: take another session key.
  case invalidSessionKey
  /// So much associated data is not one for each hop.
  case associatedDataCount(Int)
}

extension Onion {
  /// Makes an onion (BOLT 4 §Packet Construction). `sessionKey` is fresh and random: a second onion with the same one can be linked
  /// to the first. `associatedData` is the payment hash for a payment, nothing for an onion message. `payloadsByteCount` is the size
  /// of the hop payloads, 1,300 for a payment.
  public static func create(
    sessionKey: borrowing SecretKey, hops: [OnionHop], associatedData: RawSpan,
    payloadsByteCount: Int = OnionPacket.paymentPayloadsByteCount
  ) throws(OnionCreationError) -> CreatedOnion {
    try create(
      sessionKey: sessionKey, hops: hops, sharedData: associatedData, ownData: nil, payloadsByteCount: payloadsByteCount
    )
  }

  /// As above, where every hop's layer is associated with something else: with the lock that this hop sees. One for each hop.
  public static func create(
    sessionKey: borrowing SecretKey, hops: [OnionHop], associatedDataOfHops: [[UInt8]],
    payloadsByteCount: Int = OnionPacket.paymentPayloadsByteCount
  ) throws(OnionCreationError) -> CreatedOnion {
    guard associatedDataOfHops.count == hops.count else { throw .associatedDataCount(associatedDataOfHops.count) }
    let none: [UInt8] = []
    return try create(
      sessionKey: sessionKey, hops: hops, sharedData: none.bytes, ownData: associatedDataOfHops,
      payloadsByteCount: payloadsByteCount)
  }

  /// - Parameter ownData: what each hop's layer is associated with; nil for `sharedData` in all of them.
  private static func create(
    sessionKey: borrowing SecretKey, hops: [OnionHop], sharedData: RawSpan, ownData: [[UInt8]]?,
    payloadsByteCount size: Int
  ) throws(OnionCreationError) -> CreatedOnion {
    guard let last = hops.last else { throw .noHops }
    guard 0...(Int(UInt16.max) - OnionPacket.overhead) ~= size else { throw .invalidSize(size) }
    var needed = 0
    for (index, hop) in hops.enumerated() {
      guard hop.payload.count >= 2 else { throw .payloadTooShort(hop: index) }
      needed += hop.byteCount
    }
    guard needed <= size else { throw .payloadsTooLong(needed: needed, available: size) }

    var keys = try HopKeys(sessionKey: sessionKey, hops: hops)
    defer { keys.wipeStreams() }

    // Each hop's payload goes in front of the later ones, and what is pushed out behind `size` bytes is dropped. Instead of moving
    // bytes, the payloads are written from back to front: they are `window..<window + size`, and the window moves to the left.
    // In the end it stands behind the header.
    let header = 34
    var buffer = [UInt8](repeating: 0, count: header + size + needed)
    var window = header + needed - last.byteCount

    // BOLT 4: "ChaCha20 is used with an all zero nonce, to generate 1300 random bytes. Those random bytes are then used as the
    // starting state". The last payload and the filler leave only the first of them.
    var pad = OnionKey.pad.authenticate(sessionKey.bytes)
    let start = window + last.byteCount
    ChaCha20.apply(key: pad, streamOffset: 0, to: &buffer, in: start..<start + size - needed)
    wipe(&pad)

    // BOLT 4 §Filler Generation. The filler overwrites the tail of the last hop's payloads. It grows to the right: each hop's stream
    // covers what is there, and the zeros that the hop appends.
    let fillerStart = start + size - needed
    var fillerEnd = fillerStart
    for (hop, rho) in zip(hops.dropLast(), keys.rho) {
      let streamOffset = size - (fillerEnd - fillerStart)
      fillerEnd += hop.byteCount
      ChaCha20.apply(key: rho, streamOffset: streamOffset, to: &buffer, in: fillerStart..<fillerEnd)
    }

    var hmac = Bytes32()
    for index in hops.indices.reversed() {
      let isLast = index == hops.count - 1
      if !isLast { window -= hops[index].byteCount }
      write(hops[index].payload, hmac, to: &buffer, at: window)
      // BOLT 4: "If this is the last hop, (...) then the tail of the `hop_payloads` field is overwritten with the routing information
      // `filler`." It is there already, so the stream stops before it.
      ChaCha20.apply(
        key: keys.rho[index], streamOffset: 0, to: &buffer, in: window..<(isLast ? fillerStart : window + size))
      var mac = HMACSHA256(key: keys.mu[index].bytes)
      mac.update(buffer.bytes.extracting(window..<window + size))
      if let ownData { mac.update(ownData[index]) } else { mac.update(sharedData) }
      hmac = mac.finish()
    }

    copy(keys.firstPublicKey.bytes, to: &buffer, at: 1)
    copy(hmac.bytes, to: &buffer, at: header + size)
    buffer.removeLast(needed - 32)
    return CreatedOnion(packet: OnionPacket(unchecked: buffer), sharedSecrets: keys.sharedSecrets)
  }

  public static func create(
    sessionKey: borrowing SecretKey, hops: [OnionHop], associatedData: [UInt8] = [],
    payloadsByteCount: Int = OnionPacket.paymentPayloadsByteCount
  ) throws(OnionCreationError) -> CreatedOnion {
    try create(
      sessionKey: sessionKey, hops: hops, associatedData: associatedData.bytes, payloadsByteCount: payloadsByteCount)
  }

  /// Writes length, payload and HMAC.
  private static func write(_ payload: [UInt8], _ hmac: Bytes32, to buffer: inout [UInt8], at offset: Int) {
    var next = offset
    if payload.count < 0xfd {
      buffer[next] = UInt8(truncatingIfNeeded: payload.count)
      next += 1
    } else {
      // Two bytes are enough: an onion is smaller than 2^16.
      buffer[next] = 0xfd
      buffer[next + 1] = UInt8(truncatingIfNeeded: payload.count >> 8)
      buffer[next + 2] = UInt8(truncatingIfNeeded: payload.count)
      next += 3
    }
    copy(payload.bytes, to: &buffer, at: next)
    copy(hmac.bytes, to: &buffer, at: next + payload.count)
  }

  private static func copy(_ bytes: RawSpan, to buffer: inout [UInt8], at offset: Int) {
    for index in 0..<bytes.byteCount { buffer[offset + index] = bytes[index] }
  }
}

/// What is derived for each hop before any byte of the onion is written.
private struct HopKeys {
  var firstPublicKey: PublicKey
  var sharedSecrets: [SharedSecret] = []
  var rho: [Bytes32] = []
  var mu: [Bytes32] = []

  /// BOLT 4 §Packet Construction: one ECDH and one blinding for each hop.
  init(sessionKey: borrowing SecretKey, hops: [OnionHop]) throws(OnionCreationError) {
    sharedSecrets.reserveCapacity(hops.count)
    rho.reserveCapacity(hops.count)
    mu.reserveCapacity(hops.count)
    var ephemeral = sessionKey.copy()
    firstPublicKey = ephemeral.publicKey
    var publicKey = firstPublicKey
    for (index, hop) in hops.enumerated() {
      if index > 0 { publicKey = ephemeral.publicKey }
      let secret = SharedSecret(ephemeral.sharedSecret(with: hop.publicKey))
      sharedSecrets.append(secret)
      rho.append(OnionKey.rho.authenticate(secret.bytes))
      mu.append(OnionKey.mu.authenticate(secret.bytes))
      guard index < hops.count - 1 else { break }
      do throws(Secp256k1Error) {
        ephemeral = try ephemeral.multiplied(by: OnionKey.blindingFactor(publicKey, secret))
      } catch {
        throw .invalidSessionKey
      }
    }
  }

  mutating func wipeStreams() {
    wipe(&rho)
    wipe(&mu)
  }
}
