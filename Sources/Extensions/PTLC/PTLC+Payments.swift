internal import Bitcoin
public import Encoding
public import GLC
internal import Secp256k1

extension PTLCExtension: ConditionalPayment {
  public typealias Lock = PaymentPoint
  public typealias Witness = PaymentScalar

  public func offer(_ offer: PaymentOffer<PaymentPoint>) -> PTLCUpdate {
    var records = offer.records
    if let pathKey = offer.pathKey { records[PTLCUpdate.pathKeyType] = pathKey.array }
    return .add(
      id: offer.id, amount: offer.amount, lock: offer.lock, expiry: offer.expiry, onion: offer.onion, extra: records)
  }

  public func settle(_ id: UInt64, with witness: PaymentScalar, attribution: [UInt8]?) -> PTLCUpdate {
    .fulfill(id: id, scalar: witness, extra: Self.records(attribution))
  }

  public func fail(_ id: UInt64, reason: [UInt8], attribution: [UInt8]?) -> PTLCUpdate {
    .fail(id: id, reason: reason, extra: Self.records(attribution))
  }

  public func failMalformed(_ id: UInt64, onionHash: Bytes32, code: UInt16) -> PTLCUpdate {
    .failMalformed(id: id, onionHash: onionHash, code: code, extra: TLVStream())
  }

  public func limits(_ parameters: Parameters) -> PerParty<OfferLimits> { parameters.limits }

  public func event(_ update: PTLCUpdate) -> PaymentUpdate<PaymentPoint, PaymentScalar> {
    switch update {
    case .add(let id, let amount, let lock, let expiry, let onion, var records):
      // A path key that is no point stays where it is: the onion then does not open, and the offer is refused as malformed.
      let pathKey = records[PTLCUpdate.pathKeyType].flatMap { PublicKey(parsing: $0) }
      if pathKey != nil { records[PTLCUpdate.pathKeyType] = nil }
      return .offered(
        PaymentOffer(
          id: id, amount: amount, lock: lock, expiry: expiry, onion: onion, pathKey: pathKey, records: records))
    case .fulfill(let id, let scalar, let records):
      return .settled(id: id, scalar, attribution: records[PTLCUpdate.attributionType])
    case .fail(let id, let reason, let records):
      return .failed(id: id, reason: reason, attribution: records[PTLCUpdate.attributionType])
    case .failMalformed(let id, let onionHash, let code, _):
      return .failedMalformed(id: id, onionHash: onionHash, code: code)
    }
  }

  public func pending(in ledger: PTLCLedger) -> [PendingPayment<PaymentPoint>] { ledger.pending }
  public func nextID(of party: Party, in ledger: PTLCLedger) -> UInt64 { ledger.nextID[party] }
  public func tag(of id: UInt64, offeredBy party: Party) -> OutputTag { PTLCEntry.tag(of: id, offeredBy: party) }

  public func secretID(of lock: PaymentPoint) -> SecretID { lock.secretID }
  public func secret(of witness: PaymentScalar) -> [UInt8] { witness.raw.array }

  /// The chain names a point by its x coordinate: the scalar may be that of its negative.
  public func witness(from secret: [UInt8], opening lock: PaymentPoint) -> PaymentScalar? {
    guard let raw = try? Bytes32(secret), let key = try? SecretKey(raw) else { return nil }
    if key.publicKey == lock.point { return PaymentScalar(raw) }
    let negated = key.negated()
    guard negated.publicKey == lock.point, let raw = try? Bytes32(copying: negated.bytes) else { return nil }
    return PaymentScalar(raw)
  }

  private static func records(_ attribution: [UInt8]?) -> TLVStream {
    var records = TLVStream()
    records[PTLCUpdate.attributionType] = attribution
    return records
  }
}
