import Encoding
import JSON
import Secp256k1
import VectorSupport

extension JSONValue {
  /// The bytes of a hex string.
  var hexBytes: [UInt8] { get throws { try Hex.decode(string) } }
  func fixed<T: FixedSizeBytes>(_ type: T.Type = T.self) throws -> T { try T(hex: string) }
  /// The bytes of a hex string; nil for null.
  var optionalHexBytes: [UInt8]? { get throws { isNull ? nil : try hexBytes } }
  var int: Int { get throws { Int(try integer) } }
  var flag: Bool {
    get throws {
      guard let boolValue else { throw VectorError.unexpected("not a Boolean: \(description.prefix(200))") }
      return boolValue
    }
  }
}

extension SecretKey? {
  /// The secret bytes, if there is a key.
  var bytesArray: [UInt8]? {
    switch self {
    case .some(let key): key.bytes.array
    case .none: nil
    }
  }
}

extension FixedBytes where count == 32 {
  /// A number for tests that need many different ones.
  init(_ number: UInt64) {
    self.init()
    for index in 0..<8 { self[31 - index] = UInt8(truncatingIfNeeded: number >> UInt64(8 * index)) }
  }
}

/// Bytes from a seed, the same on each run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func bytes32() -> Bytes32 {
    var bytes = Bytes32()
    for index in 0..<32 { bytes[index] = UInt8(truncatingIfNeeded: next()) }
    return bytes
  }

  mutating func secretKey() -> SecretKey {
    while true {
      if let key = try? SecretKey(bytes32()) { return key }
    }
  }
}
