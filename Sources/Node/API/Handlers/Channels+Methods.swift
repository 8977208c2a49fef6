internal import BOLT
internal import Bitcoin
internal import Encoding
internal import GLC
internal import HTLC
internal import JSON
internal import Payments
internal import Peers
internal import RPC
internal import Secp256k1
internal import Signer
internal import Wallet
internal import Wire

extension Handlers {
  // MARK: Finding channels

  /// The channel that is meant; by a peer when there is one with it that is not closed.
  func channel(_ arguments: RPCArguments, _ name: String = "id") async throws -> HostedChannel {
    let found = try await channels(try arguments.channel(name)).filter { $0.channel.phase < .ended }
    guard let first = found.first else {
      throw RPCError(.invalidParams, "Short channel ID, channel ID or peer not found")
    }
    guard found.count == 1 else {
      throw RPCError(.invalidParams, "Peer has multiple channels: use channel_id or short_channel_id")
    }
    return first
  }

  func channels(_ which: RPCChannel?) async throws -> [HostedChannel] {
    let all = await node.inspect()
    switch which {
    case nil: return all
    case .peer(let key): return all.filter { $0.channel.peer.publicKey == key }
    case .channelID(let id): return all.filter { $0.channel.id.raw == id }
    case .shortChannelID(let scid):
      return all.filter { $0.channel.shortChannelID == scid || $0.channel.localAlias == scid }
    }
  }

  // MARK: Opening and closing

  func fundchannel(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let text = try arguments.string("id")
    let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    guard let peer = NodeID(text: parts[0]) else { throw arguments.invalid("id", "should be a node id") }
    for name in ["request_amt", "compact_lease"] where arguments.has(name) {
      throw RPCError(.invalidParams, "\(name): liquidity cannot be bought yet")
    }
    if parts.count == 2 {
      _ = try await connect(to: peer, place: String(parts[1]), port: nil, arguments)
    }
    guard let connection = node.network.peer(peer) else {
      throw RPCError(.fundPeerNotConnected, "Peer not connected: `connect` first, or give \(peer)@HOST:PORT")
    }
    var policy = hub.settings.channels
    policy.minimumDepth = try arguments.integer(ifPresent: "mindepth", as: UInt32.self) ?? policy.minimumDepth
    let type = try channelType(arguments, peer: peer)
    var order = OpenOrder(
      type: type, capacity: .zero,
      pushed: try arguments.milliSatoshi(ifPresent: "push_msat") ?? .zero,
      isAnnounced: try arguments.bool(ifPresent: "announce") ?? (hub.settings.announcesChannels && !type.signsTogether),
      feeRate: try feeRate(arguments), policy: policy, coins: try arguments.outpoints(ifPresent: "utxos"))
    if arguments.has("close_to") { order.shutdownScript = try address(arguments, "close_to").scriptPubKey }
    let limit =
      connection.isNegotiated(.supportLargeChannel)
      ? Satoshi.maxMoney : Satoshi(ChannelPolicy.largeChannel.rawValue - 1)
    switch try arguments.amount("amount") {
    case .exactly(let amount):
      guard amount.rawValue.isMultiple(of: 1000) else { throw arguments.invalid("amount", "should be whole satoshi") }
      order.capacity = amount.satoshiRoundedDown
    default:
      order.capacity = try await hub.wallet.maximumFunding(order, upTo: limit)
    }
    if let reserve = try arguments.satoshi(ifPresent: "reserve") {
      order.policy.reserveMillionths = reserve.millionths(of: order.capacity)
    }
    try await affordable(order)
    if let text = try arguments.string(ifPresent: "stack") {
      return try await fundComposed(text, peer, order, arguments, context)
    }
    if arguments.has("peer_amount") { throw RPCError(.invalidParams, "peer_amount: only together with a stack") }
    await context.progress("Negotiating the channel with the peer")
    let (node, wanted) = (node, order)
    let id = try await handedOver { try await node.open(wanted, with: peer) }
    guard let channel = await node.channel(id), let funding = channel.funding,
      let transaction = funding.transaction
    else { throw RPCError(.failure, "the channel was opened and is gone already") }
    var object: JSONObject = [
      "tx": .hex(transaction.encoded), "txid": .text(funding.outPoint.txid), "outnum": .int(funding.outPoint.vout),
      "channel_id": .text(id),
    ]
    if let type = channel.type { object["channel_type"] = .channelType(type) }
    if let script = channel.terms.local?.shutdownScript { object["close_to"] = .hex(script.bytes) }
    object["mindepth"] = .int(channel.minimumDepth)
    return .object(object)
  }

