public import Bitcoin
public import Encoding
public import Secp256k1

/// BOLT 2 §Committing Updates So Far: `commitment_signed`.
public struct CommitmentSigned: WireMessage {
  public static let type: UInt16 = 132
  public static let name: FieldName = "commitment_signed"

  public var channelID: ChannelID
  /// All zeros for taproot channels.
  public var signature: CompactSignature
  /// `htlc_signature`: one for each HTLC transaction, in the order of the commitment's outputs. Schnorr for taproot channels.
  public var htlcSignatures: [CompactSignature]
  /// The funding transaction that the commitment spends.
  public var fundingTxid: TxID?
  /// Taproot channels.
  public var partialSignatureWithNonce: PartialSignatureWithNonce?
  public var otherRecords: TLVStream

  public init(
    channelID: ChannelID, signature: CompactSignature, htlcSignatures: [CompactSignature], fundingTxid: TxID? = nil,
    partialSignatureWithNonce: PartialSignatureWithNonce? = nil, otherRecords: TLVStream = TLVStream()
  ) {
    self.channelID = channelID
    self.signature = signature
    self.htlcSignatures = htlcSignatures
    self.fundingTxid = fundingTxid
    self.partialSignatureWithNonce = partialSignatureWithNonce
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    channelID = try source.field("channel_id")
    signature = try source.field("signature")
    htlcSignatures = try source.list("htlc_signature", count: "num_htlcs")
    fundingTxid = try source.record(1)
    partialSignatureWithNonce = try source.record(2)
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("channel_id", channelID)
    sink.field("signature", signature)
    sink.list("htlc_signature", count: "num_htlcs", htlcSignatures)
    sink.otherRecords(otherRecords)
    sink.record(1, fundingTxid)
    sink.record(2, partialSignatureWithNonce)
  }

  public var expectedByteCount: Int { 256 + 64 * htlcSignatures.count }
}

/// BOLT 2 §Completing the Transition to the Updated State: `revoke_and_ack`.
public struct RevokeAndAck: WireMessage {
  public static let type: UInt16 = 133
  public static let name: FieldName = "revoke_and_ack"

  public var channelID: ChannelID
  public var perCommitmentSecret: Bytes32
  public var nextPerCommitmentPoint: PublicKey
  /// Taproot channels.
  public var nextLocalNonces: [NonceEntry]?
  public var otherRecords: TLVStream

  public init(
    channelID: ChannelID, perCommitmentSecret: Bytes32, nextPerCommitmentPoint: PublicKey,
    nextLocalNonces: [NonceEntry]? = nil, otherRecords: TLVStream = TLVStream()
  ) {
    self.channelID = channelID
    self.perCommitmentSecret = perCommitmentSecret
    self.nextPerCommitmentPoint = nextPerCommitmentPoint
    self.nextLocalNonces = nextLocalNonces
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    channelID = try source.field("channel_id")
    perCommitmentSecret = try source.field("per_commitment_secret")
    nextPerCommitmentPoint = try source.field("next_per_commitment_point")
    nextLocalNonces = try source.record(22)
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("channel_id", channelID)
    sink.field("per_commitment_secret", perCommitmentSecret)
    sink.field("next_per_commitment_point", nextPerCommitmentPoint)
    sink.otherRecords(otherRecords)
    sink.record(22, nextLocalNonces)
  }
}

/// BOLT 2 §Message Retransmission.
public struct ChannelReestablish: WireMessage {
  public static let type: UInt16 = 136
  public static let name: FieldName = "channel_reestablish"

  public var channelID: ChannelID
  public var nextCommitmentNumber: UInt64
  public var nextRevocationNumber: UInt64
  public var yourLastPerCommitmentSecret: Bytes32
  public var myCurrentPerCommitmentPoint: PublicKey
  public var nextFunding: NextFunding?
  public var myCurrentFundingLocked: CurrentFundingLocked?
  /// Taproot channels.
  public var nextLocalNonces: [NonceEntry]?
  /// Taproot splicing.
  public var currentCommitNonce: PublicNonceBytes?
  public var otherRecords: TLVStream

  public init(
    channelID: ChannelID, nextCommitmentNumber: UInt64, nextRevocationNumber: UInt64,
    yourLastPerCommitmentSecret: Bytes32, myCurrentPerCommitmentPoint: PublicKey, nextFunding: NextFunding? = nil,
    myCurrentFundingLocked: CurrentFundingLocked? = nil, nextLocalNonces: [NonceEntry]? = nil,
    currentCommitNonce: PublicNonceBytes? = nil, otherRecords: TLVStream = TLVStream()
  ) {
    self.channelID = channelID
    self.nextCommitmentNumber = nextCommitmentNumber
    self.nextRevocationNumber = nextRevocationNumber
    self.yourLastPerCommitmentSecret = yourLastPerCommitmentSecret
    self.myCurrentPerCommitmentPoint = myCurrentPerCommitmentPoint
    self.nextFunding = nextFunding
    self.myCurrentFundingLocked = myCurrentFundingLocked
    self.nextLocalNonces = nextLocalNonces
    self.currentCommitNonce = currentCommitNonce
    self.otherRecords = otherRecords
  }

  @_lifetime(source: copy source)
  public init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    channelID = try source.field("channel_id")
    nextCommitmentNumber = try source.field("next_commitment_number")
    nextRevocationNumber = try source.field("next_revocation_number")
    yourLastPerCommitmentSecret = try source.field("your_last_per_commitment_secret")
    myCurrentPerCommitmentPoint = try source.field("my_current_per_commitment_point")
    nextFunding = try source.record(1)
    myCurrentFundingLocked = try source.record(5)
    nextLocalNonces = try source.record(22)
    currentCommitNonce = try source.record(24)
    otherRecords = try source.otherRecords()
  }

  public func encode<S: FieldSink>(to sink: inout S) {
    sink.field("channel_id", channelID)
    sink.field("next_commitment_number", nextCommitmentNumber)
    sink.field("next_revocation_number", nextRevocationNumber)
    sink.field("your_last_per_commitment_secret", yourLastPerCommitmentSecret)
    sink.field("my_current_per_commitment_point", myCurrentPerCommitmentPoint)
    sink.otherRecords(otherRecords)
    sink.record(1, nextFunding)
    sink.record(5, myCurrentFundingLocked)
    sink.record(22, nextLocalNonces)
    sink.record(24, currentCommitNonce)
  }
}
