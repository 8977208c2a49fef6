public import Bitcoin
public import Encoding

/// BOLT 2 §Closing Initiation: `shutdown`.
public struct Shutdown: WireMessage {
  public static let type: UInt16 = 38
  public static let name: FieldName = "shutdown"

  public var channelID: ChannelID
  public var scriptpubkey: Script
  /// Taproot channels.
  public var shutdownNonce: PublicNonceBytes?
  public var otherRecords: TLVStream

  public init(
    channelID: ChannelID, scriptpubkey: Script, shutdownNonce: PublicNonceBytes? = nil,
    otherRecords: TLVStream = TLVStream()
  ) {
    self.channelID = channelID
    self.scriptpubkey = scriptpubkey
    self.shutdownNonce = shutdownNonce
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    channelID = try source.field("channel_id")
    scriptpubkey = try source.field("scriptpubkey", length: "len")
    shutdownNonce = try source.record(8)
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("channel_id", channelID)
    sink.field("scriptpubkey", length: "len", scriptpubkey)
    sink.otherRecords(otherRecords)
    sink.record(8, shutdownNonce)
  }
}

/// BOLT 2 §Legacy Closing Negotiation: `closing_signed`.
public struct ClosingSigned: WireMessage {
  public static let type: UInt16 = 39
  public static let name: FieldName = "closing_signed"

  public var channelID: ChannelID
  public var feeSatoshis: Satoshi
  public var signature: CompactSignature
  public var feeRange: FeeRange?
  public var otherRecords: TLVStream

  public init(
    channelID: ChannelID, feeSatoshis: Satoshi, signature: CompactSignature, feeRange: FeeRange? = nil,
    otherRecords: TLVStream = TLVStream()
  ) {
    self.channelID = channelID
    self.feeSatoshis = feeSatoshis
    self.signature = signature
    self.feeRange = feeRange
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    channelID = try source.field("channel_id")
    feeSatoshis = try source.field("fee_satoshis")
    signature = try source.field("signature")
    feeRange = try source.record(1)
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("channel_id", channelID)
    sink.field("fee_satoshis", feeSatoshis)
    sink.field("signature", signature)
    sink.otherRecords(otherRecords)
    sink.record(1, feeRange)
  }
}

/// BOLT 2 §Closing Negotiation: `closing_complete` and `closing_sig`. The sender is the closer.
public struct ClosingComplete: WireMessage {
  public static let type: UInt16 = 40
  public static let name: FieldName = "closing_complete"

  public var channelID: ChannelID
  public var closerScriptpubkey: Script
  public var closeeScriptpubkey: Script
  public var feeSatoshis: Satoshi
  public var locktime: UInt32
  public var closerOutputOnly: CompactSignature?
  public var closeeOutputOnly: CompactSignature?
  public var closerAndCloseeOutputs: CompactSignature?
  /// Taproot channels: `closer_no_closee`.
  public var taprootCloserOutputOnly: PartialSignatureWithNonce?
  /// Taproot channels: `no_closer_closee`.
  public var taprootCloseeOutputOnly: PartialSignatureWithNonce?
  /// Taproot channels: `closer_and_closee`.
  public var taprootCloserAndCloseeOutputs: PartialSignatureWithNonce?
  public var otherRecords: TLVStream

  public init(
    channelID: ChannelID, closerScriptpubkey: Script, closeeScriptpubkey: Script, feeSatoshis: Satoshi,
    locktime: UInt32, closerOutputOnly: CompactSignature? = nil, closeeOutputOnly: CompactSignature? = nil,
    closerAndCloseeOutputs: CompactSignature? = nil, taprootCloserOutputOnly: PartialSignatureWithNonce? = nil,
    taprootCloseeOutputOnly: PartialSignatureWithNonce? = nil,
    taprootCloserAndCloseeOutputs: PartialSignatureWithNonce? = nil, otherRecords: TLVStream = TLVStream()
  ) {
    self.channelID = channelID
    self.closerScriptpubkey = closerScriptpubkey
    self.closeeScriptpubkey = closeeScriptpubkey
    self.feeSatoshis = feeSatoshis
    self.locktime = locktime
    self.closerOutputOnly = closerOutputOnly
    self.closeeOutputOnly = closeeOutputOnly
    self.closerAndCloseeOutputs = closerAndCloseeOutputs
    self.taprootCloserOutputOnly = taprootCloserOutputOnly
    self.taprootCloseeOutputOnly = taprootCloseeOutputOnly
    self.taprootCloserAndCloseeOutputs = taprootCloserAndCloseeOutputs
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    channelID = try source.field("channel_id")
    closerScriptpubkey = try source.field("closer_scriptpubkey", length: "closer_scriptpubkey_len")
    closeeScriptpubkey = try source.field("closee_scriptpubkey", length: "closee_scriptpubkey_len")
    feeSatoshis = try source.field("fee_satoshis")
    locktime = try source.field("locktime")
    closerOutputOnly = try source.record(1)
    closeeOutputOnly = try source.record(2)
    closerAndCloseeOutputs = try source.record(3)
    taprootCloserOutputOnly = try source.record(5)
    taprootCloseeOutputOnly = try source.record(6)
    taprootCloserAndCloseeOutputs = try source.record(7)
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("channel_id", channelID)
    sink.field("closer_scriptpubkey", length: "closer_scriptpubkey_len", closerScriptpubkey)
    sink.field("closee_scriptpubkey", length: "closee_scriptpubkey_len", closeeScriptpubkey)
    sink.field("fee_satoshis", feeSatoshis)
    sink.field("locktime", locktime)
    sink.otherRecords(otherRecords)
    sink.record(1, closerOutputOnly)
    sink.record(2, closeeOutputOnly)
    sink.record(3, closerAndCloseeOutputs)
    sink.record(5, taprootCloserOutputOnly)
    sink.record(6, taprootCloseeOutputOnly)
    sink.record(7, taprootCloserAndCloseeOutputs)
  }
}

