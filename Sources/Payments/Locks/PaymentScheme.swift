public import Encoding
public import GLC
public import Sphinx

/// What the locks of one kind mean to whoever routes payments.
///
/// An invoice asks for a payment to a **target**: a lock that its payee can open with 32 bytes that nobody else knows, the payment's
/// **secret**. For hashes that is the payment hash and its preimage, for points a point and its discrete logarithm. The locks of the offers on
/// the way may be other ones: each side of a hop has what turns the one into the other.
public protocol PaymentScheme: Sendable {
  /// Whose locks and witnesses these are.
  var kind: ExtensionID { get }
  /// What payments of this kind are, for people: "payments locked by …".
  var name: String { get }
  /// The types of records in onions, beyond BOLT 4's, that belong to locks of this kind.
  var payloadTypes: Set<UInt64> { get }
  /// What they take of each hop's part, in bytes.
  var payloadByteCount: Int { get }
  /// What a hop's layer of an onion for a payment with this lock is associated with.
  func associatedData(of lock: PaymentLock) -> [UInt8]

  // MARK: Targets

  /// What these 32 bytes open; nil when they can open nothing.
  func target(of secret: Bytes32) -> PaymentLock?
  /// The 32 bytes by which a payment to this target is called: the payment hash, where there is one.
  func identity(of target: PaymentLock) -> Bytes32?
  /// The target that a preimage with this hash opens. Nil for kinds that know no hashes.
  func target(paymentHash: Bytes32) -> PaymentLock?
  /// What an invoice asks for, when that is of this kind.
  func target(of invoice: Bolt11Invoice.Contents) -> PaymentLock?
  /// Makes an invoice ask for this target.
  func describe(_ target: PaymentLock, in invoice: inout Bolt11Invoice.Contents)

  // MARK: Sending

  /// Locks for a route of so many hops.
  func locks(
    to target: PaymentLock, hops: Int, drawing: () -> Bytes32
  ) throws(MultiHopLockError) -> RouteLocks
  /// The payment's secret, from what opened the first lock and the `secret` of the `RouteLocks`.
  func proof(of witness: PaymentWitness, secret: [UInt8]) -> Bytes32?

  // MARK: Passing on

  /// What the lock of the next hop is, and what it takes to turn a witness for that one into one for ours.
  /// - Throws: when our part of the onion does not say.
  func next(
    after lock: PaymentLock, _ payload: HopPayload
  ) throws(InvalidPayload) -> (lock: PaymentLock, secret: [UInt8])
  /// A witness for the incoming lock, from one for the outgoing lock.
  func witness(from outgoing: PaymentWitness, secret: [UInt8]) -> PaymentWitness?

  // MARK: Receiving

  /// The target that an offer to us pays, and what it takes to turn its secret into a witness for this lock.
  /// - Throws: when our part of the onion does not say.
  func target(
    of lock: PaymentLock, _ payload: HopPayload
  ) throws(InvalidPayload) -> (target: PaymentLock, secret: [UInt8])
  /// A witness for the lock of an offer to us.
  func witness(of paymentSecret: Bytes32, secret: [UInt8]) -> PaymentWitness?
}

/// The locks of one part of a payment on its route.
public struct RouteLocks: Sendable {
  /// Those of the offers that the hops get, one for each.
  public var locks: [PaymentLock]
  /// What each hop is told.
  public var records: [[TLVRecord]]
  /// What it takes to make the payment's secret of a witness for the first lock.
  public var secret: [UInt8]

  public init(locks: [PaymentLock], records: [[TLVRecord]], secret: [UInt8]) {
    self.locks = locks
    self.records = records
    self.secret = secret
  }
}
