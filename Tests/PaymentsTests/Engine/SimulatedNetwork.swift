import Bitcoin
import Encoding
import GLC
import Hashing
import Payments
import Secp256k1
import Sphinx
import Synchronization
import Wire

/// Numbers that look random and are the same each time (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

let hashKind = ExtensionID(rawValue: 0x0400)
let pointKind = ExtensionID(rawValue: 0x0500)
let bothKinds: [any PaymentScheme] = [HashLocks(kind: hashKind), PointLocks(kind: pointKind)]

/// What a rule of the simulation that was broken looks like.
struct SimulationError: Error, CustomStringConvertible {
  var description: String
  init(_ description: String) { self.description = description }
}

/// A channel between two nodes, without commitments: what is offered is irrevocably committed at once. Removals take two steps, the
/// first of which a crash can undo.
struct SimulatedChannel {
  struct Offer {
    var amount: MilliSatoshi
    var lock: PaymentLock
    var expiry: UInt32
    var onion: [UInt8]
    var pathKey: PublicKey?
    var origin: [UInt8]
    var removal: Removal?
  }

  enum Removal {
    case settled(PaymentWitness, [UInt8]?)
    case failed([UInt8], [UInt8]?)
    case malformed(UInt16, Bytes32)

    var isSettled: Bool { if case .settled = self { true } else { false } }

    var outcome: PaymentOutcome {
      switch self {
      case .settled(let witness, let attribution): .settled(witness, attribution: attribution)
      case .failed(let reason, let attribution): .failed(reason: reason, attribution: attribution)
      case .malformed(let code, let hash): .malformed(code: code, onionHash: hash)
      }
    }
  }

  let id: ChannelID
  let shortChannelID: ShortChannelID
  /// Indices of the two nodes.
  let ends: [Int]
  var balances: [UInt64]
  var policies: [ForwardingPolicy]
  /// By the side that made them, 0 or 1, and their ids.
  var offers: [[UInt64: Offer]] = [[:], [:]]
  var nextIDs: [UInt64] = [0, 0]
  var isPublic = true
  var kinds: Set<ExtensionID> = [hashKind, pointKind]
  var isOpen = true
  var isConnected = true

  func side(of node: Int) -> Int { ends[0] == node ? 0 : 1 }
  var total: UInt64 {
    balances[0] + balances[1] + offers.joined().reduce(0) { $0 + $1.value.amount.rawValue }
  }
}

/// Nodes with payment engines, channels between them, and a chain that only has heights.
struct SimulatedNetwork {
  struct Node {
    let key: LocalNodeKey
    let finder: SimulatedFinder
    var configuration: PaymentConfiguration
    var engine: PaymentEngine
    /// What survives.
    var records: [RecordCollection: [[UInt8]: [UInt8]]] = [:]
    var outcomes: [[UInt8]: [UInt8]] = [:]
    var events: [PaymentEvent] = []
    var closes: [(ChannelID, UInt32, CloseReason)] = []
    var starts: UInt64 = 0
    var id: PublicKey { key.nodeID }
  }

  var nodes: [Node] = []
  var channels: [ChannelID: SimulatedChannel] = [:]
  /// What is on its way to a node, from each channel in order.
  var queues: [Int: [ChannelID: [PaymentInput]]] = [:]
  /// Removals whose second step is to come.
  var removals: [(ChannelID, side: Int, id: UInt64)] = []
  var height: UInt32 = 1000
  var time = PaymentTime(seconds: 1_800_000_000)
  var random: SeededGenerator
  let seed: UInt64
  /// How many stores a node lives on for; nil: it does not crash.
  var storesUntilCrash: Int?
  var crashes = 0
  /// Whether engines forget what is over as soon as that is stored.
  var forgets = false
  private var round: UInt64 = 0
  /// Called for every incoming offer before it reaches a node; true: swallowed.
  var intercepted: [(Int, IncomingPayment)] = []
  var interceptsAt: Int?
  /// All offers that were ever made: on which channel, by which node, and their locks.
  var offered: [(channel: ChannelID, by: Int, lock: PaymentLock)] = []
  /// An error that a channel gives to the next offers of a node.
  var refusals: [Int: [OfferRefusal]] = [:]

