internal import CGLC
internal import Encoding

extension SHA256 {
  /// The hash of all that was fed in, written over `out` (32 bytes). The state, which secrets have passed through, is
  /// wiped: for hashes that are secrets themselves, such as nonces.
  package mutating func finish(wipingInto out: inout MutableRawSpan) {
    precondition(out.byteCount == 32, "a SHA-256 hash is 32 bytes")
    unsafe out.withUnsafeMutableBytes { buffer in
      unsafe glc_sha256_final(&state, buffer.baseAddress!.assumingMemoryBound(to: UInt8.self))
    }
    wipe()
  }

  /// Overwrites the state, for where a secret was fed in and no hash is asked for. Nothing can be fed in afterwards.
  package mutating func wipe() {
    unsafe withUnsafeMutableBytes(of: &state) { buffer in unsafe glc_wipe(buffer.baseAddress!, buffer.count) }
  }
}
