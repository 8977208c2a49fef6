internal import BOLT
internal import Bitcoin
internal import Chain
internal import Encoding
internal import GLC
internal import Logging
internal import Onchain
internal import Payments
internal import Signer
internal import Storage
internal import Wallet
internal import Wire

// Blocks, and channels that go to the chain.

extension PeerHost {
  /// So deep is the end of a payment on the chain when we tell upstream, in blocks.
  private var failDepth: UInt32 { min(hub.settings.irrevocableDepth, 6) }

  func connectBlock(_ notice: BlockNotice) async {
    height = notice.height
    connectBlockToOpenings(notice)
    for id in Array(channels.keys) {
      guard var hosted = channels[id], let funding = hosted.channel.funding else {
        expire(id, notice.height)
        continue
      }
      var confirmation = funding.confirmation
      if let place = notice.transactions.first(where: { $0.transaction.txid == funding.outPoint.txid }) {
        if hosted.channel.fundingOutputMatches(place.transaction) {
          confirmation = .init(height: notice.height, transactionIndex: place.index)
        } else {
          logger.error("the funding transaction does not pay to the channel", metadata: ["channel": "\(id)"])
        }
      }
      let effects = hosted.channel.fundingDepth(height: notice.height, confirmation)
      channels[id] = hosted
      apply(effects, to: id)
      expire(id, notice.height)
      let transactions = notice.transactions.map(\.transaction)
      if let spend = transactions.first(where: { $0.inputs.contains { $0.previousOutput == funding.outPoint } }) {
        await prepare(id, for: spend)
        if channels[id]?.onchain == nil { await makeResolver(id) }
      }
      if channels[id]?.onchain != nil {
        tell(id, .block(height: notice.height, transactions: transactions, estimates: hub.fees.estimates))
        followPayments(id, notice.height)
      }
      updateFeeRate(id)
      // About once a day: what is said of the channel must not grow old.
      if notice.height.isMultiple(of: 144) { updateAnnouncements(id) }
    }
  }

  /// BOLT 2: a non-funding node SHOULD forget the channel if it does not see the correct funding transaction after a timeout of 2016
  /// blocks.
  private func expire(_ id: ChannelID, _ height: UInt32) {
    guard let hosted = channels[id], hosted.isPromised, hosted.openedAt > 0, height > hosted.openedAt + 2016,
      hosted.hasNothingAtStake
    else { return }
    forget(id, "the funding transaction was not confirmed within 2016 blocks")
  }

  func disconnectBlocks(to height: UInt32) {
    self.height = height
    disconnectBlocksFromOpenings(to: height)
    for id in channels.keys {
      guard var hosted = channels[id] else { continue }
      if let place = hosted.channel.funding?.confirmation, place.height > height {
        let effects = hosted.channel.fundingDepth(height: height, nil)
        channels[id] = hosted
        apply(effects, to: id)
      }
      if channels[id]?.onchain != nil {
        if let closed = channels[id]?.onchain?.closedAt, closed > height { channels[id]?.onchain?.closedAt = nil }
        tell(id, .reorg(to: height))
      }
    }
  }

  func see(_ transaction: Transaction) {
    for id in channels.keys where channels[id]?.onchain != nil { tell(id, .unconfirmed(transaction)) }
  }

  /// The opener keeps the commitments' fee rate near what confirmations cost.
  private func updateFeeRate(_ id: ChannelID) {
    guard let hosted = channels[id], hosted.channel.isOpener, hosted.channel.canOffer,
      !hosted.channel.fixesFeeRate, let core = hosted.channel.core,
      let state = core.fundings.first?.local
    else { return }
    // With anchors, a commitment only has to be relayed: its child pays for the rest.
    let target = hosted.channel.raisesFees ? UInt32(12) : 2
    let wanted = max(
      min(hub.fees.rate(within: target), hosted.channel.policy.maximumFeeRate), hosted.channel.policy.minimumFeeRate)
    let present = state.feeRate.satPerKiloWeight
    let (low, high) = (UInt64(present) * 3 / 4, UInt64(present) * 5 / 4)
    guard !(low...high).contains(UInt64(wanted.satPerKiloWeight)) else { return }
    step(id, "update_fee") { (channel) throws(ChannelError) in try channel.updateFee(wanted) }
  }

  // MARK: Going to the chain

  func goOnchain(_ id: ChannelID, _ reason: String, deadline: UInt32?) {
    logger.warning("the channel goes to the chain", metadata: ["channel": "\(id)", "reason": "\(reason)"])
    hub.events.send(.onchain(id, "the channel goes to the chain: \(reason)"))
    mailbox.post(.goOnchain(id, deadline: deadline))
  }