  init(seed: UInt64 = 1) {
    self.seed = seed
    random = SeededGenerator(seed: seed)
  }

  // MARK: Building

  static func secretKey(_ index: Int) throws -> SecretKey { try SecretKey(sha256(Array("node \(index)".utf8))) }

  mutating func addNode(_ configure: (inout PaymentConfiguration) -> Void = { _ in }) throws -> Int {
    let index = nodes.count
    let key = LocalNodeKey(try Self.secretKey(index))
    var configuration = PaymentConfiguration(network: .regtest)
    configuration.minimumPart = MilliSatoshi(1000)
    configure(&configuration)
    let finder = SimulatedFinder(key.nodeID)
    let engine = try PaymentEngine(
      configuration: configuration, nodeKey: key, finder: finder, schemes: bothKinds,
      height: height, now: time, entropy: sha256(Array("\(seed) \(index)".utf8)))
    nodes.append(Node(key: key, finder: finder, configuration: configuration, engine: engine))
    return index
  }

  @discardableResult
  mutating func connect(
    _ a: Int, _ b: Int, _ balances: (UInt64, UInt64), feeBase: UInt32 = 1000, feePpm: UInt32 = 100,
    delta: UInt16 = 34, minimum: UInt64 = 1, maximum: UInt64 = .max, isPublic: Bool = true,
    kinds: Set<ExtensionID> = [hashKind, pointKind]
  ) -> ChannelID {
    let number = UInt32(channels.count + 1)
    let scid = ShortChannelID(blockHeight: 100 + number, transactionIndex: 1, outputIndex: 0)!
    let id = ChannelID(sha256(Array("channel \(number)".utf8)))
    let policy = ForwardingPolicy(
      feeBaseMsat: feeBase, feeProportionalMillionths: feePpm, cltvExpiryDelta: delta,
      htlcMinimumMsat: MilliSatoshi(minimum), htlcMaximumMsat: MilliSatoshi(maximum))
    var channel = SimulatedChannel(
      id: id, shortChannelID: scid, ends: [a, b], balances: [balances.0, balances.1], policies: [policy, policy])
    channel.isPublic = isPublic
    channel.kinds = kinds
    channels[id] = channel
    tell(id)
    return id
  }

  /// Tells both ends, and all finders, what there is to know of a channel.
  mutating func tell(_ id: ChannelID) {
    for node in channels[id]!.ends { perform(node, .channel(description(of: id, for: node))) }
    updateFinders()
  }

  func description(of id: ChannelID, for node: Int) -> PaymentChannel {
    let channel = channels[id]!
    let side = channel.side(of: node)
    return PaymentChannel(
      id: id, peer: nodes[channel.ends[1 - side]].id, shortChannelID: channel.shortChannelID,
      isPublic: channel.isPublic, state: channel.isOpen ? channel.isConnected ? .usable : .disconnected : .closing,
      policy: channel.policies[side], peerPolicy: channel.policies[1 - side], kinds: channel.kinds,
      receivable: MilliSatoshi(channel.balances[1 - side]),
      channelUpdates: [channel.shortChannelID: channelUpdate(of: channel, side: side)])
  }

