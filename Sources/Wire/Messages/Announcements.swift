public import Bitcoin
public import Encoding
public import Secp256k1

/// BOLT 7 §The `channel_announcement` Message.
public struct ChannelAnnouncement: WireMessage {
  public static let type: UInt16 = 256
  public static let name: FieldName = "channel_announcement"

  public var nodeSignature1: CompactSignature
  public var nodeSignature2: CompactSignature
  public var bitcoinSignature1: CompactSignature
  public var bitcoinSignature2: CompactSignature
  public var features: FeatureSet
  public var chainHash: ChainHash
  public var shortChannelID: ShortChannelID
  public var nodeID1: NodeID
  public var nodeID2: NodeID
  public var bitcoinKey1: PublicKey
  public var bitcoinKey2: PublicKey
  /// What follows the fields that are known here. The signatures cover it.
  public var excess: [UInt8]

  public init(
    nodeSignature1: CompactSignature, nodeSignature2: CompactSignature, bitcoinSignature1: CompactSignature,
    bitcoinSignature2: CompactSignature, features: FeatureSet, chainHash: ChainHash, shortChannelID: ShortChannelID,
    nodeID1: NodeID, nodeID2: NodeID, bitcoinKey1: PublicKey, bitcoinKey2: PublicKey, excess: [UInt8] = []
  ) {
    self.nodeSignature1 = nodeSignature1
    self.nodeSignature2 = nodeSignature2
    self.bitcoinSignature1 = bitcoinSignature1
    self.bitcoinSignature2 = bitcoinSignature2
    self.features = features
    self.chainHash = chainHash
    self.shortChannelID = shortChannelID
    self.nodeID1 = nodeID1
    self.nodeID2 = nodeID2
    self.bitcoinKey1 = bitcoinKey1
    self.bitcoinKey2 = bitcoinKey2
    self.excess = excess
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    nodeSignature1 = try source.field("node_signature_1")
    nodeSignature2 = try source.field("node_signature_2")
    bitcoinSignature1 = try source.field("bitcoin_signature_1")
    bitcoinSignature2 = try source.field("bitcoin_signature_2")
    features = try source.field("features", length: "len")
    chainHash = try source.field("chain_hash")
    shortChannelID = try source.field("short_channel_id")
    nodeID1 = try source.field("node_id_1")
    nodeID2 = try source.field("node_id_2")
    bitcoinKey1 = try source.field("bitcoin_key_1")
    bitcoinKey2 = try source.field("bitcoin_key_2")
    excess = try source.excess()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("node_signature_1", nodeSignature1)
    sink.field("node_signature_2", nodeSignature2)
    sink.field("bitcoin_signature_1", bitcoinSignature1)
    sink.field("bitcoin_signature_2", bitcoinSignature2)
    sink.field("features", length: "len", features)
    sink.field("chain_hash", chainHash)
    sink.field("short_channel_id", shortChannelID)
    sink.field("node_id_1", nodeID1)
    sink.field("node_id_2", nodeID2)
    sink.field("bitcoin_key_1", bitcoinKey1)
    sink.field("bitcoin_key_2", bitcoinKey2)
    sink.excess(excess)
  }
}

/// BOLT 7 §The `node_announcement` Message.
public struct NodeAnnouncement: WireMessage {
  public static let type: UInt16 = 257
  public static let name: FieldName = "node_announcement"

  public var signature: CompactSignature
  public var features: FeatureSet
  /// In seconds since 1970, or whatever else grows.
  public var timestamp: UInt32
  public var nodeID: NodeID
  public var rgbColor: RGBColor
  public var alias: Alias
  public var addresses: NodeAddresses
  /// What follows the fields that are known here. The signatures cover it.
  public var excess: [UInt8]

  public init(
    signature: CompactSignature, features: FeatureSet, timestamp: UInt32, nodeID: NodeID, rgbColor: RGBColor,
    alias: Alias, addresses: NodeAddresses, excess: [UInt8] = []
  ) {
    self.signature = signature
    self.features = features
    self.timestamp = timestamp
    self.nodeID = nodeID
    self.rgbColor = rgbColor
    self.alias = alias
    self.addresses = addresses
    self.excess = excess
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    signature = try source.field("signature")
    features = try source.field("features", length: "flen")
    timestamp = try source.field("timestamp")
    nodeID = try source.field("node_id")
    rgbColor = try source.field("rgb_color")
    alias = try source.field("alias")
    addresses = try source.field("addresses", length: "addrlen")
    excess = try source.excess()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("signature", signature)
    sink.field("features", length: "flen", features)
    sink.field("timestamp", timestamp)
    sink.field("node_id", nodeID)
    sink.field("rgb_color", rgbColor)
    sink.field("alias", alias)
    sink.field("addresses", length: "addrlen", addresses)
    sink.excess(excess)
  }
}

