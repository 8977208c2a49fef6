public import Bitcoin
public import Encoding
public import Secp256k1
public import Wire

/// An invoice of BOLT 11: what it asks for, and who signed it.
public struct Bolt11Invoice: Hashable, Sendable {
  public let contents: Contents
  /// Prefix and amount, in lower case, as they were signed.
  public let humanReadablePart: String
  /// Every field in its place, known or not.
  public let fields: [TaggedField]
  public let signature: RecoverableSignature
  /// What is signed: SHA-256 of the human-readable part and the data before the signature.
  public let signedHash: Bytes32
  /// The key of the `n` field, or the one that the signature gives.
  public let payee: PublicKey

  init(
    contents: Contents, humanReadablePart: String, fields: [TaggedField], signature: RecoverableSignature,
    signedHash: Bytes32, payee: PublicKey
  ) {
    self.contents = contents
    self.humanReadablePart = humanReadablePart
    self.fields = fields
    self.signature = signature
    self.signedHash = signedHash
    self.payee = payee
  }

  /// What an invoice says. What it says about the future is not judged here: see `expiresAt`.
  public struct Contents: Hashable, Sendable {
    /// Testnet and the fourth test network share a prefix: it is read as the former.
    public var network: Network
    /// Nil when the payer chooses.
    public var amount: MilliSatoshi?
    /// Seconds since 1970, below 2^35.
    public var timestamp: UInt64
    /// `p`: SHA-256 of the preimage that the payer gets; with a payment point, SHA-256 of its 33 bytes.
    public var paymentHash: Bytes32
    /// `z`, ours: the point whose discrete logarithm the payer gets. It comes with a feature that is required (`pointPayments`): such
    /// an invoice cannot be paid by a hash.
    public var paymentPoint: PublicKey?
    /// `s`: for the onion's last layer.
    public var paymentSecret: Bytes32
    public var description: Description
    /// `m`: for the onion's last layer; at most 639 bytes.
    public var metadata: [UInt8]?
    /// `x`, in seconds.
    public var expiry: UInt64?
    /// `c`, in blocks.
    public var minFinalCLTVExpiryDelta: UInt64?
    /// `n`: whether the payee names itself. When signing, this must be the signer's key.
    public var payee: PublicKey?
    /// `f`, the preferred first. Those of unknown versions are here, without a destination.
    public var fallbacks: [Fallback]
    /// `r`: each a way from a public node to the payee.
    public var routeHints: [[RouteHop]]
    /// `9`
    public var features: FeatureSet
    /// Fields of types that BOLT 11 does not have, and those that must be skipped because of their length.
    public var unknownFields: [TaggedField]

    public init(
      network: Network = .bitcoin, amount: MilliSatoshi?, timestamp: UInt64, paymentHash: Bytes32,
      paymentPoint: PublicKey? = nil, paymentSecret: Bytes32, description: Description, metadata: [UInt8]? = nil,
      expiry: UInt64? = nil,
      minFinalCLTVExpiryDelta: UInt64? = nil, payee: PublicKey? = nil, fallbacks: [Fallback] = [],
      routeHints: [[RouteHop]] = [], features: FeatureSet = FeatureSet(), unknownFields: [TaggedField] = []
    ) {
      self.network = network
      self.amount = amount
      self.timestamp = timestamp
      self.paymentHash = paymentHash
      self.paymentPoint = paymentPoint
      self.paymentSecret = paymentSecret
      self.description = description
      self.metadata = metadata
      self.expiry = expiry
      self.minFinalCLTVExpiryDelta = minFinalCLTVExpiryDelta
      self.payee = payee
      self.fallbacks = fallbacks
      self.routeHints = routeHints
      self.features = features
      self.unknownFields = unknownFields
    }

    /// BOLT 11: Default is 3600 (1 hour) if not specified.
    public static let defaultExpiry: UInt64 = 3600
    /// BOLT 11: MUST use an expiry delta of at least 18 when making the payment.
    public static let defaultMinFinalCLTVExpiryDelta: UInt64 = 18

    /// Seconds since 1970 after which payments may be refused; `UInt64.max` at most.
    public var expiresAt: UInt64 {
      let (sum, overflow) = timestamp.addingReportingOverflow(expiry ?? Self.defaultExpiry)
      return overflow ? .max : sum
    }
  }

  /// What the payment is for.
  public enum Description: Hashable, Sendable {
    /// `d`: at most 639 bytes of UTF-8.
    case text(String)
    /// `h`: SHA-256 of a text that the payer gets elsewhere. BOLT 11: MUST check that the SHA2 256-bit hash in the `h` field exactly
    /// matches the hashed description: whoever shows that text does so.
    case hash(Bytes32)
  }

  /// Where the payee can be paid on the chain.
  public struct Fallback: Hashable, Sendable {
    /// A witness version, 17 for P2PKH, 18 for P2SH; others are unknown.
    public let version: UInt8
    /// The witness program or the hash.
    public let program: [UInt8]
    /// Nil for an unknown version. BOLT 11: MUST skip over `f` fields that use an unknown `version`.
    public let destination: Destination?

    /// Nil for a version above 31, and for a program that its version does not allow.
    public init?(version: UInt8, program: [UInt8]) {
      switch version {
      case 0...16:
        guard let program = WitnessProgram(version: version, program: program) else { return nil }
        destination = .witness(program)
      case 17, 18:
        guard let hash = try? Bytes20(program) else { return nil }
        destination = version == 17 ? .p2pkh(hash) : .p2sh(hash)
      case 19...31: destination = nil
      default: return nil
      }
      self.version = version
      self.program = program
    }

    public init(_ destination: Destination) {
      self.destination = destination
      switch destination {
      case .witness(let witness): (version, program) = (witness.version, witness.program)
      case .p2pkh(let hash): (version, program) = (17, hash.array)
      case .p2sh(let hash): (version, program) = (18, hash.array)
      }
    }
  }

  /// A channel on the way to the payee, 51 bytes.
  public struct RouteHop: Hashable, Sendable {
    /// `pubkey`: the node at the start of the channel.
    public var nodeID: PublicKey
    public var shortChannelID: ShortChannelID
    public var feeBaseMsat: UInt32
    public var feeProportionalMillionths: UInt32
    public var cltvExpiryDelta: UInt16

    public init(
      nodeID: PublicKey, shortChannelID: ShortChannelID, feeBaseMsat: UInt32, feeProportionalMillionths: UInt32,
      cltvExpiryDelta: UInt16
    ) {
      self.nodeID = nodeID
      self.shortChannelID = shortChannelID
      self.feeBaseMsat = feeBaseMsat
      self.feeProportionalMillionths = feeProportionalMillionths
      self.cltvExpiryDelta = cltvExpiryDelta
    }
  }
}