  /// A signed `channel_update`.
  func channelUpdate(of channel: SimulatedChannel, side: Int) -> [UInt8] {
    let node = channel.ends[side]
    let policy = channel.policies[side]
    let isNode2 = nodes[channel.ends[1 - side]].id < nodes[node].id
    var flags = ChannelUpdateFlags(rawValue: isNode2 ? 1 : 0)
    if policy.isDisabled { flags = ChannelUpdateFlags(rawValue: flags.rawValue | 2) }
    var update = ChannelUpdate(
      signature: CompactSignature(Bytes64()), chainHash: .regtest, shortChannelID: channel.shortChannelID,
      timestamp: UInt32(time.seconds), messageFlags: ChannelUpdateMessageFlags(rawValue: 1), channelFlags: flags,
      cltvExpiryDelta: policy.cltvExpiryDelta, htlcMinimumMsat: policy.htlcMinimumMsat,
      feeBaseMsat: policy.feeBaseMsat, feeProportionalMillionths: policy.feeProportionalMillionths,
      htlcMaximumMsat: policy.htlcMaximumMsat)
    if let key = try? Self.secretKey(node) {
      update.signature = CompactSignature(key.signECDSA(update.signatureHash))
    }
    return (try? update.encoded()) ?? []
  }

  /// Finders know the public channels as they were announced, and what their own node's channels hold.
  mutating func updateFinders(announcing announced: [ChannelID: [ForwardingPolicy]] = [:]) {
    var edges: [SimulatedFinder.Edge] = []
    for channel in channels.values.sorted(by: { $0.id < $1.id }) where channel.isOpen && channel.isPublic {
      for side in 0..<2 {
        edges.append(
          SimulatedFinder.Edge(
            from: nodes[channel.ends[side]].id, to: nodes[channel.ends[1 - side]].id, scid: channel.shortChannelID,
            policy: (announced[channel.id] ?? channel.policies)[side], kinds: channel.kinds, capacity: channel.total))
      }
    }
    for index in nodes.indices {
      var own: [SimulatedFinder.Edge] = []
      for channel in channels.values.sorted(by: { $0.id < $1.id })
      where channel.isOpen && channel.ends.contains(index) {
        let side = channel.side(of: index)
        own.append(
          SimulatedFinder.Edge(
            from: nodes[index].id, to: nodes[channel.ends[1 - side]].id, scid: channel.shortChannelID,
            policy: channel.policies[side], kinds: channel.kinds, capacity: channel.balances[side]))
      }
      nodes[index].finder.set(own + edges.filter { $0.from != nodes[index].id })
    }
  }

  // MARK: Running

  mutating func perform(_ node: Int, _ input: PaymentInput) {
    carryOut(node, nodes[node].engine.handle(input, at: time))
  }

  /// What an engine makes of an input in the end, when it is told what is stored. Nothing of it is done.
  mutating func answers(_ node: Int, to input: PaymentInput) -> [PaymentAction] {
    let actions = nodes[node].engine.handle(input, at: time)
    return actions.flatMap { action in
      guard case .recall(let key, let question) = action else { return [action] }
      return nodes[node].engine.handle(.recalled(key, recalled(question, at: node)), at: time)
    }
  }

  /// Does what an engine says. What a crash cuts off is lost.
  mutating func carryOut(_ node: Int, _ actions: [PaymentAction]) {
    for action in actions {
      switch action {
      case .store(let changes):
        if let left = storesUntilCrash {
          storesUntilCrash = left > 0 ? left - 1 : nil
          if left == 0 {
            // Dies before or after the store has become durable.
            if Bool.random(using: &random) { apply(changes, to: node) }
            crash(node)
            return
          }
        }
        apply(changes, to: node)
      case .offer(let offer): self.offer(offer, by: node)
      case .settle(let key, let witness, let attribution):
        remove(key, by: node, .settled(witness, attribution))
      case .fail(let key, let reason, let attribution): remove(key, by: node, .failed(reason, attribution))
      case .failMalformed(let key, let hash, let code): remove(key, by: node, .malformed(code, hash))
      case .closeChannel(let channel, let deadline, let reason):
        nodes[node].closes.append((channel, deadline, reason))
      case .forgetOutcome(let origin): nodes[node].outcomes[origin] = nil
      case .recall(let key, let question): perform(node, .recalled(key, recalled(question, at: node)))
      case .event(let event): nodes[node].events.append(event)
      }
    }
    guard forgets else { return }
    nodes[node].engine.release(through: round)
    round += 1
    for index in nodes.indices { nodes[index].engine.begin(round: round) }
  }

