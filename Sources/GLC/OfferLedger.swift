public import Bitcoin
public import Encoding

/// An offer of value as the ledger of an extension keeps it: a `PendingPayment`, and what the extension works out of it once.
public protocol LedgerOffer: Hashable, Sendable {
  associatedtype Lock: BinaryCodable

  /// Whose offers these are.
  static var owner: ExtensionID { get }
  /// What people call one.
  static var noun: String { get }

  init(_ payment: PendingPayment<Lock>)
  /// Counts the offers of one party, from 0.
  var id: UInt64 { get }
  var offeredBy: Party { get }
  var amount: MilliSatoshi { get }
  var lock: Lock { get }
  /// The height after which the offer can be taken back.
  var expiry: UInt32 { get }
}

extension LedgerOffer {
  @inlinable public var payment: PendingPayment<Lock> {
    PendingPayment(id: id, offeredBy: offeredBy, amount: amount, lock: lock, expiry: expiry)
  }

  /// Ids of both parties in one number: twice the id, and one more for the remote party's.
  @inlinable public var tag: OutputTag { Self.tag(of: id, offeredBy: offeredBy) }

  @inlinable public static func tag(of id: UInt64, offeredBy party: Party) -> OutputTag {
    OutputTag(owner, id << 1 | UInt64(party.rawValue))
  }
}

/// The offers of both parties that one commitment holds, in the order of their arrival: the ledger of an extension whose agreements are
/// payments, with the rules of BOLT 2 that do not depend on what locks them.
public struct OfferLedger<Offer: LedgerOffer>: Hashable, Sendable {
  @usableFromInline var offers: [Offer] = []
  @usableFromInline var nextIDs = PerParty<UInt64>(local: 0, remote: 0)

  @inlinable public init() {}

  @inlinable public var entries: [Offer] { offers }
  /// BOLT 2 §Adding: 0 for the first that a party offers, and 1 more for each successive one.
  @inlinable public var nextID: PerParty<UInt64> { nextIDs }

  @inlinable public init(_ entries: [Offer]) { for entry in entries { add(entry) } }

  @inlinable public func entry(_ id: UInt64, offeredBy party: Party) -> Offer? {
    offers.first { $0.id == id && $0.offeredBy == party }
  }

  /// The sum of a party's offers; nil when it does not fit, which validation excludes.
  @inlinable public func total(offeredBy party: Party) -> MilliSatoshi? {
    var total: MilliSatoshi? = .zero
    for entry in offers where entry.offeredBy == party { total = total?.adding(entry.amount) }
    return total
  }

  @inlinable public func count(offeredBy party: Party) -> Int {
    offers.reduce(0) { $0 + ($1.offeredBy == party ? 1 : 0) }
  }

  @inlinable public var lockedValue: MilliSatoshi {
    // Each amount was taken from a balance: the sum is below the capacity.
    offers.reduce(.zero) { $0.adding($1.amount) ?? $0 }
  }

  @inlinable public var pending: [PendingPayment<Offer.Lock>] { offers.map(\.payment) }

  @inlinable mutating func add(_ entry: Offer) {
    offers.append(entry)
    nextIDs[entry.offeredBy] = max(nextIDs[entry.offeredBy], entry.id &+ 1)
  }
}

extension OfferLedger {
  // MARK: What may happen

  /// - Parameter limits: those of the party that the offer is made to.
  @inlinable public func validate(
    _ id: UInt64, _ amount: MilliSatoshi, offeredBy party: Party, _ limits: OfferLimits
  ) throws(ProtocolViolation) {
    // BOLT 2 §Adding: an amount of 0, or below what the receiver asks for, closes the connection or fails the channel.
    guard amount > .zero, amount >= limits.minimum else {
      throw ProtocolViolation(.failChannel, "\(Offer.noun) of \(amount), below the minimum of \(limits.minimum)")
    }
    // … and so do more than it accepts at a time, and more than it lets be in flight.
    guard count(offeredBy: party) < Int(limits.maximumAccepted) else {
      throw ProtocolViolation(.failChannel, "more than \(limits.maximumAccepted) \(Offer.noun)s")
    }
    guard let total = total(offeredBy: party)?.adding(amount), total <= limits.maximumInFlight else {
      throw ProtocolViolation(.failChannel, "more than \(limits.maximumInFlight) in flight")
    }
    guard id == nextIDs[party], id < 1 << 62 else {
      throw ProtocolViolation(.failChannel, "\(Offer.noun) \(id) where \(nextID[party]) was next")
    }
  }

