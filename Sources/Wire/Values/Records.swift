public import Bitcoin
public import Encoding

/// A field of eight flags.
public protocol WireFlags: OptionSet, Hashable, WireField where RawValue == UInt8 {}

extension WireFlags {
  public static var minimumByteCount: Int { 1 }
  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) { self.init(rawValue: try reader.readUInt8()) }
  public func encode(to writer: inout ByteWriter) { writer.write(rawValue) }
  public var fieldValue: FieldValue { rawValue.fieldValue }
  public init(fieldValue: FieldValue) throws(DecodingError) {
    self.init(rawValue: try UInt8(fieldValue: fieldValue))
  }
}

/// `channel_flags` of `open_channel` and `open_channel2`. BOLT 2: ignore undefined bits.
public struct ChannelFlags: WireFlags {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The opener wishes to advertise this channel to the network.
  public static let announceChannel = ChannelFlags(rawValue: 1)
}

/// `message_flags` of `channel_update`.
public struct ChannelUpdateMessageFlags: WireFlags {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Once: there is an `htlc_maximum_msat`. BOLT 7: a constant value, and ignored by receivers.
  public static let mustBeOne = ChannelUpdateMessageFlags(rawValue: 1)
  /// For the channel's peer alone.
  public static let dontForward = ChannelUpdateMessageFlags(rawValue: 1 << 1)
}

/// `channel_flags` of `channel_update`.
public struct ChannelUpdateFlags: WireFlags {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Set: the update comes from `node_id_2`.
  public static let direction = ChannelUpdateFlags(rawValue: 1)
  public static let disable = ChannelUpdateFlags(rawValue: 1 << 1)
}

/// `fee_range` of `closing_signed`: 16 bytes.
public struct FeeRange: Hashable, Sendable, WireField {
  public var minFeeSatoshis: Satoshi
  public var maxFeeSatoshis: Satoshi

  public init(minFeeSatoshis: Satoshi, maxFeeSatoshis: Satoshi) {
    self.minFeeSatoshis = minFeeSatoshis
    self.maxFeeSatoshis = maxFeeSatoshis
  }

  public static var minimumByteCount: Int { 16 }
  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) {
    minFeeSatoshis = try Satoshi(from: &reader)
    maxFeeSatoshis = try Satoshi(from: &reader)
  }
  public func encode(to writer: inout ByteWriter) {
    minFeeSatoshis.encode(to: &writer)
    maxFeeSatoshis.encode(to: &writer)
  }
}

/// `prevtx_details` of `tx_add_input` (taproot splicing): 40 bytes and a script.
public struct PrevtxDetails: Hashable, Sendable, WireField {
  public var prevtxTxid: TxID
  public var amountSatoshis: Satoshi
  public var scriptpubkey: Script

  public init(prevtxTxid: TxID, amountSatoshis: Satoshi, scriptpubkey: Script) {
    self.prevtxTxid = prevtxTxid
    self.amountSatoshis = amountSatoshis
    self.scriptpubkey = scriptpubkey
  }

  public static var minimumByteCount: Int { 40 }
  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) {
    prevtxTxid = try reader.read()
    amountSatoshis = try Satoshi(from: &reader)
    scriptpubkey = try Script(from: &reader)
  }
  public func encode(to writer: inout ByteWriter) {
    writer.write(prevtxTxid)
    amountSatoshis.encode(to: &writer)
    writer.write(scriptpubkey.bytes)
  }
}

/// `witness` of `tx_signatures`: up to 65,535 bytes, a witness as it stands in a transaction.
public struct TxWitness: Hashable, Sendable, WireListElement {
  /// `witness_data`.
  public var witnessData: [UInt8]

  public init(witnessData: [UInt8]) { self.witnessData = witnessData }

  public init(_ witness: Witness) {
    var writer = ByteWriter()
    witness.encode(to: &writer)
    witnessData = writer.bytes
  }

  /// The elements. Throws when the bytes are no witness, or hold more than one.
  public var witness: Witness {
    get throws(DecodingError) {
      var reader = ByteReader(witnessData.bytes)
      let witness = try Witness(from: &reader)
      try reader.finish()
      return witness
    }
  }

  public static var minimumByteCount: Int { 2 }
  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) {
    let count = Int(try reader.readUInt16())
    witnessData = try reader.readArray(count: count)
  }
  /// More than 65,535 bytes are cut off: the message that holds them is too large, and refused as a whole.
  public func encode(to writer: inout ByteWriter) {
    writer.write(UInt16(clamping: witnessData.count))
    writer.write(witnessData)
  }

  public var fieldValue: FieldValue { .object([NamedField(name: "witness_data", value: .bytes(witnessData))]) }

  public init(fieldValue: FieldValue) throws(DecodingError) {
    guard case .object(let fields) = fieldValue, fields.count == 1, fields[0].name == "witness_data" else {
      throw .malformed("a witness is an object with witness_data")
    }
    witnessData = try fields[0].value.bytesValue
  }
}

/// `next_funding` of `channel_reestablish`: 33 bytes.
public struct NextFunding: Hashable, Sendable, WireField {
  public struct RetransmitFlags: WireFlags {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let commitmentSigned = RetransmitFlags(rawValue: 1)
  }

  public var nextFundingTxid: TxID
  public var retransmitFlags: RetransmitFlags

  public init(nextFundingTxid: TxID, retransmitFlags: RetransmitFlags) {
    self.nextFundingTxid = nextFundingTxid
    self.retransmitFlags = retransmitFlags
  }

  public static var minimumByteCount: Int { 33 }
  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) {
    nextFundingTxid = try reader.read()
    retransmitFlags = try RetransmitFlags(from: &reader)
  }
  public func encode(to writer: inout ByteWriter) {
    writer.write(nextFundingTxid)
    retransmitFlags.encode(to: &writer)
  }
}

/// `my_current_funding_locked` of `channel_reestablish`: 33 bytes.
public struct CurrentFundingLocked: Hashable, Sendable, WireField {
  public struct RetransmitFlags: WireFlags {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let announcementSignatures = RetransmitFlags(rawValue: 1)
  }

  public var myCurrentFundingLockedTxid: TxID
  public var retransmitFlags: RetransmitFlags

  public init(myCurrentFundingLockedTxid: TxID, retransmitFlags: RetransmitFlags) {
    self.myCurrentFundingLockedTxid = myCurrentFundingLockedTxid
    self.retransmitFlags = retransmitFlags
  }

  public static var minimumByteCount: Int { 33 }
  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) {
    myCurrentFundingLockedTxid = try reader.read()
    retransmitFlags = try RetransmitFlags(from: &reader)
  }
  public func encode(to writer: inout ByteWriter) {
    writer.write(myCurrentFundingLockedTxid)
    retransmitFlags.encode(to: &writer)
  }
}