  private mutating func apply(_ changes: [RecordChange], to node: Int) {
    for change in changes {
      if change.isPrefix {
        nodes[node].records[change.collection] = nodes[node].records[change.collection]?.filter {
          !$0.key.starts(with: change.key)
        }
      } else {
        nodes[node].records[change.collection, default: [:]][change.key] = change.value
      }
    }
  }

  // MARK: What is over

  /// Tells an engine what is stored.
  mutating func recall(_ node: Int, _ question: RecallQuestion) {
    nodes[node].engine.recall(recalled(question, at: node))
  }

  func recalled(_ question: RecallQuestion, at node: Int) -> RecalledRecords {
    switch question {
    case .invoices(let hashes, let labels):
      let keys = hashes.map(PastIndex.invoice(hash:)) + labels.map(PastIndex.invoice(label:))
      return RecalledRecords(invoices: keys.compactMap { past($0, at: node) })
    case .payments(let hash):
      let prefix = PastIndex.payments(hash: hash)
      let keys = nodes[node].records[.pastIndex, default: [:]].keys.filter { $0.starts(with: prefix) }
      return RecalledRecords(payments: keys.compactMap { past($0, at: node) })
    case .onions(let keys): return RecalledRecords(onions: keys.compactMap { nodes[node].records[.onions]?[$0] })
    }
  }

  /// An invoice, wherever it is.
  func invoice(_ hash: Bytes32, at node: Int) -> InvoiceRecord? {
    nodes[node].engine.invoices[hash] ?? past(PastIndex.invoice(hash: hash), at: node)
  }

  /// What a node has stored, of what is alive and of what is over.
  func stored<Record: PastRecord>(_: Record.Type = Record.self, at node: Int) throws -> [Record] {
    try [Record.live, Record.past].flatMap { collection in
      try nodes[node].records[collection, default: [:]].values.map { try Record(decoding: $0.bytes) }
    }.sorted { $0.createdIndex < $1.createdIndex }
  }

  private func past<Record: PastRecord>(_ key: [UInt8], at node: Int) -> Record? {
    nodes[node].records[.pastIndex]?[key].flatMap { nodes[node].records[Record.past]?[$0] }
      .flatMap { try? Record(decoding: $0.bytes) }
  }

  private mutating func enqueue(_ node: Int, _ channel: ChannelID, _ input: PaymentInput) {
    queues[node, default: [:]][channel, default: []].append(input)
  }

  private mutating func offer(_ offer: OutgoingPayment, by node: Int) {
    if var errors = refusals[node], !errors.isEmpty {
      let error = errors.removeFirst()
      refusals[node] = errors
      enqueue(node, offer.channels.first ?? ChannelID(Bytes32()), .outcome(origin: offer.origin, .notOffered(error)))
      return
    }
    var refusal = OfferRefusal.unknownChannel
    for id in offer.channels {
      guard var channel = channels[id], channel.isOpen else { continue }
      let side = channel.side(of: node)
      guard channel.isConnected else {
        refusal = .notConnected
        continue
      }
      guard channel.kinds.contains(offer.lock.kind) else {
        refusal = .wrongKind
        continue
      }
      guard channel.balances[side] >= offer.amount.rawValue else {
        refusal = .insufficientBalance
        continue
      }
      let number = channel.nextIDs[side]
      channel.nextIDs[side] += 1
      offered.append((id, node, offer.lock))
      channel.balances[side] -= offer.amount.rawValue
      channel.offers[side][number] = SimulatedChannel.Offer(
        amount: offer.amount, lock: offer.lock, expiry: offer.expiry, onion: offer.onion, pathKey: offer.pathKey,
        origin: offer.origin)
      channels[id] = channel
      let key = PaymentKey(channel: id, id: number)
      enqueue(node, id, .offered(origin: offer.origin, key))
      let incoming = incoming(id, side, number)
      if interceptsAt == channel.ends[1 - side] {
        intercepted.append((channel.ends[1 - side], incoming))
      } else {
        enqueue(channel.ends[1 - side], id, .incoming(incoming))
      }
      return
    }
    enqueue(
      node, offer.channels.first ?? ChannelID(Bytes32()), .outcome(origin: offer.origin, .notOffered(refusal)))
  }

