public import Bitcoin
public import Encoding
public import GLC
internal import Wire

/// What an invoice shall say.
public struct InvoiceTerms: Hashable, Sendable {
  /// Which private channels an invoice may name.
  public enum Exposure: Hashable, Sendable {
    /// Those that can receive, when there is no public channel.
    case automatic
    case all, none
    case only(Set<ShortChannelID>)
  }

  /// Nil: the payer chooses.
  public var amount: MilliSatoshi?
  /// Different for each invoice.
  public var label: String
  public var description: String
  /// Say only the description's hash.
  public var hashesDescription = false
  /// In seconds.
  public var expiry: UInt64 = 604_800
  /// Nil: drawn at random.
  public var preimage: Bytes32?
  /// For a hold invoice: the hash of a preimage that we do not have, or shall not release by ourselves.
  public var holdHash: Bytes32?
  /// The same for a target of any kind.
  public var holdTarget: PaymentLock?
  /// Whose locks payments shall have; nil: those that the node uses unless told otherwise.
  public var kind: ExtensionID?
  public var metadata: [UInt8]?
  public var minFinalCLTVExpiryDelta: UInt32?
  /// Where to pay on the chain.
  public var fallbacks: [Destination] = []
  public var exposure: Exposure = .automatic

  public init(amount: MilliSatoshi?, label: String, description: String) {
    self.amount = amount
    self.label = label
    self.description = description
  }
}

extension InvoiceTerms {
  /// The payment hashes that these terms may ask for; none when a preimage is to be drawn.
  public func paymentHashes(_ schemes: [any PaymentScheme]) -> [Bytes32] {
    schemes.flatMap { scheme in
      [holdTarget, holdHash.flatMap { scheme.target(paymentHash: $0) }, preimage.flatMap { scheme.target(of: $0) }]
        .compactMap { $0?.kind == scheme.kind ? $0.flatMap { scheme.identity(of: $0) } : nil }
    }
  }

  /// The payment hashes of invoices that are paid by releasing these 32 bytes.
  public static func hashes(openedBy secret: Bytes32, _ schemes: [any PaymentScheme]) -> [Bytes32] {
    var terms = InvoiceTerms(amount: nil, label: "", description: "")
    terms.preimage = secret
    return terms.paymentHashes(schemes)
  }
}

/// Why something cannot be done with an invoice. Codes are CLN's.
public enum InvoiceRefusal: Error, Hashable, Sendable, CustomStringConvertible {
  case labelExists(String)
  case preimageExists
  case unknown
  /// It is in another state.
  case wrongStatus(InvoiceRecord.Status)
  /// The preimage has another hash, or the scalar another point.
  case wrongPreimage
  /// The node knows no payments of that kind.
  case unknownKind
  /// The payment of a hold invoice is not here, or not all of it.
  case notHeld
  /// The final delta is below what we need to take a payment safely.
  case deltaTooSmall(UInt32)
  case invalid(Bolt11Error)

  public var code: Int {
    switch self {
    case .labelExists: 900
    case .preimageExists: 901
    case .unknown: 905
    case .wrongStatus, .notHeld: 906
    case .wrongPreimage, .unknownKind, .deltaTooSmall, .invalid: -32602
    }
  }

  public var description: String {
    switch self {
    case .labelExists(let label): "there is an invoice with the label '\(label)' already: choose another one"
    case .preimageExists: "there is an invoice with this payment hash already"
    case .unknown: "there is no such invoice"
    case .wrongStatus(let status): "the invoice is \(status)"
    case .wrongPreimage: "this preimage does not have the invoice's payment hash"
    case .unknownKind: "this node knows no payments of that kind"
    case .notHeld: "the invoice has no complete payment to settle"
    case .deltaTooSmall(let minimum): "the final cltv delta must be at least \(minimum)"
    case .invalid(let error): "the invoice cannot be made: \(error)"
    }
  }
}
