internal import Encoding
internal import Hashing
internal import Secp256k1

// The library reads spans. The compiler (6.3) does not let the parameter of an operation's body lend one
// ("lifetime-dependent value escapes its scope", for every closure whose parameters come from a pack), so bodies hand
// over arrays.

extension FixedSizeBytes {
  init(array: [UInt8]) throws(DecodingError) { try self.init(copying: array.bytes) }
}

extension ECDSASignature {
  init(der: [UInt8]) throws(Secp256k1Error) { try self.init(der: der.bytes) }
}

extension KeyPair {
  func signSchnorrAdaptor(
    _ message: [UInt8], point: PublicKey, auxRand: Bytes32
  ) throws(Secp256k1Error) -> SchnorrAdaptorSignature {
    try signSchnorrAdaptor(message.bytes, point: point, auxRand: auxRand)
  }

  func signSchnorr(_ message: [UInt8], auxRand: Bytes32) -> SchnorrSignature {
    signSchnorr(message.bytes, auxRand: auxRand)
  }
}

extension XOnlyPublicKey {
  func isValidSchnorrAdaptor(_ signature: SchnorrAdaptorSignature, for message: [UInt8], point: PublicKey) -> Bool {
    isValidSchnorrAdaptor(signature, for: message.bytes, point: point)
  }

  func isValidSchnorr(_ signature: SchnorrSignature, for message: [UInt8]) -> Bool {
    isValidSchnorr(signature, for: message.bytes)
  }
}

extension ChaCha20Poly1305 {
  static func seal(
    key: Bytes32, nonce: FixedBytes<12>, associatedData: [UInt8], plaintext: [UInt8]
  ) -> [UInt8] {
    seal(key: key, nonce: nonce, associatedData: associatedData.bytes, plaintext: plaintext.bytes)
  }

  static func open(
    key: Bytes32, nonce: FixedBytes<12>, associatedData: [UInt8], ciphertext: [UInt8]
  ) -> [UInt8]? {
    open(key: key, nonce: nonce, associatedData: associatedData.bytes, ciphertext: ciphertext.bytes)
  }
}

extension HKDFSHA256 {
  static func extract(salt: [UInt8], ikm: [UInt8]) -> Bytes32 { extract(salt: salt.bytes, ikm: ikm.bytes) }

  static func expand(prk: Bytes32, info: [UInt8], byteCount: Int) -> [UInt8]? {
    expand(prk: prk, info: info.bytes, byteCount: byteCount)
  }
}

extension HMACSHA256 {
  func authenticate(_ message: [UInt8]) -> Bytes32 { authenticate(message.bytes) }
}

func hmacSHA512(key: [UInt8], _ message: [UInt8]) -> Bytes64 { hmacSHA512(key: key.bytes, message.bytes) }
