public import Bitcoin
public import Encoding
public import GLC
public import Secp256k1
public import Wire

/// A moment: milliseconds since 1970. The engine has no clock; whoever drives it says what time it is.
public struct PaymentTime: Hashable, Comparable, Sendable {
  public let milliseconds: UInt64

  public init(milliseconds: UInt64) { self.milliseconds = milliseconds }
  public init(seconds: UInt64) {
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
    milliseconds = overflow ? .max : product
  }

  public var seconds: UInt64 { milliseconds / 1000 }

  /// The moment so much later; the last one there is at most.
  public func after(milliseconds: UInt64) -> PaymentTime {
    let (sum, overflow) = self.milliseconds.addingReportingOverflow(milliseconds)
    return PaymentTime(milliseconds: overflow ? .max : sum)
  }

  /// How long it is since then, as BOLT 4 counts hold times: in units of 100 milliseconds.
  func holdTime(since start: PaymentTime) -> UInt32 {
    self < start ? 0 : UInt32(clamping: (milliseconds - start.milliseconds) / 100)
  }

  public static func < (a: Self, b: Self) -> Bool { a.milliseconds < b.milliseconds }
}

/// Names one offer: the channel that it is on, its kind and its number there. Who offers it goes without saying where a key stands.
public struct PaymentKey: BinaryCodable, Comparable {
  public var channel: ChannelID
  /// The extension that carries it: each counts on its own.
  public var kind: ExtensionID
  public var id: UInt64

  /// What every key meant before there were kinds: an HTLC. Written as it was then.
  public static let firstKind = ExtensionID(rawValue: 0x0400)
  /// Numbers take 62 bits. With the highest one set, the kind follows.
  private static let mark: UInt64 = 1 << 63

  public init(channel: ChannelID, kind: ExtensionID = Self.firstKind, id: UInt64) {
    self.channel = channel
    self.kind = kind
    self.id = id
  }

  public init(channel: ChannelID, _ payment: PaymentName) {
    self.init(channel: channel, kind: payment.kind, id: payment.number)
  }

  /// Its name in the channel.
  public var payment: PaymentName { PaymentName(kind, id) }

  public init(from reader: inout ByteReader) throws(DecodingError) {
    channel = try reader.read()
    let number = try reader.readUInt64()
    id = number & ~Self.mark
    kind = number == id ? Self.firstKind : ExtensionID(rawValue: try reader.readUInt16())
  }

  public func encode(to writer: inout ByteWriter) {
    writer.write(channel)
    guard kind != Self.firstKind else { return writer.write(id & ~Self.mark) }
    writer.write(id | Self.mark)
    writer.write(kind.rawValue)
  }

  public static func < (a: Self, b: Self) -> Bool {
    a.channel == b.channel ? a.payment < b.payment : a.channel < b.channel
  }
}

/// A payment that a peer offers us, irrevocably committed.
public struct IncomingPayment: Hashable, Sendable {
  public var key: PaymentKey
  public var amount: MilliSatoshi
  public var lock: PaymentLock
  /// `cltv_expiry`
  public var expiry: UInt32
  /// The onion routing packet, 1,366 bytes.
  public var onion: [UInt8]
  /// `path_key`, inside a blinded route.
  public var pathKey: PublicKey?
  /// Other records of the message.
  public var records: TLVStream
  /// When it arrived; nil where nobody knows any more.
  public var receivedAt: PaymentTime?
  /// That it is dust, and more of it than `max_dust_htlc_exposure_msat` allows. BOLT 2: SHOULD fail this HTLC once it's committed;
  /// SHOULD NOT reveal a preimage for this HTLC.
  public var exceedsDustExposure: Bool

  public init(
    key: PaymentKey, amount: MilliSatoshi, lock: PaymentLock, expiry: UInt32, onion: [UInt8],
    pathKey: PublicKey? = nil, records: TLVStream = TLVStream(), receivedAt: PaymentTime? = nil,
    exceedsDustExposure: Bool = false
  ) {
    self.key = key
    self.amount = amount
    self.lock = lock
    self.expiry = expiry
    self.onion = onion
    self.pathKey = pathKey
    self.records = records
    self.receivedAt = receivedAt
    self.exceedsDustExposure = exceedsDustExposure
  }
}

