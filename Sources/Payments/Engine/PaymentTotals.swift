public import Bitcoin
internal import Encoding
public import Wire

/// What payments have moved, for good: counted as it happens, so that nobody has to go through all that is over.
public struct PaymentTotals: Hashable, Sendable {
  /// What our offers have carried away through each channel.
  public private(set) var sent: [ChannelID: MilliSatoshi] = [:]
  /// What forwarding has brought.
  public private(set) var fees = MilliSatoshi.zero

  public init() {}

  /// Takes account of a forward that is over. What is to be stored because of it.
  public mutating func add(_ forward: ForwardRecord) -> [RecordChange] {
    guard forward.status == .settled else { return [] }
    fees = fees.adding(forward.fee) ?? MilliSatoshi(.max)
    return [Self.change(key: Self.feesKey, fees)] + add(forward.amountOut, through: forward.outgoing?.channel)
  }

  /// Takes account of a part that is over. What is to be stored because of it.
  public mutating func add(_ part: PartRecord) -> [RecordChange] {
    guard part.status == .complete else { return [] }
    return add(part.amountSent, through: part.outgoing?.channel)
  }

  private mutating func add(_ amount: MilliSatoshi, through channel: ChannelID?) -> [RecordChange] {
    guard let channel else { return [] }
    let sum = (sent[channel] ?? .zero).adding(amount) ?? MilliSatoshi(.max)
    sent[channel] = sum
    return [Self.change(key: channel.array, sum)]
  }

  // MARK: Keeping

  /// Channels have 32 bytes.
  private static let feesKey: [UInt8] = [0]

  private static func change(key: [UInt8], _ sum: MilliSatoshi) -> RecordChange {
    var writer = ByteWriter(reservingCapacity: 9)
    writer.write(1 as UInt8)
    writer.write(sum.rawValue)
    return RecordChange(.totals, key: key, value: writer.bytes)
  }

  /// Reads one of them back.
  mutating func load(key: [UInt8], value: [UInt8]) throws(DecodingError) {
    var reader = ByteReader(value.bytes)
    try reader.readVersion(1)
    let sum = MilliSatoshi(try reader.readUInt64())
    try reader.finish()
    if key == Self.feesKey { fees = sum } else { sent[ChannelID(try Bytes32(key))] = sum }
  }
}
