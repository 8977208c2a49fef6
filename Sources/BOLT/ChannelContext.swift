public import Bitcoin
public import GLC
public import Wire

/// What a step depends on besides the channel itself.
public struct ChannelContext: Sendable {
  /// What both sides said in `init`.
  public var localFeatures: FeatureSet
  public var remoteFeatures: FeatureSet
  /// The height of the chain; 0 when it is not known yet.
  public var height: UInt32
  /// What a closing transaction should pay.
  public var closingFeeRate: FeeRate
  /// The most that commitments may pay by the present estimates; nil for what the policy says.
  public var maximumFeeRate: FeeRate?
  /// The extensions that this node has.
  public var registry: ExtensionRegistry

  public init(
    localFeatures: FeatureSet, remoteFeatures: FeatureSet, height: UInt32, closingFeeRate: FeeRate = .relayFloor,
    maximumFeeRate: FeeRate? = nil, registry: ExtensionRegistry = .shipped
  ) {
    self.localFeatures = localFeatures
    self.remoteFeatures = remoteFeatures
    self.height = height
    self.closingFeeRate = closingFeeRate
    self.maximumFeeRate = maximumFeeRate
    self.registry = registry
  }

  /// Whether both sides compose channels of extensions.
  public var composes: Bool { negotiated(.composedChannels) }

  /// Whether both sides offer the feature, by either bit.
  func negotiated(_ feature: Feature) -> Bool {
    func has(_ set: FeatureSet) -> Bool { set[feature.bit] || set[feature.bit + 1] }
    return has(localFeatures) && has(remoteFeatures)
  }
}

extension ChannelContext {
  /// The even bits of what both sides offer.
  var negotiatedBits: Set<Int> {
    Set(localFeatures.bits.map { $0 & ~1 }).intersection(remoteFeatures.bits.map { $0 & ~1 })
  }
}
