internal import CGLC
public import Encoding

/// Argon2id (RFC 9106), version 1.3 with one lane: a key from a password, slow and large on purpose.
public enum Argon2id {
  /// A 32-byte key. `operations` passes over `memory` bytes: at least 1 and 8,192. Nil when it cannot have that much memory, or for a
  /// number out of range.
  public static func key(
    password: [UInt8], salt: FixedBytes<16>, operations: UInt32, memory: Int
  ) -> SecretBytes32? {
    guard operations >= 1, memory >= 8192 else { return nil }
    var key = Bytes32()
    defer { wipe(&key) }
    let succeeded = unsafe key.withMutableBytes { out in
      unsafe salt.bytes.withUnsafeBytes { salt in
        unsafe glc_argon2id(
          out.baseAddress!.assumingMemoryBound(to: UInt8.self), out.count, password, password.count, salt.start,
          UInt64(operations), memory)
      }
    }
    return succeeded == 1 ? SecretBytes32(key) : nil
  }
}

/// XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha): as ChaCha20-Poly1305, with a nonce of 24 bytes that can be drawn at random.
public enum XChaCha20Poly1305 {
  public static let tagByteCount = 16

  /// The ciphertext with its tag, 16 bytes longer than the plaintext.
  public static func seal(
    key: borrowing SecretBytes32, nonce: FixedBytes<24>, associatedData: RawSpan, plaintext: RawSpan
  ) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: plaintext.byteCount + tagByteCount)
    unsafe nonce.bytes.withUnsafeBytes { nonce in
      unsafe associatedData.withUnsafeBytes { data in
        unsafe plaintext.withUnsafeBytes { plaintext in
          unsafe glc_xchachapoly_seal(
            &output, plaintext.optionalStart, plaintext.count, data.optionalStart, data.count, nonce.start, key.start)
        }
      }
    }
    return output
  }

  /// The plaintext; nil when the tag is wrong or missing.
  public static func open(
    key: borrowing SecretBytes32, nonce: FixedBytes<24>, associatedData: RawSpan, ciphertext: RawSpan
  ) -> [UInt8]? {
    guard ciphertext.byteCount >= tagByteCount else { return nil }
    var output = [UInt8](repeating: 0, count: ciphertext.byteCount - tagByteCount)
    let isAuthentic = unsafe nonce.bytes.withUnsafeBytes { nonce in
      unsafe associatedData.withUnsafeBytes { data in
        unsafe ciphertext.withUnsafeBytes { ciphertext in
          unsafe glc_xchachapoly_open(
            &output, ciphertext.start, ciphertext.count, data.optionalStart, data.count, nonce.start, key.start)
        }
      }
    }
    return isAuthentic == 1 ? output : nil
  }
}

extension SecretBytes32 {
  /// 32 bytes from the operating system.
  public static func random() -> SecretBytes32 {
    var bytes = Bytes32()
    defer { wipe(&bytes) }
    unsafe bytes.withMutableBytes { buffer in
      if let start = buffer.baseAddress { unsafe glc_random(start, buffer.count) }
    }
    return SecretBytes32(bytes)
  }
}

extension FixedBytes {
  /// Bytes from the operating system: salts and nonces. A secret is drawn into a type that wipes itself.
  package static func drawn() -> Self {
    var bytes = Self()
    unsafe bytes.withMutableBytes { buffer in
      if let start = buffer.baseAddress { unsafe glc_random(start, buffer.count) }
    }
    return bytes
  }
}
