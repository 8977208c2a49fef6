public import Bitcoin

/// What each party has in a commitment outside of any contract, in millisatoshi. Value moves through these checked steps alone.
public struct Balances: Hashable, Sendable {
  public private(set) var amounts: PerParty<MilliSatoshi>

  @inlinable public init(local: MilliSatoshi, remote: MilliSatoshi) {
    self.init(PerParty(local: local, remote: remote))
  }

  @usableFromInline init(_ amounts: PerParty<MilliSatoshi>) { self.amounts = amounts }

  public subscript(party: Party) -> MilliSatoshi { amounts[party] }

  /// Takes from a party. Throws when it has less.
  public mutating func debit(_ party: Party, _ amount: MilliSatoshi) throws(ProtocolViolation) {
    guard let rest = amounts[party].subtracting(amount) else {
      throw ProtocolViolation(.failChannel, "\(party) cannot pay \(amount): it has \(amounts[party])")
    }
    amounts[party] = rest
  }

  /// Gives to a party. Throws when the sum leaves the range of an amount, which no channel's capacity does.
  public mutating func credit(_ party: Party, _ amount: MilliSatoshi) throws(ProtocolViolation) {
    guard let sum = amounts[party].adding(amount) else {
      throw ProtocolViolation(.failChannel, "a balance of more than 2^64 millisatoshi")
    }
    amounts[party] = sum
  }
}
