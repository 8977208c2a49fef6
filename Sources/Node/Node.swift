internal import Synchronization
internal import Signer
public import BOLT
public import Bitcoin
public import Chain
internal import Encoding
internal import GLC
internal import Negotiation
internal import HTLC
public import Logging
internal import Onchain
internal import PTLC
public import Payments
public import Peers
internal import Secp256k1
public import Storage
public import Wallet
public import Wire

/// A Lightning node: peers, channels, payments and a wallet over one chain and one store.
public final class Node: Sendable {
  public let nodeID: NodeID
  public let settings: NodeSettings
  let hub: Hub
  let network: PeerNetwork
  let chain: ChainService
  let payments: PaymentService
  let gossip: GossipService
  /// Where it listens, with the ports that it got.
  public let addresses: [NodeAddress]

  private init(
    hub: Hub, network: PeerNetwork, chain: ChainService, payments: PaymentService, gossip: GossipService,
    addresses: [NodeAddress]
  ) {
    nodeID = hub.nodeID
    settings = hub.settings
    self.hub = hub
    self.network = network
    self.chain = chain
    self.payments = payments
    self.gossip = gossip
    self.addresses = addresses
  }

  /// What a node is started with.
  public struct Launch: Sendable {
    public var settings: NodeSettings
    public var keys: KeyRing
    public var store: any Store
    public var source: any ChainSource
    /// The height below which the wallet has nothing; nil: the present one for a new wallet.
    public var birth: UInt32?
    public var listen: [NodeAddress] = []
    public var peers: PeerConfiguration
    public var logger: Logger

    public init(settings: NodeSettings, keys: KeyRing, store: any Store, source: any ChainSource, logger: Logger) {
      self.settings = settings
      self.keys = keys
      self.store = store
      self.source = source
      self.logger = logger
      peers = PeerConfiguration(features: settings.features, networks: [settings.chainHash])
      // What is above the BOLTs' range may be an extension's on one channel and nobody's on another: the peer's host decides.
      peers.knowsEvenType = { MessageType.known($0) != nil || $0 >= 32_768 }
      peers.logger = logger
    }
  }

