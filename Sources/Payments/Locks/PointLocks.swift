public import Encoding
public import GLC
internal import Hashing
internal import Secp256k1
public import Sphinx
internal import Wire

/// Locks by a point: another one for every hop and every part of a payment, opened by its discrete logarithm (`MultiHopLocks`). Locks are
/// the 33 bytes of the compressed point, witnesses and secrets the 32 bytes of a scalar.
public struct PointLocks: PaymentScheme {
  public let kind: ExtensionID
  public var name: String { "payments locked by points" }

  /// For a hop that passes a payment on: 32 bytes, by which its outgoing lock differs from its incoming one.
  public static let hopTweakType: UInt64 = 4_440_010
  /// For the payee: 32 bytes, by which its lock differs from the payment point.
  public static let payeeTweakType: UInt64 = 4_440_012
  /// Even types: who does not know them refuses the payment. So does every hop that gets them with a lock of another kind.
  public var payloadTypes: Set<UInt64> { [Self.hopTweakType, Self.payeeTweakType] }

  /// One record: five bytes of type, one of length, a scalar.
  public var payloadByteCount: Int { 38 }

  public init(kind: ExtensionID) { self.kind = kind }

  /// Each layer is bound to the lock that its hop sees, as BOLT 4 binds all of them to the payment hash.
  public func associatedData(of lock: PaymentLock) -> [UInt8] { lock.bytes }

  // MARK: Targets

  public func target(of secret: Bytes32) -> PaymentLock? {
    guard let key = try? SecretKey(secret) else { return nil }
    return lock(key.publicKey)
  }

  /// SHA-256 of the point's 33 bytes. It stands in invoices where the payment hash does; no 32 bytes with this hash are known.
  public func identity(of target: PaymentLock) -> Bytes32? { point(target).map { sha256($0.compressed.bytes) } }
  public func target(paymentHash: Bytes32) -> PaymentLock? { nil }
  public func target(of invoice: Bolt11Invoice.Contents) -> PaymentLock? { invoice.paymentPoint.map(lock) }

  public func describe(_ target: PaymentLock, in invoice: inout Bolt11Invoice.Contents) {
    guard let point = point(target), let identity = identity(of: target) else { return }
    invoice.paymentPoint = point
    invoice.paymentHash = identity
    // Nobody who knows hashes alone may try to pay it.
    invoice.features[.pointPayments] = .required
  }

  // MARK: Sending

  public func locks(
    to target: PaymentLock, hops: Int, drawing: () -> Bytes32
  ) throws(MultiHopLockError) -> RouteLocks {
    guard hops > 0 else { throw .noHops }
    guard let point = point(target) else { throw .infinity }
    let locks = try MultiHopLocks(to: point, tweaks: (0..<hops).map { _ in drawing() })
    let records =
      locks.tweaks.dropFirst().map { [TLVRecord(type: Self.hopTweakType, value: $0.array)] }
      + [[TLVRecord(type: Self.payeeTweakType, value: locks.payeeTweak.array)]]
    return RouteLocks(locks: locks.points.map(lock), records: records, secret: locks.payerTweak.array)
  }

  public func proof(of witness: PaymentWitness, secret: [UInt8]) -> Bytes32? {
    guard witness.kind == kind, let opened = try? Bytes32(witness.bytes), let tweak = try? Bytes32(secret) else {
      return nil
    }
    return try? MultiHopLocks.secret(before: opened, tweak: tweak)
  }

  // MARK: Passing on

  public func next(
    after lock: PaymentLock, _ payload: HopPayload
  ) throws(InvalidPayload) -> (lock: PaymentLock, secret: [UInt8]) {
    let tweak = try tweak(Self.hopTweakType, in: payload, without: Self.payeeTweakType)
    guard let point = point(lock), let next = try? MultiHopLocks.point(after: point, tweak: tweak) else {
      throw payload.refusal(Self.hopTweakType, .notAllowed)
    }
    return (self.lock(next), tweak.array)
  }

  /// t_left = t_right − y.
  public func witness(from outgoing: PaymentWitness, secret: [UInt8]) -> PaymentWitness? {
    proof(of: outgoing, secret: secret).map { PaymentWitness(kind: kind, bytes: $0.array) }
  }

  // MARK: Receiving

  public func target(
    of lock: PaymentLock, _ payload: HopPayload
  ) throws(InvalidPayload) -> (target: PaymentLock, secret: [UInt8]) {
    let tweak = try tweak(Self.payeeTweakType, in: payload, without: Self.hopTweakType)
    guard let point = point(lock), let target = try? MultiHopLocks.paymentPoint(of: point, tweak: tweak) else {
      throw payload.refusal(Self.payeeTweakType, .notAllowed)
    }
    return (self.lock(target), tweak.array)
  }

  public func witness(of paymentSecret: Bytes32, secret: [UInt8]) -> PaymentWitness? {
    guard let tweak = try? Bytes32(secret),
      let opened = try? MultiHopLocks.secret(opening: paymentSecret, tweak: tweak)
    else { return nil }
    return PaymentWitness(kind: kind, bytes: opened.array)
  }

  // MARK: Records

  /// The tweak for one role, and none for another.
  private func tweak(
    _ type: UInt64, in payload: HopPayload, without other: UInt64
  ) throws(InvalidPayload) -> Bytes32 {
    guard payload.record(other) == nil else { throw payload.refusal(other, .notAllowed) }
    guard let value = payload.record(type) else { throw payload.refusal(type, .missing) }
    do throws(DecodingError) { return try Bytes32(value) } catch { throw payload.refusal(type, .malformed(error)) }
  }

  private func point(_ lock: PaymentLock) -> PublicKey? {
    lock.kind == kind && lock.bytes.count == 33 ? PublicKey(parsing: lock.bytes) : nil
  }

  private func lock(_ point: PublicKey) -> PaymentLock { PaymentLock(kind: kind, bytes: point.array) }
}
