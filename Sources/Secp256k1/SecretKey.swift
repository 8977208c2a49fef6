internal import CGLC
internal import CSecp256k1
public import Encoding
internal import Hashing

/// A secret key: a number from 1 to n − 1, 32 bytes big-endian. It lives on the heap, cannot be copied by accident, and
/// is wiped when its owner lets it go.
public struct SecretKey: ~Copyable, Sendable {
  let memory: SecretMemory

  /// Copies 32 bytes. Throws `.invalidSecretKey` for 0, for n and above, and for another length.
  public init(copying bytes: RawSpan) throws(Secp256k1Error) {
    guard bytes.byteCount == 32 else { throw .invalidSecretKey }
    let memory = SecretMemory(copying: bytes)
    guard unsafe secp256k1_ec_seckey_verify(Context.pointer, memory.start) == 1 else { throw .invalidSecretKey }
    self.memory = memory
  }

  public init(_ bytes: Bytes32) throws(Secp256k1Error) { try self.init(copying: bytes.bytes) }

  /// Wraps memory that holds a valid key.
  init(adopting memory: consuming SecretMemory) { self.memory = memory }

  /// A new key from the operating system's randomness.
  public static func random() -> SecretKey {
    let memory = SecretMemory(count: 32)
    repeat {
      unsafe glc_random(memory.start, 32)
    } while unsafe secp256k1_ec_seckey_verify(Context.pointer, memory.start) != 1
    return SecretKey(adopting: memory)
  }

  /// The 32 secret bytes, borrowed.
  public var bytes: RawSpan { @_lifetime(borrow self) get { memory.bytes } }

  /// The same key a second time, for a second owner.
  public func copy() -> SecretKey { SecretKey(adopting: SecretMemory(copying: memory.bytes)) }

  /// secret · G.
  public var publicKey: PublicKey {
    var parsed = secp256k1_pubkey()
    mustSucceed(unsafe secp256k1_ec_pubkey_create(Context.pointer, &parsed, memory.start))
    return PublicKey(parsed: parsed)
  }

  // MARK: Arithmetic

  /// key + tweak mod n. Throws `.invalidTweak` when the tweak is n or more or the sum is 0.
  public func adding(_ tweak: RawSpan) throws(Secp256k1Error) -> SecretKey {
    unsafe try combined(with: tweak, unsafe secp256k1_ec_seckey_tweak_add)
  }

  public func adding(_ tweak: Bytes32) throws(Secp256k1Error) -> SecretKey { try adding(tweak.bytes) }

  /// key · tweak mod n. Throws `.invalidTweak` when the tweak is 0, n or more.
  public func multiplied(by tweak: RawSpan) throws(Secp256k1Error) -> SecretKey {
    unsafe try combined(with: tweak, unsafe secp256k1_ec_seckey_tweak_mul)
  }

  public func multiplied(by tweak: Bytes32) throws(Secp256k1Error) -> SecretKey { try multiplied(by: tweak.bytes) }

  /// n − key.
  public func negated() -> SecretKey {
    let result = copy()
    mustSucceed(unsafe secp256k1_ec_seckey_negate(Context.pointer, result.memory.start))
    return result
  }

  private func combined(
    with tweak: RawSpan,
    _ operation: (OpaquePointer, UnsafeMutablePointer<UInt8>, UnsafePointer<UInt8>) -> Int32
  ) throws(Secp256k1Error) -> SecretKey {
    guard tweak.byteCount == 32 else { throw .invalidTweak }
    let result = copy()
    let succeeded = unsafe tweak.withUnsafeBytes { buffer in
      unsafe operation(
        Context.pointer, result.memory.start, buffer.baseAddress!.assumingMemoryBound(to: UInt8.self))
    }
    guard succeeded == 1 else { throw .invalidTweak }
    return result
  }

  // MARK: ECDH

  /// SHA-256 of the compressed point secret · `publicKey`, 32 bytes: the shared secret of BOLT 4 and BOLT 8.
  public func sharedSecret(with publicKey: PublicKey) -> Bytes32 {
    var secret = Bytes32()
    var point = publicKey.parsed
    unsafe secret.withMutablePointer { out in
      mustSucceed(unsafe secp256k1_ecdh(Context.pointer, out, &point, memory.start, nil, nil))
    }
    return secret
  }

  /// The point secret · `publicKey`, in constant time. (`secp256k1_ec_pubkey_tweak_mul` is not: it takes its factor for
  /// public.)
  public func sharedPoint(with publicKey: PublicKey) -> PublicKey {
    var uncompressed = FixedBytes<65>()
    defer { wipe(&uncompressed) }
    uncompressed[0] = 4
    var point = publicKey.parsed
    unsafe uncompressed.withMutablePointer { out in
      mustSucceed(
        unsafe secp256k1_ecdh(
          Context.pointer, out + 1, &point, memory.start,
          { out, x, y, _ in
            guard let out = unsafe out, let x = unsafe x, let y = unsafe y else { return 0 }
            unsafe out.update(from: x, count: 32)
            unsafe (out + 32).update(from: y, count: 32)
            return 1
          }, nil))
      mustSucceed(unsafe secp256k1_ec_pubkey_parse(Context.pointer, &point, out, 65))
    }
    return PublicKey(parsed: point)
  }
}
