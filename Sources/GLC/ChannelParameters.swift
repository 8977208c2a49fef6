public import Bitcoin
internal import Encoding

/// What holds for one party.
public struct PartyParameters: Hashable, Sendable {
  /// Below it, the party's own commitment has no outputs.
  public var dustLimit: Satoshi
  /// How long the party waits for its own funds (`to_self_delay` as the other party demanded it), in blocks.
  public var contestDelay: UInt16
  /// What the party must keep (`channel_reserve_satoshis` as the other party demanded it).
  public var reserve: Satoshi
  public var basepoints: Basepoints

  public init(dustLimit: Satoshi, contestDelay: UInt16, reserve: Satoshi, basepoints: Basepoints) {
    self.dustLimit = dustLimit
    self.contestDelay = contestDelay
    self.reserve = reserve
    self.basepoints = basepoints
  }
}

/// What was agreed when the channel was opened.
public struct ChannelParameters: Hashable, Sendable {
  /// Who pays fees.
  public var funder: Party
  public var parties: PerParty<PartyParameters>
  /// From the payment basepoints: see `obscuringFactor(openerPaymentBasepoint:acceptorPaymentBasepoint:)`.
  public var obscuringFactor: UInt64
  /// BOLT 2's fee spike buffer: before it offers something, a funder makes sure that it could pay this many times the fee rate.
  public var feeSpikeMultiple: UInt32
  /// BOLT 2 §Bounding exposure to trimmed in-flight contracts: the most that may be trimmed from a commitment, and so go to miners. A
  /// matter of this node's policy.
  public var maximumDustExposure: MilliSatoshi

  /// 50,000 satoshi.
  public static let usualDustExposure = MilliSatoshi(50_000_000)

  public init(
    funder: Party, parties: PerParty<PartyParameters>, obscuringFactor: UInt64, feeSpikeMultiple: UInt32 = 2,
    maximumDustExposure: MilliSatoshi = Self.usualDustExposure
  ) {
    self.funder = funder
    self.parties = parties
    self.obscuringFactor = obscuringFactor
    self.feeSpikeMultiple = feeSpikeMultiple
    self.maximumDustExposure = maximumDustExposure
  }
}

/// An output that the channel lives on. During a splice or a replacement there are several; every update applies to all of them.
public struct Funding: Hashable, Sendable {
  public var outPoint: OutPoint
  public var capacity: Satoshi

  public init(outPoint: OutPoint, capacity: Satoshi) {
    self.outPoint = outPoint
    self.capacity = capacity
  }
}
