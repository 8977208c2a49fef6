public import Bitcoin

/// How the fee of a commitment is raised after it is signed, as some extension of the stack provides for it.
public enum FeeBumping: UInt8, Hashable, Sendable {
  /// Not at all: commitments and second stages carry the fee that was agreed on.
  case none = 0
  /// By a child of an output that each side has for it.
  case ownOutputs = 1
  /// By a child of one output that both share, in a package: commitments pay nothing.
  case package = 2
}

/// What one party asks of the agreements that the other offers it, whatever their kind.
public struct AgreementLimits: Hashable, Sendable {
  public var minimum: MilliSatoshi
  /// The most that may be in flight at one time.
  public var maximumInFlight: MilliSatoshi
  /// How many at one time.
  public var maximumCount: UInt16

  public init(minimum: MilliSatoshi, maximumInFlight: MilliSatoshi, maximumCount: UInt16) {
    self.minimum = minimum
    self.maximumInFlight = maximumInFlight
    self.maximumCount = maximumCount
  }

  public static let none = AgreementLimits(minimum: .zero, maximumInFlight: MilliSatoshi(.max), maximumCount: 483)
}

/// What a channel is to be, as far as the parameters of its extensions depend on it.
public struct StackSetting: Hashable, Sendable {
  /// What the outputs of commitments are locked with: the funding scheme's.
  public var scripts: ScriptBackend
  public var feeBumping: FeeBumping
  /// What this node asks of the other party's agreements.
  public var limits: AgreementLimits
  /// The forms that this node asks for, by extension, each one of `ChannelExtension.variants`. Who asks for none takes what the other party
  /// asks for.
  public var variants: [ExtensionID: String] = [:]
  /// The least that this node demands of what the other party asks of it.
  public var acceptable: Acceptable

  /// What the other party may ask.
  public struct Acceptable: Hashable, Sendable {
    /// The smallest agreement that it takes is at most this.
    public var minimum: MilliSatoshi
    /// It takes at least so many at one time.
    public var count: UInt16
    /// It takes at least so much at one time.
    public var inFlight: MilliSatoshi

    public init(minimum: MilliSatoshi, count: UInt16, inFlight: MilliSatoshi) {
      self.minimum = minimum
      self.count = count
      self.inFlight = inFlight
    }

    public static let anything = Acceptable(minimum: MilliSatoshi(.max), count: 1, inFlight: .zero)

    /// Why what the other party asks will not do.
    public func check(_ asked: AgreementLimits) throws(NegotiationFault) {
      // BOLT 2 §The `open_channel` Message: with more than 483 a commitment could not be relayed.
      guard asked.maximumCount <= 483 else {
        throw NegotiationFault("\(asked.maximumCount) at one time are more than the 483 that a commitment can carry")
      }
      guard asked.minimum <= minimum else {
        throw NegotiationFault("the smallest is \(asked.minimum), which is more than \(minimum)")
      }
      guard asked.maximumCount >= count else {
        throw NegotiationFault("\(asked.maximumCount) at one time are less than \(count)")
      }
      guard asked.maximumInFlight >= inFlight else {
        throw NegotiationFault("\(asked.maximumInFlight) in flight are less than \(inFlight)")
      }
    }
  }

  public init(
    scripts: ScriptBackend, feeBumping: FeeBumping = .none, limits: AgreementLimits = .none,
    acceptable: Acceptable = .anything
  ) {
    self.scripts = scripts
    self.feeBumping = feeBumping
    self.limits = limits
    self.acceptable = acceptable
  }
}
