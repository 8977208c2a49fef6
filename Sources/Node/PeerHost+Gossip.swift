internal import Peers
internal import Wallet
internal import HTLC
internal import BOLT
internal import Bitcoin
internal import Encoding
internal import GLC
internal import Logging
internal import Payments
internal import Secp256k1
internal import Wire

// What is said about our channels: to the peer alone, or to everybody.

/// What the gossip service works off.
enum GossipInput: Sendable {
  case connected(PeerConnection)
  case disconnected(NodeID)
  case message(Message, [UInt8], PeerConnection)
  case block(Block, height: UInt32)
  /// A channel of ours is announced.
  case own(ChannelAnnouncement)
  /// `isFirst`: since the channel became public.
  case ownUpdate(ChannelUpdate, isFirst: Bool)
  /// What a payment has taught.
  case learned(RouteObservation)
  case tick
}

extension Hub {
  func sign(_ hash: Bytes32) -> CompactSignature {
    keys.withNodeSecret { CompactSignature($0.signECDSA(hash, grindLowR: true)) }
  }
}

extension PeerHost {
  /// Our `channel_update` for each name of the channel, made anew when something in it has changed, or when it grows old. `isRepeated`: the
  /// peer is told again what it may have forgotten. `isAnnounced`: the channel has just become public. Who follows the network's news
  /// since it became ready has not asked for what was signed before that, so everybody gets an update of now.
  func updateAnnouncements(_ id: ChannelID, isRepeated: Bool = false, isAnnounced: Bool = false) {
    guard let hosted = channels[id], hosted.channel.isReady.local, hosted.channel.isReady.remote else { return }
    let channel = hosted.channel
    var names: [(name: ShortChannelID, isPublic: Bool, isTold: Bool)] = []
    if let scid = channel.shortChannelID, !channel.kind.hidesShortChannelID {
      names.append((scid, channel.isAnnounced, true))
    }
    // BOLT 7: the peer's payments to us name the channel by the alias that we have learned from it, or by the real name.
    if let alias = channel.remoteAlias, !channel.isAnnounced { names.append((alias, false, true)) }
    // BOLT 4: MUST set `short_channel_id` to the `short_channel_id` used by the incoming onion: for failures, where payers have found our
    // alias in an invoice of the peer's.
    names.append((channel.localAlias, false, false))
    for (name, isPublic, isTold) in names {
      let old = hosted.ourUpdates[name]
      var update = makeUpdate(hosted, name, isPublic: isPublic, after: old?.timestamp ?? 0)
      if let old, old.isSame(as: update), update.timestamp < old.timestamp + ChannelUpdate.refreshTime,
        !(isAnnounced && isPublic)
      {
        if isRepeated, isTold, let bytes = try? old.encoded() { batch.messages.append(bytes) }
        continue
      }
      update.signature = hub.sign(update.signatureHash)
      channels[id]?.ourUpdates[name] = update
      if isPublic, channel.remoteAnnouncement != nil { hub.gossip.post(.ownUpdate(update, isFirst: isAnnounced)) }
      if isTold, connection != nil, let bytes = try? update.encoded() { batch.messages.append(bytes) }
    }
    batch.touched.insert(id)
  }

  private func makeUpdate(
    _ hosted: HostedChannel, _ name: ShortChannelID, isPublic: Bool, after previous: UInt32
  ) -> ChannelUpdate {
    var flags: ChannelUpdateFlags = hub.nodeID < peer ? [] : [.direction]
    if hosted.policy.isDisabled || hosted.channel.phase != .normal { flags.insert(.disable) }
    // BOLT 7: MUST set `timestamp` to greater than 0, AND to greater than any previously-sent `channel_update` for this channel.
    let now = UInt32(clamping: WallClock.seconds)
    // BOLT 7: MUST set `htlc_maximum_msat` to the maximum value it will send through this channel for a single HTLC: less than the
    // capacity, and what the peer takes in flight.
    var maximum = min(hosted.policy.htlcMaximumMsat, hosted.channel.capacity.milliSatoshi ?? .zero)
    if let limit = hosted.channel.terms.remote?.limits.maximumInFlight { maximum = min(maximum, limit) }
    let minimum = max(hosted.policy.htlcMinimumMsat, hosted.channel.terms.remote?.limits.minimum ?? .zero)
    return ChannelUpdate(
      signature: CompactSignature(Bytes64()), chainHash: hub.settings.chainHash, shortChannelID: name,
      timestamp: max(now, previous + 1),
      messageFlags: isPublic ? [.mustBeOne] : [.mustBeOne, .dontForward], channelFlags: flags,
      cltvExpiryDelta: hosted.policy.cltvExpiryDelta, htlcMinimumMsat: minimum, feeBaseMsat: hosted.policy.feeBaseMsat,
      feeProportionalMillionths: hosted.policy.feeProportionalMillionths, htlcMaximumMsat: maximum,
      excess: hosted.channel.announcedKinds.map(ChannelUpdate.excess(paymentKinds:)) ?? [])
  }