  /// That the wallet has it is found out before the peer is bothered.
  private func affordable(_ order: OpenOrder) async throws {
    guard order.coins == nil else { return }
    let balance = await hub.wallet.current.balance
    let spendable = Satoshi(balance.confirmed.rawValue + balance.trustedUnconfirmed.rawValue)
    guard spendable >= order.capacity else {
      throw RPCError(
        .fundCannotAfford, "Could not afford \(order.capacity): the wallet has \(spendable) to spend")
    }
  }

  private func channelType(_ arguments: RPCArguments, peer: NodeID) throws -> Wire.ChannelType {
    guard let given = arguments.json(ifPresent: "channel_type")?.arrayValue else { return node.channelType(for: peer) }
    let bits = given.compactMap { $0.unsignedValue.flatMap { Int(exactly: $0) } }
    let type = Wire.ChannelType(features: FeatureSet(bits: bits.filter { $0 < 1000 }))
    guard bits.count == given.count, BOLT.ChannelType(featureBits: Set(type.basic.features.bits)) != nil else {
      throw arguments.invalid("channel_type", "should be the feature bits of a channel type, for example [12, 22]")
    }
    return type
  }

  func close(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    if arguments.has("wrong_funding") { throw RPCError(.invalidParams, "wrong_funding: this is refused") }
    let hosted = try await channel(arguments)
    let id = hosted.channel.id
    guard hosted.channel.isFunded else {
      try await node.forceClose(id, reason: "closed by the user before it was open")
      return ["type": "unopened"]
    }
    guard hosted.channel.phase < .onchain else {
      throw RPCError(.failure, "Channel is in state \(hosted.channel.stateName)")
    }
    let script = arguments.has("destination") ? try address(arguments, "destination").scriptPubKey : nil
    let seconds = try arguments.integer(ifPresent: "unilateraltimeout") ?? 172_800
    let (node, hub) = (node, hub)
    let work: @Sendable () async throws -> Void = {
      while true {
        let events = hub.events.listen()
        do { return try await node.close(id, to: script) } catch NodeError.notConnected(_) {}
        // Until the peer is back.
        for await event in events {
          if case .peer(hosted.channel.peer, isConnected: true) = event { break }
        }
        if Task.isCancelled { throw CancellationError() }
      }
    }
    await context.progress("Closing together with the peer")
    if try await firstOf(seconds == 0 ? nil : .seconds(Int64(clamping: seconds)), work) != nil {
      let closed = await node.channel(id)?.closingTransactions ?? []
      return closing("mutual", closed)
    }
    await context.progress("The peer does not answer: closing without it")
    let transaction = await commitment(of: id)
    try await node.forceClose(id)
    return closing("unilateral", transaction.map { [$0] } ?? [])
  }

  /// At once, without a word to the peer but an error.
  func forceClose(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let channel = try await channel(arguments).channel
    guard channel.isFunded else { throw RPCError(.failure, "the channel is not funded: `close` forgets it") }
    guard channel.phase < .onchain else { throw RPCError(.failure, "Channel is in state \(channel.stateName)") }
    let transaction = await commitment(of: channel.id)
    try await node.forceClose(channel.id)
    return closing("unilateral", transaction.map { [$0] } ?? [])
  }

  /// Both sides may have signed several: the last one stands by itself too.
  private func closing(_ type: String, _ transactions: [Transaction]) -> JSONValue {
    var object: JSONObject = ["type": .string(type)]
    if let last = transactions.last {
      object["tx"] = .hex(last.encoded)
      object["txid"] = .text(last.txid)
      object["txs"] = .array(transactions.map { .hex($0.encoded) })
      object["txids"] = .array(transactions.map { .text($0.txid) })
    }
    return .object(object)
  }

