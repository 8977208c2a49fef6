internal import HTLC
internal import Synchronization
internal import BOLT
internal import Bitcoin
internal import Encoding
internal import GLC
internal import Logging
internal import Payments
internal import Secp256k1
internal import Signer
internal import Storage
internal import Wallet
internal import Wire

// Opening and closing.

extension Hub {
  /// What is forwarded over a channel costs, unless `setchannel` says otherwise.
  func defaultPolicy(_ capacity: Satoshi) -> ForwardingPolicy {
    let maximum = capacity.milliSatoshi ?? .zero
    return ForwardingPolicy(
      feeBaseMsat: settings.feeBaseMsat, feeProportionalMillionths: settings.feeProportionalMillionths,
      cltvExpiryDelta: settings.cltvExpiryDelta, htlcMinimumMsat: settings.htlcMinimum,
      htlcMaximumMsat: min(settings.htlcMaximum ?? maximum, maximum))
  }

  /// The signer of a channel: from the node's seed, the channel's number and nothing else.
  func signer(_ keyIndex: UInt64, _ marks: LocalSigner.Marks = LocalSigner.Marks()) throws -> LocalSigner {
    let developer = settings.developer
    if let given = developer.channelSecrets, given.count == Self.givenBasepoints.count {
      // Tests want certain keys in every channel; only the per-commitment secrets may still be the channel's own.
      let secrets = try BasepointSecrets(Self.givenBasepoints) { basepoint in
        try SecretKey(given[Self.givenBasepoints.firstIndex(of: basepoint) ?? 0])
      }
      return LocalSigner(
        secrets: secrets, seed: try developer.shachainSeed ?? keys.channelSeed(index: keyIndex), marks: marks)
    }
    return LocalSigner(
      channelSeed: try keys.channelSeed(index: keyIndex), basepoints: ExtensionRegistry.shipped.basepoints,
      perCommitmentSeed: developer.shachainSeed, marks: marks)
  }

  /// Those of the BOLTs, which a developer may give.
  private static let givenBasepoints: [Basepoint] = [.funding, .revocation, .payment, .delayedPayment, .htlc]

  /// - Parameter apart: what of its log is stored beside it.
  func decodeChannel(_ stored: [UInt8], apart: [UInt64: [UInt8]]) throws -> LightningChannel {
    // A key index is read before the signer can be made; one that leads nowhere fails below.
    var failure: (any Error)?
    let fallback = try signer(0)
    let channel = try LightningChannel(
      decoding: stored.bytes, registry: .shipped, policy: settings.channels, apart: apart,
      makeSigner: { index, marks in
        do { return try self.signer(index, marks) } catch {
          failure = error
          return fallback
        }
      })
    if let failure { throw failure }
    return channel
  }

  /// A number that no channel has used: stored before it is used.
  func nextKeyIndex() -> UInt64 {
    keyIndexes.withLock { index in
      index += 1; return index
    }
  }

  func randomAlias() -> ShortChannelID {
    // In a range of heights that no chain reaches, so that it is never the name of a real channel.
    let height = UInt32.random(in: 0xf0_0000...0xff_ffff)
    return ShortChannelID(
      blockHeight: height, transactionIndex: UInt32.random(in: 0...0xff_ffff),
      outputIndex: UInt16.random(in: 0...0xffff)) ?? ShortChannelID(rawValue: UInt64.random(in: 1...(.max)))
  }
}

extension PeerHost {
  /// What is asked of and granted to this peer.
  private var policy: ChannelPolicy {
    var policy = hub.settings.channels
    policy.trustsUnconfirmed = policy.trustsUnconfirmed || hub.settings.zeroconfPeers.contains(peer)
    return policy
  }

  // MARK: Opening

