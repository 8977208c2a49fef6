internal import BOLT
internal import Bitcoin
internal import Encoding
internal import GLC
internal import Logging
internal import Negotiation
internal import Peers
internal import Signer
internal import Storage
internal import Wire

// Channels that are composed with this peer: `Opening` says what is to be done, here it is done.

extension PeerHost {
  /// Whether both sides offer to compose channels. Nothing of ours is sent to anybody else.
  var composes: Bool {
    guard let connection else { return false }
    return Hub.composes(connection.theirFeatures) && Hub.composes(connection.ourInit.combinedFeatures)
  }

  // MARK: Beginning

  func propose(_ order: ProposalOrder, _ reply: @escaping Reply<ChannelID>) {
    guard connection != nil else { return reply(.failure(.notConnected(peer))) }
    guard composes else {
      return reply(.failure(.openingFailed("the peer does not compose channels: it is a plain Lightning node")))
    }
    // What the peer lacks is known before it is asked.
    if let catalogue = composition.catalogue {
      let missing = catalogue.missing(order.stack)
      guard missing.isEmpty else {
        let names = missing.map { id in
          hub.registry.funding(id) == nil ? hub.registry.name(ofExtension: id) : hub.registry.name(ofFunding: id)
        }
        return reply(.failure(.openingFailed("the peer does not have \(names.joined(separator: ", "))")))
      }
    }
    guard canBeginOpening else {
      return reply(.failure(.openingFailed("too many negotiations with this peer are under way")))
    }
    do {
      let keyIndex = hub.nextKeyIndex()
      let signer = try hub.signer(keyIndex)
      let stack = try hub.registry.propose(order.stack, hub.registry.setting(for: order.stack))
      let deal = Deal(
        chain: hub.settings.chainHash.raw, stack: order.stack, fundingFeeRate: order.feeRate,
        commitmentFeeRate: stack.fixesFeeRate
          ? FeeRate(satPerKiloWeight: 0) : max(hub.fees.rate(within: 6), .relayFloor),
        lockTime: height, pushed: order.pushed, wished: order.wished, isAnnounced: order.isAnnounced,
        replaces: order.replaces)
      let previous = order.replaces.flatMap { composition.openings[$0]?.opening }
      let (opening, effects) = try Opening.inquire(
        id: hub.randomBytes32(), deal: deal,
        terms: try hub.openingTerms(
          order.policy, contribution: order.contribution, signer: signer, shutdownScript: order.shutdownScript),
        nodes: PerParty(local: hub.nodeID.publicKey, remote: peer.publicKey), policy: hub.openingPolicy(order.policy),
        registry: hub.registry, replacing: previous)
      batch.changes.append(hub.keyIndexChange(keyIndex))
      composition.openings[opening.id] = HostedOpening(
        opening: opening, keyIndex: keyIndex, signer: signer, order: order, reply: reply)
      composition.openings[opening.id]?.previous = previous
      apply(effects, toOpening: opening.id)
    } catch {
      reply(.failure(.openingFailed("\(error)")))
    }
  }

  private var canBeginOpening: Bool {
    composition.openings.values.count(where: { $0.opening.stage < .opened }) < NegotiationLimits.perPeer
  }

