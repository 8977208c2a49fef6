public import Bitcoin
public import Encoding
public import GLC
internal import Hashing

/// SHA-256 of a payment's preimage.
public struct PaymentHash: TypedBytes {
  public let raw: Bytes32
  public var bytes: RawSpan { @_addressableSelf @_lifetime(borrow self) get { raw.bytes } }
  public init(_ raw: Bytes32) { self.raw = raw }
}

/// A pending payment in one commitment.
public struct HTLCEntry: Hashable, Sendable {
  /// Counts the offers of one party, from 0.
  public let id: UInt64
  public let offeredBy: Party
  public let amount: MilliSatoshi
  public let paymentHash: PaymentHash
  public let cltvExpiry: UInt32
  /// RIPEMD-160 of the payment hash, as the output's script holds it: hashed once, not for every commitment.
  let scriptHash: Bytes20

  public init(id: UInt64, offeredBy: Party, amount: MilliSatoshi, paymentHash: PaymentHash, cltvExpiry: UInt32) {
    self.id = id
    self.offeredBy = offeredBy
    self.amount = amount
    self.paymentHash = paymentHash
    self.cltvExpiry = cltvExpiry
    scriptHash = ripemd160(paymentHash.bytes)
  }

  /// Ids of both parties in one number: twice the id, and one more for the remote party's.
  public var tag: OutputTag { Self.tag(of: id, offeredBy: offeredBy) }

  static func tag(of id: UInt64, offeredBy party: Party) -> OutputTag {
    OutputTag(HTLCExtension.id, id << 1 | UInt64(party.rawValue))
  }
}

/// The HTLCs of one commitment, in the order of their arrival.
public struct HTLCLedger: BinaryCodable {
  public private(set) var entries: [HTLCEntry] = []
  /// BOLT 2: for the first HTLC it offers: MUST set `id` to 0; MUST increase the value of `id` by 1 for each successive offer.
  public private(set) var nextID = PerParty<UInt64>(local: 0, remote: 0)

  public init() {}

  public init(_ entries: [HTLCEntry]) { for entry in entries { add(entry) } }

  public init(from reader: inout ByteReader) throws(DecodingError) {
    nextID = PerParty(local: try reader.readUInt64(), remote: try reader.readUInt64())
    // 8 id, 1 party, 8 amount, 32 hash, 4 expiry.
    let count = try reader.readBigSize()
    guard count <= UInt64(reader.remaining / 53) else { throw .truncated }
    entries.reserveCapacity(Int(count))
    for _ in 0..<Int(count) {
      let id = try reader.readUInt64()
      guard id < 1 << 63 else { throw .tooLarge }
      guard let party = Party(rawValue: try reader.readUInt8()) else { throw .malformed("unknown party") }
      entries.append(
        HTLCEntry(
          id: id, offeredBy: party, amount: MilliSatoshi(try reader.readUInt64()),
          paymentHash: PaymentHash(try reader.read()), cltvExpiry: try reader.readUInt32()))
    }
  }

  public func encode(to writer: inout ByteWriter) {
    writer.write(nextID.local)
    writer.write(nextID.remote)
    writer.writeBigSize(UInt64(entries.count))
    for entry in entries {
      writer.write(entry.id)
      writer.write(entry.offeredBy.rawValue)
      writer.write(entry.amount.rawValue)
      writer.write(entry.paymentHash)
      writer.write(entry.cltvExpiry)
    }
  }

  public func entry(_ id: UInt64, offeredBy party: Party) -> HTLCEntry? {
    entries.first { $0.id == id && $0.offeredBy == party }
  }

  /// The sum of a party's offers; nil when it does not fit, which validation excludes.
  public func total(offeredBy party: Party) -> MilliSatoshi? {
    var total: MilliSatoshi? = .zero
    for entry in entries where entry.offeredBy == party { total = total?.adding(entry.amount) }
    return total
  }

  public func count(offeredBy party: Party) -> Int { entries.reduce(0) { $0 + ($1.offeredBy == party ? 1 : 0) } }

  var lockedValue: MilliSatoshi {
    // Each amount was taken from a balance: the sum is below the capacity.
    entries.reduce(.zero) { $0.adding($1.amount) ?? $0 }
  }

  mutating func add(_ entry: HTLCEntry) {
    entries.append(entry)
    nextID[entry.offeredBy] = max(nextID[entry.offeredBy], entry.id &+ 1)
  }

  mutating func remove(_ id: UInt64, offeredBy party: Party) -> HTLCEntry? {
    guard let index = entries.firstIndex(where: { $0.id == id && $0.offeredBy == party }) else { return nil }
    return entries.remove(at: index)
  }
}
