internal import Bitcoin
internal import Encoding

/// A message of BOLT 1, 2, 4 or 7, or one that somebody else defines. The largest are kept on the heap, so that handing the others
/// around is cheap.
public enum Message: Hashable, Sendable {
  case warning(Warning)
  case stfu(Stfu)
  case peerStorage(PeerStorage)
  case peerStorageRetrieval(PeerStorageRetrieval)
  case `init`(Init)
  case error(ErrorMessage)
  case ping(Ping)
  case pong(Pong)
  indirect case openChannel(OpenChannel)
  indirect case acceptChannel(AcceptChannel)
  case fundingCreated(FundingCreated)
  case fundingSigned(FundingSigned)
  case channelReady(ChannelReady)
  case shutdown(Shutdown)
  case closingSigned(ClosingSigned)
  indirect case closingComplete(ClosingComplete)
  indirect case closingSig(ClosingSig)
  indirect case openChannel2(OpenChannel2)
  indirect case acceptChannel2(AcceptChannel2)
  case txAddInput(TxAddInput)
  case txAddOutput(TxAddOutput)
  case txRemoveInput(TxRemoveInput)
  case txRemoveOutput(TxRemoveOutput)
  case txComplete(TxComplete)
  case txSignatures(TxSignatures)
  case txInitRbf(TxInitRbf)
  case txAckRbf(TxAckRbf)
  case txAbort(TxAbort)
  case spliceLocked(SpliceLocked)
  case spliceInit(SpliceInit)
  case spliceAck(SpliceAck)
  case startBatch(StartBatch)
  case updateAddHTLC(UpdateAddHTLC)
  case updateFulfillHTLC(UpdateFulfillHTLC)
  case updateFailHTLC(UpdateFailHTLC)
  case commitmentSigned(CommitmentSigned)
  case revokeAndAck(RevokeAndAck)
  case updateFee(UpdateFee)
  case updateFailMalformedHTLC(UpdateFailMalformedHTLC)
  indirect case channelReestablish(ChannelReestablish)
  indirect case channelAnnouncement(ChannelAnnouncement)
  indirect case nodeAnnouncement(NodeAnnouncement)
  case channelUpdate(ChannelUpdate)
  case announcementSignatures(AnnouncementSignatures)
  case queryShortChannelIDs(QueryShortChannelIDs)
  case replyShortChannelIDsEnd(ReplyShortChannelIDsEnd)
  case queryChannelRange(QueryChannelRange)
  case replyChannelRange(ReplyChannelRange)
  case gossipTimestampFilter(GossipTimestampFilter)
  case onionMessage(OnionMessage)
  /// A type that `CustomTypes.messages` names: for the extension that asked for it.
  case custom(CustomMessage)
  /// An odd type that nobody here knows. BOLT 1: upon receiving a message of _odd_, unknown type: MUST ignore the received message.
  case unknown(CustomMessage)
}