  /// Behind the batch in which the channel failed, so that its last state is stored.
  func beginOnchain(_ id: ChannelID, deadline: UInt32?) async {
    if channels[id]?.onchain == nil { await makeResolver(id) }
    closeOnchain(id, deadline: deadline)
  }

  func closeOnchain(_ id: ChannelID, deadline: UInt32?) {
    guard let onchain = channels[id]?.onchain, let channel = channels[id]?.channel else { return }
    if onchain.resolver.height == 0 {
      // Not the hub's height: that block may be on its way to us, with what spends the funding output in it.
      tell(id, .block(height: height, transactions: [], estimates: hub.fees.estimates))
    }
    // The first height at which something of ours could be lost.
    let urgent = channel.pendingPayments.map(\.expiry).min()
    tell(id, .close(deadline: deadline ?? urgent))
  }

  private func makeResolver(_ id: ChannelID) async {
    guard var hosted = channels[id], let core = hosted.channel.core, hosted.onchain == nil else { return }
    // What it takes a transaction of ours to take goes to the wallet, whatever was promised for a closing together.
    let destination = hub.sweepScript
    let cache = RecordCache()
    do {
      let input = try ResolverInput(
        core, signer: hosted.channel.signer, destination: destination,
        closings: Set(hosted.channel.closingTransactions.map(\.txid)), remotePoint: hosted.channel.pointAfterDataLoss,
        records: { cache[$0, $1] })
      var options = Resolver.Options()
      options.depth = hub.settings.irrevocableDepth
      var onchain = OnchainChannel(resolver: Resolver(input, options: options), records: cache)
      // What we have settled off the chain, and the other side has not acknowledged, must be settled on it.
      var actions: [ResolverAction] = onchain.resolver.initialWatches
      for (secretID, secret) in hosted.channel.knownSecrets {
        actions += onchain.resolver.handle(.learned(secretID, secret))
      }
      for (name, removal) in hosted.removals {
        guard case .settle(let witness, _) = removal,
          let payment = hosted.channel.livePayments.first(where: { $0.name == name && $0.offeredBy == .remote }),
          let slot = hosted.channel.paymentSlots.first(where: { $0.slot.id == payment.lock.kind })?.slot,
          let secretID = slot.secretID(of: payment.lock), let secret = slot.secret(of: witness)
        else { continue }
        actions += onchain.resolver.handle(.learned(secretID, secret))
      }
      hosted.onchain = onchain
      let effects = hosted.channel.fundingWasSpent()
      channels[id] = hosted
      apply(effects, to: id)
      storeResolver(id)
      perform(actions, id)
    } catch {
      logger.critical("a channel cannot be taken to the chain", metadata: ["channel": "\(id)", "reason": "\(error)"])
    }
  }

  /// Looks up what was kept of the commitment that this transaction may be.
  private func prepare(_ id: ChannelID, for spend: Transaction) async {
    guard let hosted = channels[id], let core = hosted.channel.core, let outPoint = spend.inputs.first?.previousOutput,
      let sequence = spend.inputs.first?.sequence
    else { return }
    if hosted.onchain == nil {
      if let effects = channels[id]?.channel.learnClosing(spend), !effects.isEmpty { apply(effects, to: id) }
      await makeResolver(id)
    }
    let obscured = UInt64(sequence & 0xff_ffff) << 24 | UInt64(spend.lockTime & 0xff_ffff)
    let number = obscured ^ (core.parameters.obscuringFactor & 0xffff_ffff_ffff)
    try? await channels[id]?.onchain?.records.load(number, outPoint, of: id, from: hub.store)
  }

  /// After a start.
  func resumeOnchain(_ id: ChannelID) {
    guard let onchain = channels[id]?.onchain else {
      // Killed between failing the channel and taking it to the chain.
      mailbox.post(.goOnchain(id, deadline: nil))
      return
    }
    perform(onchain.resolver.resume(), id)
  }

  func tell(_ id: ChannelID, _ event: ChainEvent) {
    guard var onchain = channels[id]?.onchain else { return }
    let before = onchain.closedAt
    let actions = onchain.resolver.handle(event)
    if case .block(let height, _, _) = event, before == nil, onchain.resolver.fundingSpend != nil {
      onchain.closedAt = height
    }
    channels[id]?.onchain = onchain
    storeResolver(id)
    perform(actions, id)
  }

  private func storeResolver(_ id: ChannelID) {
    guard let onchain = channels[id]?.onchain else { return }
    batch.touched.insert(id)
    batch.changes.append(.put(.resolvers, key: id.array, value: onchain.encoded))
  }

