internal import Encoding
internal import Hashing
internal import Synchronization

/// Remembers which signatures were found valid, so that a transaction checked on its way into the mempool need not be checked again
/// in a block. Safe to use from any thread; the oldest entries give way, at random, when it is full.
///
/// An entry is a hash of kind, sighash, public key and signature under a salt of this cache's own: whoever does not know the salt
/// can neither aim at a place nor at an entry.
public final class SignatureCache: Sendable {
  enum Kind: UInt8 {
    case ecdsa = 0x45
    case schnorr = 0x53
  }

  private struct Table {
    /// Zero where there is nothing.
    var entries: [Bytes32]
    var next: UInt8 = 0
  }

  /// Places in which an entry may lie: a set of neighbours chosen by its first bytes.
  private static let ways = 8

  private let salt: SHA256
  private let setCount: Int
  private let table: Mutex<Table>

  /// A cache for about `capacity` signatures, 32 bytes each: from 8 to 2^24 (512 MiB), rounded up to a power of two.
  public init(capacity: Int = 1 << 16) {
    var sets = 1
    while sets * Self.ways < capacity && sets * Self.ways < 1 << 24 { sets *= 2 }
    setCount = sets
    table = Mutex(Table(entries: Array(repeating: Bytes32(), count: sets * Self.ways)))
    var generator = SystemRandomNumberGenerator()
    var salt = SHA256()
    // A whole block of SHA-256, so that no entry hashes it again.
    var block = ByteWriter(reservingCapacity: 64)
    for _ in 0..<8 { block.write(generator.next()) }
    salt.update(block.bytes)
    self.salt = salt
  }

  /// The number of signatures there is room for.
  public var capacity: Int { setCount * Self.ways }

  func entry(_ kind: Kind, sighash: Sighash, publicKey: RawSpan, signature: RawSpan) -> Bytes32 {
    var hash = salt
    // With its length, because keys and signatures of any length come here.
    hash.update([kind.rawValue, UInt8(truncatingIfNeeded: publicKey.byteCount)])
    hash.update(sighash)
    hash.update(publicKey)
    hash.update(signature)
    return hash.finish()
  }

  func contains(_ entry: Bytes32) -> Bool {
    let set = set(of: entry)
    return table.withLock { table in
      for index in set where table.entries[index] == entry { return true }
      return false
    }
  }

  func insert(_ entry: Bytes32) {
    let set = set(of: entry)
    table.withLock { table in
      var place = set.lowerBound + Int(table.next) % Self.ways
      for index in set {
        if table.entries[index] == entry { return }
        if table.entries[index] == Bytes32() { place = index }
      }
      table.entries[place] = entry
      table.next &+= 1
    }
  }

  private func set(of entry: Bytes32) -> Range<Int> {
    var number = 0
    for index in 0..<6 { number = number << 8 | Int(entry[index]) }
    let start = (number & (setCount - 1)) * Self.ways
    return start..<start + Self.ways
  }
}