extension Message {
  /// Reads what follows the type.
  init(type: UInt16, payload: ByteReader, custom: CustomTypes) throws(WireError) {
    switch type {
    case Warning.type: self = .warning(try Warning(payload: payload, custom: custom))
    case Stfu.type: self = .stfu(try Stfu(payload: payload, custom: custom))
    case PeerStorage.type: self = .peerStorage(try PeerStorage(payload: payload, custom: custom))
    case PeerStorageRetrieval.type:
      self = .peerStorageRetrieval(try PeerStorageRetrieval(payload: payload, custom: custom))
    case Init.type: self = .`init`(try Init(payload: payload, custom: custom))
    case ErrorMessage.type: self = .error(try ErrorMessage(payload: payload, custom: custom))
    case Ping.type: self = .ping(try Ping(payload: payload, custom: custom))
    case Pong.type: self = .pong(try Pong(payload: payload, custom: custom))
    case OpenChannel.type: self = .openChannel(try OpenChannel(payload: payload, custom: custom))
    case AcceptChannel.type: self = .acceptChannel(try AcceptChannel(payload: payload, custom: custom))
    case FundingCreated.type: self = .fundingCreated(try FundingCreated(payload: payload, custom: custom))
    case FundingSigned.type: self = .fundingSigned(try FundingSigned(payload: payload, custom: custom))
    case ChannelReady.type: self = .channelReady(try ChannelReady(payload: payload, custom: custom))
    case Shutdown.type: self = .shutdown(try Shutdown(payload: payload, custom: custom))
    case ClosingSigned.type: self = .closingSigned(try ClosingSigned(payload: payload, custom: custom))
    case ClosingComplete.type: self = .closingComplete(try ClosingComplete(payload: payload, custom: custom))
    case ClosingSig.type: self = .closingSig(try ClosingSig(payload: payload, custom: custom))
    case OpenChannel2.type: self = .openChannel2(try OpenChannel2(payload: payload, custom: custom))
    case AcceptChannel2.type: self = .acceptChannel2(try AcceptChannel2(payload: payload, custom: custom))
    case TxAddInput.type: self = .txAddInput(try TxAddInput(payload: payload, custom: custom))
    case TxAddOutput.type: self = .txAddOutput(try TxAddOutput(payload: payload, custom: custom))
    case TxRemoveInput.type: self = .txRemoveInput(try TxRemoveInput(payload: payload, custom: custom))
    case TxRemoveOutput.type: self = .txRemoveOutput(try TxRemoveOutput(payload: payload, custom: custom))
    case TxComplete.type: self = .txComplete(try TxComplete(payload: payload, custom: custom))
    case TxSignatures.type: self = .txSignatures(try TxSignatures(payload: payload, custom: custom))
    case TxInitRbf.type: self = .txInitRbf(try TxInitRbf(payload: payload, custom: custom))
    case TxAckRbf.type: self = .txAckRbf(try TxAckRbf(payload: payload, custom: custom))
    case TxAbort.type: self = .txAbort(try TxAbort(payload: payload, custom: custom))
    case SpliceLocked.type: self = .spliceLocked(try SpliceLocked(payload: payload, custom: custom))
    case SpliceInit.type: self = .spliceInit(try SpliceInit(payload: payload, custom: custom))
    case SpliceAck.type: self = .spliceAck(try SpliceAck(payload: payload, custom: custom))
    case StartBatch.type: self = .startBatch(try StartBatch(payload: payload, custom: custom))
    case UpdateAddHTLC.type: self = .updateAddHTLC(try UpdateAddHTLC(payload: payload, custom: custom))
    case UpdateFulfillHTLC.type: self = .updateFulfillHTLC(try UpdateFulfillHTLC(payload: payload, custom: custom))
    case UpdateFailHTLC.type: self = .updateFailHTLC(try UpdateFailHTLC(payload: payload, custom: custom))
    case CommitmentSigned.type: self = .commitmentSigned(try CommitmentSigned(payload: payload, custom: custom))
    case RevokeAndAck.type: self = .revokeAndAck(try RevokeAndAck(payload: payload, custom: custom))
    case UpdateFee.type: self = .updateFee(try UpdateFee(payload: payload, custom: custom))
    case UpdateFailMalformedHTLC.type:
      self = .updateFailMalformedHTLC(try UpdateFailMalformedHTLC(payload: payload, custom: custom))
    case ChannelReestablish.type: self = .channelReestablish(try ChannelReestablish(payload: payload, custom: custom))
    case ChannelAnnouncement.type:
      self = .channelAnnouncement(try ChannelAnnouncement(payload: payload, custom: custom))
    case NodeAnnouncement.type: self = .nodeAnnouncement(try NodeAnnouncement(payload: payload, custom: custom))
    case ChannelUpdate.type: self = .channelUpdate(try ChannelUpdate(payload: payload, custom: custom))
    case AnnouncementSignatures.type:
      self = .announcementSignatures(try AnnouncementSignatures(payload: payload, custom: custom))
    case QueryShortChannelIDs.type:
      self = .queryShortChannelIDs(try QueryShortChannelIDs(payload: payload, custom: custom))
    case ReplyShortChannelIDsEnd.type:
      self = .replyShortChannelIDsEnd(try ReplyShortChannelIDsEnd(payload: payload, custom: custom))
    case QueryChannelRange.type: self = .queryChannelRange(try QueryChannelRange(payload: payload, custom: custom))
    case ReplyChannelRange.type: self = .replyChannelRange(try ReplyChannelRange(payload: payload, custom: custom))
    case GossipTimestampFilter.type:
      self = .gossipTimestampFilter(try GossipTimestampFilter(payload: payload, custom: custom))
    case OnionMessage.type: self = .onionMessage(try OnionMessage(payload: payload, custom: custom))
    default: self = try Self(otherType: type, payload: payload, custom: custom)
    }
  }

