internal import BOLT
internal import Bitcoin
internal import Encoding
internal import GLC
internal import Negotiation
internal import Logging
internal import Onchain
internal import Payments
internal import Peers
internal import Signer
internal import Storage
internal import Synchronization
internal import Wallet
internal import Wire

/// One peer and its channels. A single task works off what comes in, in batches: it runs the channels, stores everything that a batch
/// has changed in one go, and only then sends and tells others. Nothing else ever touches these channels.
actor PeerHost {
  nonisolated let peer: NodeID
  nonisolated let mailbox = Mailbox<HostInput>()
  let hub: Hub
  var channels: [ChannelID: HostedChannel]
  var connection: PeerConnection?
  /// The height of the last block that this host has worked off; the hub's may be one ahead.
  var height: UInt32
  var logger: Logger
  /// Channels that are composed with this peer.
  var composition = Composition()
  /// Offers that no channel could take at the moment.
  var waitingOffers: [OutgoingPayment] = []
  /// Channels with payments that wait for room, or to be removed: a peer may have thousands in which nothing happens.
  var unfinished: Set<ChannelID> = []
  /// How often channels were quiescent.
  var quiescences: UInt64 = 0
  var isStopped = false
  /// What is to be sent, said and done when it is durable.
  let releases: Releases
  /// What must be durable before anything that follows from it: our own last batch, and what inputs were built on.
  var forerunners: [Pledge] = []

  /// More batches than that do not wait for the disk.
  static let maximumPending = 16
  var waiters: [CheckedContinuation<Void, Never>] = []

  /// What a batch has led to.
  struct Batch {
    var changes: [Change] = []
    var messages: [[UInt8]] = []
    var touched: Set<ChannelID> = []
    /// After everything is stored and sent.
    var afterwards: [@Sendable () async -> Void] = []
    /// Who waits for an answer: told whether everything is stored, or never will be.
    var answers: [@Sendable (Bool) -> Void] = []
    var done: [CheckedContinuation<Void, Never>] = []
    /// For the messages that were read: on to the next ones.
    var read: [@Sendable () -> Void] = []
    var disconnect: String?
    var payments: [PaymentInput] = []
    /// Who asks what the channels are like: after everybody else has been told.
    var inspections: [(channel: ChannelID?, body: @Sendable ([HostedChannel]) -> Void)] = []
    var stops = false
  }
  var batch = Batch()

  init(
    _ peer: NodeID, hub: Hub, channels: [LightningChannel] = [], resolvers: [ChannelID: OnchainChannel] = [:],
    policies: [ChannelID: StoredPolicy] = [:], stored: [ChannelID: StoredUpdates] = [:],
    openings: [HostedOpening] = []
  ) {
    self.peer = peer
    self.hub = hub
    self.channels = [:]
    height = hub.height
    for hosted in openings { composition.openings[hosted.opening.id] = hosted }
    var logger = hub.logger
    logger[metadataKey: "peer"] = "\(String("\(peer)".prefix(12)))"
    self.logger = logger
    let mailbox = mailbox
    releases = Releases(
      hub: hub,
      hasFailed: { [logger] error in
        logger.critical("channels cannot be stored; the peer is disconnected", metadata: ["reason": "\(error)"])
        mailbox.post(.notStored(isFinal: false))
      }, isOver: { mailbox.post(.notStored(isFinal: true)) })
    for channel in channels {
      let policy = hub.defaultPolicy(channel.capacity)
      self.channels[channel.id] = HostedChannel(
        channel: channel, onchain: resolvers[channel.id],
        policy: policies[channel.id]?.applied(to: policy) ?? policy)
      self.channels[channel.id]?.openedAt = height
      if let updates = stored[channel.id] { self.channels[channel.id]?.stored = updates }
    }
  }

  nonisolated func start() { Task { await run() } }

  private func run() async {
    begin()
    resumeOpenings()
    while let inputs = await mailbox.next() {
      for input in inputs { await handle(input) }
      await finishBatch()
      if isStopped { break }
    }
    mailbox.close()
    await releases.drain()
    releases.close()
    // Nobody waits for an answer that does not come.
    while let rest = await mailbox.next() { for input in rest { refuse(input) } }
    for waiter in waiters { waiter.resume() }
    waiters = []
    for hosted in channels.values {
      hosted.opening?(.failure(.openingFailed("the node stops")))
      hosted.upgrading?(.failure(.start("the node stops")))
      for reply in hosted.closing { reply(.failure(.closingFailed("the node stops"))) }
    }
    closeOpenings("the node stops")
    channels = [:]
  }

  /// Of what comes when the host has stopped.
  private func refuse(_ input: HostInput) {
    switch input {
    case .block(_, let done), .reorg(_, let done), .whenConnected(let done),
      .stop(let done):
      done.resume()
    case .open(_, let reply): reply(.failure(.openingFailed("the node stops")))
    case .propose(_, let reply): reply(.failure(.openingFailed("the node stops")))
    case .composition(let body): body(composition)
    case .close(_, _, let reply): reply(.failure(.closingFailed("the node stops")))
    case .forceClose(_, _, _, let reply): reply?(.failure(.closingFailed("the node stops")))
    case .setPolicy(_, _, let reply): reply(.failure(.start("the node stops")))
    case .upgrade(_, _, let reply): reply(.failure(.start("the node stops")))
    case .inspect(let id, let body): body(seen(id))
    case .connected(let connection): connection.close("the node stops")
    case .contribution, .noContribution, .inputsChecked, .witnesses, .noWitnesses, .openingClock: break
    case .messages, .behind, .notStored, .disconnected, .funded, .notFunded, .offer, .settle, .fail, .failMalformed,
      .unconfirmed, .goOnchain, .unpublished, .prepare, .commit, .quiescenceIsOver, .send:
      break
    }
  }

  /// Before anything else, so that payments know the channels.
  func publishAll() { for id in channels.keys { publish(id) } }

  /// After a start: what must be watched, and what was on its way.
  private func begin() {
    for id in channels.keys {
      publish(id)
      guard let hosted = channels[id], let funding = hosted.channel.funding else { continue }
      hub.watches.watch(funding.outPoint, for: peer)
      if hosted.channel.phase == .awaitingDepth, let transaction = funding.transaction, funding.confirmation == nil {
        batch.afterwards.append { [hub] in await hub.broadcast([transaction], "funding, again") }
      }
      if hosted.channel.phase == .closing {
        for transaction in hosted.channel.closingTransactions {
          batch.afterwards.append { [hub] in await hub.broadcast([transaction], "closing, again") }
        }
      }
      if hosted.channel.phase == .onchain { resumeOnchain(id) }
    }
    let work = batch.afterwards
    batch.afterwards = []
    Task { for step in work { await step() } }
  }

  func context(_ height: UInt32) -> ChannelContext? {
    guard let connection else { return nil }
    return ChannelContext(
      localFeatures: connection.ourInit.combinedFeatures, remoteFeatures: connection.theirFeatures, height: height,
      closingFeeRate: hub.fees.rate(within: 6), maximumFeeRate: hub.maximumFeeRate)
  }

  /// Of a peer that is not connected: for steps that need none of it.
  var offlineContext: ChannelContext {
    ChannelContext(localFeatures: hub.settings.features, remoteFeatures: FeatureSet(), height: hub.height)
  }

  // MARK: Inputs

  private func handle(_ input: HostInput) async {
    switch input {
    case .connected(let connection): connect(connection)
    case .messages(let messages, let from, let readOn):
      batch.read.append(readOn)
      guard from === connection else { break }
      for message in messages where batch.disconnect == nil { receive(message) }
    case .disconnected(let closed):
      guard closed === connection else { break }
      connection = nil
      lostConnection()
    case .whenConnected(let continuation):
      if connection == nil { waiters.append(continuation) } else { continuation.resume() }
    case .open(let order, let reply): open(order, reply)
    case .propose(let order, let reply): propose(order, reply)
    case .contribution(let id, let contribution, let reservation): contributed(id, contribution, reservation)
    case .noContribution(let id, let reason): notContributed(id, reason)
    case .inputsChecked(let id, let fault): inputsChecked(id, fault)
    case .witnesses(let id, let witnesses): witnessed(id, witnesses)
    case .noWitnesses(let id, let reason): notWitnessed(id, reason)
    case .openingClock(let id, let step): openingClock(id, step: step)
    case .composition(let body):
      batch.answers.append { [composition] _ in body(composition) }
    case .funded(let id, let transaction, let output, let reservation): funded(id, transaction, output, reservation)
    case .notFunded(let id, let reason): failChannel(id, reason)
    case .close(let id, let order, let reply): close(id, order, reply)
    case .forceClose(let id, let reason, let deadline, let reply):
      forceClose(id, reason, deadline: deadline)
      reply?(channels[id] == nil ? .failure(.unknownChannel(id)) : .success(()))
    case .behind(let pledge): forerunners.append(pledge)
    case .notStored(let isFinal):
      connection?.close("storage failed")
      if isFinal { isStopped = true }
    case .offer(let payment): offer(payment)
    case .settle(let key, let witness, let attribution): settle(key, witness, attribution)
    case .fail(let key, let reason, let attribution):
      remove(key, .refuse(reason: reason, attribution: attribution))
    case .failMalformed(let key, let onionHash, let code):
      remove(key, .refuseMalformed(onionHash: onionHash, code: code))
    case .block(let notice, let done):
      batch.done.append(done)
      await connectBlock(notice)
    case .reorg(let height, let done):
      batch.done.append(done)
      disconnectBlocks(to: height)
    case .unconfirmed(let transaction): see(transaction)
    case .goOnchain(let id, let deadline): await beginOnchain(id, deadline: deadline)
    case .unpublished(let id, let outPoints, let obstacle, let taken):
      tell(id, .unpublished(outPoints, obstacle, taken: taken))
    case .setPolicy(let id, let policy, let reply):
      guard channels[id] != nil else { return reply(.failure(.unknownChannel(id))) }
      channels[id]?.policy = policy
      batch.changes.append(.put(.policies, key: id.array, value: StoredPolicy(policy).encoded))
      batch.touched.insert(id)
      updateAnnouncements(id)
      answer(reply, .success(()))
    case .inspect(let id, let body): batch.inspections.append((id, body))
    case .prepare(let ids): prepare(ids)
    case .commit(let id):
      channels[id]?.isHoldTimed = false
      // Should another signature have been due meanwhile, this one still has time.
      if channels[id]?.heldSince != nil { batch.touched.insert(id) }
    case .upgrade(let id, let description, let reply): upgrade(id, description, reply)
    case .quiescenceIsOver(let id, let number): quiescenceIsOver(id, number)
    case .send(let messages): batch.messages += messages
    case .stop(let done):
      batch.done.append(done)
      batch.stops = true
      connection?.close("the node stops")
    }
  }

  private func connect(_ connection: PeerConnection) {
    if self.connection != nil { lostConnection() }
    // What was meant for another connection: the channels send again what is still due.
    batch.messages = []
    batch.disconnect = nil
    self.connection = connection
    for waiter in waiters { waiter.resume() }
    waiters = []
    hub.events.send(.peer(peer, isConnected: true))
    hub.gossip.post(.connected(connection))
    for id in channels.keys {
      guard var hosted = channels[id] else { continue }
      guard let context = context(hub.height) else { break }
      let effects = hosted.channel.connect(context, fundingIsSpent: hosted.onchain?.closedAt != nil)
      channels[id] = hosted
      apply(effects, to: id)
    }
    greetComposer()
    read(from: connection)
  }

  /// A batch of messages, and the next one when that is worked off.
  private nonisolated func read(from connection: PeerConnection) {
    connection.takeBatch { [self] messages in
      let input =
        messages.map { HostInput.messages($0, connection, readOn: { [self] in read(from: connection) }) }
        ?? .disconnected(connection)
      mailbox.post(input)
    }
  }

  private func lostConnection() {
    hub.events.send(.peer(peer, isConnected: false))
    hub.gossip.post(.disconnected(peer))
    for id in channels.keys {
      guard var hosted = channels[id] else { continue }
      let effects = hosted.channel.disconnect()
      channels[id] = hosted
      apply(effects, to: id)
    }
    loseComposer()
  }

  func disconnect(after reason: String) {
    logger.warning("disconnecting", metadata: ["reason": "\(reason)"])
    connection?.close(reason, after: Warning(channelID: .all, data: PeerText(reason)))
    connection = nil
    lostConnection()
  }

  // MARK: Effects

  func apply(_ effects: [LightningEffect], to given: ChannelID) {
    guard !effects.isEmpty else { return }
    var id = given
    // A channel gets its final id with its funding.
    if let hosted = channels[id], hosted.channel.id != id {
      id = hosted.channel.id
      channels[given] = nil
      channels[id] = hosted
      batch.touched.remove(given)
      hub.directory.remove(given)
    }
    batch.touched.insert(id)
    for effect in effects {
      switch effect {
      case .persist: channels[id]?.isDirty = true
      case .record(let record): store(record, of: id)
      case .send(let message): batch.messages.append(message)
      case .makeFunding(let script, let amount): makeFunding(id, script, amount)
      case .watchFunding(let outPoint, _): hub.watches.watch(outPoint, for: peer)
      case .broadcast(let transaction, let purpose): broadcast(transaction, purpose, id)
      case .payment(let notice): tellPayments(notice)
      case .ready: becameReady(id)
      case .announce: announce(id)
      case .announced: announced(id)
      case .upgrade(let outcome): upgraded(id, outcome)
      case .stackChanged: stackChanged(id)
      case .disconnect(let reason): batch.disconnect = reason
      case .forceClose(let reason): goOnchain(id, reason, deadline: nil)
      case .forget(let reason): forget(id, reason)
      case .dataLoss:
        logger.error("we have lost data: the peer was asked to close the channel", metadata: ["channel": "\(id)"])
        goOnchain(id, "data loss", deadline: nil)
      }
    }
  }

  private func store(_ record: ChannelRecord, of id: ChannelID) {
    switch record {
    case .revocation(let number, let funding, let record):
      var writer = ByteWriter(reservingCapacity: 76)
      writer.write(id)
      writer.write(number)
      funding.encode(to: &writer)
      batch.changes.append(.put(.revocations, key: writer.bytes, value: record.bytes))
    case .incoming(let offer):
      batch.changes.append(
        .put(.incoming, key: PaymentKey(channel: id, offer.offer.name).encoded, value: offer.encoded))
    case .incomingGone(let payment):
      batch.changes.append(.delete(.incoming, key: PaymentKey(channel: id, payment).encoded))
    case .outcome(let origin, let outcome):
      batch.changes.append(.put(.outcomes, key: origin, value: PaymentOutcome(outcome).encoded))
    }
  }

  /// Tells the directory and the payments what this channel is like now.
  func publish(_ id: ChannelID) {
    guard let hosted = channels[id] else {
      hub.directory.remove(id)
      hub.payments.post(.input(.channelGone(id)))
      return
    }
    if let changed = hub.directory.update(hosted, peer: peer) { hub.payments.post(.input(.channel(changed))) }
  }

  /// A step of a channel that may be refused without harm.
  func step(
    _ id: ChannelID, _ what: String, _ body: (inout LightningChannel) throws(ChannelError) -> [LightningEffect]
  ) {
    guard var hosted = channels[id] else { return }
    do {
      let effects = try body(&hosted.channel)
      channels[id] = hosted
      apply(effects, to: id)
      batch.touched.insert(id)
    } catch {
      logger.debug("a step was not taken", metadata: ["channel": "\(id)", "what": "\(what)", "reason": "\(error)"])
    }
  }
}
