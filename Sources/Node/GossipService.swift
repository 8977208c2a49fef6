internal import Chain
internal import BOLT
internal import Bitcoin
internal import Encoding
internal import GLC
internal import Hashing
internal import Logging
internal import Payments
internal import Peers
internal import Routing
internal import Secp256k1
internal import Storage
internal import Synchronization
internal import Wire

/// What is known of the network, for everybody who asks.
final class NetworkView: Sendable {
  struct State: Sendable {
    var graph = NetworkGraph()
    var memory = ChannelMemory()
  }

  let state = Mutex(State())
}

/// What others say of the network, and what we tell them: signatures and funding outputs are checked before anything is believed, what
/// is believed is stored, and passed on.
actor GossipService {
  private let hub: Hub
  nonisolated let view: NetworkView
  private var sync: GossipSync
  /// Which output is which channel.
  private var fundings: [OutPoint: ShortChannelID]
  private var connections: [NodeID: PeerConnection] = [:]
  private var ticker: Task<Void, Never>?
  private let logger: Logger

  private init(hub: Hub, view: NetworkView, fundings: [OutPoint: ShortChannelID]) {
    self.hub = hub
    self.fundings = fundings
    self.view = view
    var settings = GossipSync.Settings()
    settings.flushInterval = hub.settings.gossipInterval
    sync = GossipSync(chain: hub.settings.chainHash, settings: settings)
    var logger = hub.logger
    logger[metadataKey: "part"] = "gossip"
    self.logger = logger
  }

  /// Reads what is stored.
  static func open(hub: Hub) async throws -> GossipService {
    let view = NetworkView()
    var fundings: [OutPoint: ShortChannelID] = [:]
    let rules = Self.rules(hub)
    // Keys begin with their kind: channels come before what needs them.
    try await hub.store.forEachRecord(in: .gossip) { record in
      if record.key == Self.memoryKey {
        if let memory = try? ChannelMemory(decoding: record.value) { view.state.withLock { $0.memory = memory } }
        return
      }
      guard let key = GossipKey(stored: record.key), record.value.count > StoredGossip.headSize,
        let head = StoredGossip(decoding: record.value)
      else { return }
      let capacity = head.capacity
      let bytes = Array(record.value.dropFirst(StoredGossip.headSize))
      if case .channel(let id) = key {
        fundings[OutPoint(txid: head.funding, vout: UInt32(id.outputIndex))] = id
      }
      _ = view.state.withLock { $0.graph.restore(key, bytes: bytes, capacity: capacity, rules: rules) }
    }
    return GossipService(hub: hub, view: view, fundings: fundings)
  }

  private static let memoryKey: [UInt8] = [0xff]

  private struct ChainIsShort: Error {}

  private static func rules(_ hub: Hub) -> GossipRules {
    GossipRules(chainHash: hub.settings.chainHash, now: UInt32(clamping: WallClock.seconds))
  }

  private var rules: GossipRules { Self.rules(hub) }
  private var now: UInt32 { UInt32(clamping: WallClock.seconds) }

  func run() async {
    ticker = Task { [hub] in
      while !Task.isCancelled {
        try? await Task.sleep(for: .seconds(min(5, max(1, Int(hub.settings.gossipInterval)))))
        hub.gossip.post(.tick)
      }
    }
    while let inputs = await hub.gossip.next() {
      for input in inputs { await handle(input) }
    }
    ticker?.cancel()
  }

  private func handle(_ input: GossipInput) async {
    switch input {
    case .connected(let connection):
      connections[connection.nodeID] = connection
      await carryOut(
        sync.connected(
          connection.nodeID, features: connection.theirFeatures, chains: connection.theirInit.networks, now: now))
    case .disconnected(let peer):
      connections[peer] = nil
      await carryOut(sync.disconnected(peer, now: now))
    case .message(let message, let bytes, let connection):
      guard connections[connection.nodeID] === connection else { break }
      let rules = rules
      let effects = view.state.withLock { state in
        sync.received(message, bytes: bytes, from: connection.nodeID, graph: &state.graph, rules: rules)
      }
      await carryOut(effects)
    case .block(let block, let height): await connect(block, height)
    case .own(let announcement): await announce(announcement)
    case .ownUpdate(let update, let isFirst): await announce(update, isFirst: isFirst)
    case .learned(let observation): learn(observation)
    case .tick:
      await carryOut(sync.tick(now: now))
      await pruneSometimes()
    }
  }

  private func carryOut(_ effects: [GossipSync.Effect]) async {
    var queue = effects
    while !queue.isEmpty {
      let effect = queue.removeFirst()
      switch effect {
      case .verify(let candidate):
        let verdict = await verify(candidate)
        let rules = rules
        queue += view.state.withLock { state in
          sync.settled(candidate, verdict, graph: state.graph, rules: rules)
        }
      case .wake(let peer): await feed(peer)
      case .warn(let peer, let text):
        connections[peer]?.send(Warning(channelID: .all, data: PeerText(text)))
      }
    }
  }

  /// Sends a peer what there is for it, as long as it reads.
  private func feed(_ peer: NodeID) async {
    guard let connection = connections[peer] else { return }
    while connection.gossipRoom > 0 {
      let outgoing = view.state.withLock { sync.pull(peer, limit: 256, graph: &$0.graph) }
      if outgoing.isEmpty { return }
      var messages: [[UInt8]] = []
      for item in outgoing {
        switch item {
        case .message(let bytes): messages.append(bytes)
        case .stored(let key):
          if let record = try? await hub.store.value(of: key.stored, in: .gossip), record.count > StoredGossip.headSize
          {
            messages.append(Array(record.dropFirst(StoredGossip.headSize)))
          }
        }
      }
      connection.sendGossip(messages)
    }
    // The rest comes with the next tick.
  }

  // MARK: Believing

  private func verify(_ candidate: GossipSync.Candidate) async -> GossipSync.Verdict {
    do {
      try candidate.message.verify()
      switch candidate.message {
      case .channelAnnouncement(let announcement):
        guard let (capacity, outPoint) = try await funding(of: announcement) else { return .refused }
        let now = now
        let changes = try view.state.withLock { state in
          try state.graph.add(
            announcement, bytes: candidate.bytes, capacity: capacity, use: candidate.use, now: now)
        }
        fundings[outPoint] = announcement.shortChannelID
        try await store(changes, capacity: capacity, funding: outPoint.txid)
      case .channelUpdate(let update, _):
        let changes = try view.state.withLock { state in
          try state.graph.apply(update, bytes: candidate.bytes, use: candidate.use)
        }
        try await store(changes)
      case .nodeAnnouncement(let announcement):
        let changes = try view.state.withLock { state in
          try state.graph.apply(announcement, bytes: candidate.bytes, use: candidate.use)
        }
        try await store(changes)
      }
      return .accepted
    } catch GraphRefusal.conflict(let changes) {
      try? await store(changes)
      return .refused
    } catch ChainError.pruned(let block) {
      logger.debug("a channel cannot be checked: its block is pruned", metadata: ["block": "\(block)"])
      return .refused
    } catch is ChainIsShort {
      return .undecided
    } catch let error as ChainError {
      logger.debug("the chain gives no answer", metadata: ["about": "\(candidate.key)", "reason": "\(error)"])
      return .undecided
    } catch {
      logger.debug("gossip was refused", metadata: ["what": "\(candidate.key)", "reason": "\(error)"])
      return .refused
    }
  }

  /// The funding output and what it holds; nil where it is not what the announcement says. BOLT 7: MUST verify that the output
  /// corresponding to `short_channel_id`'s outpoint pays to a P2WSH of `bitcoin_key_1` and `bitcoin_key_2`, and is unspent. Throws when
  /// the chain gives no answer.
  private func funding(of announcement: ChannelAnnouncement) async throws -> (Satoshi, OutPoint)? {
    let scid = announcement.shortChannelID
    guard let hash = try await hub.source.blockHash(at: scid.blockHeight) else {
      // The peer's chain may be ahead of ours.
      if scid.blockHeight <= hub.height &+ 6 { throw ChainIsShort() }
      return nil
    }
    let block = try await hub.source.block(hash)
    guard block.transactions.indices.contains(Int(scid.transactionIndex)) else { return nil }
    let txid = block.transactions[Int(scid.transactionIndex)].txid
    let outPoint = OutPoint(txid: txid, vout: UInt32(scid.outputIndex))
    guard let found = try await hub.source.unspentOutput(outPoint),
      found.output.scriptPubKey == fundingScript(of: announcement)
    else { return nil }
    return (found.output.value, outPoint)
  }

  private func fundingScript(of announcement: ChannelAnnouncement) -> Script? {
    let keys = [announcement.bitcoinKey1, announcement.bitcoinKey2].sorted()
    // Ours: both keys aggregated, sorted first, as simple taproot channels have it.
    if announcement.features.offers(.aggregatedFunding) {
      guard let aggregate = try? MuSigKeyAggregation(keys),
        let output = try? TaprootOutput(internalKey: aggregate.xOnlyPublicKey)
      else { return nil }
      return .p2tr(outputKey: output.outputKey)
    }
    let script = Script {
      $0.append(.op2)
      $0.append(push: keys[0])
      $0.append(push: keys[1])
      $0.append(.op2)
      $0.append(.checkMultiSig)
    }
    return Script.p2wsh(script)
  }

  private func store(_ changes: [GossipChange], capacity: Satoshi? = nil, funding: TxID? = nil) async throws {
    var writes: [Change] = []
    for change in changes {
      switch change {
      case .store(let key, let bytes):
        var writer = ByteWriter(reservingCapacity: bytes.count + StoredGossip.headSize)
        writer.write(capacity?.rawValue ?? 0)
        writer.write(funding ?? TxID(Bytes32()))
        writer.write(bytes)
        writes.append(.put(.gossip, key: key.stored, value: writer.bytes))
      case .remove(let key): writes.append(.delete(.gossip, key: key.stored))
      }
    }
    if !writes.isEmpty { try await hub.store.commit(writes) }
  }

  // MARK: Our own

  private func announce(_ announcement: ChannelAnnouncement) async {
    guard let bytes = try? announcement.encoded() else { return }
    let own = hub.directory.channel(named: announcement.shortChannelID).flatMap { hub.directory.entry($0) }
    let capacity = own?.capacity
    let now = now
    // The peer may have been faster: then it is known, and still ours to tell.
    let changes: [GossipChange]
    do throws(GraphRefusal) {
      changes = try view.state.withLock { state throws(GraphRefusal) in
        try state.graph.add(announcement, bytes: bytes, capacity: capacity, now: now)
      }
    } catch .alreadyKnown {
      changes = []
    } catch {
      logger.warning("our channel cannot be announced", metadata: ["reason": "\(error)"])
      return
    }
    if let funding = own?.funding { fundings[funding] = announcement.shortChannelID }
    try? await store(changes, capacity: capacity, funding: own?.funding?.txid)
    await carryOut(sync.generated(.channel(announcement.shortChannelID), timestamp: now))
    await announceNode()
  }

  private func announce(_ update: ChannelUpdate, isFirst: Bool) async {
    // After a start, everybody knows already what our channels cost.
    let known = view.state.withLock { state in
      state.graph.channel(update.shortChannelID)?.policy(isFromNode2: update.isFromNode2)
    }
    if !isFirst, let known, known.exists, known.checksum == update.checksum,
      update.timestamp < known.timestamp + ChannelUpdate.refreshTime
    {
      return
    }
    guard let bytes = try? update.encoded() else { return }
    let changes = try? view.state.withLock { state in try state.graph.apply(update, bytes: bytes) }
    guard let changes else { return }
    try? await store(changes)
    let key = GossipKey.update(DirectedChannel(update.shortChannelID, isFromNode2: update.isFromNode2))
    await carryOut(sync.generated(key, timestamp: update.timestamp))
  }

  /// BOLT 7 §The `node_announcement` Message: once there is a channel, so that others know the node.
  private func announceNode() async {
    let last = view.state.withLock { $0.graph.announcementTimestamp(of: hub.nodeID.key) } ?? 0
    let settings = hub.settings
    let name = settings.alias ?? "glc-\("\(hub.nodeID)".prefix(12))"
    let key = hub.nodeID.publicKey.array
    let color = settings.color ?? Array(key[1..<4])
    guard let alias = Alias(name), color.count == 3 else { return }
    var announcement = NodeAnnouncement(
      signature: CompactSignature(Bytes64()), features: settings.features, timestamp: max(now, last + 1),
      nodeID: hub.nodeID, rgbColor: RGBColor(red: color[0], green: color[1], blue: color[2]), alias: alias,
      addresses: NodeAddresses(settings.announcedAddresses))
    announcement.signature = hub.sign(announcement.signatureHash)
    guard let bytes = try? announcement.encoded() else { return }
    let changes = try? view.state.withLock { state in try state.graph.apply(announcement, bytes: bytes) }
    guard let changes else { return }
    try? await store(changes)
    await carryOut(sync.generated(.node(hub.nodeID.key), timestamp: announcement.timestamp))
  }

  // MARK: Forgetting

  private func connect(_ block: Block, _ height: UInt32) async {
    // BOLT 7: once its funding output has been spent: SHOULD forget a channel after a 72-block delay.
    for transaction in block.transactions {
      for input in transaction.inputs {
        if let id = fundings[input.previousOutput] { view.state.withLock { $0.graph.spent(id, height: height) } }
      }
    }
    let changes = view.state.withLock { $0.graph.removeSpent(height: height) }
    for case .remove(.channel(let id)) in changes { fundings = fundings.filter { $0.value != id } }
    try? await store(changes)
    sync.chainAdvanced()
  }

  private var lastPrune: UInt32 = 0
  private var memoryChanged = false

  private func pruneSometimes() async {
    guard now > lastPrune + 600 else { return }
    lastPrune = now
    let (now, own) = (now, hub.nodeID.key)
    let changes = view.state.withLock { $0.graph.prune(now: now, exceptOf: own) }
    try? await store(changes)
    guard memoryChanged else { return }
    memoryChanged = false
    let memory = view.state.withLock { $0.memory.encoded }
    try? await hub.store.commit([.put(.gossip, key: Self.memoryKey, value: memory)])
  }

  // MARK: Learning

  private func learn(_ observation: RouteObservation) {
    memoryChanged = true
    let now = now
    view.state.withLock { state in
      switch observation {
      case .succeeded(let channel, let amount): state.memory.passed(amount, through: DirectedChannel(channel), now: now)
      case .failed(let channel, let amount): state.memory.failed(amount, through: DirectedChannel(channel), now: now)
      case .channelFailed(let channel, _):
        state.memory.failed(MilliSatoshi(1), through: DirectedChannel(channel), now: now)
      case .nodeFailed(let node, _): state.memory.failed(NodeID(node), now: now)
      case .pairBlamed(let a, let b):
        state.memory.failed(NodeID(a), now: now)
        state.memory.failed(NodeID(b), now: now)
      case .holdTime: break
      }
    }
  }
}