  /// The message with its two bytes of type. Throws `.tooLarge` when it does not fit into 65,535 bytes.
  public func encoded() throws(WireError) -> [UInt8] {
    switch self {
    case .warning(let message): try message.encoded()
    case .stfu(let message): try message.encoded()
    case .peerStorage(let message): try message.encoded()
    case .peerStorageRetrieval(let message): try message.encoded()
    case .`init`(let message): try message.encoded()
    case .error(let message): try message.encoded()
    case .ping(let message): try message.encoded()
    case .pong(let message): try message.encoded()
    case .openChannel(let message): try message.encoded()
    case .acceptChannel(let message): try message.encoded()
    case .fundingCreated(let message): try message.encoded()
    case .fundingSigned(let message): try message.encoded()
    case .channelReady(let message): try message.encoded()
    case .shutdown(let message): try message.encoded()
    case .closingSigned(let message): try message.encoded()
    case .closingComplete(let message): try message.encoded()
    case .closingSig(let message): try message.encoded()
    case .openChannel2(let message): try message.encoded()
    case .acceptChannel2(let message): try message.encoded()
    case .txAddInput(let message): try message.encoded()
    case .txAddOutput(let message): try message.encoded()
    case .txRemoveInput(let message): try message.encoded()
    case .txRemoveOutput(let message): try message.encoded()
    case .txComplete(let message): try message.encoded()
    case .txSignatures(let message): try message.encoded()
    case .txInitRbf(let message): try message.encoded()
    case .txAckRbf(let message): try message.encoded()
    case .txAbort(let message): try message.encoded()
    case .spliceLocked(let message): try message.encoded()
    case .spliceInit(let message): try message.encoded()
    case .spliceAck(let message): try message.encoded()
    case .startBatch(let message): try message.encoded()
    case .updateAddHTLC(let message): try message.encoded()
    case .updateFulfillHTLC(let message): try message.encoded()
    case .updateFailHTLC(let message): try message.encoded()
    case .commitmentSigned(let message): try message.encoded()
    case .revokeAndAck(let message): try message.encoded()
    case .updateFee(let message): try message.encoded()
    case .updateFailMalformedHTLC(let message): try message.encoded()
    case .channelReestablish(let message): try message.encoded()
    case .channelAnnouncement(let message): try message.encoded()
    case .nodeAnnouncement(let message): try message.encoded()
    case .channelUpdate(let message): try message.encoded()
    case .announcementSignatures(let message): try message.encoded()
    case .queryShortChannelIDs(let message): try message.encoded()
    case .replyShortChannelIDsEnd(let message): try message.encoded()
    case .queryChannelRange(let message): try message.encoded()
    case .replyChannelRange(let message): try message.encoded()
    case .gossipTimestampFilter(let message): try message.encoded()
    case .onionMessage(let message): try message.encoded()
    case .custom(let message), .unknown(let message): try message.encoded()
    }
  }

  /// The message by its named fields, and the records of its extension.
  public var named: NamedMessage {
    switch self {
    case .warning(let message): message.named
    case .stfu(let message): message.named
    case .peerStorage(let message): message.named
    case .peerStorageRetrieval(let message): message.named
    case .`init`(let message): message.named
    case .error(let message): message.named
    case .ping(let message): message.named
    case .pong(let message): message.named
    case .openChannel(let message): message.named
    case .acceptChannel(let message): message.named
    case .fundingCreated(let message): message.named
    case .fundingSigned(let message): message.named
    case .channelReady(let message): message.named
    case .shutdown(let message): message.named
    case .closingSigned(let message): message.named
    case .closingComplete(let message): message.named
    case .closingSig(let message): message.named
    case .openChannel2(let message): message.named
    case .acceptChannel2(let message): message.named
    case .txAddInput(let message): message.named
    case .txAddOutput(let message): message.named
    case .txRemoveInput(let message): message.named
    case .txRemoveOutput(let message): message.named
    case .txComplete(let message): message.named
    case .txSignatures(let message): message.named
    case .txInitRbf(let message): message.named
    case .txAckRbf(let message): message.named
    case .txAbort(let message): message.named
    case .spliceLocked(let message): message.named
    case .spliceInit(let message): message.named
    case .spliceAck(let message): message.named
    case .startBatch(let message): message.named
    case .updateAddHTLC(let message): message.named
    case .updateFulfillHTLC(let message): message.named
    case .updateFailHTLC(let message): message.named
    case .commitmentSigned(let message): message.named
    case .revokeAndAck(let message): message.named
    case .updateFee(let message): message.named
    case .updateFailMalformedHTLC(let message): message.named
    case .channelReestablish(let message): message.named
    case .channelAnnouncement(let message): message.named
    case .nodeAnnouncement(let message): message.named
    case .channelUpdate(let message): message.named
    case .announcementSignatures(let message): message.named
    case .queryShortChannelIDs(let message): message.named
    case .replyShortChannelIDsEnd(let message): message.named
    case .queryChannelRange(let message): message.named
    case .replyChannelRange(let message): message.named
    case .gossipTimestampFilter(let message): message.named
    case .onionMessage(let message): message.named
    case .custom(let message), .unknown(let message): message.named
    }
  }