/// A payment that we offer.
public struct OutgoingPayment: Hashable, Sendable {
  /// The channels that may carry it, all to the same peer, the best first. The first that can takes it.
  public var channels: [ChannelID]
  public var amount: MilliSatoshi
  public var lock: PaymentLock
  public var expiry: UInt32
  /// 1,366 bytes.
  public var onion: [UInt8]
  public var pathKey: PublicKey?
  /// What the channel keeps with the offer, and gives back with its outcome. Opaque; different for every offer.
  public var origin: [UInt8]

  /// Whether it begins here, and is not passed on for somebody else.
  public var isOurs: Bool {
    if case .part? = try? OfferOrigin(decoding: origin.bytes) { true } else { false }
  }
}

/// Why no channel took an offer. Nothing of it has reached a peer, nor will.
public enum OfferRefusal: UInt8, Hashable, Sendable, CaseIterable {
  /// No such channel, or none any more.
  case unknownChannel = 0
  case notConnected = 1
  /// The channel is closing or failed.
  case closing = 2
  case insufficientBalance = 3
  /// The peer takes no more at the same time (`max_accepted_htlcs`).
  case tooManyPending = 4
  /// The peer takes no more value at the same time (`max_htlc_value_in_flight_msat`).
  case tooMuchPending = 5
  /// Below the peer's `htlc_minimum_msat`.
  case belowMinimum = 6
  /// `max_dust_htlc_exposure_msat`
  case dustExposure = 7
  /// The channel's stack has no payments of this lock's kind.
  case wrongKind = 8
}

/// How an offer of ours has ended.
public enum PaymentOutcome: BinaryCodable {
  /// The peer took it, off the chain or on it. May be reported as soon as the witness is known, and once more when it is irrevocable.
  case settled(PaymentWitness, attribution: [UInt8]?)
  /// The peer refused it, irrevocably.
  case failed(reason: [UInt8], attribution: [UInt8]?)
  /// The peer could not read its onion, irrevocably.
  case malformed(code: UInt16, onionHash: Bytes32)
  /// It went back to us on the chain, or never had an output there, beyond reorganisation.
  case timedOutOnChain
  case notOffered(OfferRefusal)

  public init(from reader: inout ByteReader) throws(DecodingError) {
    guard try reader.readUInt8() == 1 else { throw .malformed("unknown version") }
    switch try reader.readUInt8() {
    case 0:
      let attribution = try reader.readFlag() ? try reader.readSizedBytes() : nil
      self = .settled(try PaymentWitness(from: &reader), attribution: attribution)
    case 1:
      self = .failed(
        reason: try reader.readSizedBytes(),
        attribution: try reader.readFlag() ? try reader.readSizedBytes() : nil)
    case 2: self = .malformed(code: try reader.readUInt16(), onionHash: try reader.read())
    case 3: self = .timedOutOnChain
    case 4:
      guard let why = OfferRefusal(rawValue: try reader.readUInt8()) else { throw .malformed("unknown refusal") }
      self = .notOffered(why)
    default: throw .malformed("unknown outcome")
    }
  }

  public func encode(to writer: inout ByteWriter) {
    writer.write(1 as UInt8)
    switch self {
    case .settled(let witness, let attribution):
      writer.write(0 as UInt8)
      writer.writeOptional(attribution) { $0.writeSized($1) }
      witness.encode(to: &writer)
    case .failed(let reason, let attribution):
      writer.write(1 as UInt8)
      writer.writeSized(reason)
      writer.writeOptional(attribution) { $0.writeSized($1) }
    case .malformed(let code, let onionHash):
      writer.write(2 as UInt8)
      writer.write(code)
      writer.write(onionHash)
    case .timedOutOnChain: writer.write(3 as UInt8)
    case .notOffered(let why):
      writer.write(4 as UInt8)
      writer.write(why.rawValue)
    }
  }
}

/// What a channel asks of payments that leave through it.
public struct ForwardingPolicy: Hashable, Sendable {
  public var feeBaseMsat: UInt32
  public var feeProportionalMillionths: UInt32
  public var cltvExpiryDelta: UInt16
  public var htlcMinimumMsat: MilliSatoshi
  public var htlcMaximumMsat: MilliSatoshi
  public var isDisabled: Bool

