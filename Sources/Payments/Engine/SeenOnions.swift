internal import Encoding
internal import GLC

/// Which onions have passed, by the hash of their secrets. The latest are known by name. All others are in filters of a fixed size, which never
/// miss one that has passed, and now and then take one for passed that has not: then the store knows.
///
/// They are kept in periods of 144 blocks, by when their offers expire: an onion whose offer has expired is refused whoever brings it.
struct SeenOnions: Sendable {
  enum Answer: Sendable {
    case fresh
    case passed(PaymentKey)
    /// Only the store can tell.
    case uncertain
  }

  private var latest: [Bytes32: SeenOnion] = [:]
  /// In the order in which they came.
  private var leaving: [(round: UInt64, identity: Bytes32)] = []
  /// At most two, the older one first: it is dropped when all that it has seen has expired.
  private var filters: [Filter] = []
  /// Those that something is stored of.
  private var periods: Set<UInt32> = []

  func answer(for identity: Bytes32) -> Answer {
    if let seen = latest[identity] { return .passed(seen.key) }
    return filters.contains { $0.contains(identity) } ? .uncertain : .fresh
  }

  /// What the store said of one that was uncertain. The latest may not be there yet.
  func answer(for identity: Bytes32, stored: [SeenOnion]) -> Answer {
    if let seen = latest[identity] ?? stored.first { return .passed(seen.key) }
    return .fresh
  }

  /// Where the store may have it.
  func keys(of identity: Bytes32) -> [[UInt8]] { periods.sorted().map { Self.key($0, identity) } }

  /// Takes note of one that passes.
  mutating func add(_ identity: Bytes32, _ seen: SeenOnion, round: UInt64, height: UInt32) -> RecordChange {
    let period = Self.period(of: seen.expiry, at: height)
    latest[identity] = seen
    leaving.append((round, identity))
    periods.insert(period)
    return RecordChange(.onions, key: Self.key(period, identity), value: seen.encoded)
  }

  /// They are in the store, for whoever asks it.
  mutating func release(through round: UInt64, height: UInt32) {
    let count = leaving.firstIndex { $0.round > round } ?? leaving.count
    for (_, identity) in leaving.prefix(count) {
      guard let seen = latest.removeValue(forKey: identity) else { continue }
      insert(identity, Self.period(of: seen.expiry, at: height))
    }
    leaving.removeFirst(count)
  }

  /// Reads one back.
  mutating func load(_ record: RecordChange) throws(DecodingError) {
    var reader = ByteReader(record.key.bytes)
    let period = try reader.readUInt32()
    let identity: Bytes32 = try reader.read()
    periods.insert(period)
    insert(identity, period)
  }

  /// Drops what has expired.
  mutating func forget(before height: UInt32) -> [RecordChange] {
    let over = periods.filter { $0 < height / Self.blocksPerPeriod }.sorted()
    guard let last = over.last else { return [] }
    periods.subtract(over)
    filters.removeAll { $0.lastPeriod <= last }
    return over.map { RecordChange(.onions, removingPrefix: Self.prefix($0)) }
  }

  // MARK: Periods

  static let blocksPerPeriod: UInt32 = 144
  /// Nobody waits longer than that, in periods: what asks for it is kept no longer, so that there is an end to their number.
  private static let maximumPeriods: UInt32 = 400

  private static func period(of expiry: UInt32, at height: UInt32) -> UInt32 {
    min(expiry / blocksPerPeriod, height / blocksPerPeriod + maximumPeriods)
  }

  private static func prefix(_ period: UInt32) -> [UInt8] {
    var writer = ByteWriter(reservingCapacity: 4)
    writer.write(period)
    return writer.bytes
  }

  private static func key(_ period: UInt32, _ identity: Bytes32) -> [UInt8] { prefix(period) + identity.array }

  /// Under which key one is kept that was stored without a period.
  static func key(expiry: UInt32, identity: Bytes32) -> [UInt8] { key(expiry / blocksPerPeriod, identity) }

  // MARK: Filters

  private mutating func insert(_ identity: Bytes32, _ period: UInt32) {
    if filters.isEmpty || (filters.count == 1 && filters[0].count >= Filter.comfortableCount) {
      filters.append(Filter())
    }
    filters[filters.count - 1].insert(identity)
    filters[filters.count - 1].lastPeriod = max(filters[filters.count - 1].lastPeriod, period)
  }

  /// A Bloom filter of a megabyte: with half a million onions, one of 500 others looks as if it were among them.
  private struct Filter: Sendable {
    private var words = [UInt64](repeating: 0, count: Self.bitCount / 64)
    private(set) var count = 0
    var lastPeriod: UInt32 = 0

    static let comfortableCount = 500_000
    private static let bitCount = 1 << 23

    /// An identity is a hash: its bytes are as random as can be.
    private static func bits(_ identity: Bytes32) -> (Int, Int, Int, Int) {
      func bit(_ start: Int) -> Int {
        Int(identity[start]) << 16 & (bitCount - 1) | Int(identity[start + 1]) << 8 | Int(identity[start + 2])
      }
      return (bit(0), bit(3), bit(6), bit(9))
    }

    mutating func insert(_ identity: Bytes32) {
      let bits = Self.bits(identity)
      for bit in [bits.0, bits.1, bits.2, bits.3] { words[bit >> 6] |= 1 << UInt64(bit & 63) }
      count += 1
    }

    func contains(_ identity: Bytes32) -> Bool {
      let bits = Self.bits(identity)
      func has(_ bit: Int) -> Bool { words[bit >> 6] & 1 << UInt64(bit & 63) != 0 }
      return has(bits.0) && has(bits.1) && has(bits.2) && has(bits.3)
    }
  }
}

/// Whose offer brought an onion.
struct SeenOnion: BinaryCodable {
  var key: PaymentKey
  var expiry: UInt32

  init(key: PaymentKey, expiry: UInt32) {
    self.key = key
    self.expiry = expiry
  }

  init(from reader: inout ByteReader) throws(DecodingError) {
    try reader.readVersion(1)
    key = try PaymentKey(from: &reader)
    expiry = try reader.readUInt32()
  }

  func encode(to writer: inout ByteWriter) {
    writer.write(1 as UInt8)
    key.encode(to: &writer)
    writer.write(expiry)
  }
}