  /// The peer asks for a channel.
  private func answer(_ inquiry: Inquiry) {
    do throws(Refusal) {
      guard canBeginOpening else { throw Refusal(.busy, "too many negotiations are under way") }
      guard channels.values.count(where: { $0.isPromised }) < Self.maximumPromised else {
        throw Refusal(.busy, "too many channels wait for the confirmation of their funding")
      }
      guard composition.openings[inquiry.id] == nil else {
        throw Refusal(.protocol, "a negotiation of this name is under way")
      }
      // In a replacement, we put in what we have put in before.
      let previous = inquiry.deal.replaces.flatMap { composition.openings[$0]?.opening }
      let contribution =
        previous?.terms.local?.contribution ?? min(inquiry.deal.wished, hub.settings.maximumContribution)
      let keyIndex = hub.nextKeyIndex()
      let signer: LocalSigner
      let terms: OpeningTerms
      do {
        signer = try hub.signer(keyIndex)
        terms = try hub.openingTerms(
          hub.settings.channels, contribution: contribution, signer: signer)
      } catch {
        throw Refusal(.cancelled, "internal error")
      }
      let (opening, effects) = try Opening.answer(
        inquiry, chain: hub.settings.chainHash.raw, terms: terms,
        nodes: PerParty(local: hub.nodeID.publicKey, remote: peer.publicKey),
        policy: hub.openingPolicy(hub.settings.channels), registry: hub.registry, replacing: previous)
      batch.changes.append(hub.keyIndexChange(keyIndex))
      composition.openings[opening.id] = HostedOpening(opening: opening, keyIndex: keyIndex, signer: signer)
      composition.openings[opening.id]?.previous = previous
      apply(effects, toOpening: opening.id)
    } catch {
      logger.info("a channel was refused", metadata: ["reason": "\(error)"])
      send(.refuse(inquiry.id, error))
    }
  }

  // MARK: Messages

  private func send(_ message: NegotiationMessage) {
    guard composes else { return }
    batch.messages += message.frames(number: &composition.number)
  }

  /// A message of our range.
  func receiveNegotiation(_ bytes: [UInt8], type: UInt16) {
    // Who does not offer it has no business here: to everybody else we are a plain node, which ignores what is odd.
    guard composes else {
      if type.isMultiple(of: 2) { batch.disconnect = "an unknown message of type \(type)" }
      return
    }
    var whole = bytes
    if type == NegotiationMessage.partType {
      do throws(PartsFault) {
        guard let complete = try composition.assembler.take(bytes.bytes) else { return }
        whole = complete
      } catch {
        batch.disconnect = "\(error)"
        return
      }
    }
    let message: NegotiationMessage
    do throws(DecodingError) {
      guard let decoded = try NegotiationMessage.decode(whole.bytes) else { return }
      message = decoded
    } catch {
      batch.disconnect = "a message that cannot be read: \(error)"
      return
    }
    switch message {
    case .catalogue(let catalogue): composition.catalogue = catalogue
    case .inquire(let inquiry) where composition.openings[inquiry.id] == nil: answer(inquiry)
    default:
      guard let id = message.id else { return }
      guard let hosted = composition.openings[id] else {
        // Whoever resumes something that is not known here is told so, and forgets it too.
        if case .resume = message { send(.refuse(id, Refusal(.unknown, "this negotiation is not known here"))) }
        return
      }
      let signer = hosted.signer
      step(id) { $0.receive(message, signer) }
    }
  }

  func step(_ id: NegotiationID, _ body: (inout Opening) -> [OpeningEffect]) {
    guard var hosted = composition.openings[id] else { return }
    let effects = body(&hosted.opening)
    hosted.step += 1
    composition.openings[id] = hosted
    apply(effects, toOpening: id)
  }

  // MARK: Effects

  private func apply(_ effects: [OpeningEffect], toOpening id: NegotiationID) {
    for effect in effects {
      switch effect {
      case .send(let message): send(message)
      case .persist:
        composition.openings[id]?.isDirty = true
        watch(id)
      case .chooseCoins(let request): chooseCoins(id, request)
      case .checkInputs(let check): checkInputs(id, check)
      case .signFunding(let transaction, let spending): signFunding(id, transaction, spending)
      case .opened(let opened): becomeChannel(id, opened)
      // The channel does that.
      case .broadcast: break
      case .ended(let refusal): forgetOpening(id, refusal)
      }
    }
    if composition.openings[id]?.isDirty == true { batch.changes.append(openingChange(id)) }
    armClock(id)
  }

  func openingChange(_ id: NegotiationID) -> Change {
    composition.openings[id]?.isDirty = false
    guard let hosted = composition.openings[id], hosted.opening.isStored else {
      return .delete(.openings, key: id.array)
    }
    return .put(.openings, key: id.array, value: hosted.stored)
  }

