internal import CGLC
public import Encoding

/// ChaCha20 (RFC 8439 §2.4).
public enum ChaCha20 {
  /// XORs the key stream into `bytes`, starting at 64-byte block `counter`.
  public static func apply(key: Bytes32, nonce: FixedBytes<12>, counter: UInt32 = 0, to bytes: inout [UInt8]) {
    unsafe key.bytes.withUnsafeBytes { key in
      unsafe nonce.bytes.withUnsafeBytes { nonce in
        unsafe bytes.withUnsafeMutableBufferPointer { buffer in
          guard let base = buffer.baseAddress else { return }
          unsafe glc_chacha20_xor(base, base, buffer.count, nonce.start, counter, key.start)
        }
      }
    }
  }

  /// The first `count` bytes of the key stream.
  public static func keyStream(key: Bytes32, nonce: FixedBytes<12> = .init(), count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    apply(key: key, nonce: nonce, to: &bytes)
    return bytes
  }
}

/// ChaCha20-Poly1305 (RFC 8439 §2.8): a 32-byte key, a 12-byte nonce, a 16-byte tag behind the ciphertext.
public enum ChaCha20Poly1305 {
  public static let tagByteCount = 16

  /// The ciphertext with its tag, 16 bytes longer than the plaintext.
  public static func seal(
    key: Bytes32, nonce: FixedBytes<12>, associatedData: RawSpan, plaintext: RawSpan
  ) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: plaintext.byteCount + tagByteCount)
    unsafe key.bytes.withUnsafeBytes { key in
      unsafe nonce.bytes.withUnsafeBytes { nonce in
        unsafe associatedData.withUnsafeBytes { data in
          unsafe plaintext.withUnsafeBytes { plaintext in
            unsafe glc_chachapoly_seal(
              &output, plaintext.optionalStart, plaintext.count, data.optionalStart, data.count, nonce.start, key.start)
          }
        }
      }
    }
    return output
  }

  /// The plaintext; nil when the tag is wrong or missing.
  public static func open(
    key: Bytes32, nonce: FixedBytes<12>, associatedData: RawSpan, ciphertext: RawSpan
  ) -> [UInt8]? {
    guard ciphertext.byteCount >= tagByteCount else { return nil }
    var output = [UInt8](repeating: 0, count: ciphertext.byteCount - tagByteCount)
    let isAuthentic = unsafe key.bytes.withUnsafeBytes { key in
      unsafe nonce.bytes.withUnsafeBytes { nonce in
        unsafe associatedData.withUnsafeBytes { data in
          unsafe ciphertext.withUnsafeBytes { ciphertext in
            unsafe glc_chachapoly_open(
              &output, ciphertext.start, ciphertext.count, data.optionalStart, data.count, nonce.start, key.start)
          }
        }
      }
    }
    return isAuthentic == 1 ? output : nil
  }
}

extension UnsafeRawBufferPointer {
  var optionalStart: UnsafePointer<UInt8>? { unsafe baseAddress?.assumingMemoryBound(to: UInt8.self) }
  /// Of a buffer that is known not to be empty.
  var start: UnsafePointer<UInt8> { unsafe baseAddress!.assumingMemoryBound(to: UInt8.self) }
}