/// BOLT 7 §The `channel_update` Message.
public struct ChannelUpdate: WireMessage {
  public static let type: UInt16 = 258
  public static let name: FieldName = "channel_update"

  public var signature: CompactSignature
  public var chainHash: ChainHash
  public var shortChannelID: ShortChannelID
  /// In seconds since 1970, or whatever else grows.
  public var timestamp: UInt32
  public var messageFlags: ChannelUpdateMessageFlags
  public var channelFlags: ChannelUpdateFlags
  public var cltvExpiryDelta: UInt16
  public var htlcMinimumMsat: MilliSatoshi
  /// In millisatoshi.
  public var feeBaseMsat: UInt32
  public var feeProportionalMillionths: UInt32
  public var htlcMaximumMsat: MilliSatoshi
  /// What follows the fields that are known here. The signatures cover it.
  public var excess: [UInt8]

  public init(
    signature: CompactSignature, chainHash: ChainHash, shortChannelID: ShortChannelID, timestamp: UInt32,
    messageFlags: ChannelUpdateMessageFlags, channelFlags: ChannelUpdateFlags, cltvExpiryDelta: UInt16,
    htlcMinimumMsat: MilliSatoshi, feeBaseMsat: UInt32, feeProportionalMillionths: UInt32,
    htlcMaximumMsat: MilliSatoshi, excess: [UInt8] = []
  ) {
    self.signature = signature
    self.chainHash = chainHash
    self.shortChannelID = shortChannelID
    self.timestamp = timestamp
    self.messageFlags = messageFlags
    self.channelFlags = channelFlags
    self.cltvExpiryDelta = cltvExpiryDelta
    self.htlcMinimumMsat = htlcMinimumMsat
    self.feeBaseMsat = feeBaseMsat
    self.feeProportionalMillionths = feeProportionalMillionths
    self.htlcMaximumMsat = htlcMaximumMsat
    self.excess = excess
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    signature = try source.field("signature")
    chainHash = try source.field("chain_hash")
    shortChannelID = try source.field("short_channel_id")
    timestamp = try source.field("timestamp")
    messageFlags = try source.field("message_flags")
    channelFlags = try source.field("channel_flags")
    cltvExpiryDelta = try source.field("cltv_expiry_delta")
    htlcMinimumMsat = try source.field("htlc_minimum_msat")
    feeBaseMsat = try source.field("fee_base_msat")
    feeProportionalMillionths = try source.field("fee_proportional_millionths")
    htlcMaximumMsat = try source.field("htlc_maximum_msat")
    excess = try source.excess()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("signature", signature)
    sink.field("chain_hash", chainHash)
    sink.field("short_channel_id", shortChannelID)
    sink.field("timestamp", timestamp)
    sink.field("message_flags", messageFlags)
    sink.field("channel_flags", channelFlags)
    sink.field("cltv_expiry_delta", cltvExpiryDelta)
    sink.field("htlc_minimum_msat", htlcMinimumMsat)
    sink.field("fee_base_msat", feeBaseMsat)
    sink.field("fee_proportional_millionths", feeProportionalMillionths)
    sink.field("htlc_maximum_msat", htlcMaximumMsat)
    sink.excess(excess)
  }
}

/// BOLT 7 §The `announcement_signatures` Message: between the two ends of a channel.
public struct AnnouncementSignatures: WireMessage {
  public static let type: UInt16 = 259
  public static let name: FieldName = "announcement_signatures"

  public var channelID: ChannelID
  public var shortChannelID: ShortChannelID
  public var nodeSignature: CompactSignature
  public var bitcoinSignature: CompactSignature
  public var otherRecords: TLVStream

  public init(
    channelID: ChannelID, shortChannelID: ShortChannelID, nodeSignature: CompactSignature,
    bitcoinSignature: CompactSignature, otherRecords: TLVStream = TLVStream()
  ) {
    self.channelID = channelID
    self.shortChannelID = shortChannelID
    self.nodeSignature = nodeSignature
    self.bitcoinSignature = bitcoinSignature
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    channelID = try source.field("channel_id")
    shortChannelID = try source.field("short_channel_id")
    nodeSignature = try source.field("node_signature")
    bitcoinSignature = try source.field("bitcoin_signature")
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("channel_id", channelID)
    sink.field("short_channel_id", shortChannelID)
    sink.field("node_signature", nodeSignature)
    sink.field("bitcoin_signature", bitcoinSignature)
    sink.otherRecords(otherRecords)
  }
}
