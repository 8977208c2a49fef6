internal import Encoding
internal import GLC
internal import Wire

// Losing and finding each other.

extension LightningChannel {
  /// The connection is gone. A channel that is not funded yet is forgotten with it.
  public mutating func disconnect() -> [LightningEffect] {
    isConnected = false
    var effects: [LightningEffect] = []
    forgetNegotiation(&effects)
    guard isFunded else { return [.forget("the connection was lost before the channel was funded")] }
    core?.disconnect()
    return effects
  }

  mutating func forgetNegotiation(_ effects: inout [LightningEffect]) {
    hasRepeatedAnnouncement = false
    closing = nil
    closingNonces = PerParty(local: nil, remote: nil)
    noncePieces = SignaturePieces()
    presignaturePieces = SignaturePieces()
    signaturePieces = SignaturePieces()
    interruptUpgrade(&effects)
    peerComposes = false
  }

  /// There is a connection again. Sends `channel_reestablish`, or, of a channel that has failed, the error.
  /// - Parameter context: of the new connection.
  public mutating func connect(_ context: ChannelContext, fundingIsSpent: Bool = false) -> [LightningEffect] {
    isConnected = true
    var effects: [LightningEffect] = []
    forgetNegotiation(&effects)
    peerComposes = context.composes
    // Once a block says it, the peer need not hear it again: some end the connection at every error, with all channels on it.
    guard !fundingIsSpent, phase < .ended else { return effects }
    if let failure, let message = try? send(errorMessage(failure)) { return effects + [message] }
    guard let core, phase < .onchain, core.connection == .disconnected else { return effects }
    guard let state = try? core.reestablish(signer), let messages = try? encode(.reestablish(state)) else {
      return effects
    }
    return effects + messages
  }

  mutating func reestablish(
    _ theirs: ChannelReestablish, _ context: ChannelContext, _ effects: inout [LightningEffect]
  ) throws(Fault) {
    guard let before = core, phase < .onchain else { return }
    let ours: Reestablish
    do { ours = try before.reestablish(signer) } catch { throw Fault(error) }
    let state = Reestablish(
      nextCommitmentNumber: theirs.nextCommitmentNumber, nextRevocationNumber: theirs.nextRevocationNumber,
      lastSecret: theirs.yourLastPerCommitmentSecret, currentPoint: theirs.myCurrentPerCommitmentPoint,
      nextNonces: try nonces(theirs.nextLocalNonces),
      stack: try peerComposes
        ? theirs.otherRecords[UpgradeMessage.record].map { (record) throws(Fault) in try StackStatus(record: record) }
        : nil)
    var resent: [LightningEffect] = []
    try step(&resent) { (core, signer) throws(ChannelError) in try core.receive(.reestablish(state), signer) }
    if core?.connection == .outdated {
      pointAfterDataLoss = theirs.myCurrentPerCommitmentPoint
      let reason = "we have lost data: please close the channel"
      failure = reason
      phase = .onchain
      effects += resent
      effects.append(try send(errorMessage(reason)))
      return
    }
    // BOLT 2: if `next_commitment_number` is 1 in both the `channel_reestablish` it sent and received: MUST retransmit `channel_ready`.
    if isReady.local, ours.nextCommitmentNumber == 1, theirs.nextCommitmentNumber == 1 {
      effects.append(try send(channelReady()))
    }
    effects += resent
    // BOLT 2: if it has sent a previous `shutdown`: MUST retransmit `shutdown`.
    if let script = shutdownScripts.local {
      shutdownScripts.remote = nil
      effects.append(try shutdown(script))
    }
    updateDepth(context.height, &effects)
    // BOLT 7: upon reconnection: if it has NOT received an `announcement_signatures` message: SHOULD retransmit.
    if hasSentAnnouncement, remoteAnnouncement == nil { effects.append(.announce) }
  }
}
