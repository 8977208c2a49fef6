internal import BOLT
internal import Bitcoin
internal import Encoding
internal import GLC
internal import Logging
internal import Onchain
internal import Payments
internal import Peers
internal import Signer
internal import Storage
internal import Synchronization
internal import Wallet
internal import Wire

/// What a peer's host works off.
enum HostInput: Sendable {
  case connected(PeerConnection)
  /// What has arrived; `done` is told when it has been worked off, so that the next is read.
  case messages([RawMessage], PeerConnection, done: CheckedContinuation<Void, Never>)
  case disconnected(PeerConnection)
  /// Answers as soon as there is a connection.
  case whenConnected(CheckedContinuation<Void, Never>)

  case open(OpenOrder, Reply<ChannelID>)
  case funded(ChannelID, Transaction, output: UInt32, reservation: UInt64)
  case notFunded(ChannelID, String)
  case close(ChannelID, CloseOrder, Reply<Void>)
  case forceClose(ChannelID, String, deadline: UInt32?, Reply<Void>?)

  case offer(OutgoingPayment)
  case settle(PaymentKey, PaymentWitness, attribution: [UInt8]?)
  case fail(PaymentKey, reason: [UInt8], attribution: [UInt8]?)
  case failMalformed(PaymentKey, onionHash: Bytes32, code: UInt16)

  /// A block, with those of its transactions that somebody here watches, and their places in it.
  case block(BlockNotice, done: CheckedContinuation<Void, Never>)
  case reorg(to: UInt32, done: CheckedContinuation<Void, Never>)
  case unconfirmed(Transaction)
  /// The channel has failed and that is stored: now it goes to the chain.
  case goOnchain(ChannelID, deadline: UInt32?)
  case setPolicy(ChannelID, ForwardingPolicy, Reply<Void>)
  /// Runs with the channels at hand, behind everything that was posted before.
  case inspect(@Sendable ([HostedChannel]) -> Void)
  case send([[UInt8]])
  case stop(done: CheckedContinuation<Void, Never>)
}

typealias Reply<Value> = @Sendable (Result<Value, NodeError>) -> Void

struct BlockNotice: Sendable {
  var height: UInt32
  var transactions: [(index: UInt32, transaction: Transaction)]
}

/// What a user wants of a new channel.
struct OpenOrder: Sendable {
  var type: Wire.ChannelType
  var capacity: Satoshi
  var takesAll = false
  var pushed: MilliSatoshi
  var isAnnounced: Bool
  var feeRate: FeeRate
  var policy: ChannelPolicy
  var coins: [OutPoint]?
}

struct CloseOrder: Sendable {
  /// Nil: an address of the wallet.
  var script: Script?
}

/// A channel and what the node keeps beside it.
struct HostedChannel: Sendable {
  var channel: LightningChannel
  /// Once it goes to the chain.
  var onchain: OnchainChannel?
  /// The wallet's reservation for its funding, until that is broadcast.
  var reservation: UInt64?
  var opening: Reply<ChannelID>?
  var openOrder: OpenOrder?
  var closing: [Reply<Void>] = []
  var policy: ForwardingPolicy
  /// The peer's, for what it forwards to us.
  var peerPolicy: ForwardingPolicy?
  var peerUpdate: ChannelUpdate?
  var ourUpdates: [ShortChannelID: ChannelUpdate] = [:]
  var announcement: ChannelAnnouncement?
  /// Blocks since the funding was promised and not seen.
  var openedAt: UInt32 = 0
  var isDirty = false
  /// Payments of the peer's that are to be removed as soon as the channel is established.
  var removals: [UInt64: Removal] = [:]
}

/// How a payment of the peer's ends.
enum Removal: Sendable {
  case settle(PaymentWitness, attribution: [UInt8]?)
  case refuse(reason: [UInt8], attribution: [UInt8]?)
  case refuseMalformed(onionHash: Bytes32, code: UInt16)
}

