internal import Bitcoin
internal import Encoding
internal import Secp256k1
internal import Wire

/// One search. Everything is looked up by number; nothing is allocated while it runs, but for the heap.
struct PathSearch {
  enum Aim: CaseIterable {
    case cheap, quick, short
  }

  /// The best way known from a node to the destination.
  private struct Label {
    var cost: UInt64 = .max
    /// What the node must receive, in millisatoshi.
    var amount: UInt64 = 0
    var cltv: UInt32 = 0
    /// The channel, or −2 − the place in `extra`; −1 for none.
    var via: Int32 = -1
    /// The node at its end.
    var next: Int32 = -1
    /// What the onion needs for this node and all behind it.
    var onionBytes: UInt16 = 0
    var hops: UInt8 = 0
    var isSettled = false
  }

  /// A channel that is not in the graph, or not as it is there.
  private struct Extra {
    let from: Int32
    let channel: ShortChannelID
    let policy: ChannelPolicy
    let limit: UInt64
    let isFirstHop: Bool
    let next: Int32
  }

  private let request: RouteRequest
  private let graph: NetworkGraph
  private let index: EdgeIndex
  private let costs: PathCosts
  private let aim: Aim
  private let now: UInt32
  private let attemptCost: Double
  private let hopPenalty: UInt64
  private let unknownPenalty: UInt64

  private var keys: [NodeKey] = []
  private var extraIndex: [NodeKey: Int32] = [:]
  private var source: Int32 = 0
  private var destination: Int32 = 0
  private var labels: [Label] = []
  private var extras: [Extra] = []
  /// By the node where they end: the first of them; −1 for none. Empty when there are none at all.
  private var extraHead: [Int32] = []
  /// By channel and direction. Empty when there are none at all.
  private var bans: [Bool] = []
  /// By the place of a set of kinds in the graph's table: whether it is wanted. Empty when all are.
  private var kinds: [Bool] = []
  /// Empty when there are none at all.
  private var nodeBans: [Bool] = []
  /// By channel and direction: the place in `bounds`; −1 for none. Empty when there are none at all.
  private var boundIndex: [Int32] = []
  private var bounds: [(lower: UInt64, upper: UInt64)] = []
  /// Nodes that failed lately: the penalty for going through.
  private var nodePenalties: [Int32: UInt64] = [:]
  private var heap = MinHeap()
  /// Whether a path was given up because of a limit of fees, time or hops.
  private(set) var metLimit = false

  /// BOLT 4: `hop_payloads` has 1300 bytes.
  private static let onionByteCount = 1_300

  init(
    request: RouteRequest, graph: NetworkGraph, memory: ChannelMemory, now: UInt32, costs: PathCosts, aim: Aim
  ) {
    self.request = request
    self.graph = graph
    index = graph.edges ?? EdgeIndex(nodeCount: graph.nodes.count, channels: graph.channels)
    self.costs = costs
    self.aim = aim
    self.now = now
    let amount = Double(request.amount.rawValue)
    attemptCost = Double(costs.attemptMsat) + amount * Double(costs.attemptMillionths) / 1e6
    hopPenalty = Self.whole(attemptCost * Double(costs.hopThousandths) / 1_000)
    unknownPenalty = Self.whole(attemptCost * Double(costs.unknownThousandths) / 1_000)

    source = place(request.source.key)
    destination = place(request.destination.key)
    addFirstHops()
    addHints()
    labels = Array(repeating: Label(), count: graph.nodes.count + keys.count)
    addBans()
    addMemory(memory)
    if let kind = request.kind {
      kinds = graph.kindSets.map { $0?.contains(kind) ?? (kind == NetworkGraph.defaultKind) }
      // Nearly always there is one set, and it is wanted.
      if kinds.allSatisfy({ $0 }) { kinds = [] }
    }
  }

  private static func whole(_ value: Double) -> UInt64 { UInt64(max(0, min(value, 1e15))) }

  // MARK: Preparing

  /// The number of a node; one that is not in the graph gets one behind all others.
  private mutating func place(_ key: NodeKey) -> Int32 {
    if let index = graph.index(of: key) { return Int32(truncatingIfNeeded: index) }
    if let index = extraIndex[key] { return index }
    let index = Int32(truncatingIfNeeded: graph.nodes.count + keys.count)
    keys.append(key)
    extraIndex[key] = index
    return index
  }

  private func key(_ node: Int32) -> NodeKey {
    Int(node) < graph.nodes.count ? graph.nodes[Int(node)].key : keys[Int(node) - graph.nodes.count]
  }

