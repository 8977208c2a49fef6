internal import Bitcoin
internal import Encoding
internal import GLC
internal import Secp256k1
internal import Sphinx
internal import Wire

extension PaymentEngine {
  // MARK: Passing on

  /// Offers a payment to the next node.
  mutating func forward(
    _ incoming: Incoming, _ instructions: Instructions, _ packet: OnionPacket
  ) throws(Refusal) {
    var incoming = incoming
    let terms = try terms(incoming, instructions)
    let candidates: [PaymentChannel]
    let next: (lock: PaymentLock, secret: [UInt8])
    do throws(Refusal) {
      candidates = try choose(incoming, terms)
      next = try nextLock(incoming, instructions)
      // Nobody may make us hold more than we can.
      guard forwards.count < configuration.maximumPendingForwards else { throw .failure(.temporaryNodeFailure) }
    } catch {
      recordLocalFailure(incoming, terms, error)
      throw error
    }

    let origin = OfferOrigin.forward(
      OfferOrigin.Forward(
        incoming: incoming.key, sharedSecret: incoming.sharedSecret ?? SharedSecret(Bytes32()),
        manner: incoming.manner, onionHash: incoming.onionHash, receivedAt: incoming.receivedAt,
        lockSecret: next.secret)
    ).encoded
    counters.forwards += 1
    let record = ForwardRecord(
      incoming: incoming.key, amountIn: incoming.amount, amountOut: terms.amount, expiryIn: incoming.expiry,
      expiryOut: terms.expiry, lock: incoming.lock.bytes, status: .offered, receivedAt: incoming.receivedAt,
      createdIndex: counters.forwards)
    forwards[incoming.key] = record
    incoming.stage = .forwarded
    incoming.origin = origin
    incomings[incoming.key] = incoming
    outgoings[origin] = Outgoing(expiry: terms.expiry)
    store(counterChange, record.liveChange)
    actions.append(
      .offer(
        OutgoingPayment(
          channels: candidates.map(\.id), amount: terms.amount, lock: next.lock, expiry: terms.expiry,
          onion: packet.bytes, pathKey: instructions.blinded?.nextPathKey, origin: origin)))
    emit(.forward(record))
  }

  private func nextLock(
    _ incoming: Incoming, _ instructions: Instructions
  ) throws(Refusal) -> (lock: PaymentLock, secret: [UInt8]) {
    guard let scheme = schemes[incoming.lock.kind] else { throw .failure(.requiredNodeFeatureMissing) }
    do throws(InvalidPayload) {
      return try scheme.next(after: incoming.lock, instructions.payload)
    } catch {
      throw .failure(error.failure.failure)
    }
  }

  /// What the next node is to get.
  struct ForwardTerms: Sendable {
    var amount: MilliSatoshi
    var expiry: UInt32
    var target: Target

    enum Target: Sendable {
      case channel(ShortChannelID)
      case node(PublicKey)
    }
  }

  private func terms(_ incoming: Incoming, _ instructions: Instructions) throws(Refusal) -> ForwardTerms {
    if let data = instructions.blinded?.data {
      // BOLT 4: MUST use values from `encrypted_recipient_data.payment_relay` to calculate `amt_to_forward` and `outgoing_cltv_value`.
      guard let relay = data.paymentRelay, let amount = relay.amountToForward(of: incoming.amount),
        let expiry = relay.outgoingCLTVValue(of: incoming.expiry)
      else { throw .failure(.invalidOnionPayload(type: 10, offset: 0)) }
      if let node = data.nextNodeID { return ForwardTerms(amount: amount, expiry: expiry, target: .node(node)) }
      guard let name = data.shortChannelID else { throw .failure(.invalidOnionPayload(type: 10, offset: 0)) }
      return ForwardTerms(amount: amount, expiry: expiry, target: .channel(name))
    }
    // `validate` has seen to it that they are there.
    guard let amount = instructions.payload.amtToForward, let expiry = instructions.payload.outgoingCLTVValue,
      let name = instructions.payload.shortChannelID
    else { throw .failure(.invalidOnionPayload(type: 2, offset: 0)) }
    return ForwardTerms(amount: amount, expiry: expiry, target: .channel(name))
  }

  /// The channels that may carry a payment on, the one that was asked for first. BOLT 4: A node MAY forward an HTLC along an outgoing
  /// channel other than the one specified by `short_channel_id`, so long as the receiver has the same node public key.
  private func choose(_ incoming: Incoming, _ terms: ForwardTerms) throws(Refusal) -> [PaymentChannel] {
    let requested: PaymentChannel?
    let peer: PublicKey
    var name: ShortChannelID?
    switch terms.target {
    case .channel(let wanted):
      guard let id = names[wanted], let channel = channels[id] else { throw .failure(.unknownNextPeer) }
      (requested, peer, name) = (channel, channel.peer, wanted)
    case .node(let node): (requested, peer) = (nil, node)
    }
    var others = (peers[peer] ?? []).compactMap { channels[$0] }
    if let requested { others = [requested] + others.filter { $0.id != requested.id } }
    guard !others.isEmpty else { throw .failure(.unknownNextPeer) }
    var firstRefusal: Refusal?
    var candidates: [PaymentChannel] = []
    for channel in others {
      do throws(Refusal) {
        try check(incoming, terms, channel, name: name)
        candidates.append(channel)
      } catch {
        firstRefusal = firstRefusal ?? error
      }
    }
    guard !candidates.isEmpty else { throw firstRefusal ?? .failure(.unknownNextPeer) }
    return candidates
  }

