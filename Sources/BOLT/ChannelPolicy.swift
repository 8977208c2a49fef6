public import Bitcoin
public import GLC

/// What this node asks of the other side of a channel, and what it accepts.
public struct ChannelPolicy: Hashable, Sendable {
  // What we ask.
  /// `dust_limit_satoshis`, at least 354.
  public var dustLimit = Satoshi(354)
  /// The part of the capacity that the other side keeps (`channel_reserve_satoshis`), in millionths.
  public var reserveMillionths: UInt64 = 10_000
  public var htlcMinimum = MilliSatoshi(1)
  /// `max_htlc_value_in_flight_msat`; nil: the capacity.
  public var maximumInFlight: MilliSatoshi?
  /// `max_accepted_htlcs`, at most 483.
  public var maximumAccepted: UInt16 = 483
  /// `to_self_delay`, in blocks.
  public var contestDelay: UInt16 = 144
  /// Confirmations before a channel that somebody else funds is used.
  public var minimumDepth: UInt32 = 3

  // What we accept.
  public var minimumFunding = Satoshi(10_000)
  /// Nil: as large as can be. 2^24 and more need `option_support_large_channel` in any case.
  public var maximumFunding: Satoshi?
  public var maximumContestDelay: UInt16 = 2016
  public var maximumHTLCMinimum = MilliSatoshi(10_000_000)
  /// The largest part of the capacity that we keep, in millionths.
  public var maximumReserveMillionths: UInt64 = 100_000
  public var maximumDustLimit = Satoshi(10_000)
  public var minimumAccepted: UInt16 = 5
  public var maximumDepth: UInt32 = 144
  public var minimumFeeRate = FeeRate.relayFloor
  /// Where the present estimates give no limit (`ChannelContext.maximumFeeRate`).
  public var maximumFeeRate = FeeRate(satPerKiloWeight: 100_000)
  /// BOLT 2 §Bounding exposure to trimmed in-flight HTLCs: `max_dust_htlc_exposure_msat`.
  public var maximumDustExposure = ChannelParameters.usualDustExposure
  /// Whether this peer's channels may be used before they are confirmed.
  public var trustsUnconfirmed = false
  /// Whether a peer may propose another stack for an open channel.
  public var exchangesStacks = true

  public init() {}

  /// 2^24 satoshi, from which on both sides need `option_support_large_channel`.
  public static let largeChannel = Satoshi(1 << 24)

  /// Whether commitments may pay this rate. `limit` is what the present estimates make of it.
  func allows(_ rate: FeeRate, atMost limit: FeeRate?) -> Bool {
    rate >= minimumFeeRate && rate <= max(limit ?? maximumFeeRate, minimumFeeRate)
  }

  func reserve(capacity: Satoshi, theirDustLimit: Satoshi) -> Satoshi {
    // BOLT 2: MUST set `channel_reserve_satoshis` greater than or equal to `dust_limit_satoshis`, of either side.
    max(capacity.share(millionths: reserveMillionths), dustLimit, theirDustLimit)
  }
}

extension Satoshi {
  func share(millionths: UInt64) -> Satoshi {
    let (high, low) = rawValue.multipliedFullWidth(by: millionths)
    return high < 1_000_000 ? Satoshi((1_000_000 as UInt64).dividingFullWidth((high, low)).quotient) : self
  }
}

/// What one party says of itself, and demands of the other, when a channel is opened: the fields that `open_channel` and
/// `accept_channel` have in common.
public struct ChannelTerms: Hashable, Sendable {
  public var dustLimit: Satoshi
  /// What the other party keeps.
  public var reserve: Satoshi
  /// For the other party's own outputs.
  public var contestDelay: UInt16
  /// For what the other party offers.
  public var limits: OfferLimits
  public var basepoints: Basepoints
  /// Where this party's money goes when the channel is closed together, if it has bound itself.
  public var shutdownScript: Script?
}

/// Why a channel is not opened. The text goes to the peer.
public struct OpeningRefusal: Error, Hashable, Sendable, CustomStringConvertible {
  public var reason: String
  public init(_ reason: String) { self.reason = reason }
  public var description: String { reason }
}

extension ChannelPolicy {
  /// BOLT 2 §§The `open_channel` Message, The `accept_channel` Message: the requirements that both have.
  func check(_ theirs: ChannelTerms, ours: ChannelTerms, capacity: Satoshi) throws(OpeningRefusal) {
    func require(_ condition: Bool, _ reason: @autoclosure () -> String) throws(OpeningRefusal) {
      if !condition { throw OpeningRefusal(reason()) }
    }
    // The receiving node MUST fail the channel if: `dust_limit_satoshis` is smaller than `354 satoshis`.
    try require(theirs.dustLimit >= Satoshi(354), "dust_limit_satoshis \(theirs.dustLimit) is below 354 sat")
    try require(theirs.dustLimit <= maximumDustLimit, "dust_limit_satoshis \(theirs.dustLimit) is too large")
    // `dust_limit_satoshis` is greater than `channel_reserve_satoshis`.
    try require(
      theirs.dustLimit <= theirs.reserve,
      "dust_limit_satoshis \(theirs.dustLimit) is above channel_reserve_satoshis \(theirs.reserve)")
    // `accept_channel`: if `channel_reserve_satoshis` is less than `dust_limit_satoshis` within the `open_channel` message, or the other
    // way round: MUST fail the channel.
    try require(
      theirs.reserve >= ours.dustLimit,
      "channel_reserve_satoshis \(theirs.reserve) is below our dust limit \(ours.dustLimit)")
    try require(
      ours.reserve >= theirs.dustLimit, "dust_limit_satoshis \(theirs.dustLimit) is above our reserve \(ours.reserve)")
    try require(
      theirs.reserve <= max(capacity.share(millionths: maximumReserveMillionths), ours.dustLimit, theirs.dustLimit),
      "channel_reserve_satoshis \(theirs.reserve) is too large")
    // `to_self_delay` is unreasonably large.
    try require(
      theirs.contestDelay <= maximumContestDelay,
      "to_self_delay \(theirs.contestDelay) is more than \(maximumContestDelay)")
    // `max_accepted_htlcs` is greater than 483.
    try require(
      theirs.limits.maximumAccepted <= 483, "max_accepted_htlcs \(theirs.limits.maximumAccepted) is above 483")
    // The receiving node MAY fail the channel if it considers `max_accepted_htlcs` too small, `htlc_minimum_msat` too large, ….
    try require(
      theirs.limits.maximumAccepted >= minimumAccepted,
      "max_accepted_htlcs \(theirs.limits.maximumAccepted) is too small")
    try require(
      theirs.limits.minimum <= maximumHTLCMinimum, "htlc_minimum_msat \(theirs.limits.minimum) is too large")
    try require(
      theirs.limits.maximumInFlight >= MilliSatoshi(1_000_000)
        || theirs.limits.maximumInFlight >= capacity.milliSatoshi ?? .zero,
      "max_htlc_value_in_flight_msat \(theirs.limits.maximumInFlight) is too small")
  }
}
