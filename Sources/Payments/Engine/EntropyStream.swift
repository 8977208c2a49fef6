internal import Encoding
internal import Hashing

/// Secrets drawn from one: HMAC-SHA256 of a counter under a seed that is fresh for each run, and never stored.
struct EntropyStream: Sendable {
  private let mac: HMACSHA256
  private var counter: UInt64 = 0

  init(seed: Bytes32) { mac = HMACSHA256(key: seed.bytes) }

  mutating func next() -> Bytes32 {
    var writer = ByteWriter()
    writer.write(counter)
    counter += 1
    return mac.authenticate(writer.bytes.bytes)
  }

  mutating func nextUInt64() -> UInt64 {
    let bytes = next()
    return (0..<8).reduce(0) { $0 << 8 | UInt64(bytes[$1]) }
  }
}
