internal import Encoding

extension ChannelUpdate {
  /// The type of our record behind the fields of BOLT 7: which kinds of payments a channel carries, two bytes for each, ascending. Odd: who
  /// does not know it sees a channel that carries what all do.
  public static let paymentKindsType: UInt64 = 4_440_017

  /// The kinds of payments that the channel carries, by the identifiers of their extensions; nil where the update does not say, which is
  /// BOLT 2's alone. What cannot be read says nothing.
  public var paymentKinds: [UInt16]? {
    guard !excess.isEmpty, let records = try? TLVStream(decoding: excess.bytes),
      let value = records[Self.paymentKindsType]
    else { return nil }
    var reader = ByteReader(value.bytes)
    var kinds: [UInt16] = []
    while !reader.isAtEnd {
      guard kinds.count < Self.mostKinds, let kind = try? reader.readUInt16(), kinds.last.map({ $0 < kind }) ?? true
      else { return nil }
      kinds.append(kind)
    }
    return kinds
  }

  /// More nobody needs.
  private static let mostKinds = 16

  /// What says so, for `excess`.
  public static func excess(paymentKinds: [UInt16]) -> [UInt8] {
    var writer = ByteWriter()
    for kind in Set(paymentKinds).sorted().prefix(mostKinds) { writer.write(kind) }
    var records = TLVStream()
    records[paymentKindsType] = writer.bytes
    return records.encoded
  }
}
