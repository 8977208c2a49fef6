internal import Secp256k1
internal import BOLT
internal import Bitcoin
internal import Encoding
internal import GLC
internal import Onchain
internal import Synchronization
internal import Wire

/// A channel on its way home from the chain.
struct OnchainChannel: Sendable {
  var resolver: Resolver
  /// Revocation records, as far as they were asked for: the resolver asks and cannot wait.
  let records: RecordCache
  /// The height of the block that spends the funding output.
  var closedAt: UInt32?
  /// Our commitment with its witness, to be published together with what pays for it.
  var commitment: Transaction?

  static let version: UInt8 = 1

  var encoded: [UInt8] {
    var writer = ByteWriter(reservingCapacity: 4096)
    writer.write(Self.version)
    writer.write(closedAt ?? 0)
    writer.write(resolver.encoded)
    return writer.bytes
  }

  init(resolver: Resolver, records: RecordCache) {
    self.resolver = resolver
    self.records = records
  }

  init(
    decoding bytes: [UInt8], points: @escaping @Sendable (UInt64) -> PublicKey?, records: RecordCache
  ) throws {
    guard bytes.count > 5, bytes[0] == Self.version else {
      throw DecodingError.malformed("a resolver of another version")
    }
    var reader = ByteReader(bytes.bytes)
    try reader.skip(1)
    let closed = try reader.readUInt32()
    closedAt = closed == 0 ? nil : closed
    let rest = bytes.dropFirst(5)
    resolver = try Resolver(
      decoding: rest.bytes, registry: .shipped, points: points, records: { records[$0, $1] })
    self.records = records
  }
}

/// Revocation records by commitment number and funding output.
final class RecordCache: Sendable {
  private struct Key: Hashable {
    var number: UInt64
    var funding: OutPoint
  }

  private let records = Mutex<[Key: RevocationRecord]>([:])

  subscript(number: UInt64, funding: OutPoint) -> RevocationRecord? {
    get { records.withLock { $0[Key(number: number, funding: funding)] } }
    set { records.withLock { $0[Key(number: number, funding: funding)] = newValue } }
  }
}