  func open(_ order: OpenOrder, _ reply: @escaping Reply<ChannelID>) {
    guard let context = context(hub.height) else { return reply(.failure(.notConnected(peer))) }
    do {
      let keyIndex = hub.nextKeyIndex()
      let request = OpenRequest(
        peer: peer, keyIndex: keyIndex, temporaryID: ChannelID(hub.randomBytes32()), chainHash: hub.settings.chainHash,
        type: order.type, capacity: order.capacity, pushed: order.pushed,
        feeRate: order.type.paysNoFees
          ? FeeRate(satPerKiloWeight: 0) : max(hub.fees.rate(within: 6), .relayFloor),
        isAnnounced: order.isAnnounced, shutdownScript: order.shutdownScript, alias: hub.randomAlias())
      let (channel, effects) = try LightningChannel.open(
        request, policy: order.policy, signer: try hub.signer(keyIndex), context)
      var hosted = HostedChannel(channel: channel, policy: hub.defaultPolicy(order.capacity))
      hosted.channel.closingScript = hub.sweepScript
      hosted.opening = reply
      hosted.openOrder = order
      hosted.openedAt = hub.height
      channels[channel.id] = hosted
      batch.changes.append(hub.keyIndexChange(keyIndex))
      apply(effects, to: channel.id)
    } catch let refusal as OpeningRefusal {
      reply(.failure(.openingFailed(refusal.reason)))
    } catch {
      reply(.failure(.openingFailed("\(error)")))
    }
  }

  /// Channels of a peer's whose funding is not in a block, at most.
  static let maximumPromised = 32
  /// The same of all peers together.
  static let maximumPromisedByAll = 1000

  func accept(_ message: OpenChannel) {
    guard let context = context(hub.height) else { return }
    do throws(OpeningRefusal) {
      guard
        channels[message.temporaryChannelID] == nil || channels[message.temporaryChannelID]?.channel.isFunded == false
      else { throw OpeningRefusal("temporary_channel_id is in use") }
      // BOLT 2: if the connection has been re-established after receiving a previous `open_channel`: discard the previous one. More than
      // a few at the same time are nobody's honest wish.
      guard channels.values.count(where: { !$0.channel.isFunded }) < 4 else {
        throw OpeningRefusal("too many channels are being opened at the same time")
      }
      // A funding that is promised and never made is kept for 2016 blocks.
      guard channels.values.count(where: { $0.isPromised }) < Self.maximumPromised,
        hub.directory.promised < Self.maximumPromisedByAll
      else {
        throw OpeningRefusal("too many channels wait for the confirmation of their funding")
      }
      let keyIndex = hub.nextKeyIndex()
      let signer: LocalSigner
      do { signer = try hub.signer(keyIndex) } catch { throw OpeningRefusal("internal error") }
      let (channel, effects) = try LightningChannel.accept(
        message, from: peer, keyIndex: keyIndex, chainHash: hub.settings.chainHash, policy: policy, signer: signer,
        shutdownScript: nil, alias: hub.randomAlias(), context)
      var hosted = HostedChannel(channel: channel, policy: hub.defaultPolicy(channel.capacity))
      hosted.channel.closingScript = hub.sweepScript
      hosted.openedAt = hub.height
      channels[channel.id] = hosted
      batch.changes.append(hub.keyIndexChange(keyIndex))
      apply(effects, to: channel.id)
    } catch {
      logger.info("a channel was refused", metadata: ["reason": "\(error.reason)"])
      if let answer = try? ErrorMessage(
        channelID: message.temporaryChannelID, data: PeerText(error.reason)
      ).encoded() {
        batch.messages.append(answer)
      }
    }
  }

  func makeFunding(_ id: ChannelID, _ script: Script, _ amount: Satoshi) {
    guard let order = channels[id]?.openOrder else { return }
    let (hub, mailbox) = (hub, mailbox)
    batch.afterwards.append {
      do {
        var request = SpendRequest(paying: .exactly(amount), to: script, feeRate: order.feeRate)
        request.coins = order.coins
        let (spend, transaction) = try await hub.wallet.make(request)
        guard let output = spend.outPoint?.vout else {
          throw NodeError.wallet("the funding transaction has no single recipient")
        }
        guard mailbox.post(.funded(id, transaction, output: output, reservation: spend.reservation)) else {
          return await hub.wallet.release(spend.reservation)
        }
      } catch {
        mailbox.post(.notFunded(id, "\(error)"))
      }
    }
  }

  func funded(_ id: ChannelID, _ transaction: Transaction, _ output: UInt32, _ reservation: UInt64) {
    guard var hosted = channels[id] else {
      batch.afterwards.append { [hub] in await hub.wallet.release(reservation) }
      return
    }
    hosted.reservation = reservation
    do {
      let effects = try hosted.channel.fund(with: transaction, output: output)
      channels[id] = hosted
      apply(effects, to: id)
    } catch {
      channels[id] = hosted
      failChannel(id, error.reason)
    }
  }

