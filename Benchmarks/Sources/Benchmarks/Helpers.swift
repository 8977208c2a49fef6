internal import Encoding
internal import Hashing
internal import Secp256k1

extension FixedSizeBytes {
  /// The first eight bytes, for sums.
  @inline(__always) var word: UInt64 { bytes.unsafeLoadUnaligned(as: UInt64.self) }
}

extension [UInt8] {
  @inline(__always) var word: UInt64 { bytes.unsafeLoadUnaligned(as: UInt64.self) }

  /// Writes the turn into the first eight bytes.
  @inline(__always) mutating func put(turn: Int) {
    withUnsafeMutableBytes { $0.storeBytes(of: UInt64(turn), as: UInt64.self) }
  }
}

extension FixedBytes {
  @inline(__always) mutating func put(turn: Int, at offset: Int = 0) {
    withMutableBytes { $0.storeBytes(of: UInt64(turn), toByteOffset: offset, as: UInt64.self) }
  }
}

/// Inputs made of a counter: 32 bytes that look random and are the same in each run.
func sample(_ number: UInt8) -> Bytes32 { sha256([number, 0x6c, 0x67]) }

func sampleKey(_ number: UInt8) -> SecretKey { try! SecretKey(sample(number)) }

func sampleBytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 7) } }
