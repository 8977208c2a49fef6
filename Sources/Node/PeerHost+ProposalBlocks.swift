internal import BOLT
internal import Bitcoin
internal import Encoding
internal import GLC
internal import Negotiation
internal import Storage

// What blocks do to channels that are being composed: funding transactions are confirmed, or lose their inputs to others.

extension PeerHost {
  /// Before the channels see the block: some of it may make one.
  func connectBlockToOpenings(_ notice: BlockNotice) {
    for id in Array(composition.openings.keys) {
      guard let hosted = composition.openings[id] else { continue }
      let own = hosted.opening.channel?.fundings.first?.funding.outPoint.txid
      let spent = Set(hosted.opening.outPoints)
      for (_, transaction) in notice.transactions {
        if transaction.txid == own {
          step(id) { $0.see(transaction) }
        } else if transaction.inputs.contains(where: { spent.contains($0.previousOutput) }) {
          note(id, conflictAt: notice.height)
        }
      }
      if hosted.opening.stage == .opened {
        settle(id, notice.height)
        continue
      }
      step(id) { $0.block(notice.height) }
      // So deep is what nobody expects to be undone, for money that is not in a channel yet.
      if let height = composition.openings[id]?.conflictHeight, notice.height >= height + 5 {
        step(id) { $0.conflict() }
      }
    }
  }

  func disconnectBlocksFromOpenings(to height: UInt32) {
    for id in composition.openings.keys {
      if let place = composition.openings[id]?.conflictHeight, place > height { note(id, conflictAt: nil) }
    }
  }

  /// Stored: after a restart, the block is not told again.
  private func note(_ id: NegotiationID, conflictAt height: UInt32?) {
    guard (composition.openings[id]?.conflictHeight == nil) != (height == nil) else { return }
    composition.openings[id]?.conflictHeight = height
    batch.changes.append(openingChange(id))
  }

  /// A channel that the peer has shown to have needs its negotiation no longer; one whose funding transaction was replaced by another will
  /// never be.
  private func settle(_ id: NegotiationID, _ height: UInt32) {
    guard let channel = composition.openings[id]?.channel else { return }
    if let hosted = channels[channel], !hosted.channel.isReady.remote, hosted.channel.phase < .onchain {
      guard let conflict = composition.openings[id]?.conflictHeight, height >= conflict + 5,
        hosted.channel.funding?.confirmation == nil
      else { return }
      forget(channel, "another transaction has spent an input of its funding transaction")
    }
    composition.openings[id] = nil
    batch.changes.append(.delete(.openings, key: id.array))
  }
}