  private func incoming(_ id: ChannelID, _ side: Int, _ number: UInt64) -> IncomingPayment {
    let offer = channels[id]!.offers[side][number]!
    return IncomingPayment(
      key: PaymentKey(channel: id, id: number), amount: offer.amount, lock: offer.lock, expiry: offer.expiry,
      onion: offer.onion, pathKey: offer.pathKey, receivedAt: time)
  }

  /// First step: the update is in the log. The witness of a settlement is known to the other side at once.
  mutating func remove(_ key: PaymentKey, by node: Int, _ removal: SimulatedChannel.Removal) {
    guard var channel = channels[key.channel] else { return }
    let side = 1 - channel.side(of: node)
    guard var offer = channel.offers[side][key.id], offer.removal == nil else { return }
    if case .settled(let witness, _) = removal, !Self.opens(witness, offer.lock) { return }
    offer.removal = removal
    channel.offers[side][key.id] = offer
    channels[key.channel] = channel
    removals.append((key.channel, side, key.id))
    if removal.isSettled {
      enqueue(channel.ends[side], key.channel, .outcome(origin: offer.origin, removal.outcome))
    }
  }

  private static func opens(_ witness: PaymentWitness, _ lock: PaymentLock) -> Bool {
    guard witness.kind == lock.kind else { return false }
    guard lock.kind == pointKind else { return sha256(witness.bytes).array == lock.bytes }
    guard let raw = try? Bytes32(witness.bytes), let key = try? SecretKey(raw) else { return false }
    return key.publicKey.array == lock.bytes
  }

  /// Second step: it is irrevocable.
  private mutating func finishRemoval(_ index: Int) {
    let (id, side, number) = removals.remove(at: index)
    guard var channel = channels[id], let offer = channel.offers[side][number], let removal = offer.removal else {
      return
    }
    channel.offers[side][number] = nil
    channel.balances[removal.isSettled ? 1 - side : side] += offer.amount.rawValue
    channels[id] = channel
    nodes[channel.ends[side]].outcomes[offer.origin] = removal.outcome.encoded
    enqueue(channel.ends[side], id, .outcome(origin: offer.origin, removal.outcome))
    enqueue(channel.ends[1 - side], id, .removed(PaymentKey(channel: id, id: number)))
  }

  /// One thing happens, if anything can.
  mutating func step() -> Bool {
    var ready: [(node: Int, channel: ChannelID)] = []
    for node in queues.keys.sorted() {
      for channel in queues[node]!.keys.sorted() where !queues[node]![channel]!.isEmpty {
        ready.append((node, channel))
      }
    }
    let count = ready.count + removals.count
    guard count > 0 else { return false }
    let choice = Int.random(in: 0..<count, using: &random)
    if choice < ready.count {
      let (node, channel) = ready[choice]
      let input = queues[node]![channel]!.removeFirst()
      updateFinders()
      perform(node, input)
    } else {
      finishRemoval(choice - ready.count)
    }
    return true
  }

  mutating func run(limit: Int = 100_000) throws {
    var steps = 0
    while step() {
      steps += 1
      if steps > limit { throw SimulationError("seed \(seed): it never ends") }
    }
  }

  mutating func mine(_ blocks: UInt32 = 1) {
    for _ in 0..<blocks {
      height += 1
      for node in nodes.indices { perform(node, .block(height)) }
    }
  }

  mutating func wait(seconds: UInt64) {
    time = time.after(milliseconds: seconds * 1000)
    for node in nodes.indices { perform(node, .tick) }
  }

  // MARK: Crashing

