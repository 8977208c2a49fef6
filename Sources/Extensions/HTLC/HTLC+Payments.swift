internal import Bitcoin
public import Encoding
public import GLC
internal import Hashing
internal import Secp256k1

/// What SHA-256 makes a payment hash of: 32 bytes that prove a payment.
public struct Preimage: TypedBytes {
  public let raw: Bytes32
  public var bytes: RawSpan { @_addressableSelf @_lifetime(borrow self) get { raw.bytes } }
  public init(_ raw: Bytes32) { self.raw = raw }

  public var paymentHash: PaymentHash { PaymentHash(sha256(raw.bytes)) }
}

extension PaymentHash: BinaryCodable {
  public init(from reader: inout ByteReader) throws(DecodingError) { self.init(try reader.read()) }
  public func encode(to writer: inout ByteWriter) { writer.write(self) }
}

extension Preimage: BinaryCodable {
  public init(from reader: inout ByteReader) throws(DecodingError) { self.init(try reader.read()) }
  public func encode(to writer: inout ByteWriter) { writer.write(self) }
}

extension HTLCExtension: ConditionalPayment {
  public typealias Lock = PaymentHash
  public typealias Witness = Preimage

  /// The record of `path_key` in `update_add_htlc`.
  private static let pathKeyType: UInt64 = 0
  /// The record of `attribution_data` in `update_fulfill_htlc` and `update_fail_htlc`.
  private static let attributionType: UInt64 = 1

  public func offer(_ offer: PaymentOffer<PaymentHash>) -> HTLCUpdate {
    var records = offer.records
    if let pathKey = offer.pathKey { records[Self.pathKeyType] = pathKey.array }
    return .add(
      id: offer.id, amount: offer.amount, paymentHash: offer.lock, cltvExpiry: offer.expiry, onion: offer.onion,
      extra: records)
  }

  public func settle(_ id: UInt64, with witness: Preimage, attribution: [UInt8]?) -> HTLCUpdate {
    .fulfill(id: id, preimage: witness.raw, extra: Self.records(attribution))
  }

  public func fail(_ id: UInt64, reason: [UInt8], attribution: [UInt8]?) -> HTLCUpdate {
    .fail(id: id, reason: reason, extra: Self.records(attribution))
  }

  public func failMalformed(_ id: UInt64, onionHash: Bytes32, code: UInt16) -> HTLCUpdate {
    .failMalformed(id: id, onionHash: onionHash, code: code, extra: TLVStream())
  }

  public func limits(_ parameters: Parameters) -> PerParty<OfferLimits> { parameters.limits }

  public func event(_ update: HTLCUpdate) -> PaymentUpdate<PaymentHash, Preimage> {
    switch update {
    case .add(let id, let amount, let paymentHash, let cltvExpiry, let onion, var records):
      // A path key that is no point stays where it is: the onion then does not open, and the offer is refused as malformed.
      let pathKey = records[Self.pathKeyType].flatMap { PublicKey(parsing: $0) }
      if pathKey != nil { records[Self.pathKeyType] = nil }
      return .offered(
        PaymentOffer(
          id: id, amount: amount, lock: paymentHash, expiry: cltvExpiry, onion: onion, pathKey: pathKey,
          records: records))
    case .fulfill(let id, let preimage, let records):
      return .settled(id: id, Preimage(preimage), attribution: records[Self.attributionType])
    case .fail(let id, let reason, let records):
      return .failed(id: id, reason: reason, attribution: records[Self.attributionType])
    case .failMalformed(let id, let onionHash, let code, _):
      return .failedMalformed(id: id, onionHash: onionHash, code: code)
    }
  }

  public func pending(in ledger: HTLCLedger) -> [PendingPayment<PaymentHash>] { ledger.pending }
  public func nextID(of party: Party, in ledger: HTLCLedger) -> UInt64 { ledger.nextID[party] }
  public func tag(of id: UInt64, offeredBy party: Party) -> OutputTag { HTLCEntry.tag(of: id, offeredBy: party) }

  public func secretID(of lock: PaymentHash) -> SecretID { SecretID(kind: .sha256, value: lock.raw) }
  public func secret(of witness: Preimage) -> [UInt8] { witness.array }

  public func witness(from secret: [UInt8], opening lock: PaymentHash) -> Preimage? {
    guard let preimage = try? Bytes32(secret) else { return nil }
    let witness = Preimage(preimage)
    return witness.paymentHash == lock ? witness : nil
  }

  private static func records(_ attribution: [UInt8]?) -> TLVStream {
    var records = TLVStream()
    records[attributionType] = attribution
    return records
  }
}
