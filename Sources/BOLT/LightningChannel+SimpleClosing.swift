internal import Bitcoin
internal import GLC
internal import Secp256k1
internal import Signer
internal import Wire

// `closing_complete` and `closing_sig` (`option_simple_close`): each side makes a transaction of its own, and pays for it.

extension LightningChannel {
  mutating func proposeSimple(
    _ context: ChannelContext, _ effects: inout [LightningEffect]
  ) throws(Fault) {
    guard let shares, let funding else { throw .fail("no shutdown yet") }
    let weight = try closingWeight()
    var state = closing ?? ClosingNegotiation()
    state.hasProposed = true
    closing = state
    let wanted = fee(context.closingFeeRate, weight)
    // BOLT 2: MUST set `fee_satoshis` to a fee less than or equal to its outstanding balance, rounded down to whole satoshis. Who cannot
    // pay a fee that is relayed leaves the proposal to the other side.
    let balance = shares.local.balance.satoshiRoundedDown
    guard balance >= fee(.relayFloor, weight) else { return }
    let chosen = min(wanted, balance)
    let isLesser = shares.local.balance < shares.remote.balance
    let ownOutput = balance.subtracting(chosen) ?? .zero
    let ownIsDust = ownOutput < Self.dustThreshold(shares.local.scriptPubKey)
    let theirsIsDust = shares.remote.balance.satoshiRoundedDown < Self.dustThreshold(shares.remote.scriptPubKey)
    // BOLT 2: MUST set `fee_satoshis` so that at least one output is not dust.
    guard !(ownIsDust && theirsIsDust) else { return }
    var variants: [ClosingTransaction.Variant]
    if isLesser {
      // MUST NOT set `closer_output_only`. MUST set `closee_output_only` if the local output amount is dust.
      variants = ownIsDust ? [.closeeOutputOnly] : [.closerAndCloseeOutputs]
    } else {
      // If the closee's output amount is dust: MUST set `closer_output_only`, MUST NOT set `closer_and_closee_outputs`. Otherwise: MUST
      // set both.
      variants = theirsIsDust ? [.closerOutputOnly] : [.closerOutputOnly, .closerAndCloseeOutputs]
    }
    let lockTime = context.height
    var message = ClosingComplete(
      channelID: id, closerScriptpubkey: shares.local.scriptPubKey, closeeScriptpubkey: shares.remote.scriptPubKey,
      feeSatoshis: chosen, locktime: lockTime)
    for variant in variants {
      let transaction = try simpleClosing(
        spending: funding.outPoint, closer: shares.local, closee: shares.remote, chosen, lockTime, variant)
      let signature = try closingSignature(transaction)
      closing?.sentSignatures[variant] = signature
      message.set(signature, for: variant)
    }
    closing?.sentComplete = message
    effects.append(try send(message))
  }

