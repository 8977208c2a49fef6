internal import CSecp256k1
public import Encoding

/// An ECDSA signature: r and s, 64 bytes, each a number below n.
public struct ECDSASignature: Hashable, Sendable, CustomStringConvertible {
  /// The longest DER form of a signature, without a sighash byte.
  public static let maximumDERByteCount = 72

  let parsed: secp256k1_ecdsa_signature

  init(parsed: secp256k1_ecdsa_signature) { self.parsed = parsed }

  /// Reads 64 bytes, r ‖ s. Throws `.invalidSignature` when either is n or more.
  public init(compact: Bytes64) throws(Secp256k1Error) {
    var parsed = secp256k1_ecdsa_signature()
    let succeeded = unsafe compact.withPointer { bytes in
      unsafe secp256k1_ecdsa_signature_parse_compact(Context.pointer, &parsed, bytes)
    }
    guard succeeded == 1 else { throw .invalidSignature }
    self.parsed = parsed
  }

  /// Reads strict DER, as BIP 66 defines it, without a sighash byte. Throws `.invalidSignature`, also where r or s is
  /// negative, n or more: libsecp256k1 would read such a number as 0, and two encodings would be one signature.
  public init(der: RawSpan) throws(Secp256k1Error) {
    var parsed = secp256k1_ecdsa_signature()
    let isExact = unsafe der.withUnsafeBytes { buffer in
      guard let start = unsafe buffer.baseAddress?.assumingMemoryBound(to: UInt8.self),
        unsafe secp256k1_ecdsa_signature_parse_der(Context.pointer, &parsed, start, buffer.count) == 1
      else { return false }
      var again = FixedBytes<72>()
      var count = Self.maximumDERByteCount
      unsafe again.withMutablePointer { out in
        mustSucceed(unsafe secp256k1_ecdsa_signature_serialize_der(Context.pointer, out, &count, &parsed))
      }
      return again.bytes.extracting(0..<count).elementsEqual(unsafe RawSpan(_unsafeBytes: buffer))
    }
    guard isExact else { throw .invalidSignature }
    self.parsed = parsed
  }

  public init(der: [UInt8]) throws(Secp256k1Error) { try self.init(der: der.bytes) }

  /// r ‖ s, 64 bytes.
  public var compact: Bytes64 {
    var bytes = Bytes64()
    var signature = parsed
    unsafe bytes.withMutablePointer { out in
      mustSucceed(unsafe secp256k1_ecdsa_signature_serialize_compact(Context.pointer, out, &signature))
    }
    return bytes
  }

  /// Strict DER, at most 72 bytes.
  public var der: [UInt8] {
    var signature = parsed
    return unsafe [UInt8](unsafeUninitializedCapacity: Self.maximumDERByteCount) { buffer, count in
      count = buffer.count
      mustSucceed(
        unsafe secp256k1_ecdsa_signature_serialize_der(Context.pointer, buffer.baseAddress!, &count, &signature))
    }
  }

  /// Whether s is at most n / 2, as BIP 62 and Bitcoin's relay policy want it.
  public var isLowS: Bool {
    var signature = parsed
    return unsafe secp256k1_ecdsa_signature_normalize(Context.pointer, nil, &signature) == 0
  }

  /// The same signature with s at most n / 2.
  public var normalized: ECDSASignature {
    var signature = parsed
    var result = secp256k1_ecdsa_signature()
    // Says whether it changed something, not whether it succeeded.
    _ = unsafe secp256k1_ecdsa_signature_normalize(Context.pointer, &result, &signature)
    return ECDSASignature(parsed: result)
  }

  public static func == (a: Self, b: Self) -> Bool { a.compact == b.compact }
  public func hash(into hasher: inout Hasher) { hasher.combine(compact) }
  public var description: String { compact.hex }
}

extension SecretKey {
  /// Signs a 32-byte hash with the nonce of RFC 6979; s is low. With `grindLowR` (Bitcoin Core's way) the nonce is
  /// drawn again, with a counter as extra entropy, until r is below 2^255, so that the DER form is never longer than 70
  /// bytes.
  public func signECDSA(_ hash: Bytes32, grindLowR: Bool = true) -> ECDSASignature {
    var signature = secp256k1_ecdsa_signature()
    unsafe hash.withPointer { hash in
      mustSucceed(unsafe secp256k1_ecdsa_sign(Context.pointer, &signature, hash, memory.start, nil, nil))
      guard grindLowR else { return }
      var extraEntropy = Bytes32()
      var counter: UInt32 = 0
      while !signature.hasLowR {
        counter += 1
        for index in 0..<4 { extraEntropy[index] = UInt8(truncatingIfNeeded: counter >> UInt32(8 * index)) }
        unsafe extraEntropy.withPointer { extra in
          mustSucceed(unsafe secp256k1_ecdsa_sign(Context.pointer, &signature, hash, memory.start, nil, extra))
        }
      }
    }
    return ECDSASignature(parsed: signature)
  }
}

extension secp256k1_ecdsa_signature {
  /// Whether r's highest bit is clear.
  fileprivate var hasLowR: Bool { ECDSASignature(parsed: self).compact[0] < 0x80 }
}

extension PublicKey {
  /// Whether `signature` is this key's ECDSA signature of the 32-byte hash. False for a signature with a high s:
  /// normalise it first where the rules allow one.
  public func isValidECDSA(_ signature: ECDSASignature, for hash: Bytes32) -> Bool {
    unsafe hash.withPointer { hash in
      unsafe withUnsafePointer(to: signature.parsed) { signature in
        unsafe withUnsafePointer(to: parsed) { key in
          unsafe secp256k1_ecdsa_verify(Context.pointer, signature, hash, key)
        }
      }
    } == 1
  }
}
