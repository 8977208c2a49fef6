public import Encoding
public import GLC
internal import Hashing
public import Sphinx

/// What the locks of one kind mean to whoever routes payments.
public protocol PaymentScheme: Sendable {
  /// Whose locks and witnesses these are.
  var kind: ExtensionID { get }
  /// What an onion for a payment with this lock is associated with.
  func associatedData(of lock: PaymentLock) -> [UInt8]
  /// What the lock of the next hop is, and what it takes to turn a witness for that one into one for ours. Nil when our part of the
  /// onion does not say.
  func next(after lock: PaymentLock, _ payload: HopPayload) -> (lock: PaymentLock, secret: [UInt8])?
  /// A witness for the incoming lock, from one for the outgoing lock.
  func witness(from outgoing: PaymentWitness, secret: [UInt8]) -> PaymentWitness?

  /// The lock that a preimage with this hash opens. Nil for kinds that know no hashes.
  func lock(paymentHash: Bytes32) -> PaymentLock?
  func paymentHash(of lock: PaymentLock) -> Bytes32?
  func witness(preimage: Bytes32) -> PaymentWitness?
  func preimage(of witness: PaymentWitness) -> Bytes32?
}

/// Locks by a hash: the same for every hop, opened by the preimage.
public struct HashLocks: PaymentScheme {
  public let kind: ExtensionID

  public init(kind: ExtensionID) { self.kind = kind }

  /// BOLT 4 §Packet Structure: the associated data is the `payment_hash`.
  public func associatedData(of lock: PaymentLock) -> [UInt8] { lock.bytes }

  public func next(after lock: PaymentLock, _ payload: HopPayload) -> (lock: PaymentLock, secret: [UInt8])? {
    (lock, [])
  }

  public func witness(from outgoing: PaymentWitness, secret: [UInt8]) -> PaymentWitness? {
    outgoing.kind == kind ? outgoing : nil
  }

  public func lock(paymentHash: Bytes32) -> PaymentLock? { PaymentLock(kind: kind, bytes: paymentHash.array) }
  public func paymentHash(of lock: PaymentLock) -> Bytes32? { lock.kind == kind ? try? Bytes32(lock.bytes) : nil }
  public func witness(preimage: Bytes32) -> PaymentWitness? { PaymentWitness(kind: kind, bytes: preimage.array) }
  public func preimage(of witness: PaymentWitness) -> Bytes32? {
    witness.kind == kind ? try? Bytes32(witness.bytes) : nil
  }
}