  /// Reads what is stored, goes up to the chain's tip, takes up what was interrupted, and opens its doors.
  public static func start(_ launch: Launch) async throws -> Node {
    let settings = launch.settings
    let tip = try await launch.source.tip()
    let wallet = try await WalletService.open(
      keys: launch.keys, network: settings.network, birth: launch.birth ?? tip.height, store: launch.store,
      logger: launch.logger)
    let hub = Hub(
      settings: settings, keys: launch.keys, store: launch.store, source: launch.source, wallet: wallet,
      fees: FeeBoard(fallback: settings.fallbackFeeRate), logger: launch.logger)
    hub.sweepScript = try await wallet.destination()
    if let stored = try await launch.store.value(of: Array("channel key index".utf8), in: .node), stored.count == 8 {
      hub.keyIndexes.withLock { index in index = stored.reduce(0) { $0 << 8 | UInt64($1) } }
    }
    hub.height = await wallet.current.tip?.height ?? tip.height

    // Channels, and what they hold.
    var policies: [ChannelID: StoredPolicy] = [:]
    for record in try await launch.store.records(in: .policies) {
      policies[ChannelID(try Bytes32(record.key))] = try StoredPolicy(decoding: record.value)
    }
    var channels: [NodeID: [LightningChannel]] = [:]
    var resolvers: [NodeID: [ChannelID: OnchainChannel]] = [:]
    var live = LivePayments()
    var updates: [ChannelID: [StoreRecord]] = [:]
    for record in try await launch.store.records(in: .updates) where record.key.count == 40 {
      updates[ChannelID(try Bytes32(Array(record.key[..<32]))), default: []].append(record)
    }
    var stored: [ChannelID: StoredUpdates] = [:]
    for record in try await launch.store.records(in: .channels) {
      var apart: [UInt64: [UInt8]] = [:]
      let id = ChannelID(try Bytes32(record.key))
      if let records = updates[id] { stored[id] = try StoredUpdates(records, found: &apart) }
      var channel = try hub.decodeChannel(record.value, apart: apart)
      channel.closingScript = hub.sweepScript
      if channel.phase == .onchain,
        let stored = try await launch.store.value(of: channel.id.array, in: .resolvers)
      {
        resolvers[channel.peer, default: [:]][channel.id] = try await OnchainChannel.load(
          stored, channel, from: launch.store)
      }
      channels[channel.peer, default: []].append(channel)
    }
    for record in try await launch.store.records(in: .outcomes) {
      var reader = ByteReader(record.value.bytes)
      live.outcomes.append((record.key, try PaymentOutcome(from: &reader)))
    }
    let ended = Set(live.outcomes.map(\.origin))
    var incoming: [PaymentKey: IncomingOffer] = [:]
    for record in try await launch.store.records(in: .incoming) {
      let offer = try IncomingOffer(decoding: record.value)
      incoming[PaymentKey(channel: offer.channel, offer.offer.name)] = offer
    }
    for channel in channels.values.joined() where channel.phase < .ended {
      for payment in channel.pendingPayments where payment.offeredBy == .remote {
        let key = PaymentKey(channel: channel.id, payment.name)
        guard let offer = incoming[key] else { continue }
        let removal = channel.removal(of: payment.name)
        live.incoming.append(
          LivePayments.Incoming(
            IncomingPayment(offer, at: nil),
            removal: removal.isOnItsWay ? (removal.isSettled ? .settled : .failed) : .none))
      }
      for payment in channel.livePayments where payment.offeredBy == .local {
        guard let origin = channel.origins[payment.name], !ended.contains(origin) else { continue }
        live.outgoing.append(
          LivePayments.Outgoing(
            origin: origin, key: PaymentKey(channel: channel.id, payment.name), expiry: payment.expiry))
      }
    }

    let gossip = try await GossipService.open(hub: hub)
    var engine = try PaymentEngine(
      configuration: settings.payments, nodeKey: LocalNodeKey(launch.keys.nodeSecret()),
      finder: NodeRouteFinder(hub: hub, view: gossip.view),
      schemes: Hub.paymentSchemes,
      height: hub.height, now: .now, entropy: hub.randomBytes32())
    for collection in RecordCollection.allCases where collection.isLoaded {
      try await launch.store.forEachRecord(in: CollectionName(collection)) { record in
        try engine.load([RecordChange(collection, key: record.key, value: record.value)])
      }
    }
    let payments = PaymentService(hub: hub, engine: engine)

    var openings: [NodeID: [HostedOpening]] = [:]
    for record in try await launch.store.records(in: .openings) {
      let hosted = try HostedOpening(decoding: record.value, hub: hub)
      openings[NodeID(hosted.opening.nodes.remote), default: []].append(hosted)
    }
    let hosts = Set(channels.keys).union(openings.keys).map { peer in
      PeerHost(
        peer, hub: hub, channels: channels[peer] ?? [], resolvers: resolvers[peer] ?? [:], policies: policies,
        stored: stored, openings: openings[peer] ?? [])
    }
    hub.hosts.withLock { all in for host in hosts { all[host.peer] = host } }
    // The engine knows every channel before it takes up what was interrupted.
    for host in hosts { await host.publishAll() }
    let known = hub.directory.all.values.map(\.payment)
    await payments.restart(live, channels: known)
    for host in hosts { host.start() }
    Task { await payments.run() }
    Task { await gossip.run() }
    let chain = ChainService(hub: hub)
    try await chain.start()

    let network = PeerNetwork(secretKey: launch.keys.nodeSecret(), configuration: launch.peers) { connection in
      hub.hostOrNew(connection.nodeID).mailbox.post(.connected(connection))
    }
    var addresses: [NodeAddress] = []
    for address in launch.listen { addresses.append(try await network.listen(on: address)) }
    let node = Node(
      hub: hub, network: network, chain: chain, payments: payments, gossip: gossip, addresses: addresses)
    for peer in try await launch.store.records(in: .peers) {
      guard let key = PublicKey(parsing: peer.key), let known = try? NodeAddresses(stored: peer.value).list().addresses
      else { continue }
      // Who has channels with us is kept; others are only remembered.
      if channels[NodeID(key)]?.contains(where: { $0.phase < .ended }) == true {
        network.keepConnected(NodeID(key), at: known)
      }
    }
    return node
  }

  /// Closes the doors, lets every part finish what it is doing, and lets go of the store.
  public func stop() async {
    hub.isStopping.store(true, ordering: .relaxed)
    await hub.broadcaster.stop()
    await hub.rescan.stop()
    await chain.stop()
    await network.stop()
    for host in hub.hosts.withLock({ Array($0.values) }) {
      await withCheckedContinuation { done in if !host.mailbox.post(.stop(done: done)) { done.resume() } }
    }
    hub.payments.close()
    hub.gossip.close()
    hub.events.finish()
    hub.waiters.finish()
    try? await hub.store.close()
  }

  // MARK: Peers