/// What stands before a stored message: of a channel, what its funding output holds and the transaction that made it.
struct StoredGossip {
  static let headSize = 40
  var capacity: UInt64
  var funding: TxID

  init?(decoding bytes: [UInt8]) {
    var reader = ByteReader(bytes.bytes)
    guard let capacity = try? reader.readUInt64(), let funding = try? reader.read(Bytes32.self) else { return nil }
    self.capacity = capacity
    self.funding = TxID(funding)
  }
}

extension DirectedChannel {
  init(_ channel: ChannelDirection) { self.init(channel.shortChannelID, isFromNode2: channel.direction == 1) }
}

extension GossipKey {
  /// Channels first, then updates, then nodes.
  var stored: [UInt8] {
    var writer = ByteWriter(reservingCapacity: 34)
    switch self {
    case .channel(let id):
      writer.write(0 as UInt8)
      writer.write(id.rawValue)
    case .update(let channel):
      writer.write(1 as UInt8)
      writer.write(channel.channel.rawValue)
      writer.write(channel.isFromNode2 ? 1 : 0 as UInt8)
    case .node(let key):
      writer.write(2 as UInt8)
      writer.write(key)
    }
    return writer.bytes
  }

  init?(stored: [UInt8]) {
    var reader = ByteReader(stored.bytes)
    do throws(DecodingError) {
      switch try reader.readUInt8() {
      case 0: self = .channel(ShortChannelID(rawValue: try reader.readUInt64()))
      case 1:
        let id = ShortChannelID(rawValue: try reader.readUInt64())
        self = .update(DirectedChannel(id, isFromNode2: try reader.readUInt8() == 1))
      case 2: self = .node(try reader.read(NodeKey.self))
      default: return nil
      }
      try reader.finish()
    } catch {
      return nil
    }
  }
}
