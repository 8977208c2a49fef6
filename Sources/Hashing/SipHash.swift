internal import CGLC
public import Encoding

/// SipHash-2-4 under a 16-byte key (BIP 158, BIP 152).
public func sipHash24(_ bytes: RawSpan, key: FixedBytes<16>) -> UInt64 {
  unsafe key.bytes.withUnsafeBytes { key in
    unsafe bytes.withUnsafeBytes { buffer in unsafe glc_siphash24(buffer.baseAddress, buffer.count, key.start) }
  }
}
