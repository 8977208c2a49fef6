internal import Encoding
internal import GLC
internal import Secp256k1
internal import Signer
public import Wire

// BOLT 7 §The `announcement_signatures` Message: both sides sign the same announcement, and each of them can publish it then.

extension LightningChannel {
  /// The announcement of this channel without signatures; nil as long as its place in the chain is not known.
  public func announcement(of node: NodeID, chainHash: ChainHash) -> ChannelAnnouncement? {
    guard isAnnounced, let scid = shortChannelID, let ours = terms.local?.basepoints[.funding],
      let theirs = terms.remote?.basepoints[.funding]
    else { return nil }
    // BOLT 7: MUST set `node_id_1` and `node_id_2` to the public keys of the two nodes, such that `node_id_1` is the
    // lexicographically-lesser of the two compressed keys sorted in ascending lexicographic order.
    let isFirst = node < peer
    // Required: who does not know such funding outputs has no use for the channel.
    var features = FeatureSet()
    if core?.signsTogether == true { features[.aggregatedFunding] = .required }
    let empty = CompactSignature(Bytes64())
    return ChannelAnnouncement(
      nodeSignature1: empty, nodeSignature2: empty, bitcoinSignature1: empty, bitcoinSignature2: empty,
      features: features, chainHash: chainHash, shortChannelID: scid, nodeID1: isFirst ? node : peer,
      nodeID2: isFirst ? peer : node, bitcoinKey1: isFirst ? ours : theirs, bitcoinKey2: isFirst ? theirs : ours)
  }

  /// Our half of the announcement, given the node's own signature of it. Sends `announcement_signatures`.
  public mutating func announce(
    _ announcement: ChannelAnnouncement, nodeSignature: CompactSignature
  ) -> (CompactSignature, [LightningEffect])? {
    guard isEstablished, phase == .normal,
      let key = try? signer.secrets.secret(
        KeyRef(.funding, .holder), side: .holder, perCommitmentPoint: announcement.bitcoinKey1)
    else { return nil }
    let signature = CompactSignature(key.signECDSA(announcement.signatureHash, grindLowR: true))
    let message = AnnouncementSignatures(
      channelID: id, shortChannelID: announcement.shortChannelID, nodeSignature: nodeSignature,
      bitcoinSignature: signature)
    guard let effect = try? send(message) else { return nil }
    hasSentAnnouncement = true
    var effects: [LightningEffect] = [.persist, effect]
    if let remoteAnnouncement { effects.append(.announced(remoteAnnouncement)) }
    return (signature, effects)
  }

  /// Our signature of the announcement by the funding key, to be put together with the remote party's.
  public func bitcoinSignature(of announcement: ChannelAnnouncement) -> CompactSignature? {
    guard
      let key = try? signer.secrets.secret(
        KeyRef(.funding, .holder), side: .holder, perCommitmentPoint: announcement.bitcoinKey1)
    else { return nil }
    return CompactSignature(key.signECDSA(announcement.signatureHash, grindLowR: true))
  }

  mutating func receive(_ message: AnnouncementSignatures, _ effects: inout [LightningEffect]) {
    // What names another place in the chain than ours is not for this funding output, or comes before we know ours.
    guard isAnnounced, shortChannelID == nil || shortChannelID == message.shortChannelID else { return }
    let isFirst = remoteAnnouncement == nil
    remoteAnnouncement = message
    effects.append(.persist)
    guard hasSentAnnouncement else { return }
    if isFirst {
      effects.append(.announced(message))
    } else if !hasRepeatedAnnouncement {
      // BOLT 7: upon reconnection: MUST respond to the first `announcement_signatures` message with its own.
      hasRepeatedAnnouncement = true
      effects.append(.announce)
    }
  }
}
