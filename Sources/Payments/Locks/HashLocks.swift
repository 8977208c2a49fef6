public import Encoding
public import GLC
internal import Hashing
public import Sphinx

/// Locks by a hash: the same for every hop, opened by the preimage.
public struct HashLocks: PaymentScheme {
  public let kind: ExtensionID
  public var name: String { "payments locked by a hash" }
  public var payloadTypes: Set<UInt64> { [] }
  public var payloadByteCount: Int { 0 }

  public init(kind: ExtensionID) { self.kind = kind }

  /// BOLT 4 §Packet Structure: the associated data is the `payment_hash`.
  public func associatedData(of lock: PaymentLock) -> [UInt8] { lock.bytes }

  public func target(of secret: Bytes32) -> PaymentLock? { target(paymentHash: sha256(secret.bytes)) }
  public func identity(of target: PaymentLock) -> Bytes32? { target.kind == kind ? try? Bytes32(target.bytes) : nil }
  public func target(paymentHash: Bytes32) -> PaymentLock? { PaymentLock(kind: kind, bytes: paymentHash.array) }
  public func target(of invoice: Bolt11Invoice.Contents) -> PaymentLock? {
    invoice.paymentPoint == nil ? target(paymentHash: invoice.paymentHash) : nil
  }

  public func describe(_ target: PaymentLock, in invoice: inout Bolt11Invoice.Contents) {
    if let hash = identity(of: target) { invoice.paymentHash = hash }
  }

  public func locks(
    to target: PaymentLock, hops: Int, drawing: () -> Bytes32
  ) throws(MultiHopLockError) -> RouteLocks {
    guard hops > 0 else { throw .noHops }
    return RouteLocks(
      locks: Array(repeating: target, count: hops), records: Array(repeating: [], count: hops), secret: [])
  }

  public func proof(of witness: PaymentWitness, secret: [UInt8]) -> Bytes32? {
    witness.kind == kind ? try? Bytes32(witness.bytes) : nil
  }

  public func next(
    after lock: PaymentLock, _ payload: HopPayload
  ) throws(InvalidPayload) -> (lock: PaymentLock, secret: [UInt8]) { (lock, []) }

  public func witness(from outgoing: PaymentWitness, secret: [UInt8]) -> PaymentWitness? {
    outgoing.kind == kind ? outgoing : nil
  }

  public func target(
    of lock: PaymentLock, _ payload: HopPayload
  ) throws(InvalidPayload) -> (target: PaymentLock, secret: [UInt8]) { (lock, []) }

  public func witness(of paymentSecret: Bytes32, secret: [UInt8]) -> PaymentWitness? {
    PaymentWitness(kind: kind, bytes: paymentSecret.array)
  }
}
