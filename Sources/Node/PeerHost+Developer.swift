internal import BOLT
internal import Bitcoin
internal import Chain
internal import GLC
internal import Logging
internal import Signer
internal import Wire

// What only tests want: see `NodeSettings.Developer`.

extension PeerHost {
  private static let keptCommitments: UInt64 = 1000

  /// Keeps our latest commitment as a thief would: signed, while the signer still does it.
  func keepCommitment(_ id: ChannelID) {
    guard let channel = channels[id]?.channel, let core = channel.core, let signatures = core.signatures.first,
      channels[id]?.keptCommitments[core.localNumber] == nil,
      let own = try? core.localCommitments(channel.signer).first,
      let signed = try? channel.signer.signForBroadcast(own, with: signatures)
    else { return }
    channels[id]?.keptCommitments[core.localNumber] = signed
    if core.localNumber >= Self.keptCommitments {
      channels[id]?.keptCommitments[core.localNumber - Self.keptCommitments] = nil
    }
  }
}

extension Node {
  /// Publishes a commitment of ours that is revoked, so that the peer takes everything. With a switch for tests alone.
  func publishRevoked(_ id: ChannelID, number: UInt64?) async throws -> (number: UInt64, transaction: Transaction) {
    guard settings.developer.hasMethods else { throw NodeError.start("revoked commitments are not kept") }
    guard let hosted = await inspect(id), let core = hosted.channel.core else {
      throw NodeError.unknownChannel(id)
    }
    let revoked = hosted.keptCommitments.filter { $0.key < core.localNumber }
    guard let wanted = number ?? revoked.keys.max(), let transaction = revoked[wanted] else {
      let known = revoked.keys.sorted()
      throw NodeError.closingFailed(
        known.isEmpty
          ? "the channel has no revoked commitment that was kept"
          : "no revoked commitment of this number was kept: there are \(known[0]) to \(known[known.count - 1])")
    }
    hub.logger.critical(
      "publishing a revoked commitment, as a test demands: its money is lost",
      metadata: ["channel": "\(id)", "number": "\(wanted)", "txid": "\(transaction.txid)"])
    try await hub.source.submit(transaction)
    return (wanted, transaction)
  }
}
