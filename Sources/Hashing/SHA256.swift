internal import CGLC
public import Encoding

/// SHA-256 (FIPS 180-4), in pieces. A copy of the value is a midstate that can be continued several times.
public struct SHA256: Sendable {
  var state = glc_sha256_state()

  public init() { unsafe glc_sha256_init(&state) }

  public mutating func update(_ bytes: RawSpan) {
    unsafe bytes.withUnsafeBytes { buffer in unsafe glc_sha256_update(&state, buffer.baseAddress, buffer.count) }
  }

  public mutating func update(_ bytes: [UInt8]) { update(bytes.bytes) }

  public mutating func update(_ value: some FixedSizeBytes) { update(value.bytes) }

  /// The hash of all that was fed in, 32 bytes. The state is used up.
  public consuming func finish() -> Bytes32 {
    var digest = Bytes32()
    unsafe digest.withMutableBytes { out in
      unsafe glc_sha256_final(&state, out.baseAddress!.assumingMemoryBound(to: UInt8.self))
    }
    return digest
  }
}

/// SHA-256 of the bytes.
public func sha256(_ bytes: RawSpan) -> Bytes32 { unsafe oneShot(bytes, unsafe glc_sha256) }
public func sha256(_ bytes: [UInt8]) -> Bytes32 { sha256(bytes.bytes) }

/// SHA-256 of the SHA-256 of the bytes: Bitcoin's identifiers and checksums.
public func sha256d(_ bytes: RawSpan) -> Bytes32 { unsafe oneShot(bytes, unsafe glc_sha256d) }
public func sha256d(_ bytes: [UInt8]) -> Bytes32 { sha256d(bytes.bytes) }

/// RIPEMD-160 of the bytes.
public func ripemd160(_ bytes: RawSpan) -> Bytes20 { unsafe oneShot(bytes, unsafe glc_ripemd160) }
public func ripemd160(_ bytes: [UInt8]) -> Bytes20 { ripemd160(bytes.bytes) }

/// RIPEMD-160 of the SHA-256 of the bytes.
public func hash160(_ bytes: RawSpan) -> Bytes20 { unsafe oneShot(bytes, unsafe glc_hash160) }
public func hash160(_ bytes: [UInt8]) -> Bytes20 { hash160(bytes.bytes) }

/// SHA-1 of the bytes, for `OP_SHA1` alone.
public func sha1(_ bytes: RawSpan) -> Bytes20 { unsafe oneShot(bytes, unsafe glc_sha1) }
public func sha1(_ bytes: [UInt8]) -> Bytes20 { sha1(bytes.bytes) }

@inline(__always)
private func oneShot<let n: Int>(
  _ bytes: RawSpan, _ function: (UnsafeRawPointer?, Int, UnsafeMutablePointer<UInt8>) -> Void
) -> FixedBytes<n> {
  var digest = FixedBytes<n>()
  unsafe digest.withMutableBytes { out in
    unsafe bytes.withUnsafeBytes { buffer in
      unsafe function(buffer.baseAddress, buffer.count, out.baseAddress!.assumingMemoryBound(to: UInt8.self))
    }
  }
  return digest
}

/// The start of a BIP 340 tagged hash, SHA-256(SHA-256(tag) ‖ SHA-256(tag) ‖ …): keep it and continue copies.
public func taggedHash(_ tag: StaticString) -> SHA256 {
  let text = [UInt8](tag.description.utf8)
  let hashed = sha256(text)
  var state = SHA256()
  state.update(hashed)
  state.update(hashed)
  return state
}