  public var type: UInt16 {
    switch self {
    case .warning: Warning.type
    case .stfu: Stfu.type
    case .peerStorage: PeerStorage.type
    case .peerStorageRetrieval: PeerStorageRetrieval.type
    case .`init`: Init.type
    case .error: ErrorMessage.type
    case .ping: Ping.type
    case .pong: Pong.type
    case .openChannel: OpenChannel.type
    case .acceptChannel: AcceptChannel.type
    case .fundingCreated: FundingCreated.type
    case .fundingSigned: FundingSigned.type
    case .channelReady: ChannelReady.type
    case .shutdown: Shutdown.type
    case .closingSigned: ClosingSigned.type
    case .closingComplete: ClosingComplete.type
    case .closingSig: ClosingSig.type
    case .openChannel2: OpenChannel2.type
    case .acceptChannel2: AcceptChannel2.type
    case .txAddInput: TxAddInput.type
    case .txAddOutput: TxAddOutput.type
    case .txRemoveInput: TxRemoveInput.type
    case .txRemoveOutput: TxRemoveOutput.type
    case .txComplete: TxComplete.type
    case .txSignatures: TxSignatures.type
    case .txInitRbf: TxInitRbf.type
    case .txAckRbf: TxAckRbf.type
    case .txAbort: TxAbort.type
    case .spliceLocked: SpliceLocked.type
    case .spliceInit: SpliceInit.type
    case .spliceAck: SpliceAck.type
    case .startBatch: StartBatch.type
    case .updateAddHTLC: UpdateAddHTLC.type
    case .updateFulfillHTLC: UpdateFulfillHTLC.type
    case .updateFailHTLC: UpdateFailHTLC.type
    case .commitmentSigned: CommitmentSigned.type
    case .revokeAndAck: RevokeAndAck.type
    case .updateFee: UpdateFee.type
    case .updateFailMalformedHTLC: UpdateFailMalformedHTLC.type
    case .channelReestablish: ChannelReestablish.type
    case .channelAnnouncement: ChannelAnnouncement.type
    case .nodeAnnouncement: NodeAnnouncement.type
    case .channelUpdate: ChannelUpdate.type
    case .announcementSignatures: AnnouncementSignatures.type
    case .queryShortChannelIDs: QueryShortChannelIDs.type
    case .replyShortChannelIDsEnd: ReplyShortChannelIDsEnd.type
    case .queryChannelRange: QueryChannelRange.type
    case .replyChannelRange: ReplyChannelRange.type
    case .gossipTimestampFilter: GossipTimestampFilter.type
    case .onionMessage: OnionMessage.type
    case .custom(let message), .unknown(let message): message.type
    }
  }

  /// The channel that the message is about, which may be a temporary one; nil when it is about none, or all of them.
  public var channelID: ChannelID? {
    switch self {
    case .stfu(let message): message.channelID
    case .openChannel(let message): message.temporaryChannelID
    case .acceptChannel(let message): message.temporaryChannelID
    case .fundingCreated(let message): message.temporaryChannelID
    case .fundingSigned(let message): message.channelID
    case .channelReady(let message): message.channelID
    case .shutdown(let message): message.channelID
    case .closingSigned(let message): message.channelID
    case .closingComplete(let message): message.channelID
    case .closingSig(let message): message.channelID
    case .openChannel2(let message): message.temporaryChannelID
    case .acceptChannel2(let message): message.temporaryChannelID
    case .txAddInput(let message): message.channelID
    case .txAddOutput(let message): message.channelID
    case .txRemoveInput(let message): message.channelID
    case .txRemoveOutput(let message): message.channelID
    case .txComplete(let message): message.channelID
    case .txSignatures(let message): message.channelID
    case .txInitRbf(let message): message.channelID
    case .txAckRbf(let message): message.channelID
    case .txAbort(let message): message.channelID
    case .spliceLocked(let message): message.channelID
    case .spliceInit(let message): message.channelID
    case .spliceAck(let message): message.channelID
    case .startBatch(let message): message.channelID
    case .updateAddHTLC(let message): message.channelID
    case .updateFulfillHTLC(let message): message.channelID
    case .updateFailHTLC(let message): message.channelID
    case .commitmentSigned(let message): message.channelID
    case .revokeAndAck(let message): message.channelID
    case .updateFee(let message): message.channelID
    case .updateFailMalformedHTLC(let message): message.channelID
    case .channelReestablish(let message): message.channelID
    case .announcementSignatures(let message): message.channelID
    case .error(let message): message.channelID == .all ? nil : message.channelID
    case .warning(let message): message.channelID == .all ? nil : message.channelID
    case .peerStorage, .peerStorageRetrieval, .`init`, .ping, .pong, .channelAnnouncement, .nodeAnnouncement,
      .channelUpdate, .queryShortChannelIDs, .replyShortChannelIDsEnd, .queryChannelRange, .replyChannelRange,
      .gossipTimestampFilter, .onionMessage, .custom, .unknown:
      nil
    }
  }

