public import Bitcoin
public import Encoding
public import Secp256k1

/// An extension whose agreements are payments: value that one party offers to the other, that the other takes with a witness to a lock,
/// and that goes back when it is refused or expires. Whoever routes payments sees nothing else of a contract: how locks and witnesses
/// look is all in which contracts differ there.
public protocol ConditionalPayment: ChannelExtension {
  /// What must be opened to take the value.
  associatedtype Lock: BinaryCodable
  /// What opens it.
  associatedtype Witness: BinaryCodable

  /// The update by which the local party makes an offer.
  func offer(_ offer: PaymentOffer<Lock>) -> Update
  /// The update by which it takes an offer. `attribution` is the proof of hold times, where there is one.
  func settle(_ id: UInt64, with witness: Witness, attribution: [UInt8]?) -> Update
  /// The update by which it refuses one. `reason` is for the payer alone.
  func fail(_ id: UInt64, reason: [UInt8], attribution: [UInt8]?) -> Update
  /// The update by which it refuses one whose onion it cannot read.
  func failMalformed(_ id: UInt64, onionHash: Bytes32, code: UInt16) -> Update

  /// What each party demands of what the other offers. None, unless the extension says otherwise.
  func limits(_ parameters: Parameters) -> PerParty<OfferLimits>
  /// What an update means.
  func event(_ update: Update) -> PaymentUpdate<Lock, Witness>
  /// The offers of both parties that are in a ledger, in the order of their arrival.
  func pending(in ledger: Ledger) -> [PendingPayment<Lock>]
  /// The id of the next offer of a party.
  func nextID(of party: Party, in ledger: Ledger) -> UInt64
  /// The output that an offer has in commitments, unless it is trimmed.
  func tag(of id: UInt64, offeredBy party: Party) -> OutputTag

  /// The name under which the chain asks for, and gives away, what opens a lock.
  func secretID(of lock: Lock) -> SecretID
  /// A witness as the chain knows it.
  func secret(of witness: Witness) -> [UInt8]
  /// The witness, when these bytes are what opens the lock.
  func witness(from secret: [UInt8], opening lock: Lock) -> Witness?
}

extension ConditionalPayment {
  public func limits(_ parameters: Parameters) -> PerParty<OfferLimits> { PerParty(local: .none, remote: .none) }
}

/// An offer of a conditional payment.
public struct PaymentOffer<Lock: BinaryCodable>: Hashable, Sendable {
  /// Counts the offers of one party.
  public var id: UInt64
  public var amount: MilliSatoshi
  public var lock: Lock
  /// The height after which it can be taken back.
  public var expiry: UInt32
  /// The onion routing packet, 1,366 bytes.
  public var onion: [UInt8]
  /// The key of a blinded route.
  public var pathKey: PublicKey?
  /// Other records of the message.
  public var records: TLVStream

  public init(
    id: UInt64, amount: MilliSatoshi, lock: Lock, expiry: UInt32, onion: [UInt8], pathKey: PublicKey? = nil,
    records: TLVStream = TLVStream()
  ) {
    self.id = id
    self.amount = amount
    self.lock = lock
    self.expiry = expiry
    self.onion = onion
    self.pathKey = pathKey
    self.records = records
  }

  func mapLock<Other: BinaryCodable>(_ transform: (Lock) -> Other?) -> PaymentOffer<Other>? {
    guard let lock = transform(lock) else { return nil }
    return PaymentOffer<Other>(
      id: id, amount: amount, lock: lock, expiry: expiry, onion: onion, pathKey: pathKey, records: records)
  }
}

/// What can happen to a conditional payment. All but `offered` name an offer of the other party.
public enum PaymentUpdate<Lock: BinaryCodable, Witness: BinaryCodable>: Hashable, Sendable {
  case offered(PaymentOffer<Lock>)
  case settled(id: UInt64, Witness, attribution: [UInt8]?)
  case failed(id: UInt64, reason: [UInt8], attribution: [UInt8]?)
  case failedMalformed(id: UInt64, onionHash: Bytes32, code: UInt16)