  /// Of a channel that is not in use yet.
  func failChannel(_ id: ChannelID, _ reason: String) {
    guard var hosted = channels[id] else { return }
    let effects = hosted.channel.fail(reason)
    channels[id] = hosted
    apply(effects, to: id)
  }

  func broadcast(_ transaction: Transaction, _ purpose: LightningEffect.Purpose, _ id: ChannelID) {
    // True: it is published.
    var replies: [@Sendable (Bool) -> Void] = []
    if purpose == .funding {
      if let reply = channels[id]?.opening {
        let final = channels[id]?.channel.id ?? id
        replies.append { reply($0 ? .success(final) : .failure(.openingFailed("nothing can be stored"))) }
      }
      channels[id]?.opening = nil
      channels[id]?.reservation = nil
      logger.info("channel funded", metadata: ["channel": "\(id)", "txid": "\(transaction.txid)"])
    }
    if purpose == .close {
      for reply in channels[id]?.closing ?? [] {
        replies.append { reply($0 ? .success(()) : .failure(.closingFailed("nothing can be stored"))) }
      }
      channels[id]?.closing = []
    }
    let (hub, answers) = (hub, replies)
    batch.afterwards.append {
      // The wallet knows its own before anybody else does; a closing transaction may pay to it.
      try? await hub.wallet.record(
        transaction, label: purpose == .funding ? "channel funding" : "channel close", isReplaceable: false,
        time: WallClock.seconds)
      await hub.broadcast([transaction], purpose.rawValue)
      // Whoever asked may count on the transaction being in the mempool.
      for answer in answers { answer(true) }
    }
    batch.answers.append { isStored in if !isStored { for answer in answers { answer(false) } } }
  }

  func becameReady(_ id: ChannelID) {
    logger.info("channel ready", metadata: ["channel": "\(id)"])
    hub.events.send(.channel(id, state: "ready"))
    updateAnnouncements(id)
  }

  func forget(_ id: ChannelID, _ reason: String) {
    guard let hosted = channels.removeValue(forKey: id) else { return }
    logger.info("a channel came to nothing", metadata: ["channel": "\(id)", "reason": "\(reason)"])
    hosted.opening?(.failure(.openingFailed(reason)))
    if let reservation = hosted.reservation {
      batch.afterwards.append { [hub] in await hub.wallet.release(reservation) }
    }
    hub.directory.remove(id)
    batch.changes.append(.delete(.channels, key: id.array))
    batch.changes.append(.delete(.policies, key: id.array))
    hub.events.send(.channel(id, state: "forgotten"))
  }

  // MARK: Closing

  func close(_ id: ChannelID, _ order: CloseOrder, _ reply: @escaping Reply<Void>) {
    guard let hosted = channels[id] else { return reply(.failure(.unknownChannel(id))) }
    if let promised = hosted.channel.terms.local?.shutdownScript, let wanted = order.script, wanted != promised {
      return reply(.failure(.closingFailed("the channel was opened with another address to close to")))
    }
    guard let script = order.script ?? hosted.channel.closingScript else {
      return reply(.failure(.closingFailed("the wallet has no address yet")))
    }
    guard let context = context(hub.height) else { return reply(.failure(.notConnected(peer))) }
    var next = hosted
    do {
      if hosted.channel.phase == .closing {
        let effects = try next.channel.bumpClosingFee(context)
        channels[id] = next
        apply(effects, to: id)
        reply(.success(()))
        return
      }
      let effects = try next.channel.close(to: script, context)
      next.closing.append(reply)
      channels[id] = next
      batch.touched.insert(id)
      apply(effects, to: id)
    } catch {
      reply(.failure(.closingFailed(error.reason)))
    }
  }

  func forceClose(_ id: ChannelID, _ reason: String, deadline: UInt32?) {
    guard var hosted = channels[id] else { return }
    guard hosted.channel.phase < .onchain else {
      if hosted.channel.phase == .onchain { closeOnchain(id, deadline: deadline) }
      return
    }
    let effects = hosted.channel.fail(reason)
    channels[id] = hosted
    apply(effects.filter { if case .forceClose = $0 { false } else { true } }, to: id)
    if hosted.channel.isFunded { goOnchain(id, reason, deadline: deadline) }
  }
}