  /// Whether a payment may leave through a channel. BOLT 4: if there is more than one error: SHOULD select the first error it
  /// encounters from the list above.
  private func check(
    _ incoming: Incoming, _ terms: ForwardTerms, _ channel: PaymentChannel, name: ShortChannelID?
  ) throws(Refusal) {
    let policy = channel.policy
    // BOLT 4: if it returns a `channel_update`: MUST set `short_channel_id` to the `short_channel_id` used by the incoming onion.
    let update = name.flatMap { channel.channelUpdates[$0] } ?? []
    // A lock of one kind is never made one of another kind on the way: nobody knows what opens both.
    guard channel.kinds.contains(incoming.lock.kind) else { throw .failure(.requiredChannelFeatureMissing) }
    switch channel.state {
    case .usable: break
    case .disconnected: throw .failure(.temporaryChannelFailure(channelUpdate: update))
    case .closing: throw .failure(.permanentChannelFailure)
    }
    guard terms.amount <= policy.htlcMaximumMsat else {
      throw .failure(.temporaryChannelFailure(channelUpdate: update))
    }
    guard terms.amount >= policy.htlcMinimumMsat else {
      throw .failure(.amountBelowMinimum(htlcMsat: terms.amount, channelUpdate: update))
    }
    // BOLT 4: incoming `amount_msat` - `fee` < `amt_to_forward`
    guard let fee = policy.fee(forwarding: terms.amount), let needed = terms.amount.adding(fee),
      incoming.amount >= needed
    else { throw .failure(.feeInsufficient(htlcMsat: incoming.amount, channelUpdate: update)) }
    // BOLT 4: cltv_expiry - cltv_expiry_delta >= outgoing_cltv_value
    guard UInt64(incoming.expiry) >= UInt64(terms.expiry) + UInt64(policy.cltvExpiryDelta) else {
      throw .failure(.incorrectCLTVExpiry(cltvExpiry: incoming.expiry, channelUpdate: update))
    }
    // BOLT 2: if `cltv_expiry` minus `current_height` is less than `cltv_expiry_delta` for the corresponding outgoing HTLC: MUST fail
    // that incoming HTLC. And what would have to be timed out as soon as it is there is not offered.
    guard UInt64(incoming.expiry) >= UInt64(height) + UInt64(policy.cltvExpiryDelta),
      UInt64(terms.expiry) > UInt64(height) + UInt64(configuration.timeoutGrace),
      // BOLT 2: MUST fail (and not forward) an HTLC whose fulfillment deadline is already past.
      UInt64(incoming.expiry) >= UInt64(height) + UInt64(configuration.fulfillmentMargin)
    else { throw .failure(.expiryTooSoon(channelUpdate: update)) }
    guard !policy.isDisabled else {
      throw .failure(.channelDisabled(disabledFlags: 0, channelUpdate: update))
    }
    // BOLT 4: if the `cltv_expiry` is more than `max_htlc_cltv` in the future: return an `expiry_too_far` error.
    guard UInt64(incoming.expiry) <= UInt64(height) + UInt64(configuration.maximumExpiryDelta) else {
      throw .failure(.expiryTooFar)
    }
  }

  private mutating func recordLocalFailure(_ incoming: Incoming, _ terms: ForwardTerms, _ refusal: Refusal) {
    guard case .failure(let failure) = refusal else { return }
    counters.forwards += 1
    var record = ForwardRecord(
      incoming: incoming.key, amountIn: incoming.amount, amountOut: terms.amount, expiryIn: incoming.expiry,
      expiryOut: terms.expiry, lock: incoming.lock.bytes, status: .localFailed,
      failureCode: FailureMessage(failure).code.rawValue, receivedAt: incoming.receivedAt,
      createdIndex: counters.forwards)
    record.resolvedAt = now
    store(counterChange, RecordChange(.forwards, key: record.createdIndex.stored, value: record.encoded))
    emit(.forward(record))
  }

  // MARK: What came of it

  mutating func offered(_ origin: [UInt8], as key: PaymentKey) {
    outgoings[origin]?.key = key
    switch try? OfferOrigin(decoding: origin.bytes) {
    case .forward(let forward): forwards[forward.incoming]?.outgoing = key
    case .part(let id, let attempt):
      if pendingParts[id]?.createdIndex == attempt { pendingParts[id]?.outgoing = key }
    case nil: break
    }
  }