  private mutating func addFirstHops() {
    for hop in request.firstHops ?? [] {
      let policy = ChannelPolicy(
        feeBaseMsat: 0, feeProportionalMillionths: 0, cltvExpiryDelta: 0, htlcMinimumMsat: hop.htlcMinimum,
        htlcMaximumMsat: hop.spendable)
      addExtra(
        from: source, to: place(hop.peer.key), hop.channel, policy, limit: hop.spendable.rawValue, isFirstHop: true)
    }
  }

  private mutating func addHints() {
    for hint in request.hints {
      var end = destination
      for hop in hint.reversed() {
        let from = place(hop.node.key)
        // Through ourselves there is a better way.
        guard from != source else { break }
        let maximum = hop.policy.htlcMaximumMsat.rawValue
        addExtra(
          from: from, to: end, hop.channel, hop.policy, limit: maximum == 0 ? .max : maximum, isFirstHop: false)
        end = from
      }
    }
  }

  private mutating func addExtra(
    from: Int32, to: Int32, _ channel: ShortChannelID, _ policy: ChannelPolicy, limit: UInt64, isFirstHop: Bool
  ) {
    guard from != to else { return }
    let count = graph.nodes.count + keys.count
    while extraHead.count < count { extraHead.append(-1) }
    let used = request.inFlight[direction(channel, from: from, to: to)]?.rawValue ?? 0
    extras.append(
      Extra(
        from: from, channel: channel, policy: policy, limit: limit > used ? limit - used : 0, isFirstHop: isFirstHop,
        next: extraHead[Int(to)]))
    extraHead[Int(to)] = Int32(truncatingIfNeeded: extras.count - 1)
  }

  private func direction(_ channel: ShortChannelID, from: Int32, to: Int32) -> DirectedChannel {
    DirectedChannel(channel, isFromNode2: key(to) < key(from))
  }

  private mutating func addBans() {
    if !request.excludedChannels.isEmpty {
      bans = Array(repeating: false, count: 2 * graph.channels.count)
      for channel in request.excludedChannels {
        guard let index = graph.index(of: channel.channel) else { continue }
        bans[2 * index + (channel.isFromNode2 ? 1 : 0)] = true
      }
    }
    if request.excludedNodes.isEmpty { return }
    nodeBans = Array(repeating: false, count: labels.count)
    for node in request.excludedNodes {
      guard let index = graph.index(of: node.key) ?? extraIndex[node.key].map(Int.init) else { continue }
      nodeBans[index] = true
    }
    // What is only forwarded through.
    nodeBans[Int(destination)] = false
  }

  private mutating func addMemory(_ memory: ChannelMemory) {
    if !memory.channels.isEmpty || !request.inFlight.isEmpty {
      boundIndex = Array(repeating: -1, count: 2 * graph.channels.count)
      for (channel, entry) in memory.channels {
        guard let index = graph.index(of: channel.channel) else { continue }
        boundIndex[2 * index + (channel.isFromNode2 ? 1 : 0)] = Int32(truncatingIfNeeded: bounds.count)
        bounds.append(entry.bounds(now: now, capacity: graph.channels[index].capacity))
      }
      for (channel, amount) in request.inFlight {
        guard let index = graph.index(of: channel.channel) else { continue }
        let slot = 2 * index + (channel.isFromNode2 ? 1 : 0)
        if boundIndex[slot] < 0 {
          boundIndex[slot] = Int32(truncatingIfNeeded: bounds.count)
          bounds.append((0, graph.channels[index].capacity))
        }
        let place = Int(boundIndex[slot])
        let used = amount.rawValue
        bounds[place].lower -= min(bounds[place].lower, used)
        if bounds[place].upper != .max { bounds[place].upper -= min(bounds[place].upper, used) }
      }
    }
    for (node, time) in memory.nodes {
      guard let index = graph.index(of: node) else { continue }
      let age = now.subtractingSaturating(time)
      guard age < ChannelMemory.halfLife else { continue }
      let share = 1 - Double(age) / Double(ChannelMemory.halfLife)
      nodePenalties[Int32(truncatingIfNeeded: index)] = Self.whole(attemptCost * 4 * share)
    }
  }

  // MARK: Searching