  public init(
    feeBaseMsat: UInt32, feeProportionalMillionths: UInt32, cltvExpiryDelta: UInt16, htlcMinimumMsat: MilliSatoshi,
    htlcMaximumMsat: MilliSatoshi, isDisabled: Bool = false
  ) {
    self.feeBaseMsat = feeBaseMsat
    self.feeProportionalMillionths = feeProportionalMillionths
    self.cltvExpiryDelta = cltvExpiryDelta
    self.htlcMinimumMsat = htlcMinimumMsat
    self.htlcMaximumMsat = htlcMaximumMsat
    self.isDisabled = isDisabled
  }

  /// BOLT 7 §HTLC Fees: fee_base_msat + ( amount_to_forward * fee_proportional_millionths / 1000000 ). Nil when it does not fit.
  public func fee(forwarding amount: MilliSatoshi) -> MilliSatoshi? {
    let (high, low) = amount.rawValue.multipliedFullWidth(by: UInt64(feeProportionalMillionths))
    guard high < 1_000_000 else { return nil }
    let proportional = UInt64(1_000_000).dividingFullWidth((high, low)).quotient
    return MilliSatoshi(proportional).adding(MilliSatoshi(UInt64(feeBaseMsat)))
  }
}

/// What the engine knows of a channel of ours. Balances are not part of it: only the channel itself can say what it can carry.
public struct PaymentChannel: Hashable, Sendable {
  public enum State: UInt8, Hashable, Sendable {
    case usable, disconnected
    /// It takes no offers any more.
    case closing
  }

  public var id: ChannelID
  public var peer: PublicKey
  /// The real one, once the channel is confirmed.
  public var shortChannelID: ShortChannelID?
  /// BOLT 2: if `channel_type` has `option_scid_alias` set: MUST NOT allow incoming HTLCs to this channel using the real
  /// `short_channel_id`.
  public var hidesShortChannelID: Bool
  /// The ones that we gave the peer. BOLT 2: MUST always recognize the `alias` as a `short_channel_id` for incoming HTLCs to this
  /// channel.
  public var aliases: [ShortChannelID]
  /// One that the peer gave us. BOLT 2: MAY use any of the `alias` it received, in BOLT 11 `r` fields.
  public var peerAlias: ShortChannelID?
  public var isPublic: Bool
  public var state: State
  /// Ours, for what leaves through the channel.
  public var policy: ForwardingPolicy
  /// The peer's, for what arrives through it. Nil until the peer has said it.
  public var peerPolicy: ForwardingPolicy?
  /// Whose locks it carries.
  public var kinds: Set<ExtensionID>
  /// About what we can receive through it.
  public var receivable: MilliSatoshi?
  /// Our latest `channel_update` for each name of the channel, for failures that carry one. May be empty: BOLT 4: Nodes which do not
  /// provide a `channel_update` are expected to set the `channel_update` `len` field to zero.
  public var channelUpdates: [ShortChannelID: [UInt8]]

  public init(
    id: ChannelID, peer: PublicKey, shortChannelID: ShortChannelID? = nil, hidesShortChannelID: Bool = false,
    aliases: [ShortChannelID] = [], peerAlias: ShortChannelID? = nil, isPublic: Bool, state: State = .usable,
    policy: ForwardingPolicy, peerPolicy: ForwardingPolicy? = nil, kinds: Set<ExtensionID>,
    receivable: MilliSatoshi? = nil,
    channelUpdates: [ShortChannelID: [UInt8]] = [:]
  ) {
    self.id = id
    self.peer = peer
    self.shortChannelID = shortChannelID
    self.hidesShortChannelID = hidesShortChannelID
    self.aliases = aliases
    self.peerAlias = peerAlias
    self.isPublic = isPublic
    self.state = state
    self.policy = policy
    self.peerPolicy = peerPolicy
    self.kinds = kinds
    self.receivable = receivable
    self.channelUpdates = channelUpdates
  }

  /// What an onion may call it.
  var forwardingNames: [ShortChannelID] {
    aliases + (hidesShortChannelID ? [] : [shortChannelID].compactMap { $0 })
  }

  /// What our own routes may call it.
  var ownNames: [ShortChannelID] { aliases + [shortChannelID, peerAlias].compactMap { $0 } }
}
