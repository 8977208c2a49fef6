public import Encoding
internal import Hashing

/// Who held an HTLC for how long, and the proof of it (BOLT 4 §Initialization of `attribution_data`): 20 hold times and 210 HMACs that
/// were cut to 4 bytes, under one stream for each node that it has passed. It travels with failures and with fulfilments.
public struct Attribution: Hashable, Sendable {
  /// 920 bytes, as in `attribution_data`.
  public private(set) var bytes: [UInt8]

  /// How many hops it has room for.
  public static let maximumHopCount = 20
  /// 20 · 4 + 210 · 4.
  public static let byteCount = 920
  private static let holdTimesByteCount = 80

  /// All zeros: what the erring node and the final node start from, and a node whose successor sent none.
  init() { bytes = [UInt8](repeating: 0, count: Self.byteCount) }

  /// Reads `attribution_data`. Throws `.wrongLength` unless there are 920 bytes.
  public init(decoding bytes: RawSpan) throws(DecodingError) {
    guard bytes.byteCount == Self.byteCount else {
      throw .wrongLength(expected: Self.byteCount, actual: bytes.byteCount)
    }
    self.bytes = bytes.array
  }

  public init(_ bytes: [UInt8]) throws(DecodingError) { try self.init(decoding: bytes.bytes) }

  // MARK: On the way back

  /// What the final node adds to `update_fulfill_htlc`. BOLT 4 §Hold times for successful payments: as with failures, except that
  /// "there is no failure message that is covered by the HMACs". `holdTime` is in units of 100 milliseconds.
  public static func fulfilled(sharedSecret: SharedSecret, holdTime: UInt32) -> Attribution {
    var attribution = Attribution()
    attribution.add(sharedSecret: sharedSecret, holdTime: holdTime, packet: RawSpan())
    return attribution
  }

  /// What a forwarding node does with a successor's attribution data of a fulfilment, or with nil when there was none.
  public static func relayFulfilled(
    _ downstream: Attribution?, sharedSecret: SharedSecret, holdTime: UInt32
  ) -> Attribution {
    // BOLT 4: otherwise: MUST instantiate an all-zeroes `attribution_data` block.
    var attribution = downstream ?? Attribution()
    attribution.shift()
    attribution.add(sharedSecret: sharedSecret, holdTime: holdTime, packet: RawSpan())
    return attribution
  }

  /// BOLT 4 §Transformation of `attribution_data`: makes room in front.
  mutating func shift() {
    // "Shift all existing hold times to the right (4 bytes)."
    for index in stride(from: Self.holdTimesByteCount - 1, through: 4, by: -1) { bytes[index] = bytes[index - 4] }
    for index in 0..<4 { bytes[index] = 0 }
    // "The former `hmac_x'_y` now becomes `hmac_x+1_y`. The left-most HMAC for each hop is discarded." From the right, so that
    // nothing is overwritten before it has moved.
    for node in stride(from: Self.maximumHopCount - 1, through: 1, by: -1) {
      // The HMACs of a node stand together, those of the greatest distance first.
      let farthest = Self.maximumHopCount - node - 1
      let from = Self.offset(node - 1, farthest)
      let to = Self.offset(node, farthest)
      for index in stride(from: 4 * farthest + 3, through: 0, by: -1) { bytes[to + index] = bytes[from + index] }
    }
    for index in 0..<4 * Self.maximumHopCount { bytes[Self.holdTimesByteCount + index] = 0 }
  }

  /// BOLT 4 §Update of `attribution_data`: our hold time, our 20 HMACs, our stream. `packet` is the failure before our stream is
  /// applied to it; nothing for a fulfilment.
  mutating func add(sharedSecret: SharedSecret, holdTime: UInt32, packet: RawSpan) {
    for index in 0..<4 { bytes[index] = UInt8(truncatingIfNeeded: holdTime >> UInt32(24 - 8 * index)) }
    var mac = HMACSHA256(key: OnionKey.um.authenticate(sharedSecret.bytes).bytes)
    mac.update(packet)
    for distance in 0..<Self.maximumHopCount {
      let hmac = hmac(mac, distance: distance)
      let offset = Self.offset(0, distance)
      for index in 0..<4 { bytes[offset + index] = hmac[index] }
    }
    applyStream(sharedSecret)
  }