  /// BOLT 2 §Removing: what is not in the current commitment transaction cannot be removed; nor can anything, until it is irrevocably
  /// committed in both sides' commitment transactions.
  /// - Parameter settled: what is irrevocable on both sides.
  @inlinable public func removable(
    _ id: UInt64, by party: Party, settled: OfferLedger
  ) throws(ProtocolViolation) -> Offer {
    guard let entry = entry(id, offeredBy: party.other), settled.entry(id, offeredBy: party.other) != nil else {
      throw Self.isMissing(id, party)
    }
    return entry
  }

  /// BOLT 2: if the `BADONION` bit in `failure_code` is not set: MUST send a `warning` and close the connection, or fail.
  @inlinable public static func validate(malformed code: UInt16) throws(ProtocolViolation) {
    guard code & 0x8000 != 0 else {
      throw ProtocolViolation(.failChannel, "a malformed onion without the BADONION bit")
    }
  }

  @usableFromInline static func isMissing(_ id: UInt64, _ party: Party) -> ProtocolViolation {
    ProtocolViolation(.failChannel, "no \(Offer.noun) \(id) that \(party) could remove")
  }

  // MARK: What happens

  /// Takes the value from who offers it.
  @inlinable public mutating func offer(
    _ payment: PendingPayment<Offer.Lock>, moving balances: inout Balances
  ) throws(ProtocolViolation) {
    try balances.debit(payment.offeredBy, payment.amount)
    add(Offer(payment))
  }

  /// Gives the value of an offer to who takes it.
  @inlinable public mutating func settle(
    _ id: UInt64, by party: Party, moving balances: inout Balances
  ) throws(ProtocolViolation) {
    try balances.credit(party, try remove(id, by: party).amount)
  }

  /// Gives the value of an offer back.
  @inlinable public mutating func refuse(
    _ id: UInt64, by party: Party, moving balances: inout Balances
  ) throws(ProtocolViolation) {
    try balances.credit(party.other, try remove(id, by: party).amount)
  }

  @inlinable mutating func remove(_ id: UInt64, by party: Party) throws(ProtocolViolation) -> Offer {
    guard let index = offers.firstIndex(where: { $0.id == id && $0.offeredBy == party.other }) else {
      throw Self.isMissing(id, party)
    }
    return offers.remove(at: index)
  }
}

extension OfferLedger: BinaryCodable {
  @inlinable public init(from reader: inout ByteReader) throws(DecodingError) {
    nextIDs = PerParty(local: try reader.readUInt64(), remote: try reader.readUInt64())
    // 8 id, 1 party, 8 amount, the lock, 4 expiry.
    let count = try reader.readBigSize()
    guard count <= UInt64(reader.remaining / 21) else { throw .truncated }
    offers.reserveCapacity(Int(count))
    for _ in 0..<Int(count) {
      let id = try reader.readUInt64()
      guard id < 1 << 63 else { throw .tooLarge }
      guard let party = Party(rawValue: try reader.readUInt8()) else { throw .malformed("unknown party") }
      offers.append(
        Offer(
          PendingPayment(
            id: id, offeredBy: party, amount: MilliSatoshi(try reader.readUInt64()),
            lock: try Offer.Lock(from: &reader), expiry: try reader.readUInt32())))
    }
  }

  @inlinable public func encode(to writer: inout ByteWriter) {
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
}
