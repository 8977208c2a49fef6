internal import Anchors
internal import Base
public import GLC
public import HTLC

/// The channel types of the BOLTs, each a composition of the same parts.
public enum ChannelType: String, CaseIterable, Hashable, Sendable {
  /// Keys of both main outputs change with every commitment: channels from before `option_static_remotekey`.
  case legacy
  case staticRemoteKey = "static_remotekey"
  /// `option_anchors`: second-stage transactions pay no fee of their own.
  case anchors
  /// The first form of anchors, whose second stage pays fees.
  case anchorsWithHTLCFees = "anchors_with_htlc_fees"
  /// Version 3 commitments with one shared anchor (lightning/bolts#1228).
  case zeroFeeCommitments = "zero_fee_commitments"
  /// MuSig2 funding and taproot outputs (lightning/bolts#995).
  case simpleTaproot = "simple_taproot"
  /// The same with version 3 commitments (lightning/bolts#1330).
  case taprootZeroFeeCommitments = "taproot_zero_fee_commitments"

  /// The bits that `channel_type` sets for it (BOLT 9), the even one of each pair.
  public var featureBits: [Int] {
    switch self {
    case .legacy: []
    case .staticRemoteKey: [12]
    case .anchors: [12, 22]
    case .anchorsWithHTLCFees: [12, 20]
    case .zeroFeeCommitments: [40]
    case .simpleTaproot: [80]
    case .taprootZeroFeeCommitments: [82]
    }
  }

  /// The type with just these bits; nil for a combination that is none.
  public init?(featureBits: Set<Int>) {
    guard let type = Self.allCases.first(where: { Set($0.featureBits) == featureBits }) else { return nil }
    self = type
  }

  /// What a channel of this type is composed of.
  /// - Parameter limits: what each party demands of the HTLCs that the other offers.
  public func stack(
    limits: PerParty<HTLCExtension.Limits> = PerParty(local: .none, remote: .none)
  ) throws(StackError) -> ChannelStack {
    let remote: MainOutputs.RemoteFormat
    let format: HTLCExtension.Format
    var funding: any FundingScheme = WitnessScriptFunding()
    var anchors: [any ExtensionSlot] = []
    switch self {
    case .legacy: (remote, format) = (.perCommitment, .legacy)
    case .staticRemoteKey: (remote, format) = (.fixed, .legacy)
    case .anchors:
      (remote, format) = (.fixedAfterOneBlock, .anchors)
      anchors = [Slot(Anchors(), Nothing())]
    case .anchorsWithHTLCFees:
      (remote, format) = (.fixedAfterOneBlock, .anchorsWithFees)
      anchors = [Slot(Anchors(), Nothing())]
    case .zeroFeeCommitments:
      (remote, format) = (.fixed, .zeroFee)
      anchors = [Slot(SharedAnchor(), Nothing())]
    case .simpleTaproot:
      (funding, remote, format) = (MuSig2Funding(), .fixedAfterOneBlock, .anchors)
      anchors = [Slot(Anchors(), Nothing())]
    case .taprootZeroFeeCommitments:
      (funding, remote, format) = (MuSig2Funding(), .fixed, .zeroFee)
      anchors = [Slot(SharedAnchor(), Nothing())]
    }
    return try ChannelStack(
      funding: funding,
      extensions: [
        Slot(MainOutputs(), .init(remoteFormat: remote)), Slot(HTLCExtension(), .init(format: format, limits: limits)),
      ] + anchors)
  }
}