  private func perform(_ actions: [ResolverAction], _ id: ChannelID) {
    for action in actions {
      switch action {
      case .recognised(let kind): recognised(kind, id)
      case .watch(let outPoint, _): hub.watches.watch(outPoint, for: peer)
      case .publishCommitment(let own): publishCommitment(own, id)
      case .publish(let claim): publish(claim, id)
      case .spent: break
      case .learned(let secretID, let secret): learned(secretID, secret, id)
      case .lost(let outPoint, let value):
        logger.info("the other side has taken an output", metadata: ["outpoint": "\(outPoint)", "value": "\(value)"])
      case .uneconomic(let outPoint, let value):
        logger.info("an output is not worth its fee", metadata: ["outpoint": "\(outPoint)", "value": "\(value)"])
      case .resolved: resolved(id)
      }
    }
  }

  private func recognised(_ kind: FundingSpend, _ id: ChannelID) {
    let text =
      switch kind {
      case .local: "our latest commitment was confirmed"
      case .remote(_, let isLatest):
        isLatest ? "their latest commitment was confirmed" : "their last but one commitment was confirmed"
      case .revoked(let number, _, _): "they have published commitment \(number), which is revoked: it is all ours"
      case .revokedWithoutRecord(let number):
        "they have published commitment \(number), which is revoked and was not kept"
      case .own(let number, _, _, _): "an old commitment of ours (\(number)) was published"
      case .future(let number): "they have published commitment \(number), which we do not know: we have lost data"
      case .closing: "the closing transaction was confirmed"
      case .unknown: "the funding output was spent by a transaction that we do not know"
      }
    logger.notice("\(text)", metadata: ["channel": "\(id)"])
    hub.events.send(.onchain(id, text))
    switch kind {
    case .unknown, .future, .revokedWithoutRecord:
      // BOLT 5: MUST warn the user of potentially lost funds.
      logger.critical("funds may be lost: \(text)", metadata: ["channel": "\(id)"])
    default: break
    }
    hub.directory.markClosed(id, text)
  }

  private func publishCommitment(_ own: ResolverInput.LocalCommitment, _ id: ChannelID) {
    guard let signer = channels[id]?.channel.signer else { return }
    do {
      let signed = try signer.signForBroadcast(own.commitment, with: own.signatures)
      channels[id]?.onchain?.commitment = signed
      batch.afterwards.append { [hub] in
        // Refused for its fee, it may be taken later, without what pays for it.
        if await hub.broadcast([signed], "our commitment") != nil {
          await hub.broadcaster.keep([signed], "our commitment")
        }
      }
    } catch {
      logger.critical("our commitment cannot be signed", metadata: ["channel": "\(id)", "reason": "\(error)"])
    }
  }

  private func publish(_ claim: Claim, _ id: ChannelID) {
    guard let signer = channels[id]?.channel.signer else { return }
    let commitment = channels[id]?.onchain?.commitment
    let (hub, logger, mailbox) = (hub, logger, mailbox)
    batch.afterwards.append {
      var obstacle: ClaimObstacle?
      do {
        var package: [Transaction] = []
        if case .parent(let parent, _, _) = claim.purpose, let commitment, commitment.txid == parent.txid {
          package.append(commitment)
        }
        let (transaction, reservation) = try await hub.wallet.complete(claim) { transaction, claim, others in
          try signer.secrets.sign(&transaction, taking: claim.spends, with: claim.keys, others: others)
        }
        package.append(transaction)
        if let error = await hub.broadcast(package, claim.text) {
          obstacle = ClaimObstacle(error)
          if let reservation { await hub.wallet.release(reservation) }
        } else {
          try? await hub.wallet.record(
            transaction, label: "channel on the chain", isReplaceable: false, time: WallClock.seconds)
        }
      } catch WalletError.insufficientFunds(let available, let missing) {
        obstacle = .unfunded
        logger.error(
          "the wallet cannot pay for a claim: it waits for a confirmed coin",
          metadata: ["what": "\(claim.text)", "available": "\(available)", "missing": "\(missing)"])
      } catch {
        obstacle = .refused
        logger.error("a claim cannot be made", metadata: ["what": "\(claim.text)", "reason": "\(error)"])
      }
      guard let obstacle else { return }
      let taken = obstacle == .contested ? await hub.broadcaster.rivals(of: claim.outPoints) : []
      mailbox.post(.unpublished(id, claim.outPoints, obstacle, taken: taken))
    }
  }

  // MARK: Payments on the chain

  func settleOnchain(_ key: PaymentKey, _ witness: PaymentWitness) {
    guard let hosted = channels[key.channel] else { return }
    for payment in hosted.channel.livePayments where payment.name == key.payment && payment.offeredBy == .remote {
      guard let slot = hosted.channel.paymentSlots.first(where: { $0.slot.id == payment.lock.kind })?.slot,
        let secretID = slot.secretID(of: payment.lock), let secret = slot.secret(of: witness)
      else { continue }
      tell(key.channel, .learned(secretID, secret))
    }
  }