  /// What the chain may say about it.
  private func watch(_ id: NegotiationID) {
    guard let opening = composition.openings[id]?.opening, let funding = opening.channel?.fundings.first?.funding else {
      return
    }
    for outPoint in opening.outPoints + [funding.outPoint] { hub.watches.watch(outPoint, for: peer) }
  }

  /// An answer that does not come ends what is not signed.
  private func armClock(_ id: NegotiationID) {
    guard let hosted = composition.openings[id], hosted.opening.stage < .committing else { return }
    let (mailbox, step) = (mailbox, hosted.step)
    Task {
      try? await Task.sleep(for: .seconds(NegotiationLimits.secondsPerTurn))
      mailbox.post(.openingClock(id, step: step))
    }
  }

  func openingClock(_ id: NegotiationID, step count: UInt64) {
    guard composition.openings[id]?.step == count else { return }
    step(id) { $0.timeOut() }
  }

  private func chooseCoins(_ id: NegotiationID, _ request: CoinRequest) {
    guard let hosted = composition.openings[id] else { return }
    if let previous = hosted.previous {
      guard let again = previous.reusedContribution(request) else {
        return notContributed(id, "what was put in before does not pay for a replacement")
      }
      return step(id) { $0.contribute(again, hosted.signer) }
    }
    let (hub, mailbox, coins) = (hub, mailbox, hosted.order?.coins)
    batch.afterwards.append {
      do {
        let (contribution, reservation) = try await hub.wallet.contribute(request, from: coins, height: hub.height)
        guard mailbox.post(.contribution(id, contribution, reservation: reservation)) else {
          return await hub.wallet.release(reservation)
        }
      } catch {
        mailbox.post(.noContribution(id, "\(error)"))
      }
    }
  }

  func contributed(_ id: NegotiationID, _ contribution: Opening.Contribution, _ reservation: UInt64) {
    guard composition.openings[id] != nil, let signer = composition.openings[id]?.signer else {
      batch.afterwards.append { [hub] in await hub.wallet.release(reservation) }
      return
    }
    composition.openings[id]?.reservation = reservation
    step(id) { $0.contribute(contribution, signer) }
  }

  func notContributed(_ id: NegotiationID, _ reason: String) {
    logger.warning("the wallet has no coins for a channel", metadata: ["reason": "\(reason)"])
    let isOpener = composition.openings[id]?.opening.isOpener ?? false
    // What the wallet holds is nobody else's business.
    if isOpener, let reply = composition.openings[id]?.reply {
      composition.openings[id]?.reply = nil
      answer(reply, .failure(.wallet(reason)))
    }
    step(id) { $0.cancel("no coins") }
  }

  private func signFunding(_ id: NegotiationID, _ transaction: Transaction, _ spending: [TxOutput]) {
    guard let hosted = composition.openings[id], !hosted.isSigning else { return }
    composition.openings[id]?.isSigning = true
    let own = Set(hosted.opening.ownOutPoints)
    let (hub, mailbox) = (hub, mailbox)
    batch.afterwards.append {
      do {
        mailbox.post(.witnesses(id, try await hub.wallet.witnesses(transaction, of: own, spending: spending)))
      } catch {
        mailbox.post(.noWitnesses(id, "\(error)"))
      }
    }
  }

  func witnessed(_ id: NegotiationID, _ witnesses: [Witness]) {
    composition.openings[id]?.isSigning = false
    step(id) { $0.sign(witnesses) }
  }

  func notWitnessed(_ id: NegotiationID, _ reason: String) {
    composition.openings[id]?.isSigning = false
    logger.error("the wallet does not sign a funding transaction", metadata: ["reason": "\(reason)"])
    step(id) { $0.cancel("the funding transaction cannot be signed") }
  }

