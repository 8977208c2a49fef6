public import Encoding
internal import Hashing

/// The hash of a filter, and of the chain of filters (BIP 157).
public struct FilterHash: ReversedHash {
  public let raw: Bytes32
  public var bytes: RawSpan { @_addressableSelf @_lifetime(borrow self) get { raw.bytes } }
  public init(_ raw: Bytes32) { self.raw = raw }
}

public struct FilterHeader: ReversedHash {
  public let raw: Bytes32
  public var bytes: RawSpan { @_addressableSelf @_lifetime(borrow self) get { raw.bytes } }
  public init(_ raw: Bytes32) { self.raw = raw }

  /// What stands before the first block's.
  public static let genesis = FilterHeader(Bytes32())
}

/// A basic block filter (BIP 158): a Golomb-coded set of the scripts that a block spends and pays to.
public struct BlockFilter: Hashable, Sendable {
  public let blockHash: BlockHash
  /// The number of elements as CompactSize, then the coded set.
  public let encoded: [UInt8]
  /// How many elements the set has.
  public let count: Int
  /// Where the coded set starts.
  private let start: Int

  // BIP 158: The parameter P MUST be set to 19, and the parameter M MUST be set to 784931.
  private static let remainderBits = 19
  private static let falsePositiveRate: UInt64 = 784_931

  /// Wraps a filter that someone else made. Throws `.truncated` when it cannot hold as many elements as it says, `.tooLarge` for 2³² and
  /// more.
  public init(blockHash: BlockHash, encoded: [UInt8]) throws(DecodingError) {
    var reader = ByteReader(encoded.bytes)
    let count = try reader.readCompactSize()
    // BIP 158: the number of items N MUST be <2^32.
    guard count < 1 << 32 else { throw .tooLarge }
    // Each element takes at least one bit of quotient and P of remainder.
    guard Int(count) * (Self.remainderBits + 1) <= reader.remaining * 8 else { throw .truncated }
    self.count = Int(count)
    self.blockHash = blockHash
    start = reader.offset
    self.encoded = encoded
  }

  /// Makes the filter of a block. `spentScripts` are the scripts that its inputs spend.
  public init(of block: Block, spentScripts: [Script]) {
    // BIP 158: The scriptPubKey of each output, aside from all OP_RETURN output scripts. Any "nil" items MUST NOT be included.
    var items = Set(spentScripts.map(\.bytes))
    for transaction in block.transactions {
      for output in transaction.outputs where output.scriptPubKey.bytes.first != Opcode.return.rawValue {
        items.insert(output.scriptPubKey.bytes)
      }
    }
    items.remove([])
    self.init(blockHash: block.hash, items: items)
  }

  init(blockHash: BlockHash, items: Set<[UInt8]>) {
    self.blockHash = blockHash
    count = items.count
    var writer = ByteWriter(reservingCapacity: 5 + items.count * 3)
    writer.writeCompactSize(items.count)
    start = writer.count
    let hasher = ItemHasher(blockHash, count: items.count)
    var bits = BitWriter(bytes: writer.bytes)
    var last: UInt64 = 0
    for value in items.map({ hasher.hash($0) }).sorted() {
      bits.write(golombRice: value - last, remainderBits: Self.remainderBits)
      last = value
    }
    encoded = bits.bytes
  }

  /// Whether the set (probably) holds the script: false positives happen once in 784,931.
  public func matches(_ script: Script) -> Bool { matchesAny([script]) }

  /// Whether the set (probably) holds any of the scripts. Empty scripts are never in a set.
  public func matchesAny(_ scripts: [Script]) -> Bool {
    guard count > 0 else { return false }
    let hasher = ItemHasher(blockHash, count: count)
    let targets = scripts.filter { !$0.isEmpty }.map { hasher.hash($0.bytes) }.sorted()
    var bits = BitReader(bytes: encoded, position: start * 8)
    var value: UInt64 = 0
    var next = 0
    for _ in 0..<count {
      guard let delta = bits.readGolombRice(remainderBits: Self.remainderBits) else { return false }
      let (sum, overflow) = value.addingReportingOverflow(delta)
      guard !overflow else { return false }
      value = sum
      while next < targets.count, targets[next] < value { next += 1 }
      guard next < targets.count else { return false }
      if targets[next] == value { return true }
    }
    return false
  }

  /// Double SHA-256 of the encoded filter.
  public var hash: FilterHash { FilterHash(sha256d(encoded)) }

  /// BIP 157: the double-SHA256 of the concatenation of the filter hash with the previous filter header.
  public func header(previous: FilterHeader) -> FilterHeader {
    var writer = ByteWriter(reservingCapacity: 64)
    writer.write(hash)
    writer.write(previous)
    return FilterHeader(sha256d(writer.bytes))
  }

  /// Maps items to [0, N · M) under the block's key.
  private struct ItemHasher {
    private let key: FixedBytes<16>
    private let range: UInt64

    init(_ blockHash: BlockHash, count: Int) {
      // BIP 158: k MUST be set to the first 16 bytes of the hash (in standard little-endian representation) of the block.
      var key = FixedBytes<16>()
      for index in 0..<16 { key[index] = blockHash.raw[index] }
      self.key = key
      range = UInt64(count) * BlockFilter.falsePositiveRate
    }

    func hash(_ item: [UInt8]) -> UInt64 { sipHash24(item.bytes, key: key).multipliedFullWidth(by: range).high }
  }
}

/// Appends bits, most significant first.
private struct BitWriter {
  var bytes: [UInt8]
  private var free = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  private mutating func write(_ value: UInt64, count: Int) {
    for shift in (0..<count).reversed() {
      if free == 0 {
        bytes.append(0)
        free = 8
      }
      free -= 1
      bytes[bytes.count - 1] |= UInt8(truncatingIfNeeded: value >> UInt64(shift) & 1) << UInt8(free)
    }
  }

  mutating func write(golombRice value: UInt64, remainderBits: Int) {
    for _ in 0..<(value >> UInt64(remainderBits)) { write(1, count: 1) }
    write(0, count: 1)
    write(value, count: remainderBits)
  }
}

private struct BitReader {
  let bytes: [UInt8]
  var position: Int

  private mutating func bit() -> UInt64? {
    guard position < bytes.count * 8 else { return nil }
    defer { position += 1 }
    return UInt64(bytes[position / 8] >> UInt8(7 - position % 8) & 1)
  }

  /// Nil when the bits end before the value does.
  mutating func readGolombRice(remainderBits: Int) -> UInt64? {
    var quotient: UInt64 = 0
    while true {
      guard let next = bit() else { return nil }
      if next == 0 { break }
      quotient += 1
    }
    var remainder: UInt64 = 0
    for _ in 0..<remainderBits {
      guard let next = bit() else { return nil }
      remainder = remainder << 1 | next
    }
    return quotient << UInt64(remainderBits) | remainder
  }
}
