internal import Bitcoin
internal import GLC
internal import Wire

// From the funding transaction to `channel_ready`.

extension LightningChannel {
  /// What the chain says about the funding output: where it is, or that it is not confirmed (any more).
  public mutating func fundingDepth(
    height: UInt32, _ confirmation: FundingOutput.Confirmation?
  ) -> [LightningEffect] {
    guard isFunded, phase < .ended, funding != nil else { return [] }
    var effects: [LightningEffect] = []
    if funding?.confirmation != confirmation {
      funding?.confirmation = confirmation
      effects.append(.persist)
    }
    guard phase < .onchain else { return effects }
    // BOLT 2: a non-funding node SHOULD forget the channel if it does not see the correct funding transaction after a timeout of 2016
    // blocks: the node counts them, and calls `fail`.
    updateDepth(height, &effects)
    return effects
  }

  mutating func updateDepth(_ height: UInt32, _ effects: inout [LightningEffect]) {
    guard let place = funding?.confirmation, height >= place.height else { return }
    let depth = height - place.height + 1
    if !isReady.local, depth >= minimumDepth, isEstablished, phase < .shuttingDown { try? sendReady(&effects) }
    announceOnceDeep(height, &effects)
  }

  private func announceOnceDeep(_ height: UInt32, _ effects: inout [LightningEffect]) {
    guard let place = funding?.confirmation, height >= place.height else { return }
    let depth = height - place.height + 1
    // BOLT 7 §The `announcement_signatures` Message: MUST NOT send until `channel_ready` has been sent and received AND the funding
    // transaction has enough confirmations to ensure that it won't be reorganized. Six, by `channel_announcement`'s rule.
    if isAnnounced, !hasSentAnnouncement, isReady.local, isReady.remote, depth >= 6, isEstablished, phase == .normal {
      effects.append(.announce)
    }
  }

  func channelReady() throws(Fault) -> ChannelReady {
    var message: ChannelReady
    do { message = ChannelReady(channelID: id, secondPerCommitmentPoint: try point(1), alias: localAlias) } catch {
      throw .fail(error.reason)
    }
    if signsTogether, let core, core.localNumber == 0 {
      do { message.nextLocalNonce = try core.nextNonces(signer).first.map { PublicNonceBytes($0.nonce) } } catch {
        throw Fault(error)
      }
    }
    return message
  }

  mutating func sendReady(_ effects: inout [LightningEffect]) throws(Fault) {
    guard !isReady.local else { return }
    let message = try channelReady()
    isReady.local = true
    effects += [.persist, try send(message)]
    becomeReady(&effects)
  }

  mutating func receive(
    _ message: ChannelReady, _ context: ChannelContext, _ effects: inout [LightningEffect]
  ) throws(Fault) {
    if let alias = message.alias { remoteAlias = alias }
    var nonces: [FundingNonce] = []
    if signsTogether, let funding {
      // Taproot channels: MUST fail the channel if `next_local_nonce` is absent.
      guard let nonce = message.nextLocalNonce else { throw .fail("next_local_nonce is absent") }
      nonces = [FundingNonce(funding: funding.outPoint.txid, nonce: try nonce.parsed())]
    }
    // BOLT 2: MUST ignore any redundant `channel_ready` it receives.
    guard !isReady.remote else {
      // But for the nonce, of which the latest counts.
      core?.learnNextPoint(message.secondPerCommitmentPoint, nonces: nonces)
      effects.append(.persist)
      return
    }
    isReady.remote = true
    core?.learnNextPoint(message.secondPerCommitmentPoint, nonces: nonces)
    effects.append(.persist)
    becomeReady(&effects)
    // The peer may have been slower than the chain: the next block can be far off.
    announceOnceDeep(context.height, &effects)
  }

  mutating func becomeReady(_ effects: inout [LightningEffect]) {
    guard isReady.local, isReady.remote, phase == .awaitingDepth else { return }
    phase = .normal
    effects += [.persist, .ready]
  }
}
