internal import BOLT
internal import Bitcoin
internal import Encoding
internal import GLC
internal import Logging
internal import Negotiation
internal import Peers
internal import Wire

// What a peer says.

extension PeerHost {
  func receive(_ raw: RawMessage) {
    let bytes = raw.bytes
    if NegotiationMessage.types.contains(raw.type) { return receiveNegotiation(bytes, type: raw.type) }
    // What belongs to a channel names it behind its type.
    if bytes.count >= 34, let id = channelID(in: bytes), let hosted = channels[id], let context = context(hub.height),
      hosted.channel.ownsMessage(raw.type)
    {
      let body = bytes.dropFirst(34)
      var channel = hosted.channel
      let effects = channel.receive(type: raw.type, body: body.bytes, context)
      channels[id]?.channel = channel
      batch.touched.insert(id)
      return apply(effects, to: id)
    }
    // BOLT 1: upon receiving a message of unknown, even type: MUST close the connection.
    guard MessageType.known(raw.type) != nil || !raw.type.isMultiple(of: 2) else {
      batch.disconnect = "\(PeerCloseReason.unknownEvenType(raw.type))"
      return
    }
    let message: Message
    do { message = try Message(decoding: bytes, custom: LightningChannel.customTypes) } catch {
      batch.disconnect = "a message that cannot be read: \(error)"
      return
    }
    switch message {
    case .openChannel(let open): accept(open)
    case .error(let error) where error.channelID == .all:
      logger.warning("error from the peer", metadata: ["text": "\(error.data.safeText())"])
      for id in channels.keys { take(message, for: id) }
    case .warning(let warning):
      logger.warning("warning from the peer", metadata: ["text": "\(warning.data.safeText())"])
    case .channelUpdate(let update): receive(update)
    case .channelAnnouncement, .nodeAnnouncement, .queryChannelRange, .queryShortChannelIDs, .replyChannelRange,
      .replyShortChannelIDsEnd, .gossipTimestampFilter:
      if let connection { hub.gossip.post(.message(message, raw.bytes, connection)) }
    case .unknown, .custom, .ping, .pong, .`init`: break
    default:
      guard bytes.count >= 34, let id = channelID(in: bytes) else { break }
      if channels[id] != nil { return take(message, for: id) }
      // BOLT 1: the fundee node: for all error messages sent before (and not including) the `funding_signed` message: MUST use
      // `temporary_channel_id` in lieu of `channel_id`. We know the channel by its final name by then.
      if case .error = message,
        let (own, _) = channels.first(where: { !$0.value.channel.isFunded && $0.value.channel.temporaryID == id })
      {
        return take(message, for: own)
      }
      // The peer has a channel whose funding transaction is not complete here yet.
      if keepEarly(message, for: id) { break }
      if case .channelReestablish(let theirs) = message { return reestablishUnknown(theirs) }
      if case .error = message { break }
      logger.info(
        "a message about a channel that we do not know", metadata: ["type": "\(raw.type)", "channel": "\(id)"])
      // BOLT 2: a node that receives a message about a channel that it does not know answers with an error.
      if let answer = try? ErrorMessage(channelID: id, data: PeerText("unknown channel")).encoded() {
        batch.messages.append(answer)
      }
    }
  }

  private func channelID(in bytes: [UInt8]) -> ChannelID? {
    var reader = ByteReader(bytes.bytes)
    guard (try? reader.skip(2)) != nil, let raw = try? reader.read(Bytes32.self) else { return nil }
    return ChannelID(raw)
  }

  func take(_ message: Message, for id: ChannelID) {
    guard var hosted = channels[id], let context = context(hub.height) else { return }
    let before = hosted.channel.phase
    let effects = hosted.channel.receive(message, context)
    channels[id] = hosted
    if case .error(let error) = message, before < .awaitingDepth {
      hosted.opening?(.failure(.peerError(error.data.safeText())))
      channels[id]?.opening = nil
    }
    batch.touched.insert(id)
    apply(effects, to: id)
    // A peer that has started anew knows nothing of what the channel costs, and makes invoices without it.
    if case .channelReestablish = message, channels[id]?.channel.isEstablished == true {
      updateAnnouncements(id, isRepeated: true)
    }
  }

  /// A channel that we do not know, or not any more: the peer can only take it to the chain.
  private func reestablishUnknown(_ theirs: ChannelReestablish) {
    if let answer = try? ErrorMessage(channelID: theirs.channelID, data: PeerText("unknown channel")).encoded() {
      batch.messages.append(answer)
    }
  }
}