  mutating func run() -> Route? {
    labels[Int(destination)].cost = 0
    labels[Int(destination)].amount = request.amount.rawValue
    labels[Int(destination)].cltv = request.finalCLTVExpiryDelta
    labels[Int(destination)].onionBytes = UInt16(
      clamping: request.finalPayloadByteCount + request.extraPayloadByteCount)
    guard request.finalCLTVExpiryDelta <= request.maximumCLTVExpiryDelta else {
      metLimit = true
      return nil
    }
    heap.push(MinHeap.Entry(cost: 0, node: destination))
    let usesGraphAtSource = request.firstHops == nil
    while let entry = heap.pop() {
      let node = entry.node
      guard !labels[Int(node)].isSettled, labels[Int(node)].cost == entry.cost else { continue }
      labels[Int(node)].isSettled = true
      if node == source { return route() }
      if node != destination {
        if !nodeBans.isEmpty, nodeBans[Int(node)] { continue }
        if Int(node) < graph.nodes.count, !graph.nodes[Int(node)].mayRoute { continue }
      }
      if Int(node) < extraHead.count { relaxExtras(into: node) }
      if Int(node) < graph.nodes.count { relaxChannels(into: node, usesGraphAtSource: usesGraphAtSource) }
    }
    return nil
  }

  private mutating func relaxExtras(into node: Int32) {
    let label = labels[Int(node)]
    var place = extraHead[Int(node)]
    while place >= 0 {
      let extra = extras[Int(place)]
      if !isExcluded(extra, to: node), !labels[Int(extra.from)].isSettled,
        label.amount <= extra.limit, label.amount >= extra.policy.htlcMinimumMsat.rawValue
      {
        relax(
          Step(
            from: extra.from, to: node, via: -2 - place, feeBase: extra.policy.feeBaseMsat,
            feeRate: extra.policy.feeProportionalMillionths, delta: extra.policy.cltvExpiryDelta,
            leastPenalty: extra.isFirstHop ? 0 : unknownPenalty, slot: -1, capacity: 0), label)
      }
      place = extra.next
    }
  }

  private func isExcluded(_ extra: Extra, to node: Int32) -> Bool {
    !request.excludedChannels.isEmpty
      && request.excludedChannels.contains(direction(extra.channel, from: extra.from, to: node))
  }

  private mutating func relaxChannels(into node: Int32, usesGraphAtSource: Bool) {
    let label = labels[Int(node)]
    let amount = label.amount
    let (index, graphSource) = (index, usesGraphAtSource ? -1 : source)
    for place in index.edges(into: node) {
      let edge = index.edges[place]
      guard amount <= edge.maximum, amount >= edge.minimum, edge.isUsable, edge.from != graphSource,
        !labels[Int(edge.from)].isSettled
      else { continue }
      if !kinds.isEmpty, !kinds[Int(edge.kinds)] { continue }
      if !bans.isEmpty, bans[Int(edge.slot)] { continue }
      relax(
        Step(
          from: edge.from, to: node, via: edge.slot >> 1, feeBase: edge.feeBaseMsat,
          feeRate: edge.feeProportionalMillionths, delta: edge.cltvExpiryDelta, leastPenalty: hopPenalty,
          slot: edge.slot, capacity: edge.capacity), label)
    }
  }

  private func penalty(_ step: Step, _ amount: UInt64) -> UInt64 {
    guard step.slot >= 0 else { return step.leastPenalty }
    if !boundIndex.isEmpty {
      let place = boundIndex[Int(step.slot)]
      if place >= 0 { return penalty(amount, lower: bounds[Int(place)].lower, upper: bounds[Int(place)].upper) }
    }
    return penalty(amount, lower: 0, upper: step.capacity)
  }

  /// How improbable it is that a channel carries an amount, when its limit lies anywhere between two bounds, as a cost.
  private func penalty(_ amount: UInt64, lower: UInt64, upper: UInt64) -> UInt64 {
    if upper == .max { return hopPenalty + unknownPenalty }
    guard amount > lower else { return hopPenalty }
    // Even what failed is not impossible; it is what remains when nothing else does.
    guard amount < upper else { return hopPenalty + Self.whole(16 * attemptCost) }
    let width = Double(upper - lower) + 1
    return hopPenalty + Self.whole(min(16, -logarithm((Double(upper - amount) + 1) / width)) * attemptCost)
  }

  /// A hop that could come before the best way from a node.
  private struct Step {
    let from: Int32
    let to: Int32
    /// As `Label.via`.
    let via: Int32
    let feeBase: UInt32
    let feeRate: UInt32
    let delta: UInt16
    /// Its penalty is that, or more.
    let leastPenalty: UInt64
    /// Of a channel in the graph: as `EdgeIndex.Edge` has them. −1: it has the least penalty.
    let slot: Int32
    let capacity: UInt64
  }

