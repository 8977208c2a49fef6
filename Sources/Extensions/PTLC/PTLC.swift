public import Bitcoin
public import Encoding
public import GLC

extension Basepoint {
  public static let ptlc = Basepoint(rawValue: 16)
}

/// Payments locked by a point: the receiver takes them by completing a signature with the point's discrete logarithm, which the sender
/// reads from what was completed; the sender takes them back after a height.
///
/// The outputs are those of t-bast's "Lightning is getting taprooty scriptless-scripty" on simple taproot channels, with either of two schemes
/// (`Scheme`). What the receiver takes from the sender's commitment is a transaction that the sender has to sign, before the receiver signs
/// that commitment: the manifest asks the core for that (`needsPresign`).
public struct PTLCExtension: ChannelExtension {
  public static let id = ExtensionID(rawValue: 0x0500)

  static let holderKey = KeyRef(KeyRole(.ptlc, .perCommitment), .holder)
  static let counterpartyKey = KeyRef(KeyRole(.ptlc, .perCommitment), .counterparty)
  /// Where what the counterparty takes goes.
  static let payoutKey = KeyRef(.payment, .counterparty)

  public init() {}

  public static func manifest(_ parameters: Parameters) -> Manifest {
    Manifest(
      name: parameters.scheme.name, phase: .contracts, messageTypes: PTLCUpdate.messageTypes,
      keys: [
        holderKey, counterpartyKey, payoutKey, DelayedOutput.revocationKey, DelayedOutput.delayedKey,
      ], needsPresign: true, needsTaproot: true)
  }

  public static let variants = Scheme.allCases.map(\.word)

  /// Where each side has an output to raise the fee with, everything else waits a block. The scheme is the simpler one, unless the other is
  /// asked for.
  public func propose(for setting: StackSetting) -> Parameters {
    Parameters(
      delaysOneBlock: setting.feeBumping == .ownOutputs,
      scheme: Scheme.allCases.first { $0.word == setting.variants[Self.id] } ?? .singleSigner,
      limits: PerParty(local: Limits(setting.limits), remote: .none))
  }

  /// The format and our limits are ours; what the other party asks of our payments is its own affair, within reason. The scheme is whose who
  /// asks for one.
  public func agree(to theirs: Parameters, for setting: StackSetting) throws(NegotiationFault) -> Parameters {
    try setting.acceptable.check(AgreementLimits(theirs.limits.remote))
    var ours = propose(for: setting)
    if setting.variants[Self.id] == nil { ours.scheme = theirs.scheme }
    ours.limits.remote = theirs.limits.remote
    return ours
  }

  /// What each party demands of the other's payments.
  public func mirrored(_ parameters: Parameters) -> Parameters {
    Parameters(
      delaysOneBlock: parameters.delaysOneBlock, scheme: parameters.scheme,
      limits: PerParty(local: parameters.limits.remote, remote: parameters.limits.local))
  }

  public func emptyLedger(_ parameters: Parameters) -> PTLCLedger { PTLCLedger() }
  public func lockedValue(_ ledger: PTLCLedger) -> MilliSatoshi { ledger.lockedValue }
}

extension PTLCExtension {
  /// How the receiver's signature comes to lack the secret.
  public enum Scheme: UInt8, CaseIterable, Hashable, Sendable {
    /// A leaf asks for a signature of each side; the sender's is a BIP 340 adaptor signature.
    case singleSigner = 0
    /// The key path is both sides' key (MuSig2), and one pre-signature of both is completed. On the chain it is like any other payment.
    case musig2 = 1

    /// In the text of a stack, behind the name.
    var word: String {
      switch self {
      case .singleSigner: "single-signer"
      case .musig2: "musig2"
      }
    }

    /// In the text of a stack. The simpler one need not be named.
    public var name: String { self == .singleSigner ? "ptlc" : "ptlc(\(word))" }
  }

  /// What one party demands of the PTLCs that the other offers it.
  public typealias Limits = OfferLimits

  public struct Parameters: BinaryCodable {
    /// Every path of an output waits one confirmation, so that only anchors can be spent at once.
    public var delaysOneBlock: Bool
    public var scheme: Scheme
    public var limits: PerParty<Limits>

    public init(
      delaysOneBlock: Bool, scheme: Scheme = .singleSigner,
      limits: PerParty<Limits> = PerParty(local: .none, remote: .none)
    ) {
      self.delaysOneBlock = delaysOneBlock
      self.scheme = scheme
      self.limits = limits
    }

    public init(from reader: inout ByteReader) throws(DecodingError) {
      let flags = try reader.readUInt8()
      guard let scheme = Scheme(rawValue: flags >> 1) else { throw .malformed("unknown PTLC format") }
      delaysOneBlock = flags & 1 != 0
      self.scheme = scheme
      limits = PerParty(local: try Limits(from: &reader), remote: try Limits(from: &reader))
    }

    public func encode(to writer: inout ByteWriter) {
      writer.write(scheme.rawValue << 1 | (delaysOneBlock ? 1 : 0))
      limits.local.encode(to: &writer)
      limits.remote.encode(to: &writer)
    }
  }
}
