/// What is wrong with a set of features.
public enum FeatureError: Error, Hashable, Sendable {
  /// An even bit of a feature that is not supported here.
  case unknownRequired(bit: Int)
  /// `feature` is set, `dependency` is not.
  case missingDependency(of: Feature, on: Feature)
  /// A feature where it may not be presented, or in a form (odd, even) that it may not have there.
  case wrongContext(Feature)
  /// Both bits of a pair.
  case bothBits(Feature)

  /// BOLT 1 §The `init` Message: upon receiving unknown _even_ feature bits that are non-zero: MUST close the connection. (…) if the
  /// feature vector does not set all known, transitive dependencies: MUST close the connection.
  public var consequence: Consequence { .closeConnection }
}

extension FeatureError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unknownRequired(let bit):
      "requires feature \(Feature.named(bit: bit).map { "\($0) (\(bit))" } ?? String(bit)), which is not supported"
    case .missingDependency(let feature, let dependency): "\(feature) without \(dependency)"
    case .wrongContext(let feature): "\(feature) does not belong here"
    case .bothBits(let feature): "\(feature) is both optional and required"
    }
  }
}

extension FeatureSet {
  /// How a feature is set; nil when it is not. BOLT 9: if both the optional and the mandatory feature bits in a pair are set, the
  /// feature should be treated as mandatory.
  public subscript(feature: Feature) -> Feature.Support? {
    get { self[feature.bit] ? .required : self[feature.bit + 1] ? .optional : nil }
    set {
      self[feature.bit] = newValue == .required
      self[feature.bit + 1] = newValue == .optional
    }
  }

  /// Whether a feature is set, either way.
  public func offers(_ feature: Feature) -> Bool { self[feature] != nil }

  /// Whether both sides can use a feature: BOLT 1: A feature is _negotiated_ if either both peers offered it, or the local node
  /// offered it as even.
  public func isNegotiated(_ feature: Feature, with remote: FeatureSet) -> Bool {
    self[feature] == .required || offers(feature) && remote.offers(feature)
  }

  public init(_ features: [Feature: Feature.Support]) {
    self.init()
    for (feature, support) in features { self[feature] = support }
  }

  /// The lowest even bit that is set and belongs to none of the features; nil when there is none.
  public func unknownRequiredBit(supported: some Sequence<Feature>) -> Int? {
    var rest = self
    for feature in supported { rest[feature] = nil }
    return rest.lowestRequiredBit
  }

  /// Checks a peer's or an invoice's features: that we know whatever they require, and that the features which we know are complete.
  /// Assumed features need not be there. BOLT 1: MUST ignore unknown odd bits.
  public func check(supported: some Collection<Feature>) throws(FeatureError) {
    if let bit = unknownRequiredBit(supported: supported) { throw .unknownRequired(bit: bit) }
    try checkDependencies(of: supported)
  }

  /// Checks that every one of these features that is set comes with what it needs.
  public func checkDependencies(of features: some Collection<Feature>) throws(FeatureError) {
    for feature in features where offers(feature) {
      for dependency in feature.dependencies where !dependency.isAssumed {
        if !offers(dependency) { throw .missingDependency(of: feature, on: dependency) }
        try checkDependencies(of: [dependency])
      }
    }
  }

  /// Checks what we are about to present ourselves. BOLT 9: MUST NOT set feature bits it does not support. MUST NOT set feature bits
  /// in fields not specified by the table above. MUST NOT set both the optional and mandatory bits. MUST set all transitive feature
  /// dependencies. Assumed features may stand anywhere: older nodes look for them.
  public func checkOwn(in context: Feature.Contexts, supported: some Collection<Feature>) throws(FeatureError) {
    var rest = self
    for feature in supported {
      rest[feature] = nil
      guard let support = self[feature] else { continue }
      if self[feature.bit] && self[feature.bit + 1] { throw .bothBits(feature) }
      guard feature.isAssumed || feature.isPresented(in: context, as: support) else { throw .wrongContext(feature) }
    }
    if let bit = rest.bits.first { throw .unknownRequired(bit: bit) }
    try checkDependencies(of: supported)
  }

  /// The part of our features that belongs into a context, in the form that it has there.
  public func presented(in context: Feature.Contexts, supported: some Collection<Feature>) -> FeatureSet {
    var result = FeatureSet()
    for feature in supported {
      guard let support = self[feature] else { continue }
      if feature.isAssumed || feature.isPresented(in: context, as: support) {
        result[feature] = support
      } else if context == .channelAnnouncement {
        if feature.contexts.contains(.channelAnnouncementOptional) { result[feature] = .optional }
        if feature.contexts.contains(.channelAnnouncementRequired) { result[feature] = .required }
      }
    }
    return result
  }
}

extension Feature {
  func isPresented(in context: Contexts, as support: Support) -> Bool {
    if !contexts.isDisjoint(with: context) { return true }
    guard context.contains(.channelAnnouncement) else { return false }
    return switch support {
    case .optional: contexts.contains(.channelAnnouncementOptional)
    case .required: contexts.contains(.channelAnnouncementRequired)
    }
  }
}
