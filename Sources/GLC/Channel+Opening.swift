public import Bitcoin
public import Secp256k1

// A channel before both sides know each other's second point.

extension Channel {
  /// A channel at its first commitments. The remote party has named the point of its commitment 0 alone: until `learnNextPoint` nothing
  /// can be committed to.
  public init(
    stack: ChannelStack, parameters: ChannelParameters, funding: Funding, balances: Balances, feeRate: FeeRate,
    firstRemotePoint: PublicKey
  ) {
    self.init(
      stack: stack, parameters: parameters, funding: funding, balances: balances, feeRate: feeRate,
      remotePoints: (firstRemotePoint, firstRemotePoint))
    remotePoints = [firstRemotePoint]
  }

  /// `channel_ready`: the point of the remote party's commitment 1, and its nonces for it, where both sign together. Told again, only the
  /// nonces can be others.
  public mutating func learnNextPoint(_ point: PublicKey, nonces: [FundingNonce] = []) {
    guard remoteNumber == 0 else { return }
    if remotePoints.count == 1 { remotePoints.append(point) }
    if signsTogether, !nonces.isEmpty { remoteNonces = nonces }
  }

  /// Whether the remote party's next commitment can be made.
  public var knowsNextPoint: Bool { remotePoints.count > 1 }
}
