public import Bitcoin
public import Encoding
public import GLC

extension Basepoint {
  public static let htlc = Basepoint(rawValue: 4)
}

/// Payments locked by a hash: the receiver takes them with the preimage, the sender after a height (BOLT 2, BOLT 3).
public struct HTLCExtension: ChannelExtension {
  public static let id = ExtensionID(rawValue: 0x0400)

  static let holderKey = KeyRef(KeyRole(.htlc, .perCommitment), .holder)
  static let counterpartyKey = KeyRef(KeyRole(.htlc, .perCommitment), .counterparty)

  public init() {}

  public static func manifest(_ parameters: Parameters) -> Manifest {
    Manifest(
      name: "htlc", phase: .contracts, messageTypes: HTLCUpdate.messageTypes,
      keys: [holderKey, counterpartyKey, DelayedOutput.revocationKey, DelayedOutput.delayedKey])
  }

  /// The format that goes with the way in which fees are raised; what this node asks of the other party's payments.
  public func propose(for setting: StackSetting) -> Parameters {
    let format: Format =
      switch setting.feeBumping {
      case .none: .legacy
      case .ownOutputs: .anchors
      case .package: .zeroFee
      }
    return Parameters(format: format, limits: PerParty(local: Limits(setting.limits), remote: .none))
  }

  /// The format and our limits are ours; what the other party asks of our payments is its own affair, within reason.
  public func agree(to theirs: Parameters, for setting: StackSetting) throws(NegotiationFault) -> Parameters {
    try setting.acceptable.check(AgreementLimits(theirs.limits.remote))
    var ours = propose(for: setting)
    ours.limits.remote = theirs.limits.remote
    return ours
  }

  public func emptyLedger(_ parameters: Parameters) -> HTLCLedger { HTLCLedger() }
  public func lockedValue(_ ledger: HTLCLedger) -> MilliSatoshi { ledger.lockedValue }
}

extension HTLCExtension {
  /// How HTLC outputs and their second stage look. The three formats of the BOLTs are three settings of these.
  public struct Format: Hashable, Sendable {
    /// Every path of an output waits one confirmation (`option_anchors`), so that only anchors can be spent at once.
    public var delaysOneBlock: Bool
    /// Second-stage transactions carry their fee. Without, fees are added when they are broadcast.
    public var childrenPayFees: Bool
    /// The counterparty signs second-stage transactions with SIGHASH_SINGLE | SIGHASH_ANYONECANPAY.
    public var allowsAddingInputs: Bool

    public init(delaysOneBlock: Bool, childrenPayFees: Bool, allowsAddingInputs: Bool) {
      self.delaysOneBlock = delaysOneBlock
      self.childrenPayFees = childrenPayFees
      self.allowsAddingInputs = allowsAddingInputs
    }

    /// Channels without anchors.
    public static let legacy = Format(delaysOneBlock: false, childrenPayFees: true, allowsAddingInputs: false)
    /// The first form of anchors, whose second stage still pays fees.
    public static let anchorsWithFees = Format(delaysOneBlock: true, childrenPayFees: true, allowsAddingInputs: true)
    /// `option_anchors`.
    public static let anchors = Format(delaysOneBlock: true, childrenPayFees: false, allowsAddingInputs: true)
    /// `zero_fee_commitments`.
    public static let zeroFee = Format(delaysOneBlock: false, childrenPayFees: false, allowsAddingInputs: true)

    /// BOLT 3 §Fee Calculation: 663, or 666 with anchors.
    public var timeoutWeight: Weight { Weight(delaysOneBlock ? 666 : 663) }
    /// BOLT 3 §Fee Calculation: 703, or 706 with anchors ("really 702 and 705, but we use these numbers for historical reasons").
    public var successWeight: Weight { Weight(delaysOneBlock ? 706 : 703) }

    func childFee(_ feeRate: FeeRate, _ weight: Weight) -> Satoshi {
      // The fee of 703 weight units at the highest 32-bit rate fits 64 bits.
      childrenPayFees ? feeRate.fee(for: weight) ?? .zero : .zero
    }

    var counterpartySighash: SighashType { allowsAddingInputs ? .singleAnyoneCanPay : .all }
  }

  /// What one party demands of the HTLCs that the other offers it: `htlc_minimum_msat`, `max_htlc_value_in_flight_msat` and
  /// `max_accepted_htlcs`.
  public typealias Limits = OfferLimits

  /// What each party demands of the other's payments.
  public func mirrored(_ parameters: Parameters) -> Parameters {
    Parameters(
      format: parameters.format,
      limits: PerParty(local: parameters.limits.remote, remote: parameters.limits.local))
  }

  public struct Parameters: BinaryCodable {
    public var format: Format
    public var limits: PerParty<Limits>

    public init(format: Format, limits: PerParty<Limits> = PerParty(local: .none, remote: .none)) {
      self.format = format
      self.limits = limits
    }

    public init(from reader: inout ByteReader) throws(DecodingError) {
      let flags = try reader.readUInt8()
      guard flags < 8 else { throw .malformed("unknown HTLC format") }
      format = Format(
        delaysOneBlock: flags & 1 != 0, childrenPayFees: flags & 2 != 0, allowsAddingInputs: flags & 4 != 0)
      limits = PerParty(local: try Limits(from: &reader), remote: try Limits(from: &reader))
    }

    public func encode(to writer: inout ByteWriter) {
      let flags =
        (format.delaysOneBlock ? 1 : 0) | (format.childrenPayFees ? 2 : 0) | (format.allowsAddingInputs ? 4 : 0)
      writer.write(UInt8(flags))
      limits.local.encode(to: &writer)
      limits.remote.encode(to: &writer)
    }
  }
}