  /// All that is not durable is lost; then the node starts again.
  mutating func crash(_ node: Int) {
    crashes += 1
    queues[node] = nil
    // What is not irrevocable may have been stored or not.
    for index in removals.indices.reversed() {
      let (id, side, number) = removals[index]
      guard channels[id]!.ends[1 - side] == node, Bool.random(using: &random) else { continue }
      channels[id]!.offers[side][number]!.removal = nil
      removals.remove(at: index)
    }
    restart(node)
  }

  mutating func restart(_ node: Int) {
    nodes[node].starts += 1
    var records: [RecordChange] = []
    for (collection, values) in nodes[node].records where collection.isLoaded {
      for (key, value) in values { records.append(RecordChange(collection, key: key, value: value)) }
    }
    records.sort { $0.key.lexicographicallyPrecedes($1.key) }
    do {
      nodes[node].engine = try PaymentEngine(
        configuration: nodes[node].configuration, nodeKey: nodes[node].key, finder: nodes[node].finder,
        schemes: bothKinds, height: height, now: time,
        entropy: sha256(Array("\(seed) \(node) \(nodes[node].starts)".utf8)), records: records)
    } catch {
      fatalError("seed \(seed): \(error)")
    }
    var live = LivePayments()
    for channel in channels.values.sorted(by: { $0.id < $1.id }) where channel.ends.contains(node) {
      _ = nodes[node].engine.handle(.channel(description(of: channel.id, for: node)), at: time)
      let side = channel.side(of: node)
      for (number, offer) in channel.offers[side].sorted(by: { $0.key < $1.key }) {
        live.outgoing.append(
          LivePayments.Outgoing(
            origin: offer.origin, key: PaymentKey(channel: channel.id, id: number), expiry: offer.expiry))
      }
      for (number, offer) in channel.offers[1 - side].sorted(by: { $0.key < $1.key }) {
        live.incoming.append(
          LivePayments.Incoming(
            incoming(channel.id, 1 - side, number),
            removal: offer.removal.map { $0.isSettled ? .settled : .failed } ?? .none))
      }
    }
    for (origin, outcome) in nodes[node].outcomes.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
      if let outcome = try? PaymentOutcome(decoding: outcome.bytes) { live.outcomes.append((origin, outcome)) }
    }
    // Early news of settlements comes again with the connection.
    for channel in channels.values where channel.ends.contains(node) {
      let side = channel.side(of: node)
      for offer in channel.offers[side].values where offer.removal?.isSettled == true {
        enqueue(node, channel.id, .outcome(origin: offer.origin, offer.removal!.outcome))
      }
    }
    carryOut(node, nodes[node].engine.restart(live, at: time))
  }

  // MARK: Looking

  /// What a node has in its channels, in millisatoshi.
  func wealth(_ node: Int) -> UInt64 {
    channels.values.filter { $0.ends.contains(node) }.reduce(0) { $0 + $1.balances[$1.side(of: node)] }
  }

  var pendingOffers: Int { channels.values.reduce(0) { $0 + $1.offers[0].count + $1.offers[1].count } }
}

/// Dijkstra from the payee back, over what it was told.
final class SimulatedFinder: RouteFinder {
  struct Edge: Sendable {
    var from: PublicKey
    var to: PublicKey
    var scid: ShortChannelID
    var policy: ForwardingPolicy
    var kinds: Set<ExtensionID> = [hashKind, pointKind]
    var capacity: UInt64
  }

  let source: PublicKey
  private let edges = Mutex<[Edge]>([])

  init(_ source: PublicKey) { self.source = source }
  func set(_ new: [Edge]) { edges.withLock { $0 = new } }

  func obstacle(on route: PaymentRoute, to kind: ExtensionID) -> ChannelDirection? {
    let edges = edges.withLock { $0 }
    var previous = source
    for hop in route.hops {
      let direction = ChannelDirection(hop.shortChannelID, from: previous, to: hop.nodeID)
      if let edge = edges.first(where: { $0.from == previous && $0.to == hop.nodeID && $0.scid == hop.shortChannelID }),
        !edge.kinds.contains(kind)
      {
        return direction
      }
      previous = hop.nodeID
    }
    return nil
  }