  /// Looks whether a node's way through this channel is better than what is known. `label`: of the node at its end.
  @inline(__always) private mutating func relax(_ step: Step, _ label: Label) {
    let amount = label.amount
    let isSource = step.from == source
    var fee: UInt64 = 0
    var delta: UInt32 = 0
    if !isSource {
      // BOLT 7 §HTLC Fees: fee_base_msat + ( amount_to_forward * fee_proportional_millionths / 1000000 ).
      let (product, tooMuch) = amount.multipliedReportingOverflow(by: UInt64(step.feeRate))
      guard !tooMuch else { return }
      fee = UInt64(step.feeBase) + product / 1_000_000
      delta = UInt32(step.delta)
    }
    let known = labels[Int(step.from)].cost
    var cost = label.cost
    switch aim {
    case .cheap:
      let (locked, tooMuch) = amount.multipliedReportingOverflow(by: UInt64(delta) * costs.lockedBillionthsPerBlock)
      cost = cost.addingSaturating(fee + (tooMuch ? 1_000_000_000_000 : locked / 1_000_000_000))
      // Without looking at limits: they might be met by what is no better anyway.
      guard cost.addingSaturating(step.leastPenalty) < known else { return }
      cost = cost.addingSaturating(penalty(step, amount))
      if !nodePenalties.isEmpty, !isSource { cost = cost.addingSaturating(nodePenalties[step.from] ?? 0) }
    case .quick: cost = cost.addingSaturating(UInt64(delta) * 1_000_000_000 + min(fee, 999_999_999))
    case .short: cost = cost.addingSaturating(1_000_000_000_000 + min(fee, 999_999_999_999))
    }
    guard cost < known else { return }
    let (received, overflow) = amount.addingReportingOverflow(fee)
    let cltv = label.cltv.addingSaturating(delta)
    let hops = label.hops + 1
    // What the node is told: the amount, the time and the channel (BOLT 4 §Payload Format), the payload's length, its HMAC.
    let payload = isSource ? 0 : 1 + 2 + Self.byteCount(amount) + 2 + 4 + 2 + 8 + 32 + request.extraPayloadByteCount
    let onionBytes = Int(label.onionBytes) + payload
    guard !overflow, received - request.amount.rawValue <= request.maximumFee.rawValue,
      cltv <= request.maximumCLTVExpiryDelta, Int(hops) <= request.maximumHops, onionBytes <= Self.onionByteCount
    else {
      metLimit = true
      return
    }
    labels[Int(step.from)] = Label(
      cost: cost, amount: received, cltv: cltv, via: step.via, next: step.to, onionBytes: UInt16(clamping: onionBytes),
      hops: hops)
    heap.push(MinHeap.Entry(cost: cost, node: step.from))
  }

  /// Of a `tu64`.
  private static func byteCount(_ value: UInt64) -> Int { (64 - value.leadingZeroBitCount + 7) / 8 }

  // MARK: Result

  private func route() -> Route? {
    var hops: [Route.Hop] = []
    var node = source
    while node != destination {
      let label = labels[Int(node)]
      guard label.next >= 0, let end = try? NodeID(key: key(label.next)) else { return nil }
      let after = labels[Int(label.next)]
      let hop: Route.Hop
      if label.via >= 0 {
        let channel = graph.channels[Int(label.via)]
        let isFromNode2 = channel.node2 == node
        let policy = isFromNode2 ? channel.policy2 : channel.policy1
        hop = Route.Hop(
          node: end, channel: DirectedChannel(channel.id, isFromNode2: isFromNode2), amount: MilliSatoshi(after.amount),
          cltvExpiryDelta: after.cltv, policy: policy,
          limit: min(MilliSatoshi(channel.capacity), policy.htlcMaximumMsat),
          isPublic: true)
      } else {
        let extra = extras[Int(-2 - label.via)]
        hop = Route.Hop(
          node: end, channel: direction(extra.channel, from: node, to: label.next),
          amount: MilliSatoshi(after.amount), cltvExpiryDelta: after.cltv, policy: extra.policy,
          limit: MilliSatoshi(extra.limit), isPublic: false)
      }
      hops.append(hop)
      node = label.next
    }
    return Route(hops: hops)
  }
}

extension NodeID {
  init(key: NodeKey) throws(DecodingError) { self.init(try PublicKey(copying: key.bytes)) }
}
