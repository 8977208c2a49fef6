internal import Secp256k1
internal import Bitcoin
internal import Encoding
internal import GLC
internal import Payments
public import Storage
internal import Wire
internal import BOLT

// What a node stores, and under which names.

extension CollectionName {
  /// `LightningChannel` by channel id, 32 bytes.
  static let channels: CollectionName = "channels"
  /// `RevocationRecord` by channel id, commitment number (8 bytes, big-endian) and funding outpoint.
  static let revocations: CollectionName = "revocations"
  /// Updates in the logs of channels, by channel id and the first one's serial number (8 bytes, big-endian): see `StoredUpdates`.
  static let updates: CollectionName = "updates"
  /// `IncomingOffer` by `PaymentKey`.
  static let incoming: CollectionName = "incoming"
  /// `PaymentOutcome` by the offer's origin.
  static let outcomes: CollectionName = "outcomes"
  /// `HostedOpening` by the negotiation's id.
  static let openings: CollectionName = "openings"
  /// `Resolver` by channel id.
  static let resolvers: CollectionName = "resolvers"
  /// `StoredPolicy` by channel id, for channels that have been given one.
  static let policies: CollectionName = "policies"
  /// Addresses at which peers were reached, by node id.
  static let peers: CollectionName = "peers"
  /// Single values by name.
  static let node: CollectionName = "node"
  /// Everything of the wallet, under the wallet's own keys.
  static let wallet: CollectionName = "wallet"
  /// Gossip, under its own keys.
  static let gossip: CollectionName = "gossip"

  /// Payments as the engine has them: see `RecordCollection`.
  static let invoices: CollectionName = "invoices"
  static let payments: CollectionName = "payments"
  static let parts: CollectionName = "parts"
  static let pendingForwards: CollectionName = "pending_forwards"
  static let forwards: CollectionName = "forwards"
  static let pastInvoices: CollectionName = "past_invoices"
  static let pastPayments: CollectionName = "past_payments"
  static let pastParts: CollectionName = "past_parts"
  static let pastIndex: CollectionName = "past_index"
  static let onions: CollectionName = "onions"
  static let counters: CollectionName = "counters"
  static let totals: CollectionName = "totals"

  init(_ collection: RecordCollection) {
    self =
      switch collection {
      case .invoices: .invoices
      case .payments: .payments
      case .parts: .parts
      case .pendingForwards: .pendingForwards
      case .forwards: .forwards
      case .pastInvoices: .pastInvoices
      case .pastPayments: .pastPayments
      case .pastParts: .pastParts
      case .pastIndex: .pastIndex
      case .onions: .onions
      case .counters: .counters
      case .totals: .totals
      }
  }
}

extension StoreSchema {
  /// What this version of the node reads and writes.
  public static let node = StoreSchema(
    version: 3,
    collections: [
      .channels, .openings, .updates, .revocations, .incoming, .outcomes, .resolvers, .policies, .peers, .node, .wallet,
      .gossip,
      .invoices,
      .payments,
      .parts, .pendingForwards, .forwards, .pastInvoices, .pastPayments, .pastParts, .pastIndex, .onions, .counters,
      .totals,
    ], largeCollections: [.channels, .openings, .updates, .incoming, .outcomes, .resolvers],
    migrations: [.pastPayments, .onionPeriods, .totals])
}

extension ChannelID {
  /// The key of something that belongs to a channel.
  func key(_ number: UInt64) -> [UInt8] {
    var writer = ByteWriter(reservingCapacity: 40)
    writer.write(self)
    writer.write(number)
    return writer.bytes
  }
}

extension IncomingOffer {
  var encoded: [UInt8] {
    var writer = ByteWriter(reservingCapacity: 1600)
    writer.write(1 as UInt8)
    writer.write(channel)
    writer.write(offer.id)
    writer.write(offer.amount.rawValue)
    writer.write(offer.expiry)
    let lock = offer.lock.encoded
    writer.writeBigSize(UInt64(lock.count))
    writer.write(lock)
    writer.writeBigSize(UInt64(offer.onion.count))
    writer.write(offer.onion)
    if let pathKey = offer.pathKey {
      writer.write(1 as UInt8)
      writer.write(pathKey)
    } else {
      writer.write(0 as UInt8)
    }
    writer.write(exceedsDustExposure ? 1 : 0 as UInt8)
    offer.records.encode(to: &writer)
    return writer.bytes
  }

  init(decoding bytes: [UInt8]) throws(DecodingError) {
    var reader = ByteReader(bytes.bytes)
    guard try reader.readUInt8() == 1 else { throw .malformed("unknown version of an offer") }
    let channel = ChannelID(try reader.read())
    let id = try reader.readUInt64()
    let amount = MilliSatoshi(try reader.readUInt64())
    let expiry = try reader.readUInt32()
    let lockCount = try reader.readBigSize()
    guard lockCount <= UInt64(reader.remaining) else { throw .truncated }
    let lockBytes = try reader.readArray(count: Int(lockCount))
    let onionCount = try reader.readBigSize()
    guard onionCount <= UInt64(reader.remaining) else { throw .truncated }
    let onion = try reader.readArray(count: Int(onionCount))
    let pathKey = try reader.readUInt8() == 1 ? try reader.read(PublicKey.self) : nil
    let exceedsDustExposure = try reader.readUInt8() == 1
    let records = try TLVStream(decoding: reader.read(count: reader.remaining))
    self.init(
      channel: channel,
      offer: AnyPaymentOffer(
        id: id, amount: amount, lock: try PaymentLock(decoding: lockBytes.bytes), expiry: expiry, onion: onion,
        pathKey: pathKey, records: records), exceedsDustExposure: exceedsDustExposure)
  }
}

extension StoreError {
  /// Whether this store will never take anything again.
  var isFinal: Bool {
    switch self {
    case .closed, .powerLost, .failed, .damaged: true
    default: false
    }
  }
}
