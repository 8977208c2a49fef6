public import Encoding

/// HMAC-SHA256 (RFC 2104) under one key. The key's two blocks are hashed once: keep the value to use a key again.
public struct HMACSHA256: Sendable {
  private var inner = SHA256()
  private var outer = SHA256()

  public init(key: RawSpan) {
    var block = FixedBytes<64>()
    if key.byteCount > 64 {
      let hashed = sha256(key)
      for index in 0..<32 { block[index] = hashed[index] }
    } else {
      for index in 0..<key.byteCount { block[index] = key[index] }
    }
    for index in 0..<64 { block[index] ^= 0x36 }
    inner.update(block)
    for index in 0..<64 { block[index] ^= 0x36 ^ 0x5c }
    outer.update(block)
  }

  public init(key: [UInt8]) { self.init(key: key.bytes) }

  public mutating func update(_ bytes: RawSpan) { inner.update(bytes) }
  public mutating func update(_ bytes: [UInt8]) { inner.update(bytes) }

  /// The MAC of all that was fed in, 32 bytes.
  public consuming func finish() -> Bytes32 {
    outer.update(inner.finish())
    return outer.finish()
  }

  /// The MAC of one message; the state stays as it is.
  public func authenticate(_ message: RawSpan) -> Bytes32 {
    var copy = self
    copy.update(message)
    return copy.finish()
  }
}

/// HMAC-SHA512 (RFC 2104).
public func hmacSHA512(key: RawSpan, _ message: RawSpan) -> Bytes64 {
  var block = FixedBytes<128>()
  if key.byteCount > 128 {
    let hashed = sha512(key)
    for index in 0..<64 { block[index] = hashed[index] }
  } else {
    for index in 0..<key.byteCount { block[index] = key[index] }
  }
  var inner = SHA512()
  for index in 0..<128 { block[index] ^= 0x36 }
  inner.update(block.bytes)
  inner.update(message)
  var outer = SHA512()
  for index in 0..<128 { block[index] ^= 0x36 ^ 0x5c }
  outer.update(block.bytes)
  outer.update(inner.finish().bytes)
  return outer.finish()
}

/// HKDF-SHA256 (RFC 5869).
public enum HKDFSHA256 {
  /// The pseudo-random key of the extract step.
  public static func extract(salt: RawSpan, ikm: RawSpan) -> Bytes32 {
    HMACSHA256(key: salt).authenticate(ikm)
  }

  /// `byteCount` bytes of output keying material; nil above RFC 5869's limit of 255 · 32 = 8,160 bytes.
  public static func expand(prk: Bytes32, info: RawSpan, byteCount: Int) -> [UInt8]? {
    guard 0...8160 ~= byteCount else { return nil }
    let mac = HMACSHA256(key: prk.bytes)
    var output: [UInt8] = []
    output.reserveCapacity((byteCount + 31) / 32 * 32)
    var block: Bytes32?
    var counter: UInt8 = 0
    while output.count < byteCount {
      counter += 1
      var next = mac
      if let block { next.update(block.bytes) }
      next.update(info)
      next.update([counter])
      let made = next.finish()
      output.append(contentsOf: made.array)
      block = made
    }
    output.removeLast(output.count - byteCount)
    return output
  }

  /// Extract and expand to two 32-byte keys, as BOLT 8 does at every step.
  public static func twoKeys(salt: RawSpan, ikm: RawSpan) -> (Bytes32, Bytes32) {
    let mac = HMACSHA256(key: extract(salt: salt, ikm: ikm).bytes)
    var first = mac
    first.update([1])
    let one = first.finish()
    var second = mac
    second.update(one.bytes)
    second.update([2])
    return (one, second.finish())
  }
}