  // MARK: At the sender

  /// Takes one hop's layer off: its stream, then its HMAC for `distance`, the number of hops between it and the end of the route.
  /// Its hold time, or nil when the HMAC is wrong. Afterwards the next hop's data stand in front.
  mutating func remove(sharedSecret: SharedSecret, packet: RawSpan, distance: Int) -> UInt32? {
    applyStream(sharedSecret)
    var mac = HMACSHA256(key: OnionKey.um.authenticate(sharedSecret.bytes).bytes)
    mac.update(packet)
    let expected = hmac(mac, distance: distance)
    let offset = Self.offset(0, distance)
    let isRight = bytes.bytes.extracting(offset..<offset + 4).constantTimeEquals(expected.bytes.extracting(0..<4))
    let holdTime = bytes[0..<4].reduce(0) { $0 << 8 | UInt32($1) }
    unshift()
    return isRight ? holdTime : nil
  }

  /// The hold times of a payment that succeeded, from the first hop on, as far as their HMACs are right; in units of 100
  /// milliseconds. `sharedSecrets` are the onion's.
  public func fulfilledHoldTimes(sharedSecrets: [SharedSecret]) -> [UInt32] {
    var rest = self
    var holdTimes: [UInt32] = []
    for (index, secret) in sharedSecrets.prefix(Self.maximumHopCount).enumerated() {
      let distance = min(sharedSecrets.count, Self.maximumHopCount) - 1 - index
      guard let holdTime = rest.remove(sharedSecret: secret, packet: RawSpan(), distance: distance) else { break }
      holdTimes.append(holdTime)
    }
    return holdTimes
  }

  /// The reverse of `shift`. The HMACs that were discarded there are not needed any more.
  private mutating func unshift() {
    for index in 0..<Self.holdTimesByteCount - 4 { bytes[index] = bytes[index + 4] }
    for index in Self.holdTimesByteCount - 4..<Self.holdTimesByteCount { bytes[index] = 0 }
    for node in 0..<Self.maximumHopCount {
      let kept = Self.maximumHopCount - node - 1
      let to = Self.offset(node, kept)
      for index in 0..<4 { bytes[to + index] = 0 }
      guard kept > 0 else { break }
      let from = Self.offset(node + 1, kept - 1)
      for index in 0..<4 * kept { bytes[to + 4 + index] = bytes[from + index] }
    }
  }

  // MARK: Layout

  /// Where `hmac_x_y` stands, the HMAC of the node x hops away that assumes y hops behind it: each node's HMACs one after the other,
  /// the farthest distance first, `hmac_0_19 … hmac_0_0, hmac_1_18 … hmac_1_0, …, hmac_19_0`.
  private static func offset(_ node: Int, _ distance: Int) -> Int {
    let before = node * maximumHopCount - node * (node - 1) / 2
    return holdTimesByteCount + 4 * (before + maximumHopCount - 1 - node - distance)
  }

  /// `hmac_0_distance`, in full: over the packet (which `mac` has seen), "the first `y+1` hold times in `htlc_hold_times`", and
  /// "`y` downstream hmacs that correspond to downstream node positions relative to `x`".
  private func hmac(_ mac: HMACSHA256, distance: Int) -> Bytes32 {
    var mac = mac
    mac.update(bytes.bytes.extracting(0..<4 * (distance + 1)))
    var downstream = FixedBytes<80>()
    for node in stride(from: 1, through: distance, by: 1) {
      let offset = Self.offset(node, distance - node)
      for index in 0..<4 { downstream[4 * (node - 1) + index] = bytes[offset + index] }
    }
    mac.update(downstream.bytes.extracting(0..<4 * distance))
    return mac.finish()
  }

  private mutating func applyStream(_ sharedSecret: SharedSecret) {
    let key = OnionKey.ammagext.authenticate(sharedSecret.bytes)
    ChaCha20.apply(key: key, streamOffset: 0, to: &bytes, in: 0..<Self.byteCount)
  }
}
