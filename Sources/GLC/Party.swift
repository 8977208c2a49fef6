/// One of the two who own a channel, seen from us. Off-chain things are said of parties.
public enum Party: UInt8, Hashable, Sendable, CaseIterable {
  case local = 0
  case remote = 1

  @inlinable public var other: Party { self == .local ? .remote : .local }

  /// This party's side of the commitment transaction that `holder` can broadcast. The one place where the two words meet.
  @inlinable public func side(ofCommitmentHeldBy holder: Party) -> Side { self == holder ? .holder : .counterparty }
}

/// One side of one commitment transaction: its holder, who can broadcast it, or the counterparty.
public enum Side: UInt8, Hashable, Sendable, CaseIterable {
  case holder = 0
  case counterparty = 1

  @inlinable public var other: Side { self == .holder ? .counterparty : .holder }

  /// Who stands on this side of the commitment that `holder` can broadcast.
  @inlinable public func party(ofCommitmentHeldBy holder: Party) -> Party { self == .holder ? holder : holder.other }
}

/// A value for each party.
public struct PerParty<Value> {
  public var local: Value
  public var remote: Value

  @inlinable public init(local: Value, remote: Value) {
    self.local = local
    self.remote = remote
  }

  @inlinable public subscript(party: Party) -> Value {
    get { party == .local ? local : remote }
    set { if party == .local { local = newValue } else { remote = newValue } }
  }
}

extension PerParty: Sendable where Value: Sendable {}
extension PerParty: Equatable where Value: Equatable {}
extension PerParty: Hashable where Value: Hashable {}