  public var id: UInt64 {
    switch self {
    case .offered(let offer): offer.id
    case .settled(let id, _, _), .failed(let id, _, _), .failedMalformed(let id, _, _): id
    }
  }
}

/// An offer that is in a ledger.
public struct PendingPayment<Lock: BinaryCodable>: Hashable, Sendable {
  public var id: UInt64
  public var offeredBy: Party
  public var amount: MilliSatoshi
  public var lock: Lock
  public var expiry: UInt32

  public init(id: UInt64, offeredBy: Party, amount: MilliSatoshi, lock: Lock, expiry: UInt32) {
    self.id = id
    self.offeredBy = offeredBy
    self.amount = amount
    self.lock = lock
    self.expiry = expiry
  }
}

// MARK: - Of any kind

/// The lock of a payment of any kind: which extension's, and its bytes.
public struct PaymentLock: BinaryCodable {
  public var kind: ExtensionID
  public var bytes: [UInt8]

  public init(kind: ExtensionID, bytes: [UInt8]) {
    self.kind = kind
    self.bytes = bytes
  }

  /// Fills what is left to read.
  public init(from reader: inout ByteReader) throws(DecodingError) {
    kind = ExtensionID(rawValue: try reader.readUInt16())
    bytes = reader.readRest()
  }

  public func encode(to writer: inout ByteWriter) {
    writer.write(kind.rawValue)
    writer.write(bytes)
  }
}

/// The witness of a payment of any kind.
public struct PaymentWitness: BinaryCodable {
  public var kind: ExtensionID
  public var bytes: [UInt8]

  public init(kind: ExtensionID, bytes: [UInt8]) {
    self.kind = kind
    self.bytes = bytes
  }

  /// Fills what is left to read.
  public init(from reader: inout ByteReader) throws(DecodingError) {
    kind = ExtensionID(rawValue: try reader.readUInt16())
    bytes = reader.readRest()
  }

  public func encode(to writer: inout ByteWriter) {
    writer.write(kind.rawValue)
    writer.write(bytes)
  }
}

public typealias AnyPaymentOffer = PaymentOffer<PaymentLock>
public typealias AnyPaymentUpdate = PaymentUpdate<PaymentLock, PaymentWitness>
public typealias AnyPendingPayment = PendingPayment<PaymentLock>

/// A conditional payment in a stack, its types erased. What is made of a lock or witness of another kind is nil.
public protocol PaymentSlot: Sendable {
  var id: ExtensionID { get }
  /// What each party demands of what the other offers.
  var limits: PerParty<OfferLimits> { get }
  func offer(_ offer: AnyPaymentOffer) -> AnyUpdate?
  func settle(_ id: UInt64, with witness: PaymentWitness, attribution: [UInt8]?) -> AnyUpdate?
  func fail(_ id: UInt64, reason: [UInt8], attribution: [UInt8]?) -> AnyUpdate
  func failMalformed(_ id: UInt64, onionHash: Bytes32, code: UInt16) -> AnyUpdate
  func event(_ update: AnyUpdate) -> AnyPaymentUpdate?
  /// Empty for the ledger of another extension.
  func pending(in ledger: any LedgerSlot) -> [AnyPendingPayment]
  func isPending(_ id: UInt64, offeredBy party: Party, in ledger: any LedgerSlot) -> Bool
  func nextID(of party: Party, in ledger: any LedgerSlot) -> UInt64?
  func tag(of id: UInt64, offeredBy party: Party) -> OutputTag
  func secretID(of lock: PaymentLock) -> SecretID?
  func secret(of witness: PaymentWitness) -> [UInt8]?
  func witness(from secret: [UInt8], opening lock: PaymentLock) -> PaymentWitness?
}

extension Slot: PaymentSlot where E: ConditionalPayment {
  public var limits: PerParty<OfferLimits> { base.limits(parameters) }

