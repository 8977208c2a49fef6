public import Bitcoin
internal import Encoding
internal import GLC
internal import Secp256k1
internal import Signer
internal import Wire

/// How far the two sides have come with the closing transaction. Nothing of it survives a lost connection.
struct ClosingNegotiation: Hashable, Sendable {
  /// The fee and range of our last `closing_signed`.
  var sentFee: Satoshi?
  var sentRange: FeeRange?
  var receivedFee: Satoshi?
  /// The `closing_complete` that waits for its `closing_sig`.
  var sentComplete: ClosingComplete?
  /// Our signatures in it.
  var sentSignatures: [ClosingTransaction.Variant: CounterSignature] = [:]
  /// Whether we have proposed a transaction of ours on this connection.
  var hasProposed = false
}

extension LightningChannel {
  // MARK: `shutdown`

  /// Asks the other side to close the channel together. `shutdown` is sent as soon as BOLT 2 allows it.
  public mutating func close(to script: Script, _ context: ChannelContext) throws(OpeningRefusal) -> [LightningEffect] {
    guard isFunded, phase < .closing else { throw OpeningRefusal("the channel is not open") }
    guard shutdownScripts.local == nil else { return [] }
    // BOLT 2: if it sent a non-zero-length `shutdown_scriptpubkey` in `open_channel` or `accept_channel`: MUST send the same value.
    let chosen = terms.local?.shutdownScript ?? script
    guard let form = ShutdownScript(chosen), form.isAllowed(features: context.negotiatedBits) else {
      throw OpeningRefusal("the script is not in a form that shutdown allows")
    }
    plannedShutdown = chosen
    return [.persist]
  }

  mutating func receive(
    _ message: Shutdown, _ context: ChannelContext, _ effects: inout [LightningEffect]
  ) throws(Fault) {
    // BOLT 2: if both nodes advertised the `option_upfront_shutdown_script` feature, and the receiving node received a non-zero-length
    // `shutdown_scriptpubkey` in `open_channel` or `accept_channel`, and that `shutdown_scriptpubkey` is not equal to `scriptpubkey`: MAY
    // send a `warning`. MUST fail the connection.
    if let promised = terms.remote?.shutdownScript, promised != message.scriptpubkey {
      throw .warn("shutdown to another script than the one of the channel's opening")
    }
    guard let form = ShutdownScript(message.scriptpubkey), form.isAllowed(features: context.negotiatedBits) else {
      throw .warn("shutdown to a script that is not in one of the allowed forms")
    }
    guard phase < .closing || shutdownScripts.remote == nil else { throw .warn("shutdown twice") }
    if signsTogether {
      // Taproot channels: MUST verify that the `shutdown_nonce` value is a valid `musig2` public nonce.
      guard let nonce = message.shutdownNonce else { throw .fail("shutdown_nonce is absent") }
      closingNonces.remote = try nonce.parsed()
    }
    shutdownScripts.remote = message.scriptpubkey
    if phase < .shuttingDown { phase = .shuttingDown }
    // BOLT 2: once there are no outstanding updates on the peer, UNLESS it has already sent a `shutdown`: MUST reply to a `shutdown`
    // message with a `shutdown`.
    if shutdownScripts.local == nil, plannedShutdown == nil {
      guard let own = terms.local?.shutdownScript ?? replyScript else { throw .fail("there is no script to close to") }
      plannedShutdown = own
    }
    effects.append(.persist)
  }

  /// Whether no update, no promise and no revocation is left.
  var isEmptied: Bool {
    guard let core, core.log.entries.isEmpty, !core.awaitsRevocation, let state = core.fundings.first?.base else {
      return false
    }
    return state.ledgers.allSatisfy { $0.lockedValue == .zero }
  }

  /// Sends what closing needs next.
  mutating func continueClosing(_ context: ChannelContext, _ effects: inout [LightningEffect]) throws(Fault) {
    if let script = plannedShutdown, shutdownScripts.local == nil, let core, quiescence == Quiescence(),
      !core.isChangingStack
    {
      // BOLT 2: if there are updates pending on the receiving node's commitment transaction: MUST NOT send a `shutdown`.
      guard !core.log.hasChanges(for: .remote), !core.awaitsRevocation else { return }
      shutdownScripts.local = script
      plannedShutdown = nil
      if phase < .shuttingDown { phase = .shuttingDown }
      effects += [.persist, try shutdown(script)]
    }
    guard phase == .shuttingDown || phase == .closing, shutdownScripts.local != nil, shutdownScripts.remote != nil,
      isEmptied
    else { return }
    if usesSimpleClose(context) {
      if closing?.hasProposed != true, phase == .shuttingDown || closing == nil { try proposeSimple(context, &effects) }
    } else if isOpener, closing?.sentFee == nil, closing?.hasProposed != true {
      // BOLT 2: the funding node: after `shutdown` has been received, AND no HTLCs remain in either commitment transaction: SHOULD
      // send a `closing_signed` message.
      let weight = try closingWeight()
      let ideal = fee(context.closingFeeRate, weight)
      let range = FeeRange(
        minFeeSatoshis: fee(.relayFloor, weight),
        maxFeeSatoshis: max(ideal, min(Satoshi(ideal.rawValue &* 10), affordableFee)))
      try sendClosingSigned(min(ideal, affordableFee), range, &effects)
    }
  }

  /// Proposes a closing transaction of ours with a higher fee (`option_simple_close`). Refused while the last one is unanswered.
  public mutating func bumpClosingFee(_ context: ChannelContext) throws(OpeningRefusal) -> [LightningEffect] {
    guard phase == .closing, usesSimpleClose(context), isEstablished else {
      throw OpeningRefusal("the channel is not in a closing negotiation whose fee can be raised")
    }
    guard closing?.sentComplete == nil else { throw OpeningRefusal("the last proposal is not answered yet") }
    var effects: [LightningEffect] = []
    do { try proposeSimple(context, &effects) } catch {
      throw OpeningRefusal("the closing transaction cannot be made")
    }
    return effects
  }

  /// Taproot channels know no other way: `option_simple_taproot` depends on `option_simple_close`.
  func usesSimpleClose(_ context: ChannelContext) -> Bool { signsTogether || context.negotiated(.simpleClose) }

  /// `shutdown`, with the nonce with which we shall sign the other side's closing transaction.
  mutating func shutdown(_ script: Script) throws(Fault) -> LightningEffect {
    var message = Shutdown(channelID: id, scriptpubkey: script)
    if signsTogether {
      let nonce = try announceNonce()
      closingNonces.local = nonce
      message.shutdownNonce = PublicNonceBytes(nonce)
    }
    return try send(message)
  }

  func announceNonce() throws(Fault) -> MuSigPublicNonce {
    do { return try signer.announceNonce() } catch { throw .fail(error.reason) }
  }
}
