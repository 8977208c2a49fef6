public import Bitcoin
public import Encoding
public import GLC
public import Secp256k1
internal import Wire

/// An invoice that is to be paid.
public struct PayRequest: Hashable, Sendable {
  public var invoice: Bolt11Invoice
  /// For an invoice without an amount.
  public var amount: MilliSatoshi?
  /// Pay only so much of it; somebody else pays the rest.
  public var partialAmount: MilliSatoshi?
  public var limits: PaymentLimits
  public var label: String?
  /// What the invoice is for, where it says only a hash.
  public var description: String?

  public init(_ invoice: Bolt11Invoice, amount: MilliSatoshi? = nil, limits: PaymentLimits = PaymentLimits()) {
    self.invoice = invoice
    self.amount = amount
    self.limits = limits
  }
}

/// A payment without an invoice (bLIP 3).
public struct KeysendRequest: Hashable, Sendable {
  public var destination: PublicKey
  public var amount: MilliSatoshi
  public var limits: PaymentLimits
  public var label: String?
  /// Further records for the payee.
  public var records: [TLVRecord] = []
  public var hints: [[Bolt11Invoice.RouteHop]] = []
  /// How many blocks the payee's offer shall have left.
  public var finalCLTVDelta: UInt32 = 42

  public init(destination: PublicKey, amount: MilliSatoshi, limits: PaymentLimits = PaymentLimits()) {
    self.destination = destination
    self.amount = amount
    self.limits = limits
  }
}

/// How much trouble a payment is worth.
public struct PaymentLimits: Hashable, Sendable {
  /// All fees together. Nil: half a percent, or 5 satoshi where that is more.
  public var maximumFee: MilliSatoshi?
  /// Blocks that it may be stuck for.
  public var maximumDelay: UInt32 = 2016
  /// No new part is sent after so many seconds.
  public var retryForSeconds: UInt64 = 60
  public var excludedNodes: Set<PublicKey> = []
  public var excludedChannels: Set<ChannelDirection> = []
  /// Nil: as the configuration says.
  public var maximumParts: Int?

  public init() {}

  func maximumFee(for amount: MilliSatoshi) -> MilliSatoshi {
    maximumFee ?? MilliSatoshi(max(amount.rawValue / 200, 5000))
  }
}

/// One part of a payment, on a given route: what CLN calls `sendpay`. It is tried once.
public struct RouteSendRequest: Hashable, Sendable {
  public var route: PaymentRoute
  public var paymentHash: Bytes32
  /// What is paid, where that is not the payment hash; `paymentHash` is then what it is called.
  public var target: PaymentLock?
  public var paymentSecret: Bytes32?
  /// What all parts together deliver; nil: this part is all.
  public var total: MilliSatoshi?
  /// Nil: that of the pending payment with this hash, or a new one.
  public var group: UInt64?
  public var part: UInt64
  public var metadata: [UInt8]?
  public var label: String?
  public var bolt11: String?
  public var description: String?
  public var keysendPreimage: Bytes32?
  public var records: [TLVRecord] = []

  public init(route: PaymentRoute, paymentHash: Bytes32, paymentSecret: Bytes32?, part: UInt64 = 0) {
    self.route = route
    self.paymentHash = paymentHash
    self.paymentSecret = paymentSecret
    self.part = part
  }
}

/// What a request to pay has led to.
public enum PaymentStart: Hashable, Sendable {
  case started(PaymentID)
  /// It was paid before: nothing is sent again.
  case complete(PaymentRecord)
}