  /// Connects, and remembers where.
  public func connect(to peer: NodeID, at addresses: [NodeAddress]) async throws {
    _ = try await network.connect(to: peer, at: addresses)
    try await hub.store.commit([.put(.peers, key: peer.publicKey.array, value: addresses.stored)])
    // Handed up on another thread: whoever asks for the peer next shall find it.
    let host = hub.hostOrNew(peer)
    await withCheckedContinuation { if !host.mailbox.post(.whenConnected($0)) { $0.resume() } }
    network.keepConnected(peer, at: addresses)
  }

  public func disconnect(from peer: NodeID) {
    network.release(peer)
    network.peer(peer)?.close("disconnected by the user")
  }

  // MARK: Channels

  /// The best channel type that a peer knows too. BOLT 2: SHOULD NOT set it to a type containing a feature which was not negotiated.
  func channelType(for peer: NodeID) -> Wire.ChannelType {
    guard let theirs = network.peer(peer)?.theirFeatures else { return .anchors }
    return theirs[Feature.anchors.bit] || theirs[Feature.anchors.bit + 1] ? .anchors : .staticRemotekey
  }

  /// Opens a channel with a connected peer; returns its id when the funding transaction is broadcast.
  public func openChannel(
    with peer: NodeID, capacity: Satoshi, pushing pushed: MilliSatoshi = .zero, type: Wire.ChannelType? = nil,
    isAnnounced: Bool? = nil, feeRate: FeeRate? = nil
  ) async throws -> ChannelID {
    let type = type ?? channelType(for: peer)
    let order = OpenOrder(
      type: type, capacity: capacity, pushed: pushed,
      isAnnounced: isAnnounced ?? (settings.announcesChannels && !type.signsTogether),
      feeRate: feeRate ?? hub.fees.rate(within: 6), policy: settings.channels)
    return try await open(order, with: peer)
  }

  func open(_ order: OpenOrder, with peer: NodeID) async throws -> ChannelID {
    guard let host = hub.host(peer) else { throw NodeError.unknownPeer(peer) }
    return try await withCheckedThrowingContinuation { continuation in
      if !host.mailbox.post(.open(order) { continuation.resume(with: $0.mapError { $0 as any Error }) }) {
        continuation.resume(throwing: NodeError.notConnected(peer))
      }
    }
  }

  /// Composes a channel with a connected peer; returns its id when the funding transaction is broadcast.
  func propose(_ order: ProposalOrder, to peer: NodeID) async throws -> ChannelID {
    guard let host = hub.host(peer) else { throw NodeError.unknownPeer(peer) }
    return try await withCheckedThrowingContinuation { continuation in
      if !host.mailbox.post(.propose(order) { continuation.resume(with: $0.mapError { $0 as any Error }) }) {
        continuation.resume(throwing: NodeError.notConnected(peer))
      }
    }
  }

  /// Replaces the funding transaction of a composed channel, which is not confirmed yet, by one that pays more. The channel gets another id.
  func replaceFunding(of channel: ChannelID, feeRate: FeeRate) async throws -> ChannelID {
    for (peer, composition) in await compositions() {
      guard let hosted = composition.openings.values.first(where: { $0.channel == channel }),
        let ours = hosted.opening.terms.local, let theirs = hosted.opening.terms.remote
      else { continue }
      guard hosted.opening.isOpener else {
        throw NodeError.openingFailed("the peer has proposed it: it can replace it")
      }
      let deal = hosted.opening.deal
      var order = ProposalOrder(
        stack: deal.stack, contribution: ours.contribution, wished: theirs.contribution, pushed: deal.pushed,
        isAnnounced: deal.isAnnounced, feeRate: feeRate, policy: hosted.order?.policy ?? settings.channels,
        shutdownScript: ours.shutdownScript)
      order.replaces = hosted.opening.id
      return try await propose(order, to: peer)
    }
    throw NodeError.unknownChannel(channel)
  }

  /// What is being composed, by peer.
  func compositions() async -> [NodeID: Composition] {
    var all: [NodeID: Composition] = [:]
    for (peer, host) in hub.hosts.withLock({ $0 }) {
      all[peer] = await withCheckedContinuation { continuation in
        if !host.mailbox.post(.composition { continuation.resume(returning: $0) }) {
          continuation.resume(returning: Composition())
        }
      }
    }
    return all
  }

