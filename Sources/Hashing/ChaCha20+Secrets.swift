internal import CGLC
public import Encoding

extension ChaCha20 {
  /// XORs the key stream with an all-zero nonce, from its byte `offset` on, into the bytes of an array in `range`: the pseudo-random
  /// byte stream of BOLT 4. `range` lies in the array, `offset` from 0 to below 2^38.
  public static func apply(key: Bytes32, streamOffset offset: Int, to bytes: inout [UInt8], in range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "a range outside of the array")
    guard !range.isEmpty else { return }
    unsafe bytes.withUnsafeMutableBufferPointer { buffer in
      unsafe xor(key: key, streamOffset: offset, to: buffer.baseAddress! + range.lowerBound, count: range.count)
    }
  }

  /// The same for bytes on the stack.
  public static func apply<let count: Int>(key: Bytes32, streamOffset offset: Int, to bytes: inout FixedBytes<count>) {
    unsafe bytes.withMutableBytes { buffer in
      guard let start = unsafe buffer.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
      unsafe xor(key: key, streamOffset: offset, to: start, count: count)
    }
  }

  @unsafe private static func xor(
    key: Bytes32, streamOffset offset: Int, to start: UnsafeMutablePointer<UInt8>, count: Int
  ) {
    let zeroNonce = FixedBytes<12>()
    unsafe key.bytes.withUnsafeBytes { key in
      unsafe zeroNonce.bytes.withUnsafeBytes { nonce in
        var next = unsafe start
        var left = count
        var counter = UInt32(truncatingIfNeeded: offset / 64)
        let skipped = offset % 64
        if skipped > 0 {
          // The rest of a block that was begun.
          let count = min(left, 64 - skipped)
          var block = FixedBytes<64>()
          unsafe block.withMutableBytes { block in
            let start = unsafe block.baseAddress!.assumingMemoryBound(to: UInt8.self)
            unsafe glc_chacha20_xor(start, start, 64, nonce.start, counter, key.start)
            for index in 0..<count { unsafe next[index] ^= start[skipped + index] }
            unsafe glc_wipe(start, 64)
          }
          counter &+= 1
          unsafe next += count
          left -= count
        }
        if left > 0 { unsafe glc_chacha20_xor(next, next, left, nonce.start, counter, key.start) }
      }
    }
  }
}

extension ChaCha20Poly1305 {
  /// Appends the ciphertext and its tag, 16 bytes longer than the plaintext, to `output`.
  public static func seal(
    key: borrowing SecretBytes32, nonce: FixedBytes<12>, associatedData: RawSpan, plaintext: RawSpan,
    appendingTo output: inout [UInt8]
  ) {
    let offset = output.count
    output.append(contentsOf: repeatElement(0, count: plaintext.byteCount + tagByteCount))
    unsafe output.withUnsafeMutableBufferPointer { output in
      unsafe nonce.bytes.withUnsafeBytes { nonce in
        unsafe associatedData.withUnsafeBytes { data in
          unsafe plaintext.withUnsafeBytes { plaintext in
            unsafe glc_chachapoly_seal(
              output.baseAddress! + offset, plaintext.optionalStart, plaintext.count, data.optionalStart, data.count,
              nonce.start, key.start)
          }
        }
      }
    }
  }

  /// The plaintext; nil when the tag is wrong or missing.
  public static func open(
    key: borrowing SecretBytes32, nonce: FixedBytes<12>, associatedData: RawSpan, ciphertext: RawSpan
  ) -> [UInt8]? {
    guard ciphertext.byteCount >= tagByteCount else { return nil }
    var isAuthentic: Int32 = 0
    let output = unsafe [UInt8](unsafeUninitializedCapacity: ciphertext.byteCount - tagByteCount) { output, count in
      unsafe nonce.bytes.withUnsafeBytes { nonce in
        unsafe associatedData.withUnsafeBytes { data in
          unsafe ciphertext.withUnsafeBytes { ciphertext in
            isAuthentic = unsafe glc_chachapoly_open(
              output.baseAddress, ciphertext.start, ciphertext.count, data.optionalStart, data.count, nonce.start,
              key.start)
          }
        }
      }
      count = isAuthentic == 1 ? ciphertext.byteCount - tagByteCount : 0
    }
    return isAuthentic == 1 ? output : nil
  }

  /// Opens what is `count` bytes long into memory on the stack. Nil when the tag is wrong or the length is another.
  public static func open<let count: Int>(
    key: borrowing SecretBytes32, nonce: FixedBytes<12>, associatedData: RawSpan, ciphertext: RawSpan,
    as type: FixedBytes<count>.Type = FixedBytes<count>.self
  ) -> FixedBytes<count>? {
    guard ciphertext.byteCount == count + tagByteCount else { return nil }
    var output = FixedBytes<count>()
    let isAuthentic = unsafe output.withMutableBytes { output in
      unsafe nonce.bytes.withUnsafeBytes { nonce in
        unsafe associatedData.withUnsafeBytes { data in
          unsafe ciphertext.withUnsafeBytes { ciphertext in
            unsafe glc_chachapoly_open(
              output.baseAddress?.assumingMemoryBound(to: UInt8.self), ciphertext.start, ciphertext.count,
              data.optionalStart, data.count, nonce.start, key.start)
          }
        }
      }
    }
    return isAuthentic == 1 ? output : nil
  }
}
