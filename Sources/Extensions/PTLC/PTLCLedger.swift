public import Bitcoin
public import Encoding
public import GLC
public import Secp256k1

/// What locks a payment: a point, whose discrete logarithm takes it.
public struct PaymentPoint: BinaryCodable {
  public let point: PublicKey

  public init(_ point: PublicKey) { self.point = point }
  public init(from reader: inout ByteReader) throws(DecodingError) { point = try reader.read() }
  public func encode(to writer: inout ByteWriter) { writer.write(point) }

  /// Its name on the chain.
  public var secretID: SecretID { SecretID(kind: .point, value: point.xOnly.key.x) }
}

/// The discrete logarithm of a payment point: 32 bytes.
public struct PaymentScalar: BinaryCodable {
  public let raw: Bytes32

  public init(_ raw: Bytes32) { self.raw = raw }
  public init(from reader: inout ByteReader) throws(DecodingError) { raw = try reader.read() }
  public func encode(to writer: inout ByteWriter) { writer.write(raw) }

  /// raw · G; nil for zero and for what is not below the order of the curve.
  public var point: PaymentPoint? {
    guard let key = try? SecretKey(raw) else { return nil }
    return PaymentPoint(key.publicKey)
  }
}

/// A pending payment in one commitment.
public struct PTLCEntry: Hashable, Sendable {
  /// Counts the offers of one party, from 0.
  public let id: UInt64
  public let offeredBy: Party
  public let amount: MilliSatoshi
  public let lock: PaymentPoint
  /// The height after which the sender can take it back.
  public let expiry: UInt32

  public init(id: UInt64, offeredBy: Party, amount: MilliSatoshi, lock: PaymentPoint, expiry: UInt32) {
    self.id = id
    self.offeredBy = offeredBy
    self.amount = amount
    self.lock = lock
    self.expiry = expiry
  }

  /// Ids of both parties in one number: twice the id, and one more for the remote party's.
  public var tag: OutputTag { Self.tag(of: id, offeredBy: offeredBy) }

  static func tag(of id: UInt64, offeredBy party: Party) -> OutputTag {
    OutputTag(PTLCExtension.id, id << 1 | UInt64(party.rawValue))
  }
}

/// The PTLCs of one commitment, in the order of their arrival.
public struct PTLCLedger: BinaryCodable {
  public private(set) var entries: [PTLCEntry] = []
  public private(set) var nextID = PerParty<UInt64>(local: 0, remote: 0)

  public init() {}

  public init(from reader: inout ByteReader) throws(DecodingError) {
    nextID = PerParty(local: try reader.readUInt64(), remote: try reader.readUInt64())
    // 8 id, 1 party, 8 amount, 33 point, 4 expiry.
    let count = try reader.readBigSize()
    guard count <= UInt64(reader.remaining / 54) else { throw .truncated }
    entries.reserveCapacity(Int(count))
    for _ in 0..<Int(count) {
      let id = try reader.readUInt64()
      guard id < 1 << 63 else { throw .tooLarge }
      guard let party = Party(rawValue: try reader.readUInt8()) else { throw .malformed("unknown party") }
      entries.append(
        PTLCEntry(
          id: id, offeredBy: party, amount: MilliSatoshi(try reader.readUInt64()),
          lock: try PaymentPoint(from: &reader), expiry: try reader.readUInt32()))
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
      entry.lock.encode(to: &writer)
      writer.write(entry.expiry)
    }
  }

  public func entry(_ id: UInt64, offeredBy party: Party) -> PTLCEntry? {
    entries.first { $0.id == id && $0.offeredBy == party }
  }

  /// The sum of a party's offers; nil when it does not fit, which validation excludes.
  func total(offeredBy party: Party) -> MilliSatoshi? {
    var total: MilliSatoshi? = .zero
    for entry in entries where entry.offeredBy == party { total = total?.adding(entry.amount) }
    return total
  }

  func count(offeredBy party: Party) -> Int { entries.reduce(0) { $0 + ($1.offeredBy == party ? 1 : 0) } }

  var lockedValue: MilliSatoshi {
    // Each amount was taken from a balance: the sum is below the capacity.
    entries.reduce(.zero) { $0.adding($1.amount) ?? $0 }
  }

  mutating func add(_ entry: PTLCEntry) {
    entries.append(entry)
    nextID[entry.offeredBy] = max(nextID[entry.offeredBy], entry.id &+ 1)
  }

  mutating func remove(_ id: UInt64, offeredBy party: Party) -> PTLCEntry? {
    guard let index = entries.firstIndex(where: { $0.id == id && $0.offeredBy == party }) else { return nil }
    return entries.remove(at: index)
  }
}