  func route(_ request: RouteRequest) throws(RouteFailure) -> PaymentRoute {
    do throws(RouteFailure) {
      return try route(request, over: [request.kind])
    } catch {
      var anyway = request
      anyway.maximumFee = MilliSatoshi(.max)
      if error == .noRoute, let other = try? route(anyway, over: []),
        let obstacle = obstacle(on: other, to: request.kind)
      {
        throw .lockNotCarried(obstacle)
      }
      throw error
    }
  }

  /// `kinds`: what every channel must carry.
  private func route(
    _ request: RouteRequest, over kinds: Set<ExtensionID>
  ) throws(RouteFailure) -> PaymentRoute {
    struct Best {
      var amount: MilliSatoshi
      var delay: UInt32
      var hops: [PaymentRoute.Hop]
    }
    var edges = edges.withLock { $0 }
    for hint in request.hints {
      for (index, hop) in hint.enumerated() {
        edges.append(
          Edge(
            from: hop.nodeID, to: index + 1 < hint.count ? hint[index + 1].nodeID : request.payee,
            scid: hop.shortChannelID,
            policy: ForwardingPolicy(
              feeBaseMsat: hop.feeBaseMsat, feeProportionalMillionths: hop.feeProportionalMillionths,
              cltvExpiryDelta: hop.cltvExpiryDelta, htlcMinimumMsat: .zero, htlcMaximumMsat: MilliSatoshi(.max)),
            capacity: .max))
      }
    }
    var best: [PublicKey: Best] = [
      request.payee: Best(amount: request.amount, delay: request.finalCLTVDelta, hops: [])
    ]
    var open: Set<PublicKey> = [request.payee]
    var closed: Set<PublicKey> = []
    while let node = open.min(by: {
      (best[$0]!.amount, best[$0]!.delay, $0) < (best[$1]!.amount, best[$1]!.delay, $1)
    }) {
      open.remove(node)
      closed.insert(node)
      if node == source { break }
      let reached = best[node]!
      for edge in edges where edge.to == node && !closed.contains(edge.from) {
        let direction = ChannelDirection(edge.scid, from: edge.from, to: edge.to)
        guard !request.excludedNodes.contains(edge.from), !request.excludedChannels.contains(direction) else {
          continue
        }
        let policy = edge.from == source ? edge.policy : request.policies[direction] ?? edge.policy
        let amount = reached.amount
        guard let reserved = request.reserved[direction, default: .zero].adding(amount),
          reserved.rawValue <= edge.capacity,
          request.limits[direction].map({ amount < $0 }) ?? true,
          edge.kinds.isSuperset(of: kinds), amount >= policy.htlcMinimumMsat, amount <= policy.htlcMaximumMsat,
          !policy.isDisabled
        else { continue }
        let hop = PaymentRoute.Hop(
          nodeID: node, shortChannelID: edge.scid, amount: amount, delay: reached.delay)
        var next = Best(amount: amount, delay: reached.delay, hops: [hop] + reached.hops)
        if edge.from != source {
          next.amount = amount.adding(policy.fee(forwarding: amount)!)!
          next.delay += UInt32(policy.cltvExpiryDelta)
        }
        if best[edge.from].map({ (next.amount, next.delay) < ($0.amount, $0.delay) }) ?? true {
          best[edge.from] = next
          open.insert(edge.from)
        }
      }
    }
    guard let found = best[source], !found.hops.isEmpty else { throw .noRoute }
    let route = PaymentRoute(hops: found.hops)
    if let fee = route.fee, fee > request.maximumFee { throw .tooExpensive(fee) }
    if route.hops[0].delay > request.maximumDelay { throw .tooSlow(route.hops[0].delay) }
    return route
  }
}