  /// The funding transaction is complete: from here on it is a channel as any other.
  private func becomeChannel(_ id: NegotiationID, _ opened: OpenedChannel) {
    guard var hosted = composition.openings[id] else { return }
    do {
      let (made, effects) = try LightningChannel.composed(
        opened.channel,
        ComposedOpening(
          peer: peer, keyIndex: hosted.keyIndex, isOpener: opened.isOpener, temporaryID: ChannelID(id),
          pushed: opened.deal.pushed, minimumDepth: opened.minimumDepth, alias: hub.randomAlias(),
          isAnnounced: opened.deal.isAnnounced,
          shutdownScripts: PerParty(
            local: opened.terms.local.shutdownScript, remote: opened.terms.remote.shutdownScript)),
        funding: opened.funding, signer: hosted.signer, policy: hosted.order?.policy ?? hub.settings.channels)
      var channel = HostedChannel(channel: made, policy: hub.defaultPolicy(opened.capacity))
      channel.channel.closingScript = hub.sweepScript
      channel.opening = hosted.reply
      channel.reservation = hosted.reservation
      channel.openedAt = hub.height
      hosted.reply = nil
      hosted.channel = made.id
      let early = hosted.early
      hosted.early = []
      composition.openings[id] = hosted
      channels[made.id] = channel
      apply(effects, to: made.id)
      // The peer has come back to a channel that we did not have yet, or is not there at all.
      if connection == nil || !early.isEmpty {
        _ = channels[made.id]?.channel.disconnect()
        if connection != nil, let context = context(hub.height),
          let greeting = channels[made.id]?.channel.connect(context)
        {
          apply(greeting, to: made.id)
        }
        for message in early { take(message, for: made.id) }
      }
      logger.info(
        "channel composed",
        metadata: ["channel": "\(made.id)", "stack": "\(hub.registry.text(of: opened.deal.stack))"])
    } catch {
      logger.critical("a channel that was agreed on cannot be made", metadata: ["reason": "\(error)"])
      hosted.reply?(.failure(.openingFailed("\(error)")))
      composition.openings[id]?.reply = nil
    }
  }

  private func forgetOpening(_ id: NegotiationID, _ refusal: Refusal) {
    guard let hosted = composition.openings.removeValue(forKey: id) else { return }
    logger.info("a negotiation came to nothing", metadata: ["reason": "\(refusal)"])
    if let reply = hosted.reply { answer(reply, .failure(.openingFailed("\(refusal)"))) }
    if let reservation = hosted.reservation {
      batch.afterwards.append { [hub] in await hub.wallet.release(reservation) }
    } else if hosted.opening.deal.replaces == nil {
      // After a restart, only the wallet knows which it was.
      let own = hosted.opening.ownOutPoints
      batch.afterwards.append { [hub] in await hub.wallet.release(holding: own) }
    }
    batch.changes.append(.delete(.openings, key: id.array))
  }

  // MARK: Connections

  func greetComposer() {
    composition.assembler = MessageAssembler()
    composition.catalogue = nil
    guard composes else { return }
    send(.catalogue(Catalogue(hub.registry)))
    for id in Array(composition.openings.keys) { step(id) { $0.connect() } }
  }

  func loseComposer() {
    composition.assembler = MessageAssembler()
    for id in Array(composition.openings.keys) {
      composition.openings[id]?.early = []
      step(id) { $0.disconnect() }
    }
  }

  /// A message about a channel that is not there yet. The peer has it already: it waits until we have it too.
  func keepEarly(_ message: Message, for channel: ChannelID) -> Bool {
    guard let (id, _) = composition.openings.first(where: { $0.value.channelID == channel && $0.value.channel == nil })
    else { return false }
    if composition.openings[id]?.early.count ?? 0 < 8 { composition.openings[id]?.early.append(message) }
    return true
  }

  /// After a start.
  func resumeOpenings() {
    for id in Array(composition.openings.keys) {
      watch(id)
      if let own = composition.openings[id]?.channelID, channels[own] != nil { composition.openings[id]?.channel = own }
      step(id) { $0.restart() }
    }
  }

  func closeOpenings(_ reason: String) {
    for hosted in composition.openings.values { hosted.reply?(.failure(.openingFailed(reason))) }
  }
}

/// What a host keeps of composing channels with its peer.
struct Composition: Sendable {
  var openings: [NegotiationID: HostedOpening] = [:]
  /// What the peer has said that it can compose.
  var catalogue: Catalogue?
  var assembler = MessageAssembler()
  /// Of messages in parts.
  var number: UInt32 = 0
}