  /// The peer's `channel_update` for a channel with us: what routes through it to us cost.
  func receive(_ update: ChannelUpdate) {
    let scid = update.shortChannelID
    let own = channels.first { _, hosted in
      hosted.channel.shortChannelID == scid || hosted.channel.localAlias == scid || hosted.channel.remoteAlias == scid
    }
    guard let own else {
      if let connection, let bytes = try? update.encoded() {
        hub.gossip.post(.message(.channelUpdate(update), bytes, connection))
      }
      return
    }
    // It must be of the peer's direction, and signed by it.
    guard update.isFromNode2 == (hub.nodeID < peer), update.chainHash == hub.settings.chainHash,
      (try? update.verifySignature(by: peer)) != nil, update.timestamp > own.value.peerUpdate?.timestamp ?? 0
    else { return }
    channels[own.key]?.peerUpdate = update
    channels[own.key]?.peerPolicy = ForwardingPolicy(
      feeBaseMsat: update.feeBaseMsat, feeProportionalMillionths: update.feeProportionalMillionths,
      cltvExpiryDelta: update.cltvExpiryDelta, htlcMinimumMsat: update.htlcMinimumMsat,
      htlcMaximumMsat: update.htlcMaximumMsat, isDisabled: update.channelFlags.contains(.disable))
    batch.touched.insert(own.key)
    if own.value.channel.isAnnounced, let connection, let bytes = try? update.encoded() {
      hub.gossip.post(.message(.channelUpdate(update), bytes, connection))
    }
  }

  /// Signs our half of the announcement.
  func announce(_ id: ChannelID) {
    guard var hosted = channels[id],
      let announcement = hosted.channel.announcement(of: hub.nodeID, chainHash: hub.settings.chainHash),
      let (_, effects) = hosted.channel.announce(announcement, nodeSignature: hub.sign(announcement.signatureHash))
    else { return }
    channels[id] = hosted
    apply(effects, to: id)
  }

  /// Both halves are there: the channel is announced, should they hold.
  func announced(_ id: ChannelID) {
    guard let hosted = channels[id], let theirs = hosted.channel.remoteAnnouncement,
      var announcement = hosted.channel.announcement(of: hub.nodeID, chainHash: hub.settings.chainHash),
      let ourBitcoin = hosted.channel.bitcoinSignature(of: announcement)
    else { return }
    let ourNode = hub.sign(announcement.signatureHash)
    let isFirst = hub.nodeID < peer
    announcement.nodeSignature1 = isFirst ? ourNode : theirs.nodeSignature
    announcement.nodeSignature2 = isFirst ? theirs.nodeSignature : ourNode
    announcement.bitcoinSignature1 = isFirst ? ourBitcoin : theirs.bitcoinSignature
    announcement.bitcoinSignature2 = isFirst ? theirs.bitcoinSignature : ourBitcoin
    do { try announcement.verifySignatures() } catch {
      // BOLT 7: if the `node_signature` OR the `bitcoin_signature` is NOT correct: MAY send a `warning` and close the connection.
      batch.disconnect = "announcement_signatures that do not hold"
      return
    }
    channels[id]?.announcement = announcement
    hub.gossip.post(.own(announcement))
    // The peer's update came before there was an announcement that it could belong to.
    if let update = hosted.peerUpdate, let connection, let bytes = try? update.encoded() {
      hub.gossip.post(.message(.channelUpdate(update), bytes, connection))
    }
    updateAnnouncements(id, isAnnounced: true)
  }
}

extension LightningChannel {
  /// The kinds of payments that it carries, where that is not what all channels do.
  fileprivate var announcedKinds: [UInt16]? {
    let kinds = paymentSlots.map(\.slot.id)
    return kinds == [HTLCExtension.id] ? nil : kinds.map(\.rawValue)
  }
}

extension ChannelUpdate {
  /// In seconds. BOLT 7 lets others forget a channel whose latest update is older than two weeks: it is said anew in time.
  static let refreshTime: UInt32 = 6 * 86_400

  /// Whether it says the same, whenever it says it.
  func isSame(as other: ChannelUpdate) -> Bool {
    var copy = other
    copy.timestamp = timestamp
    copy.signature = signature
    return copy == self
  }
}