  /// By increasing type.
  static var knownTypes: [MessageType] {
    func entry<M: WireMessage>(_: M.Type, _ wrap: @escaping @Sendable (M) -> Message) -> MessageType {
      MessageType(type: M.type, name: M.name.description) { (named, custom) throws(WireError) in
        wrap(try M(named: named, custom: custom))
      }
    }
    return [
      entry(Warning.self) { .warning($0) },
      entry(Stfu.self) { .stfu($0) },
      entry(PeerStorage.self) { .peerStorage($0) },
      entry(PeerStorageRetrieval.self) { .peerStorageRetrieval($0) },
      entry(Init.self) { .`init`($0) },
      entry(ErrorMessage.self) { .error($0) },
      entry(Ping.self) { .ping($0) },
      entry(Pong.self) { .pong($0) },
      entry(OpenChannel.self) { .openChannel($0) },
      entry(AcceptChannel.self) { .acceptChannel($0) },
      entry(FundingCreated.self) { .fundingCreated($0) },
      entry(FundingSigned.self) { .fundingSigned($0) },
      entry(ChannelReady.self) { .channelReady($0) },
      entry(Shutdown.self) { .shutdown($0) },
      entry(ClosingSigned.self) { .closingSigned($0) },
      entry(ClosingComplete.self) { .closingComplete($0) },
      entry(ClosingSig.self) { .closingSig($0) },
      entry(OpenChannel2.self) { .openChannel2($0) },
      entry(AcceptChannel2.self) { .acceptChannel2($0) },
      entry(TxAddInput.self) { .txAddInput($0) },
      entry(TxAddOutput.self) { .txAddOutput($0) },
      entry(TxRemoveInput.self) { .txRemoveInput($0) },
      entry(TxRemoveOutput.self) { .txRemoveOutput($0) },
      entry(TxComplete.self) { .txComplete($0) },
      entry(TxSignatures.self) { .txSignatures($0) },
      entry(TxInitRbf.self) { .txInitRbf($0) },
      entry(TxAckRbf.self) { .txAckRbf($0) },
      entry(TxAbort.self) { .txAbort($0) },
      entry(SpliceLocked.self) { .spliceLocked($0) },
      entry(SpliceInit.self) { .spliceInit($0) },
      entry(SpliceAck.self) { .spliceAck($0) },
      entry(StartBatch.self) { .startBatch($0) },
      entry(UpdateAddHTLC.self) { .updateAddHTLC($0) },
      entry(UpdateFulfillHTLC.self) { .updateFulfillHTLC($0) },
      entry(UpdateFailHTLC.self) { .updateFailHTLC($0) },
      entry(CommitmentSigned.self) { .commitmentSigned($0) },
      entry(RevokeAndAck.self) { .revokeAndAck($0) },
      entry(UpdateFee.self) { .updateFee($0) },
      entry(UpdateFailMalformedHTLC.self) { .updateFailMalformedHTLC($0) },
      entry(ChannelReestablish.self) { .channelReestablish($0) },
      entry(ChannelAnnouncement.self) { .channelAnnouncement($0) },
      entry(NodeAnnouncement.self) { .nodeAnnouncement($0) },
      entry(ChannelUpdate.self) { .channelUpdate($0) },
      entry(AnnouncementSignatures.self) { .announcementSignatures($0) },
      entry(QueryShortChannelIDs.self) { .queryShortChannelIDs($0) },
      entry(ReplyShortChannelIDsEnd.self) { .replyShortChannelIDsEnd($0) },
      entry(QueryChannelRange.self) { .queryChannelRange($0) },
      entry(ReplyChannelRange.self) { .replyChannelRange($0) },
      entry(GossipTimestampFilter.self) { .gossipTimestampFilter($0) },
      entry(OnionMessage.self) { .onionMessage($0) },
    ]
  }
}