/// BOLT 2 §Closing Negotiation: `closing_complete` and `closing_sig`. The sender is the closee.
public struct ClosingSig: WireMessage {
  public static let type: UInt16 = 41
  public static let name: FieldName = "closing_sig"

  public var channelID: ChannelID
  public var closerScriptpubkey: Script
  public var closeeScriptpubkey: Script
  public var feeSatoshis: Satoshi
  public var locktime: UInt32
  public var closerOutputOnly: CompactSignature?
  public var closeeOutputOnly: CompactSignature?
  public var closerAndCloseeOutputs: CompactSignature?
  /// Taproot channels: `closer_no_closee`.
  public var taprootCloserOutputOnly: PartialSignatureBytes?
  /// Taproot channels: `no_closer_closee`.
  public var taprootCloseeOutputOnly: PartialSignatureBytes?
  /// Taproot channels: `closer_and_closee`.
  public var taprootCloserAndCloseeOutputs: PartialSignatureBytes?
  /// Taproot channels.
  public var nextCloseeNonce: PublicNonceBytes?
  public var otherRecords: TLVStream

  public init(
    channelID: ChannelID, closerScriptpubkey: Script, closeeScriptpubkey: Script, feeSatoshis: Satoshi,
    locktime: UInt32, closerOutputOnly: CompactSignature? = nil, closeeOutputOnly: CompactSignature? = nil,
    closerAndCloseeOutputs: CompactSignature? = nil, taprootCloserOutputOnly: PartialSignatureBytes? = nil,
    taprootCloseeOutputOnly: PartialSignatureBytes? = nil, taprootCloserAndCloseeOutputs: PartialSignatureBytes? = nil,
    nextCloseeNonce: PublicNonceBytes? = nil, otherRecords: TLVStream = TLVStream()
  ) {
    self.channelID = channelID
    self.closerScriptpubkey = closerScriptpubkey
    self.closeeScriptpubkey = closeeScriptpubkey
    self.feeSatoshis = feeSatoshis
    self.locktime = locktime
    self.closerOutputOnly = closerOutputOnly
    self.closeeOutputOnly = closeeOutputOnly
    self.closerAndCloseeOutputs = closerAndCloseeOutputs
    self.taprootCloserOutputOnly = taprootCloserOutputOnly
    self.taprootCloseeOutputOnly = taprootCloseeOutputOnly
    self.taprootCloserAndCloseeOutputs = taprootCloserAndCloseeOutputs
    self.nextCloseeNonce = nextCloseeNonce
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    channelID = try source.field("channel_id")
    closerScriptpubkey = try source.field("closer_scriptpubkey", length: "closer_scriptpubkey_len")
    closeeScriptpubkey = try source.field("closee_scriptpubkey", length: "closee_scriptpubkey_len")
    feeSatoshis = try source.field("fee_satoshis")
    locktime = try source.field("locktime")
    closerOutputOnly = try source.record(1)
    closeeOutputOnly = try source.record(2)
    closerAndCloseeOutputs = try source.record(3)
    taprootCloserOutputOnly = try source.record(5)
    taprootCloseeOutputOnly = try source.record(6)
    taprootCloserAndCloseeOutputs = try source.record(7)
    nextCloseeNonce = try source.record(22)
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("channel_id", channelID)
    sink.field("closer_scriptpubkey", length: "closer_scriptpubkey_len", closerScriptpubkey)
    sink.field("closee_scriptpubkey", length: "closee_scriptpubkey_len", closeeScriptpubkey)
    sink.field("fee_satoshis", feeSatoshis)
    sink.field("locktime", locktime)
    sink.otherRecords(otherRecords)
    sink.record(1, closerOutputOnly)
    sink.record(2, closeeOutputOnly)
    sink.record(3, closerAndCloseeOutputs)
    sink.record(5, taprootCloserOutputOnly)
    sink.record(6, taprootCloseeOutputOnly)
    sink.record(7, taprootCloserAndCloseeOutputs)
    sink.record(22, nextCloseeNonce)
  }
}
