public import Bitcoin
public import Encoding
public import Wire

/// What our payments have learned about channels: which amounts went through, which did not, and when. What is old counts less and less.
/// Times are seconds since 1970.
public struct ChannelMemory: Hashable, Sendable {
  /// What is known of one direction of a channel.
  public struct Entry: Hashable, Sendable {
    /// The largest amount known to have passed, and when; 0 for none.
    public internal(set) var passed = MilliSatoshi.zero
    public internal(set) var passedTime: UInt32 = 0
    /// The smallest amount known to have failed, and when.
    public internal(set) var failed = MilliSatoshi(.max)
    public internal(set) var failedTime: UInt32 = 0
  }

  public private(set) var channels: [DirectedChannel: Entry] = [:]
  /// Nodes that failed as a whole, and when.
  public private(set) var nodes: [NodeKey: UInt32] = [:]

  /// After so many seconds, half of what was learned is forgotten.
  public static let halfLife: UInt32 = 3_600 * 6
  /// So many channels are remembered; then the oldest half goes.
  public static let mostEntries = 50_000

  public init() {}

  /// An amount went through: it reached the next node, whatever came of it afterwards.
  public mutating func passed(_ amount: MilliSatoshi, through channel: DirectedChannel, now: UInt32) {
    var entry = channels[channel] ?? Entry()
    let bounds = entry.bounds(now: now, capacity: .max)
    // Of what was known before, what is still believed.
    entry.passed = max(amount, MilliSatoshi(bounds.lower))
    entry.passedTime = now
    if entry.failed <= amount {
      entry.failed = MilliSatoshi(.max)
      entry.failedTime = 0
    }
    channels[channel] = entry
    trim()
  }

  /// An amount did not go through.
  public mutating func failed(_ amount: MilliSatoshi, through channel: DirectedChannel, now: UInt32) {
    var entry = channels[channel] ?? Entry()
    let isFresh = entry.failedTime > 0 && now < entry.failedTime.addingSaturating(Self.halfLife)
    entry.failed = isFresh ? min(amount, entry.failed) : amount
    entry.failedTime = now
    if entry.passed >= amount {
      entry.passed = .zero
      entry.passedTime = 0
    }
    channels[channel] = entry
    trim()
  }

  /// A node failed as a whole (`temporary_node_failure` and the like).
  public mutating func failed(_ node: NodeID, now: UInt32) {
    nodes[node.key] = now
    if nodes.count > Self.mostEntries { nodes = nodes.filter { now.subtractingSaturating($0.value) < Self.halfLife } }
  }

  private mutating func trim() {
    guard channels.count > Self.mostEntries else { return }
    let newestFirst = channels.sorted { $0.value.lastTime > $1.value.lastTime }
    channels = Dictionary(uniqueKeysWithValues: newestFirst.prefix(Self.mostEntries / 2).map { ($0.key, $0.value) })
  }
}

extension ChannelMemory.Entry {
  fileprivate var lastTime: UInt32 { max(passedTime, failedTime) }

  /// Between which amounts (msat) the limit of the channel is believed to lie: below the lower everything passes, above the upper nothing.
  func bounds(now: UInt32, capacity: UInt64) -> (lower: UInt64, upper: UInt64) {
    var lower: UInt64 = 0
    var upper = capacity
    if passedTime > 0 { lower = UInt64(min(Double(passed.rawValue) * Self.weight(of: passedTime, now: now), 9e18)) }
    if failedTime > 0, failed.rawValue < capacity {
      let weight = Self.weight(of: failedTime, now: now)
      let regained = UInt64(min(Double(capacity - failed.rawValue) * (1 - weight), 9e18))
      upper = min(capacity, failed.rawValue.addingReportingOverflow(regained).partialValue)
      if upper < failed.rawValue { upper = capacity }
    }
    return (min(lower, upper), upper)
  }

  /// 1 for now, a half after the half-life, and so on.
  private static func weight(of time: UInt32, now: UInt32) -> Double {
    let halves = Double(now.subtractingSaturating(time)) / Double(ChannelMemory.halfLife)
    guard halves < 60 else { return 0 }
    let whole = halves.rounded(.down)
    // 2^−x between two whole numbers, by the chord: exact at both.
    return (1 - (halves - whole) / 2) / Double(UInt64(1) << UInt64(whole))
  }
}

extension ChannelMemory {
  private static let version: UInt8 = 1

  /// For keeping. Version 1: channels (11 bytes of id and direction, then amounts and times), nodes.
  public var encoded: [UInt8] {
    var writer = ByteWriter(reservingCapacity: 16 + channels.count * 33 + nodes.count * 37)
    writer.write(Self.version)
    writer.write(UInt32(truncatingIfNeeded: channels.count))
    for (channel, entry) in channels.sorted(by: { $0.key < $1.key }) {
      writer.write(channel.channel.rawValue)
      writer.write(channel.isFromNode2 ? 1 as UInt8 : 0)
      writer.write(entry.passed.rawValue)
      writer.write(entry.passedTime)
      writer.write(entry.failed.rawValue)
      writer.write(entry.failedTime)
    }
    writer.write(UInt32(truncatingIfNeeded: nodes.count))
    for (node, time) in nodes.sorted(by: { $0.key < $1.key }) {
      writer.write(node)
      writer.write(time)
    }
    return writer.bytes
  }

  public init(decoding bytes: [UInt8]) throws(DecodingError) {
    var reader = ByteReader(bytes.bytes)
    guard try reader.readUInt8() == Self.version else { throw .malformed("an unknown version of what was learned") }
    for _ in 0..<(try reader.readUInt32()) {
      let id = ShortChannelID(rawValue: try reader.readUInt64())
      let direction = try reader.readUInt8()
      var entry = Entry()
      entry.passed = MilliSatoshi(try reader.readUInt64())
      entry.passedTime = try reader.readUInt32()
      entry.failed = MilliSatoshi(try reader.readUInt64())
      entry.failedTime = try reader.readUInt32()
      channels[DirectedChannel(id, isFromNode2: direction != 0)] = entry
    }
    for _ in 0..<(try reader.readUInt32()) {
      let node = try reader.read(NodeKey.self)
      nodes[node] = try reader.readUInt32()
    }
    try reader.finish()
  }
}

extension FixedWidthInteger where Self: UnsignedInteger {
  @inline(__always) func addingSaturating(_ other: Self) -> Self {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
  @inline(__always) func subtractingSaturating(_ other: Self) -> Self { self > other ? self - other : 0 }
}