  /// The chain has shown what opens a lock.
  private func learned(_ secretID: SecretID, _ secret: [UInt8], _ id: ChannelID) {
    guard let channel = channels[id]?.channel else { return }
    for payment in channel.livePayments where payment.offeredBy == .local {
      guard let slot = channel.paymentSlots.first(where: { $0.slot.id == payment.lock.kind })?.slot,
        slot.secretID(of: payment.lock) == secretID, let origin = channel.origins[payment.name],
        let witness = slot.witness(from: secret, opening: payment.lock)
      else { continue }
      finish(payment.name, origin, .settled(witness, attribution: nil), id)
    }
  }

  private func finish(_ payment: PaymentName, _ origin: [UInt8], _ outcome: PaymentOutcome, _ id: ChannelID) {
    channels[id]?.channel.forgetOrigin(of: payment)
    channels[id]?.isDirty = true
    batch.touched.insert(id)
    batch.changes.append(.put(.outcomes, key: origin, value: outcome.encoded))
    batch.payments.append(.outcome(origin: origin, outcome))
  }

  /// What has become of payments whose channel is on the chain.
  private func followPayments(_ id: ChannelID, _ height: UInt32) {
    guard let hosted = channels[id], let onchain = hosted.onchain, let closed = onchain.closedAt,
      height + 1 >= closed + failDepth
    else { return }
    var outputs: [OutputTag: [TrackedOutput]] = [:]
    for output in onchain.resolver.outputs {
      if let tag = output.tag { outputs[tag, default: []].append(output) }
    }
    for payment in hosted.channel.livePayments {
      guard let slot = hosted.channel.paymentSlots.first(where: { $0.slot.id == payment.lock.kind })?.slot else {
        continue
      }
      // Of a payment that has no output in the commitment that was confirmed, nothing is left.
      let own = outputs[slot.tag(of: payment.id, offeredBy: payment.offeredBy)] ?? []
      let isOver = own.allSatisfy { output in output.spend.map { height + 1 >= $0.height + failDepth } ?? false }
      guard isOver else { continue }
      switch payment.offeredBy {
      case .local:
        guard let origin = hosted.channel.origins[payment.name] else { continue }
        finish(payment.name, origin, .timedOutOnChain, id)
      case .remote:
        guard hosted.channel.pendingPayments.contains(where: { $0.name == payment.name && $0.offeredBy == .remote })
        else { continue }
        forgetIncoming(PaymentKey(channel: id, payment.name))
      }
    }
  }

  private func forgetIncoming(_ key: PaymentKey) {
    batch.changes.append(.delete(.incoming, key: key.encoded))
    batch.payments.append(.removed(key))
  }

  private func resolved(_ id: ChannelID) {
    guard let hosted = channels[id], hosted.channel.phase != .ended else { return }
    logger.notice("everything of the channel is resolved", metadata: ["channel": "\(id)"])
    for (payment, origin) in hosted.channel.origins { finish(payment, origin, .timedOutOnChain, id) }
    for payment in hosted.channel.pendingPayments where payment.offeredBy == .remote {
      forgetIncoming(PaymentKey(channel: id, payment.name))
    }
    hub.watches.forget(
      (hosted.onchain?.resolver.outputs.map(\.outPoint) ?? []) + [hosted.channel.funding?.outPoint].compactMap { $0 },
      for: peer)
    channels[id]?.channel.end()
    channels[id]?.onchain = nil
    channels[id]?.isDirty = true
    batch.touched.insert(id)
    batch.changes.append(.delete(.resolvers, key: id.array))
    batch.changes.append(.delete(.policies, key: id.array))
    batch.changes.append(.deletePrefix(.revocations, prefix: id.array))
    hub.events.send(.onchain(id, "everything is resolved"))
  }
}

extension ClaimObstacle {
  /// Of what the chain's source said.
  init(_ error: ChainError) {
    self = .refused
    if case .refused(let refusal) = error, refusal.kind == .conflict {
      self = .contested
    }
  }
}

extension Claim {
  var text: String {
    switch purpose {
    case .sweep: "claim of \(spends.count) outputs"
    case .children: spends.count == 1 ? "second stage" : "\(spends.count) second stages"
    case .parent: "child that pays for its parent"
    }
  }
}

extension LightningChannel {
  /// Whether this transaction pays exactly what was agreed to where it was agreed.
  func fundingOutputMatches(_ transaction: Transaction) -> Bool {
    guard let index = funding.map({ Int($0.outPoint.vout) }), transaction.outputs.indices.contains(index),
      let script = try? fundingScript()
    else { return false }
    return transaction.outputs[index] == TxOutput(value: capacity, scriptPubKey: script)
  }
}