  /// Closes a channel together with the peer; returns when both have signed.
  public func close(_ channel: ChannelID, to script: Script? = nil) async throws {
    guard let host = hub.host(of: channel) else { throw NodeError.unknownChannel(channel) }
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
      let order = CloseOrder(script: script)
      if !host.mailbox.post(.close(channel, order) { continuation.resume(with: $0.mapError { $0 as any Error }) }) {
        continuation.resume(throwing: NodeError.unknownChannel(channel))
      }
    }
  }

  /// Publishes our commitment.
  public func forceClose(_ channel: ChannelID, reason: String = "closed by the user") async throws {
    guard let host = hub.host(of: channel) else { throw NodeError.unknownChannel(channel) }
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
      if !host.mailbox.post(
        .forceClose(channel, reason, deadline: nil) { continuation.resume(with: $0.mapError { $0 as any Error }) })
      {
        continuation.resume(throwing: NodeError.unknownChannel(channel))
      }
    }
  }

  /// Every channel as its host has it, behind everything that was posted before.
  func inspect() async -> [HostedChannel] {
    var all: [HostedChannel] = []
    for host in hub.hosts.withLock({ Array($0.values) }) { all += await inspect(nil, of: host) }
    // Numbers are moved rather than channels.
    let order = all.indices.sorted {
      (all[$0].channel.peer, all[$0].channel.id) < (all[$1].channel.peer, all[$1].channel.id)
    }
    return order.map { all[$0] }
  }

  /// One of them.
  func inspect(_ id: ChannelID) async -> HostedChannel? {
    if let host = hub.host(of: id) { return await inspect(id, of: host).first }
    // The directory does not know those that have ended.
    for host in hub.hosts.withLock({ Array($0.values) }) {
      if let found = await inspect(id, of: host).first { return found }
    }
    return nil
  }

  private func inspect(_ id: ChannelID?, of host: PeerHost) async -> [HostedChannel] {
    await withCheckedContinuation { continuation in
      if !host.mailbox.post(.inspect(id) { continuation.resume(returning: $0) }) { continuation.resume(returning: []) }
    }
  }

  func channel(_ id: ChannelID) async -> LightningChannel? { await inspect(id)?.channel }

  /// The channels, as values.
  public func channels() async -> [LightningChannel] { await inspect().map(\.channel) }

  // MARK: Payments

  public func createInvoice(_ terms: InvoiceTerms) async throws -> InvoiceRecord {
    let question = RecallQuestion.invoices(
      hashes: terms.paymentHashes(Hub.paymentSchemes), labels: [terms.label])
    return try await hub.withPayments(recalling: question) {
      engine, now -> (Result<InvoiceRecord, InvoiceRefusal>, [PaymentAction]) in
      do throws(InvoiceRefusal) {
        let (invoice, actions) = try engine.createInvoice(terms, at: now)
        return (.success(invoice), actions)
      } catch {
        return (.failure(error), [])
      }
    }.get()
  }

  /// Pays an invoice and waits for how it ends. Throws `PaymentFailure`.
  public func pay(_ request: PayRequest) async throws -> PaymentRecord {
    let question = RecallQuestion.payments(request.invoice.contents.paymentHash)
    return try await hub.payment(recalling: question) { engine, now throws(PaymentFailure) in
      try engine.pay(request, at: now)
    }
  }

  public func keysend(_ request: KeysendRequest) async throws -> PaymentRecord {
    try await hub.payment { engine, now throws(PaymentFailure) in try engine.keysend(request, at: now) }
  }

  // MARK: Wallet

  public func newAddress(_ kind: AddressKind = .taproot) async throws -> Address {
    try await hub.wallet.newAddress(kind)
  }
  public func walletBalance() async -> Balance { await hub.wallet.current.balance }

  /// Pays from the wallet; returns the transaction, which is broadcast.
  public func withdraw(_ amount: SpendRequest.Amount, to script: Script, feeRate: FeeRate? = nil) async throws
    -> Transaction
  {
    let request = SpendRequest(paying: amount, to: script, feeRate: feeRate ?? hub.fees.rate(within: 6))
    let (spend, transaction) = try await hub.wallet.make(request)
    try await hub.wallet.record(transaction, label: "withdrawal", fee: spend.fee, time: WallClock.seconds)
    try await hub.source.submit(transaction)
    return transaction
  }

  // MARK: Waiting

  public var height: UInt32 { hub.height }
  /// Returns when every part has processed this height.
  public func reach(_ height: UInt32) async { await chain.reach(height) }
}

extension [NodeAddress] {
  var stored: [UInt8] {
    var writer = ByteWriter()
    NodeAddresses(self).encode(to: &writer)
    return writer.bytes
  }
}

extension NodeAddresses {
  init(stored: [UInt8]) throws(DecodingError) {
    var reader = ByteReader(stored.bytes)
    try self.init(from: &reader)
  }
}
