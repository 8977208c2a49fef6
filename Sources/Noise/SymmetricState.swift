internal import Encoding
internal import Hashing
internal import Secp256k1

/// What both sides of a BOLT 8 handshake keep: the handshake hash, the chaining key and the intermediate key of the moment.
struct SymmetricState: ~Copyable {
  /// `h`, 32 bytes.
  private var hash: Bytes32
  /// `ck`.
  private var chainingKey: SecretBytes32
  /// `temp_k1`, `temp_k2` and `temp_k3`, one after the other.
  private var temporaryKey: SecretBytes32

  /// SHA-256 of the protocol's name, and of that and the prologue `lightning`: where every handshake starts.
  private static let start: (chainingKey: Bytes32, hash: Bytes32) = {
    let name = sha256([UInt8]("Noise_XK_secp256k1_ChaChaPoly_SHA256".utf8))
    return (name, sha256(name.array + [UInt8]("lightning".utf8)))
  }()

  /// BOLT 8 §Handshake State Initialization: `responderStatic` is the responder's node id, on both sides.
  init(responderStatic: PublicKey) {
    hash = Self.start.hash
    chainingKey = SecretBytes32(Self.start.chainingKey)
    temporaryKey = SecretBytes32(Bytes32())
    mixHash(responderStatic.bytes)
  }

  /// `h = SHA-256(h || bytes)`.
  mutating func mixHash(_ bytes: RawSpan) {
    var state = SHA256()
    state.update(hash)
    state.update(bytes)
    hash = state.finish()
  }

  /// `ck, temp_k = HKDF(ck, ECDH(secret, point))`.
  mutating func mixKey(_ secret: borrowing SecretKey, _ point: PublicKey) {
    var shared = secret.sharedSecret(with: point)
    HKDFSHA256.mix(shared.bytes, chainingKey: &chainingKey, key: &temporaryKey)
    wipe(&shared)
  }

  /// Appends `c = encryptWithAD(temp_k, n, h, plaintext)` to `output`, and mixes c into h.
  mutating func encrypt(nonce: UInt64, _ plaintext: RawSpan, appendingTo output: inout [UInt8]) {
    let offset = output.count
    ChaCha20Poly1305.seal(
      key: temporaryKey, nonce: noiseNonce(nonce), associatedData: hash.bytes, plaintext: plaintext,
      appendingTo: &output)
    mixHash(output.bytes.extracting(offset..<output.count))
  }

  /// `decryptWithAD(temp_k, n, h, c)`, and mixes c into h; nil when the MAC check fails.
  mutating func decrypt(nonce: UInt64, _ ciphertext: RawSpan) -> [UInt8]? {
    let plaintext = ChaCha20Poly1305.open(
      key: temporaryKey, nonce: noiseNonce(nonce), associatedData: hash.bytes, ciphertext: ciphertext)
    mixHash(ciphertext)
    return plaintext
  }

  /// `HKDF(ck, zero)`: the two keys of the transport, the first for what the initiator sends.
  consuming func split(isInitiator: Bool) -> Transport {
    var (first, second) = HKDFSHA256.twoKeys(salt: chainingKey.bytes, ikm: RawSpan())
    defer {
      wipe(&first)
      wipe(&second)
    }
    // BOLT 8: The sending and receiving chaining keys are initialized the same.
    let fromInitiator = CipherState(key: SecretBytes32(first), chainingKey: SecretBytes32(copying: chainingKey))
    let fromResponder = CipherState(key: SecretBytes32(second), chainingKey: SecretBytes32(copying: chainingKey))
    return isInitiator
      ? Transport(encryptor: Encryptor(state: fromInitiator), decryptor: Decryptor(state: fromResponder))
      : Transport(encryptor: Encryptor(state: fromResponder), decryptor: Decryptor(state: fromInitiator))
  }
}

/// BOLT 8: "nonce `n` encoded as 32 zero bits, followed by a *little-endian* 64-bit value."
func noiseNonce(_ nonce: UInt64) -> FixedBytes<12> {
  var bytes = FixedBytes<12>()
  for index in 0..<8 { bytes[4 + index] = UInt8(truncatingIfNeeded: nonce >> UInt64(8 * index)) }
  return bytes
}
