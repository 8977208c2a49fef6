internal import CSecp256k1
public import Encoding

/// An ECDSA signature that the signer's public key can be computed from: r ‖ s ‖ recovery id, 65 bytes, as BOLT 11 has
/// it. The recovery id is 0 to 3: bit 0 says that R has odd y, bit 1 that its x is n or more. Wraps
/// `secp256k1_ecdsa_recoverable_signature`.
public struct RecoverableSignature: FixedSizeBytes {
  public let raw: FixedBytes<65>
  let parsed: secp256k1_ecdsa_recoverable_signature

  public static var byteCount: Int { 65 }
  public var bytes: RawSpan { @_addressableSelf @_lifetime(borrow self) get { raw.bytes } }

  init(parsed: secp256k1_ecdsa_recoverable_signature) {
    var raw = FixedBytes<65>()
    var recoveryID: Int32 = 0
    unsafe raw.withMutablePointer { out in
      unsafe withUnsafePointer(to: parsed) { signature in
        mustSucceed(
          unsafe secp256k1_ecdsa_recoverable_signature_serialize_compact(Context.pointer, out, &recoveryID, signature))
      }
    }
    raw[64] = UInt8(truncatingIfNeeded: recoveryID)
    self.raw = raw
    self.parsed = parsed
  }

  /// Reads r ‖ s and the recovery id. Throws `.malformed` when r or s is n or more or the id above 3.
  public init(compact: Bytes64, recoveryID: UInt8) throws(DecodingError) {
    var parsed = secp256k1_ecdsa_recoverable_signature()
    // An id out of range is an illegal argument to the library.
    guard recoveryID < 4 else { throw .malformed("a recovery id above 3") }
    let succeeded = unsafe compact.withPointer { bytes in
      unsafe secp256k1_ecdsa_recoverable_signature_parse_compact(Context.pointer, &parsed, bytes, Int32(recoveryID))
    }
    guard succeeded == 1 else { throw .malformed("not two numbers below the order of the curve") }
    self.init(parsed: parsed)
  }

  /// Reads 65 bytes. Throws `.wrongLength`, and as above.
  public init(copying bytes: RawSpan) throws(DecodingError) {
    let raw = try FixedBytes<65>(copying: bytes)
    try self.init(compact: Bytes64(copying: bytes.extracting(0..<64)), recoveryID: raw[64])
  }

  public var recoveryID: UInt8 { raw[64] }

  /// The signature without its recovery id.
  public var signature: ECDSASignature {
    var result = secp256k1_ecdsa_signature()
    unsafe withUnsafePointer(to: parsed) { parsed in
      mustSucceed(unsafe secp256k1_ecdsa_recoverable_signature_convert(Context.pointer, &result, parsed))
    }
    return ECDSASignature(parsed: result)
  }

  /// The public key that this is the signature of the 32-byte hash by, whether its s is low or high. Throws
  /// `.unrecoverableSignature` when there is none.
  public func recoverPublicKey(from hash: Bytes32) throws(Secp256k1Error) -> PublicKey {
    var key = secp256k1_pubkey()
    let succeeded = unsafe hash.withPointer { hash in
      unsafe withUnsafePointer(to: parsed) { signature in
        unsafe secp256k1_ecdsa_recover(Context.pointer, &key, signature, hash)
      }
    }
    guard succeeded == 1 else { throw .unrecoverableSignature }
    return PublicKey(parsed: key)
  }

  public static func == (a: Self, b: Self) -> Bool { a.raw == b.raw }
  public static func < (a: Self, b: Self) -> Bool { a.raw < b.raw }
  public func hash(into hasher: inout Hasher) { raw.hash(into: &hasher) }
}

extension SecretKey {
  /// Signs a 32-byte hash with the nonce of RFC 6979; s is low, r as it comes.
  public func signRecoverable(_ hash: Bytes32) -> RecoverableSignature {
    var signature = secp256k1_ecdsa_recoverable_signature()
    unsafe hash.withPointer { hash in
      mustSucceed(
        unsafe secp256k1_ecdsa_sign_recoverable(Context.pointer, &signature, hash, memory.start, nil, nil))
    }
    return RecoverableSignature(parsed: signature)
  }
}
