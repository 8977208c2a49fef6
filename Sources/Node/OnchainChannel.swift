internal import Secp256k1
internal import BOLT
internal import Bitcoin
internal import Encoding
internal import GLC
internal import Onchain
internal import Signer
internal import Storage
internal import Synchronization
internal import Wire

/// A channel on its way home from the chain.
struct OnchainChannel: Sendable {
  var resolver: Resolver
  /// The resolver asks and cannot wait.
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

  /// Reads one back, with the revocation records that it needs: it says which, and is read again.
  static func load(_ bytes: [UInt8], _ channel: LightningChannel, from store: any Store) async throws -> OnchainChannel
  {
    let (cache, signer) = (RecordCache(), channel.signer)
    while true {
      let read = try OnchainChannel(
        decoding: bytes, points: { try? signer.perCommitmentPoint($0) }, records: cache)
      guard try await cache.loadMissing(of: channel.id, from: store) else { return read }
    }
  }

  private init(
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

/// Revocation records by commitment number and funding output: of a channel's many, those that were asked for.
final class RecordCache: Sendable {
  private struct Key: Hashable {
    var number: UInt64
    var funding: OutPoint

    func stored(_ id: ChannelID) -> [UInt8] {
      var writer = ByteWriter(reservingCapacity: 76)
      writer.write(id)
      writer.write(number)
      funding.encode(to: &writer)
      return writer.bytes
    }
  }

  private struct State {
    var records: [Key: RevocationRecord] = [:]
    /// Asked for, and not there.
    var missing: Set<Key> = []
  }

  private let state = Mutex(State())

  subscript(number: UInt64, funding: OutPoint) -> RevocationRecord? {
    state.withLock { state in
      let key = Key(number: number, funding: funding)
      if let record = state.records[key] { return record }
      state.missing.insert(key)
      return nil
    }
  }

  /// Reads one from the store.
  func load(_ number: UInt64, _ funding: OutPoint, of id: ChannelID, from store: any Store) async throws(StoreError) {
    try await load(Key(number: number, funding: funding), of: id, from: store)
  }

  /// Reads those that were asked for in vain. False when none of them is there.
  func loadMissing(of id: ChannelID, from store: any Store) async throws(StoreError) -> Bool {
    let missing = state.withLock { state in
      defer { state.missing = [] }
      return state.missing
    }
    var isFound = false
    for key in missing where try await load(key, of: id, from: store) { isFound = true }
    return isFound
  }

  @discardableResult
  private func load(_ key: Key, of id: ChannelID, from store: any Store) async throws(StoreError) -> Bool {
    guard let bytes = try await store.value(of: key.stored(id), in: .revocations) else { return false }
    state.withLock { $0.records[key] = RevocationRecord(bytes: bytes) }
    return true
  }
}