  /// Our latest commitment, as it would be published.
  private func commitment(of id: ChannelID) async -> Transaction? {
    guard let channel = await node.channel(id), let core = channel.core,
      let own = try? core.localCommitments(channel.signer).first, let signatures = core.signatures.first
    else { return nil }
    return try? channel.signer.signForBroadcast(own, with: signatures)
  }

  // MARK: Policies

  func setchannel(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let text = try arguments.string("id")
    let found: [HostedChannel]
    if text == "all" {
      found = await node.inspect()
    } else if let which = RPCChannel(text: text) {
      found = try await channels(which)
    } else {
      throw arguments.invalid("id", "should be a channel, a peer or \"all\"")
    }
    let usable = found.filter { $0.channel.isFunded && $0.channel.phase <= .normal }
    guard text == "all" || !usable.isEmpty else { throw RPCError(.invalidParams, "id: no such channel that is open") }
    let base = try arguments.milliSatoshi(ifPresent: "feebase")
    guard base == nil || UInt32(exactly: base?.rawValue ?? 0) != nil else {
      throw arguments.invalid("feebase", "should be less than 2^32 millisatoshi")
    }
    let proportional = try arguments.integer(ifPresent: "feeppm", as: UInt32.self)
    let minimum = try arguments.milliSatoshi(ifPresent: "htlcmin")
    let maximum = try arguments.milliSatoshi(ifPresent: "htlcmax")
    let isSilent = base == nil && proportional == nil && minimum == nil && maximum == nil
    var replies: [JSONValue] = []
    for hosted in usable {
      let capacity = hosted.channel.capacity.milliSatoshi ?? .zero
      var policy = hosted.policy
      if isSilent || base != nil || proportional != nil {
        let defaults = hub.defaultPolicy(hosted.channel.capacity)
        if base != nil || isSilent {
          policy.feeBaseMsat = base.map { UInt32(clamping: $0.rawValue) } ?? defaults.feeBaseMsat
        }
        if proportional != nil || isSilent {
          policy.feeProportionalMillionths = proportional ?? defaults.feeProportionalMillionths
        }
      }
      if let minimum { policy.htlcMinimumMsat = minimum }
      if let maximum { policy.htlcMaximumMsat = min(maximum, capacity) }
      guard policy.htlcMinimumMsat <= policy.htlcMaximumMsat else {
        throw RPCError(.invalidParams, "htlcmax: cannot be less than htlcmin")
      }
      let set = try await node.setPolicy(policy, of: hosted.channel.id)
      var object: JSONObject = ["peer_id": .text(hosted.channel.peer), "channel_id": .text(hosted.channel.id)]
      if let scid = hosted.channel.shortChannelID { object["short_channel_id"] = .text(scid) }
      object["fee_base_msat"] = .int(set.feeBaseMsat)
      object["fee_proportional_millionths"] = .int(set.feeProportionalMillionths)
      object["minimum_htlc_out_msat"] = .msat(set.htlcMinimumMsat)
      object["maximum_htlc_out_msat"] = .msat(set.htlcMaximumMsat)
      object["ignore_fee_limits"] = false
      replies.append(.object(object))
    }
    return ["channels": .array(replies)]
  }
}

extension RPCChannel {
  init?(text: String) {
    if let scid = try? ShortChannelID(text: text) {
      self = .shortChannelID(scid)
    } else if let bytes = try? Hex.decode(text) {
      if let id = try? Bytes32(bytes) {
        self = .channelID(id)
      } else if let key = PublicKey(parsing: bytes) {
        self = .peer(key)
      } else {
        return nil
      }
    } else {
      return nil
    }
  }
}

extension Satoshi {
  /// The part of another amount that this is, rounded up, and at most all of it.
  func millionths(of whole: Satoshi) -> UInt64 {
    guard rawValue < whole.rawValue else { return 1_000_000 }
    let (high, low) = rawValue.multipliedFullWidth(by: 1_000_000)
    let (quotient, remainder) = whole.rawValue.dividingFullWidth((high, low))
    return quotient + (remainder > 0 ? 1 : 0)
  }
}