  public func offer(_ offer: AnyPaymentOffer) -> AnyUpdate? {
    offer.mapLock(typed).map { AnyUpdate(base.offer($0), of: E.self) }
  }

  public func settle(_ id: UInt64, with witness: PaymentWitness, attribution: [UInt8]?) -> AnyUpdate? {
    typed(witness).map { AnyUpdate(base.settle(id, with: $0, attribution: attribution), of: E.self) }
  }

  public func fail(_ id: UInt64, reason: [UInt8], attribution: [UInt8]?) -> AnyUpdate {
    AnyUpdate(base.fail(id, reason: reason, attribution: attribution), of: E.self)
  }

  public func failMalformed(_ id: UInt64, onionHash: Bytes32, code: UInt16) -> AnyUpdate {
    AnyUpdate(base.failMalformed(id, onionHash: onionHash, code: code), of: E.self)
  }

  public func event(_ update: AnyUpdate) -> AnyPaymentUpdate? {
    guard let update = update.as(E.self) else { return nil }
    switch base.event(update) {
    case .offered(let offer): return offer.mapLock(erased).map { .offered($0) }
    case .settled(let id, let witness, let attribution):
      return .settled(id: id, erased(witness), attribution: attribution)
    case .failed(let id, let reason, let attribution):
      return .failed(id: id, reason: reason, attribution: attribution)
    case .failedMalformed(let id, let onionHash, let code):
      return .failedMalformed(id: id, onionHash: onionHash, code: code)
    }
  }

  public func pending(in ledger: any LedgerSlot) -> [AnyPendingPayment] {
    guard let ledger = ledger as? TypedLedger<E> else { return [] }
    return base.pending(in: ledger.ledger).map {
      PendingPayment(
        id: $0.id, offeredBy: $0.offeredBy, amount: $0.amount, lock: erased($0.lock), expiry: $0.expiry)
    }
  }

  public func isPending(_ id: UInt64, offeredBy party: Party, in ledger: any LedgerSlot) -> Bool {
    guard let ledger = ledger as? TypedLedger<E> else { return false }
    return base.pending(in: ledger.ledger).contains { $0.id == id && $0.offeredBy == party }
  }

  public func nextID(of party: Party, in ledger: any LedgerSlot) -> UInt64? {
    (ledger as? TypedLedger<E>).map { base.nextID(of: party, in: $0.ledger) }
  }

  public func tag(of id: UInt64, offeredBy party: Party) -> OutputTag { base.tag(of: id, offeredBy: party) }
  public func secretID(of lock: PaymentLock) -> SecretID? { typed(lock).map(base.secretID) }
  public func secret(of witness: PaymentWitness) -> [UInt8]? { typed(witness).map(base.secret) }

  public func witness(from secret: [UInt8], opening lock: PaymentLock) -> PaymentWitness? {
    guard let lock = typed(lock), let witness = base.witness(from: secret, opening: lock) else { return nil }
    return erased(witness)
  }

  private func erased(_ lock: E.Lock) -> PaymentLock { PaymentLock(kind: E.id, bytes: lock.encoded) }
  private func erased(_ witness: E.Witness) -> PaymentWitness { PaymentWitness(kind: E.id, bytes: witness.encoded) }

  private func typed(_ lock: PaymentLock) -> E.Lock? {
    lock.kind == E.id ? try? E.Lock(decoding: lock.bytes.bytes) : nil
  }

  private func typed(_ witness: PaymentWitness) -> E.Witness? {
    witness.kind == E.id ? try? E.Witness(decoding: witness.bytes.bytes) : nil
  }
}

extension ChannelStack {
  /// The extensions of this stack that are conditional payments, with their positions in `extensions`. Looked up once for a channel:
  /// it takes a dynamic cast for each extension.
  public var payments: [(position: Int, slot: any PaymentSlot)] {
    extensions.enumerated().compactMap { position, slot in (slot as? any PaymentSlot).map { (position, $0) } }
  }
}
