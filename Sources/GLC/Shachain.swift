public import Encoding
internal import Hashing

/// The secret behind one commitment's per-commitment point: 32 bytes, revealed when the commitment is revoked.
public struct PerCommitmentSecret: TypedBytes {
  public let raw: Bytes32
  public var bytes: RawSpan { @_addressableSelf @_lifetime(borrow self) get { raw.bytes } }
  public init(_ raw: Bytes32) { self.raw = raw }
}

/// Which secret of the 2⁴⁸ that a seed has. BOLT 3 §Per-commitment Secret Requirements: "The first secret used MUST be
/// index 281474976710655, and from there, the index is decremented."
public struct ShachainIndex: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
  /// Below 2⁴⁸.
  public let rawValue: UInt64

  /// Nil for 2⁴⁸ and more.
  public init?(rawValue: UInt64) {
    guard rawValue < 1 << 48 else { return nil }
    self.rawValue = rawValue
  }

  /// The index of the secret of a commitment, whose numbers count up from 0. Nil for 2⁴⁸ and more.
  public init?(commitmentNumber: UInt64) {
    guard commitmentNumber < 1 << 48 else { return nil }
    rawValue = Self.first.rawValue - commitmentNumber
  }

  private init(first: Void) { rawValue = 1 << 48 - 1 }

  /// 281474976710655.
  public static let first = ShachainIndex(first: ())

  /// Inverse of `init(commitmentNumber:)`.
  public var commitmentNumber: UInt64 { Self.first.rawValue - rawValue }

  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
  public var description: String { String(rawValue) }

  /// BOLT 3 `where_to_put_secret`: the number of trailing zeros, 48 for index 0.
  var bucket: Int { min(rawValue.trailingZeroBitCount, ShachainStore.bucketCount - 1) }
}

extension PerCommitmentSecret {
  /// BOLT 3 `generate_from_seed`. `seed` is 32 bytes that nobody else knows.
  public init(seed: Bytes32, index: ShachainIndex) {
    self = PerCommitmentSecret(seed).derived(bits: 48, index: index)
  }

  /// BOLT 3 `derive_secret`: the secret of `index`, when this is the secret of the index whose last `bits` bits are
  /// zero and whose others are the same.
  func derived(bits: Int, index: ShachainIndex) -> PerCommitmentSecret {
    var value = raw
    for bit in (0..<bits).reversed() where index.rawValue >> UInt64(bit) & 1 == 1 {
      value[bit / 8] ^= 1 << UInt8(bit % 8)
      value = sha256(value.bytes)
    }
    return PerCommitmentSecret(value)
  }
}

public enum ShachainError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The secret does not lead to those that were received before: the counterparty did not make them of one seed.
  case inconsistent(ShachainIndex)

  public var description: String {
    switch self {
    case .inconsistent(let index): "the secret of index \(index) does not lead to those received before"
    }
  }
}

/// The secrets that a counterparty has revealed so far, in at most 49 entries (BOLT 3 §Efficient Per-commitment Secret
/// Storage).
public struct ShachainStore: Hashable, Sendable {
  public struct Entry: Hashable, Sendable {
    public let index: ShachainIndex
    public let secret: PerCommitmentSecret
  }

  static let bucketCount = 49

  /// By the number of trailing zeros of their indices; as many as were needed so far.
  public private(set) var entries: [Entry?] = []

  public init() {}

  /// BOLT 3 `insert_secret`. Secrets are received in descending order from `ShachainIndex.first`. Throws
  /// `.inconsistent`, and stays as it was, when the secret does not lead to those stored in lower buckets, or another
  /// one is known for its index.
  public mutating func insert(_ secret: PerCommitmentSecret, at index: ShachainIndex) throws(ShachainError) {
    let bucket = index.bucket
    for entry in entries.prefix(bucket) {
      guard let entry else { continue }
      guard secret.derived(bits: bucket, index: entry.index) == entry.secret else { throw .inconsistent(index) }
    }
    if let known = self.secret(at: index), known != secret { throw .inconsistent(index) }
    while entries.count <= bucket { entries.append(nil) }
    entries[bucket] = Entry(index: index, secret: secret)
  }

  /// BOLT 3 `derive_old_secret`. Nil for a secret that has not been received.
  public func secret(at index: ShachainIndex) -> PerCommitmentSecret? {
    for (bucket, entry) in entries.enumerated() {
      guard let entry else { continue }
      let suffix: UInt64 = 1 << UInt64(bucket) - 1
      if index.rawValue & ~suffix == entry.index.rawValue { return entry.secret.derived(bits: bucket, index: index) }
    }
    return nil
  }
}
