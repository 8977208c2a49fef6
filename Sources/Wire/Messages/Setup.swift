public import Encoding

/// BOLT 1 §The `init` Message: the first on every connection.
public struct Init: WireMessage {
  public static let type: UInt16 = 16
  public static let name: FieldName = "init"

  /// Older bits; combined with `features`, see `combinedFeatures`.
  public var globalfeatures: FeatureSet
  public var features: FeatureSet
  /// The chains that the node is interested in.
  public var networks: [ChainHash]?
  /// What the peer sees as our address: an address descriptor.
  public var remoteAddr: NodeAddresses?
  public var otherRecords: TLVStream

  public init(
    globalfeatures: FeatureSet, features: FeatureSet, networks: [ChainHash]? = nil, remoteAddr: NodeAddresses? = nil,
    otherRecords: TLVStream = TLVStream()
  ) {
    self.globalfeatures = globalfeatures
    self.features = features
    self.networks = networks
    self.remoteAddr = remoteAddr
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    globalfeatures = try source.field("globalfeatures", length: "gflen")
    features = try source.field("features", length: "flen")
    networks = try source.record(1)
    remoteAddr = try source.record(3)
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("globalfeatures", length: "gflen", globalfeatures)
    sink.field("features", length: "flen", features)
    sink.otherRecords(otherRecords)
    sink.record(1, networks)
    sink.record(3, remoteAddr)
  }

  /// BOLT 1: MUST combine (bitwise OR) the two feature bitmaps into one logical `features` map.
  public var combinedFeatures: FeatureSet { features.union(globalfeatures) }

  /// Whether there is a chain that both sides are interested in. BOLT 1: upon receiving `networks` containing no common chains: MAY close
  /// the connection. Without `networks` nothing is known, and nothing refused.
  public func sharesChain(with chains: some Collection<ChainHash>) -> Bool {
    networks.map { $0.contains { chains.contains($0) } } ?? true
  }
}

/// BOLT 1 §The `error` and `warning` Messages: the channel has failed; every channel when `channelID` is `.all`.
public struct ErrorMessage: WireMessage {
  public static let type: UInt16 = 17
  public static let name: FieldName = "error"

  public var channelID: ChannelID
  public var data: PeerText
  public var otherRecords: TLVStream

  public init(
    channelID: ChannelID, data: PeerText, otherRecords: TLVStream = TLVStream()
  ) {
    self.channelID = channelID
    self.data = data
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    channelID = try source.field("channel_id")
    data = try source.field("data", length: "len")
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("channel_id", channelID)
    sink.field("data", length: "len", data)
    sink.otherRecords(otherRecords)
  }
}

/// BOLT 1 §The `error` and `warning` Messages: something is wrong, but nothing has failed.
public struct Warning: WireMessage {
  public static let type: UInt16 = 1
  public static let name: FieldName = "warning"

  public var channelID: ChannelID
  public var data: PeerText
  public var otherRecords: TLVStream

  public init(
    channelID: ChannelID, data: PeerText, otherRecords: TLVStream = TLVStream()
  ) {
    self.channelID = channelID
    self.data = data
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    channelID = try source.field("channel_id")
    data = try source.field("data", length: "len")
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("channel_id", channelID)
    sink.field("data", length: "len", data)
    sink.otherRecords(otherRecords)
  }
}

/// BOLT 1 §The `ping` and `pong` Messages.
public struct Ping: WireMessage {
  public static let type: UInt16 = 18
  public static let name: FieldName = "ping"

  public var numPongBytes: UInt16
  public var ignored: [UInt8]
  public var otherRecords: TLVStream

  public init(
    numPongBytes: UInt16, ignored: [UInt8], otherRecords: TLVStream = TLVStream()
  ) {
    self.numPongBytes = numPongBytes
    self.ignored = ignored
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    numPongBytes = try source.field("num_pong_bytes")
    ignored = try source.bytes("ignored", length: "byteslen")
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("num_pong_bytes", numPongBytes)
    sink.bytes("ignored", length: "byteslen", ignored)
    sink.otherRecords(otherRecords)
  }

  /// The answer. BOLT 1: if `num_pong_bytes` is less than 65532: MUST respond by sending a `pong` message (…) otherwise: MUST ignore
  /// the `ping`.
  public var pong: Pong? {
    numPongBytes < 65532 ? Pong(ignored: Array(repeating: 0, count: Int(numPongBytes))) : nil
  }
}

/// BOLT 1 §The `ping` and `pong` Messages.
public struct Pong: WireMessage {
  public static let type: UInt16 = 19
  public static let name: FieldName = "pong"

  public var ignored: [UInt8]
  public var otherRecords: TLVStream

  public init(
    ignored: [UInt8], otherRecords: TLVStream = TLVStream()
  ) {
    self.ignored = ignored
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    ignored = try source.bytes("ignored", length: "byteslen")
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.bytes("ignored", length: "byteslen", ignored)
    sink.otherRecords(otherRecords)
  }
}

/// BOLT 1 §Peer storage: please keep this for me, up to 65,531 bytes.
public struct PeerStorage: WireMessage {
  public static let type: UInt16 = 7
  public static let name: FieldName = "peer_storage"

  public var blob: [UInt8]
  public var otherRecords: TLVStream

  public init(
    blob: [UInt8], otherRecords: TLVStream = TLVStream()
  ) {
    self.blob = blob
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    blob = try source.bytes("blob", length: "length")
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.bytes("blob", length: "length", blob)
    sink.otherRecords(otherRecords)
  }
}

/// BOLT 1 §Peer storage: what I keep for you.
public struct PeerStorageRetrieval: WireMessage {
  public static let type: UInt16 = 9
  public static let name: FieldName = "peer_storage_retrieval"

  public var blob: [UInt8]
  public var otherRecords: TLVStream

  public init(
    blob: [UInt8], otherRecords: TLVStream = TLVStream()
  ) {
    self.blob = blob
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    blob = try source.bytes("blob", length: "length")
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.bytes("blob", length: "length", blob)
    sink.otherRecords(otherRecords)
  }
}
