public import Bitcoin
public import Wire

/// A path for a payment, from its source to its destination.
public struct Route: Hashable, Sendable {
  public struct Hop: Hashable, Sendable {
    /// The node at the end of this hop.
    public var node: NodeID
    public var channel: DirectedChannel
    /// What the HTLC over this hop carries: what `node` receives.
    public var amount: MilliSatoshi
    /// When that HTLC expires, in blocks from now.
    public var cltvExpiryDelta: UInt32
    /// What the node at the beginning of this hop asks for; of the source's own channel, nothing.
    public var policy: ChannelPolicy
    /// What the hop could carry, as far as it is known.
    public var limit: MilliSatoshi
    /// Whether the channel is in the graph: its failures can be learned from.
    public var isPublic: Bool
  }

  public var hops: [Hop]

  /// What the source sends: the amount and all fees.
  public var totalAmount: MilliSatoshi { hops.first?.amount ?? .zero }
  /// What the destination receives.
  public var amount: MilliSatoshi { hops.last?.amount ?? .zero }
  public var fee: MilliSatoshi { totalAmount.subtracting(amount) ?? .zero }
  /// When the first HTLC expires, in blocks from now.
  public var totalCLTVExpiryDelta: UInt32 { hops.first?.cltvExpiryDelta ?? 0 }

  /// What the node at the end of this hop keeps for itself; 0 for the last.
  public func fee(takenAfter index: Int) -> MilliSatoshi {
    guard hops.indices.contains(index), hops.indices.contains(index + 1) else { return .zero }
    return hops[index].amount.subtracting(hops[index + 1].amount) ?? .zero
  }

  /// The same path with another amount for the destination; nil when it cannot carry that much, or so little.
  public func carrying(_ amount: MilliSatoshi) -> Route? {
    var route = self
    var forwarded = amount
    for index in hops.indices.reversed() {
      let hop = hops[index]
      guard forwarded <= hop.limit, forwarded >= hop.policy.htlcMinimumMsat else { return nil }
      route.hops[index].amount = forwarded
      guard index > 0 else { break }
      guard let fee = hop.policy.fee(forwarding: forwarded), let sum = forwarded.adding(fee) else { return nil }
      forwarded = sum
    }
    return route
  }

  /// The most that this path could carry to the destination, as far as it is known.
  public var maximumAmount: MilliSatoshi {
    var most = hops.first?.limit.rawValue ?? 0
    for hop in hops.dropFirst() {
      // What arrives at the beginning of the hop is the amount and the fee for it.
      let base = UInt64(hop.policy.feeBaseMsat)
      guard most > base else { return .zero }
      let (high, low) = (most - base).multipliedFullWidth(by: 1_000_000)
      let rate = 1_000_000 + UInt64(hop.policy.feeProportionalMillionths)
      // The quotient is at most `most`: it fits.
      most = min(rate.dividingFullWidth((high, low)).quotient, hop.limit.rawValue)
    }
    return MilliSatoshi(most)
  }
}
