public import Encoding

/// A `channel_type` (BOLT 2 §Defined Channel Types): an explicit enumeration that reuses even feature bits. Kept byte for byte; types
/// of extensions that are not loaded survive.
public struct ChannelType: Hashable, Sendable, WireField, CustomStringConvertible {
  public var features: FeatureSet

  public init(features: FeatureSet) { self.features = features }

  /// The type with these features, each by its even bit.
  public init(_ features: Feature...) { self.features = FeatureSet(bits: features.map(\.bit)) }

  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) { features = try FeatureSet(from: &reader) }
  public func encode(to writer: inout ByteWriter) { features.encode(to: &writer) }

  public static let staticRemotekey = ChannelType(.staticRemotekey)
  public static let anchors = ChannelType(.anchors, .staticRemotekey)
  public static let zeroFeeCommitments = ChannelType(.zeroFeeCommitments)
  public static let simpleTaproot = ChannelType(.simpleTaproot)
  public static let simpleTaprootStaging = ChannelType(.simpleTaprootStaging)
  public static let taprootZeroFeeCommitments = ChannelType(.taprootZeroFeeCommitments)

  /// The basic types that BOLT 2 and the proposals define. Each may come with `option_scid_alias` and `option_zeroconf`.
  public static let basicTypes: [ChannelType] = [
    staticRemotekey, anchors, zeroFeeCommitments, simpleTaproot, simpleTaprootStaging, taprootZeroFeeCommitments,
  ]

  /// BOLT 2: Each basic type has the following variations allowed: `option_scid_alias` (bit 46), `option_zeroconf` (bit 50).
  public static let variations: [Feature] = [.scidAlias, .zeroconf]

  /// The type without its variations.
  public var basic: ChannelType {
    var features = features
    for variation in Self.variations { features[variation.bit] = false }
    return ChannelType(features: features)
  }

  /// Whether this is one of the basic types, with or without variations.
  public var isDefined: Bool { Self.basicTypes.contains(basic) }

  public func contains(_ feature: Feature) -> Bool { features[feature.bit] }

  public func with(_ variation: Feature) -> ChannelType {
    var copy = self
    copy.features[variation.bit] = true
    return copy
  }

  public var description: String {
    features.bits.prefix(100).map { Feature.named(bit: $0)?.name ?? String($0) }.joined(separator: "+")
  }
}
