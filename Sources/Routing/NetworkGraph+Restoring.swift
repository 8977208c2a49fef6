internal import Bitcoin
internal import Encoding
public import Wire

extension NetworkGraph {
  /// Reads back what was stored: announcements of channels first, the rest in any order. What was verified once is trusted; node ids are
  /// not even parsed. `capacity` in satoshi is used for a `channel_announcement`. False for what does not fit.
  @discardableResult public mutating func restore(
    _ key: GossipKey, bytes: [UInt8], capacity: UInt64? = nil, rules: GossipRules
  ) -> Bool {
    switch key {
    case .channel(let id):
      guard let (ends, features) = try? Self.ends(of: bytes.bytes) else { return false }
      let mayRoute = features.unknownRequiredBit(supported: rules.supported) == nil
      let (msat, overflow) = (capacity ?? 0).multipliedReportingOverflow(by: 1_000)
      guard !contains(id) else { return false }
      return
        (try? insert(
          id, ends, capacity: capacity == nil || overflow ? nil : msat, mayRoute: mayRoute,
          isForComposers: features.offers(.aggregatedFunding), now: rules.now)) != nil
    case .update(let channel):
      guard let update = try? ChannelUpdate(decoding: bytes), update.shortChannelID == channel.channel,
        update.isFromNode2 == channel.isFromNode2, index(of: channel.channel) != nil
      else { return false }
      var use: GossipRules.Use = .route
      if !update.messageFlags.contains(.dontForward) { use.insert(.forward) }
      return (try? apply(update, bytes: bytes, use: use)) != nil
    case .node(let key):
      guard let announcement = try? NodeAnnouncement(decoding: bytes), announcement.nodeID.key == key else {
        return false
      }
      var use: GossipRules.Use = []
      if announcement.features.unknownRequiredBit(supported: rules.supported) == nil { use.insert(.route) }
      if (try? announcement.addressList().mayBeForwarded) == true { use.insert(.forward) }
      return (try? apply(announcement, bytes: bytes, use: use)) != nil
    }
  }

  /// The two node ids of an encoded `channel_announcement`, and its features.
  private static func ends(of bytes: RawSpan) throws(DecodingError) -> ((NodeKey, NodeKey), FeatureSet) {
    var reader = ByteReader(bytes)
    // The type, and four signatures.
    try reader.skip(2 + 4 * 64)
    let features = FeatureSet(bytes: try reader.readArray(count: Int(try reader.readUInt16())))
    // The chain's hash and the short_channel_id.
    try reader.skip(32 + 8)
    return ((try reader.read(NodeKey.self), try reader.read(NodeKey.self)), features)
  }
}