/// One peer and its channels. A single task works off what comes in, in batches: it runs the channels, stores everything that a batch
/// has changed in one go, and only then sends and tells others. Nothing else ever touches these channels.
actor PeerHost {
  nonisolated let peer: NodeID
  nonisolated let mailbox = Mailbox<HostInput>()
  let hub: Hub
  var channels: [ChannelID: HostedChannel]
  var connection: PeerConnection?
  var logger: Logger
  private var isStopped = false
  private var waiters: [CheckedContinuation<Void, Never>] = []

  /// What a batch has led to.
  struct Batch {
    var changes: [Change] = []
    var messages: [[UInt8]] = []
    var touched: Set<ChannelID> = []
    /// After everything is stored and sent.
    var afterwards: [@Sendable () async -> Void] = []
    var done: [CheckedContinuation<Void, Never>] = []
    var disconnect: String?
    var payments: [PaymentInput] = []
    var stops = false
  }
  var batch = Batch()

  init(_ peer: NodeID, hub: Hub, channels: [LightningChannel], resolvers: [ChannelID: OnchainChannel]) {
    self.peer = peer
    self.hub = hub
    self.channels = [:]
    var logger = hub.logger
    logger[metadataKey: "peer"] = "\(String("\(peer)".prefix(12)))"
    self.logger = logger
    for channel in channels {
      self.channels[channel.id] = HostedChannel(
        channel: channel, onchain: resolvers[channel.id], policy: hub.defaultPolicy(channel.capacity))
    }
  }

  nonisolated func start() { Task { await run() } }

  private func run() async {
    begin()
    while let inputs = await mailbox.next() {
      for input in inputs { await handle(input) }
      await finishBatch()
      if isStopped { break }
    }
    mailbox.close()
    // Nobody waits for an answer that does not come.
    while let rest = await mailbox.next() { for input in rest { refuse(input) } }
    for waiter in waiters { waiter.resume() }
    waiters = []
    for hosted in channels.values {
      hosted.opening?(.failure(.openingFailed("the node stops")))
      for reply in hosted.closing { reply(.failure(.closingFailed("the node stops"))) }
    }
    channels = [:]
  }

  /// Of what comes when the host has stopped.
  private func refuse(_ input: HostInput) {
    switch input {
    case .messages(_, _, let done), .block(_, let done), .reorg(_, let done), .whenConnected(let done),
      .stop(let done):
      done.resume()
    case .open(_, let reply): reply(.failure(.openingFailed("the node stops")))
    case .close(_, _, let reply): reply(.failure(.closingFailed("the node stops")))
    case .forceClose(_, _, _, let reply): reply?(.failure(.closingFailed("the node stops")))
    case .setPolicy(_, _, let reply): reply(.failure(.start("the node stops")))
    case .inspect(let body): body(Array(channels.values))
    case .connected(let connection): connection.close("the node stops")
    case .disconnected, .funded, .notFunded, .offer, .settle, .fail, .failMalformed, .unconfirmed, .goOnchain, .send:
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

  // MARK: Batches

  private func finishBatch() async {
    let height = hub.height
    for id in Array(channels.keys) where channels[id]?.removals.isEmpty == false { tryRemovals(id) }
    // What the inputs have made due is signed now, once for all of them.
    for id in batch.touched {
      guard let context = context(height) else { break }
      guard var hosted = channels[id] else { continue }
      let effects = hosted.channel.flush(context)
      channels[id]?.channel = hosted.channel
      apply(effects, to: id)
    }
    for id in batch.touched where channels[id]?.isDirty == true {
      guard let hosted = channels[id] else { continue }
      batch.changes.append(.put(.channels, key: id.array, value: hosted.channel.encoded))
      channels[id]?.isDirty = false
    }
    let batch = batch
    self.batch = Batch()
    guard await store(batch.changes) else {
      isStopped = true
      connection?.close("storage failed")
      for done in batch.done { done.resume() }
      return
    }
    if !batch.messages.isEmpty { connection?.send(batch.messages) }
    for input in batch.payments { hub.payments.post(.input(input)) }
    if let reason = batch.disconnect { disconnect(after: reason) }
    for id in batch.touched { publish(id) }
    for work in batch.afterwards { Task { await work() } }
    for done in batch.done { done.resume() }
    if batch.stops {
      isStopped = true
      for waiter in waiters { waiter.resume() }
      waiters = []
    }
  }

  /// What is not stored has not happened: nothing of it is sent, and nothing else is worked off, until it can be stored. False when that
  /// will never be.
  private func store(_ changes: [Change]) async -> Bool {
    guard !changes.isEmpty else { return true }
    var pause = 100
    while true {
      do throws(StoreError) {
        try await hub.store.commit(changes)
        return true
      } catch {
        logger.critical("channels cannot be stored; the peer is disconnected", metadata: ["reason": "\(error)"])
        connection?.close("storage failed")
        if error.isFinal || hub.isStopping.load(ordering: .relaxed) { return false }
      }
      try? await Task.sleep(for: .milliseconds(pause))
      pause = min(pause * 2, 5000)
    }
  }

  func context(_ height: UInt32) -> ChannelContext? {
    guard let connection else { return nil }
    return ChannelContext(
      localFeatures: connection.ourInit.combinedFeatures, remoteFeatures: connection.theirFeatures, height: height,
      closingFeeRate: hub.fees.rate(within: 6))
  }

  /// Of a peer that is not connected: for steps that need none of it.
  var offlineContext: ChannelContext {
    ChannelContext(localFeatures: hub.settings.features, remoteFeatures: FeatureSet(), height: hub.height)
  }

  // MARK: Inputs

  private func handle(_ input: HostInput) async {
    switch input {
    case .connected(let connection): connect(connection)
    case .messages(let messages, let from, let done):
      batch.done.append(done)
      guard from === connection else { break }
      for message in messages where batch.disconnect == nil { receive(message) }
    case .disconnected(let closed):
      guard closed === connection else { break }
      connection = nil
      lostConnection()
    case .whenConnected(let continuation):
      if connection == nil { waiters.append(continuation) } else { continuation.resume() }
    case .open(let order, let reply): open(order, reply)
    case .funded(let id, let transaction, let output, let reservation): funded(id, transaction, output, reservation)
    case .notFunded(let id, let reason): failChannel(id, reason)
    case .close(let id, let order, let reply): close(id, order, reply)
    case .forceClose(let id, let reason, let deadline, let reply):
      forceClose(id, reason, deadline: deadline)
      reply?(channels[id] == nil ? .failure(.unknownChannel(id)) : .success(()))
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
    case .setPolicy(let id, let policy, let reply):
      guard channels[id] != nil else { return reply(.failure(.unknownChannel(id))) }
      channels[id]?.policy = policy
      batch.touched.insert(id)
      updateAnnouncements(id)
      reply(.success(()))
    case .inspect(let body): body(Array(channels.values))
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
      let effects = hosted.channel.connect()
      channels[id] = hosted
      apply(effects, to: id)
    }
    let mailbox = mailbox
    Task {
      while let messages = await connection.nextBatch() {
        await withCheckedContinuation { done in
          if !mailbox.post(.messages(messages, connection, done: done)) { done.resume() }
        }
      }
      mailbox.post(.disconnected(connection))
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
  }

  private func disconnect(after reason: String) {
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
      batch.changes.append(.put(.incoming, key: id.key(offer.offer.id), value: offer.encoded))
    case .incomingGone(let payment): batch.changes.append(.delete(.incoming, key: id.key(payment)))
    case .outcome(let origin, let outcome):
      batch.changes.append(.put(.outcomes, key: origin, value: PaymentOutcome(outcome).encoded))
    }
  }

  private func tellPayments(_ notice: PaymentNotice) {
    switch notice {
    case .incoming(let offer): batch.payments.append(.incoming(IncomingPayment(offer, at: .now)))
    case .outcome(let origin, let outcome): batch.payments.append(.outcome(origin: origin, PaymentOutcome(outcome)))
    case .incomingGone(let channel, let id): batch.payments.append(.removed(PaymentKey(channel: channel, id: id)))
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

  // MARK: Messages

  private func receive(_ raw: RawMessage) {
    let bytes = raw.bytes
    // What belongs to a channel names it behind its type.
    if bytes.count >= 34, let id = channelID(in: bytes), let hosted = channels[id], hosted.channel.ownsMessage(raw.type)
    {
      let body = bytes.dropFirst(34)
      var channel = hosted.channel
      let effects = channel.receiveUpdate(type: raw.type, body: body.bytes)
      channels[id]?.channel = channel
      batch.touched.insert(id)
      return apply(effects, to: id)
    }
    let message: Message
    do { message = try Message(decoding: bytes) } catch {
      batch.disconnect = "a message that cannot be read: \(error)"
      return
    }
    switch message {
    case .openChannel(let open): accept(open)
    case .error(let error) where error.channelID == .all:
      logger.warning("error from the peer", metadata: ["text": "\(error.data.safeText())"])
      for id in channels.keys { take(message, for: id) }
    case .warning(let warning):
      logger.warning("warning from the peer", metadata: ["text": "\(warning.data.safeText())"])
    case .channelUpdate(let update): receive(update)
    case .channelAnnouncement, .nodeAnnouncement, .queryChannelRange, .queryShortChannelIDs, .replyChannelRange,
      .replyShortChannelIDsEnd, .gossipTimestampFilter:
      if let connection { hub.gossip.post(.message(message, raw.bytes, connection)) }
    case .unknown, .custom, .ping, .pong, .`init`: break
    default:
      guard bytes.count >= 34, let id = channelID(in: bytes) else { break }
      if channels[id] != nil { return take(message, for: id) }
      if case .channelReestablish(let theirs) = message { return reestablishUnknown(theirs) }
      if case .error = message { break }
      // BOLT 2: a node that receives a message about a channel that it does not know answers with an error.
      if let answer = try? ErrorMessage(channelID: id, data: PeerText("unknown channel")).encoded() {
        batch.messages.append(answer)
      }
    }
  }

  private func channelID(in bytes: [UInt8]) -> ChannelID? {
    var reader = ByteReader(bytes.bytes)
    guard (try? reader.skip(2)) != nil, let raw = try? reader.read(Bytes32.self) else { return nil }
    return ChannelID(raw)
  }

  private func take(_ message: Message, for id: ChannelID) {
    guard var hosted = channels[id], let context = context(hub.height) else { return }
    let before = hosted.channel.phase
    let effects = hosted.channel.receive(message, context)
    channels[id] = hosted
    if case .error(let error) = message, before < .awaitingDepth {
      hosted.opening?(.failure(.peerError(error.data.safeText())))
      channels[id]?.opening = nil
    }
    batch.touched.insert(id)
    apply(effects, to: id)
  }

  /// A channel that we do not know, or not any more: the peer can only take it to the chain.
  private func reestablishUnknown(_ theirs: ChannelReestablish) {
    if let answer = try? ErrorMessage(channelID: theirs.channelID, data: PeerText("unknown channel")).encoded() {
      batch.messages.append(answer)
    }
  }

  // MARK: Payments

  private func offer(_ payment: OutgoingPayment) {
    var refusal = OfferRefusal.unknownChannel
    for id in payment.channels {
      guard var hosted = channels[id] else { continue }
      if let reason = hosted.channel.refusal(of: payment) {
        refusal = reason
        continue
      }
      do {
        let offer = AnyPaymentOffer(
          id: 0, amount: payment.amount, lock: payment.lock, expiry: payment.expiry, onion: payment.onion,
          pathKey: payment.pathKey)
        let (number, effects) = try hosted.channel.offer(offer, origin: payment.origin)
        channels[id] = hosted
        batch.touched.insert(id)
        apply(effects, to: id)
        batch.payments.append(.offered(origin: payment.origin, PaymentKey(channel: id, id: number)))
        return
      } catch {
        logger.debug("an offer was not made", metadata: ["channel": "\(id)", "reason": "\(error)"])
        refusal = .insufficientBalance
      }
    }
    batch.payments.append(.outcome(origin: payment.origin, .notOffered(refusal)))
  }

  private func settle(_ key: PaymentKey, _ witness: PaymentWitness, _ attribution: [UInt8]?) {
    guard let hosted = channels[key.channel] else { return }
    // On its way to the chain, but not there yet, it is used as soon as it is.
    if hosted.onchain != nil { return settleOnchain(key, witness) }
    remove(key, .settle(witness, attribution: attribution))
  }

  /// Removes a payment of the peer's, now or as soon as the channel can.
  private func remove(_ key: PaymentKey, _ removal: Removal) {
    guard channels[key.channel] != nil else { return }
    channels[key.channel]?.removals[key.id] = removal
    tryRemovals(key.channel)
  }

  private func tryRemovals(_ id: ChannelID) {
    guard let hosted = channels[id], !hosted.removals.isEmpty, hosted.channel.isEstablished, connection != nil else {
      return
    }
    for (number, removal) in hosted.removals.sorted(by: { $0.key < $1.key }) {
      guard var next = channels[id] else { return }
      do throws(ChannelError) {
        let effects =
          switch removal {
          case .settle(let witness, let attribution):
            try next.channel.settle(number, with: witness, attribution: attribution)
          case .refuse(let reason, let attribution):
            try next.channel.refuse(number, reason: reason, attribution: attribution)
          case .refuseMalformed(let onionHash, let code):
            try next.channel.refuseMalformed(number, onionHash: onionHash, code: code)
          }
        next.removals[number] = nil
        channels[id] = next
        batch.touched.insert(id)
        apply(effects, to: id)
      } catch {
        // Not possible now: it waits. What is gone already, or is being removed, has nothing left to wait for.
        if case .notNow = error,
          next.channel.pendingPayments.contains(where: { $0.id == number && $0.offeredBy == .remote }),
          !next.channel.removal(of: number).isOnItsWay
        {
          continue
        }
        channels[id]?.removals[number] = nil
        logger.debug("a payment was not removed", metadata: ["channel": "\(id)", "reason": "\(error)"])
      }
    }
  }
}

extension PaymentOutcome {
  init(_ outcome: OfferOutcome) {
    self =
      switch outcome {
      case .settled(let witness, let attribution): .settled(witness, attribution: attribution)
      case .failed(let reason, let attribution): .failed(reason: reason, attribution: attribution)
      case .malformed(let code, let onionHash): .malformed(code: code, onionHash: onionHash)
      }
  }
}

extension IncomingPayment {
  init(_ incoming: IncomingOffer, at time: PaymentTime?) {
    self.init(
      key: PaymentKey(channel: incoming.channel, id: incoming.offer.id), amount: incoming.offer.amount,
      lock: incoming.offer.lock, expiry: incoming.offer.expiry, onion: incoming.offer.onion,
      pathKey: incoming.offer.pathKey, records: incoming.offer.records, receivedAt: time,
      exceedsDustExposure: incoming.exceedsDustExposure)
  }
}