  mutating func receive(
    _ message: ClosingComplete, _ context: ChannelContext, _ effects: inout [LightningEffect]
  ) throws(Fault) {
    guard let shares, let funding, isEmptied else { throw .fail("closing_complete before the channel is empty") }
    // BOLT 2: if `fee_satoshis` is greater than the closer's outstanding balance: MUST either send a `warning` and close the
    // connection, or send an `error` and fail the channel.
    guard message.feeSatoshis <= shares.remote.balance.satoshiRoundedDown else {
      throw .warn("closing_complete pays more than its sender has")
    }
    // If `closee_scriptpubkey` does not match the last script it sent: SHOULD ignore it, send a `warning`, close the connection.
    guard message.closeeScriptpubkey == shares.local.scriptPubKey else {
      throw .warn("closing_complete names another script of ours than the one we sent")
    }
    guard let form = ShutdownScript(message.closerScriptpubkey), form.isAllowed(features: context.negotiatedBits) else {
      throw .warn("closing_complete names a script that is not allowed")
    }
    if let promised = terms.remote?.shutdownScript, promised != message.closerScriptpubkey {
      throw .warn("closing_complete to another script than the one of the channel's opening")
    }
    // Select a signature for validation.
    let isDust = shares.local.balance.satoshiRoundedDown < Self.dustThreshold(shares.local.scriptPubKey)
    let variant: ClosingTransaction.Variant
    if isDust {
      variant = .closerOutputOnly
    } else if message.has(.closerAndCloseeOutputs, signsTogether) {
      variant = .closerAndCloseeOutputs
    } else {
      variant = .closeeOutputOnly
    }
    guard let signature = try closingSignature(message.signature(variant), message.partial(variant)) else {
      throw .warn("closing_complete lacks the signature \(variant.rawValue)")
    }
    let transaction = try simpleClosing(
      spending: funding.outPoint,
      closer: ClosingTransaction.Share(balance: shares.remote.balance, scriptPubKey: message.closerScriptpubkey),
      closee: shares.local, message.feeSatoshis, message.locktime, variant)
    guard try isValid(signature, for: transaction, nonce: closingNonces.local) else {
      throw .warn("the signature in closing_complete does not hold")
    }
    let own = try closingSignature(transaction, answering: signature)
    var answer = ClosingSig(
      channelID: id, closerScriptpubkey: message.closerScriptpubkey, closeeScriptpubkey: message.closeeScriptpubkey,
      feeSatoshis: message.feeSatoshis, locktime: message.locktime)
    answer.set(own, for: variant)
    if signsTogether {
      // Taproot channels: MUST include `next_closee_nonce` for potential future RBF iterations.
      let nonce = try announceNonce()
      closingNonces.local = nonce
      answer.nextCloseeNonce = PublicNonceBytes(nonce)
    }
    // MUST use `closer_scriptpubkey` for its own future `closing_complete` messages.
    shutdownScripts.remote = message.closerScriptpubkey
    try finishClosing(transaction, own, signature, &effects)
    effects.append(try send(answer))
  }

  mutating func receive(
    _ message: ClosingSig, _ context: ChannelContext, _ effects: inout [LightningEffect]
  ) throws(Fault) {
    guard let sent = closing?.sentComplete, let shares, let funding else {
      throw .warn("closing_sig without closing_complete")
    }
    guard message.closerScriptpubkey == sent.closerScriptpubkey, message.closeeScriptpubkey == sent.closeeScriptpubkey,
      message.feeSatoshis == sent.feeSatoshis, message.locktime == sent.locktime
    else { throw .warn("closing_sig answers another closing_complete") }
    let given = ClosingTransaction.Variant.allCases.filter { message.has($0, signsTogether) }
    // BOLT 2: if `tlvs` does not contain exactly one signature, or not one of the TLV fields sent in `closing_complete`: MUST either
    // send a `warning` and close the connection, or send an `error` and fail the channel.
    guard given.count == 1, let variant = given.first, let own = closing?.sentSignatures[variant] else {
      throw .warn("closing_sig has not exactly one of the signatures that were asked for")
    }
    let signature: CounterSignature
    if signsTogether {
      guard let partial = message.partial(variant), let nonce = closingNonces.remote else {
        throw .warn("closing_sig without a nonce to verify it by")
      }
      signature = .musigPartial(PartialSignature(signature: try partial.parsed(), nonce: nonce))
    } else {
      guard let plain = message.signature(variant) else { throw .warn("closing_sig without a signature") }
      signature = .ecdsa(try Self.signature(plain))
    }
    let transaction = try simpleClosing(
      spending: funding.outPoint, closer: shares.local,
      closee: ClosingTransaction.Share(balance: shares.remote.balance, scriptPubKey: sent.closeeScriptpubkey),
      sent.feeSatoshis, sent.locktime, variant)
    guard try isValid(signature, for: transaction, nonce: own.nonce) else {
      throw .warn("the signature in closing_sig does not hold")
    }
    closing?.sentComplete = nil
    closing?.sentSignatures = [:]
    if signsTogether { closingNonces.remote = try message.nextCloseeNonce?.parsed() }
    try finishClosing(transaction, own, signature, &effects)
  }

  func simpleClosing(
    spending outPoint: OutPoint, closer: ClosingTransaction.Share, closee: ClosingTransaction.Share, _ fee: Satoshi,
    _ lockTime: UInt32, _ variant: ClosingTransaction.Variant
  ) throws(Fault) -> Transaction {
    do {
      return try ClosingTransaction.simple(
        spending: outPoint, closer: closer, closee: closee, fee: fee, lockTime: lockTime, variant: variant)
    } catch {
      throw .warn("the closing transaction cannot be made: \(error)")
    }
  }
}