  mutating func ended(_ origin: [UInt8], _ outcome: PaymentOutcome) {
    outgoings[origin] = nil
    switch try? OfferOrigin(decoding: origin.bytes) {
    case .forward(let forward): ended(forward, origin, outcome)
    case .part(let id, let attempt): ended(id, attempt: attempt, origin, outcome)
    case nil: actions.append(.forgetOutcome(origin: origin))
    }
  }

  private mutating func ended(_ forward: OfferOrigin.Forward, _ origin: [UInt8], _ outcome: PaymentOutcome) {
    guard var incoming = incomings[forward.incoming], incoming.origin == origin else {
      // The incoming side is gone, nobody needs it any more.
      if let record = forwards.removeValue(forKey: forward.incoming) { resolve(record, .failed, code: nil) }
      actions.append(.forgetOutcome(origin: origin))
      return
    }
    if case .settled(let witness, let attribution) = outcome {
      // BOLT 2: upon receiving an `update_fulfill_htlc` for an outgoing HTLC, OR upon discovering the `payment_preimage` from an
      // on-chain HTLC spend: MUST fulfill the incoming HTLC that corresponds to that outgoing HTLC.
      if incoming.stage != .settled,
        let ours = schemes[incoming.lock.kind]?.witness(from: witness, secret: forward.lockSecret)
      {
        settle(&incoming, ours, isFinal: false, downstream: attribution)
        incomings[incoming.key] = incoming
      }
      if let record = forwards.removeValue(forKey: incoming.key) { resolve(record, .settled, code: nil) }
      return
    }
    // Until here the outgoing side could still be taken: BOLT 2: until the removal of an outgoing HTLC is irrevocably committed, (…):
    // MUST NOT fail the incoming HTLC.
    guard incoming.stage == .forwarded else {
      // Taken up again after a restart: the channel has the removal already.
      if let record = forwards.removeValue(forKey: incoming.key) { resolve(record, .failed, code: nil) }
      return
    }
    var status = ForwardRecord.Status.failed
    var code: UInt16?
    switch outcome {
    case .settled: return
    case .failed(let reason, let attribution): relayFailure(&incoming, reason: reason, attribution: attribution)
    case .malformed(let malformed, let onionHash):
      code = malformed
      refuse(&incoming, .failure(FailureMessage.Failure(malformed: malformed, onionHash: onionHash)))
    case .timedOutOnChain:
      code = FailureCode.permanentChannelFailure.rawValue
      refuse(&incoming, .failure(.permanentChannelFailure))
    case .notOffered(let why):
      let failure = FailureMessage.Failure(why, amount: forwards[incoming.key]?.amountOut ?? .zero)
      status = .localFailed
      code = FailureMessage(failure).code.rawValue
      refuse(&incoming, .failure(failure))
    }
    incomings[incoming.key] = incoming
    if let record = forwards.removeValue(forKey: incoming.key) { resolve(record, status, code: code) }
  }

  mutating func resolve(_ pending: ForwardRecord, _ status: ForwardRecord.Status, code: UInt16?) {
    var record = pending
    record.status = status
    record.failureCode = code
    record.resolvedAt = now
    actions.append(.store(record.pastChanges + totals.add(record)))
    emit(.forward(record))
  }

  public var pendingForwards: [ForwardRecord] { forwards.values.sorted { $0.createdIndex < $1.createdIndex } }
}

extension FailureMessage.Failure {
  /// BOLT 2: a receiving node which has an outgoing HTLC canceled by `update_fail_malformed_htlc`: MUST return an error in the
  /// `update_fail_htlc` sent to the link which originally sent the HTLC, using the `failure_code` given and setting the data to
  /// `sha256_of_onion`.
  init(malformed code: UInt16, onionHash: Bytes32) {
    switch FailureCode(rawValue: code) {
    case .invalidOnionVersion: self = .invalidOnionVersion(sha256OfOnion: onionHash)
    case .invalidOnionHMAC: self = .invalidOnionHMAC(sha256OfOnion: onionHash)
    case .invalidOnionKey: self = .invalidOnionKey(sha256OfOnion: onionHash)
    case .invalidOnionBlinding: self = .invalidOnionBlinding(sha256OfOnion: onionHash)
    case let other: self = .unrecognized(other, data: onionHash.array)
    }
  }

  /// What an offer that no channel took looks like to the payer.
  init(_ refusal: OfferRefusal, amount: MilliSatoshi) {
    switch refusal {
    case .unknownChannel: self = .unknownNextPeer
    case .closing: self = .permanentChannelFailure
    case .wrongKind: self = .requiredChannelFeatureMissing
    case .belowMinimum: self = .amountBelowMinimum(htlcMsat: amount, channelUpdate: [])
    case .notConnected, .insufficientBalance, .tooManyPending, .tooMuchPending, .dustExposure:
      self = .temporaryChannelFailure(channelUpdate: [])
    }
  }
}
