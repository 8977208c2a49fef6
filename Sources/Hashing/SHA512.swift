internal import CGLC
public import Encoding

/// SHA-512 (FIPS 180-4), in pieces.
public struct SHA512: Sendable {
  var state = glc_sha512_state()

  public init() { unsafe glc_sha512_init(&state) }

  public mutating func update(_ bytes: RawSpan) {
    unsafe bytes.withUnsafeBytes { buffer in unsafe glc_sha512_update(&state, buffer.baseAddress, buffer.count) }
  }

  public mutating func update(_ bytes: [UInt8]) { update(bytes.bytes) }

  /// The hash of all that was fed in, 64 bytes. The state is used up.
  public consuming func finish() -> Bytes64 {
    var digest = Bytes64()
    unsafe digest.withMutableBytes { out in
      unsafe glc_sha512_final(&state, out.baseAddress!.assumingMemoryBound(to: UInt8.self))
    }
    return digest
  }
}

/// SHA-512 of the bytes.
public func sha512(_ bytes: RawSpan) -> Bytes64 {
  var state = SHA512()
  state.update(bytes)
  return state.finish()
}

/// PBKDF2 (RFC 8018) with HMAC-SHA512. `byteCount` and `rounds` are at least 1.
public func pbkdf2SHA512(password: [UInt8], salt: [UInt8], rounds: Int, byteCount: Int) -> [UInt8] {
  var output = [UInt8](repeating: 0, count: byteCount)
  let succeeded = unsafe glc_pbkdf2_sha512(
    password, password.count, salt, salt.count, UInt32(clamping: rounds), &output, byteCount)
  precondition(succeeded == 1, "PBKDF2 needs at least one round and one byte")
  return output
}
