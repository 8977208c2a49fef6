internal import BOLT
internal import Bitcoin
internal import Encoding
internal import GLC
internal import HTLC
internal import JSON
internal import Payments
internal import Peers
internal import RPC
internal import Wire

extension LightningChannel {
  /// Core Lightning's name for how far the channel is.
  var stateName: String {
    switch phase {
    case .proposed, .agreed, .created: "OPENINGD"
    case .awaitingDepth: "CHANNELD_AWAITING_LOCKIN"
    case .normal: "CHANNELD_NORMAL"
    case .shuttingDown: closingTransactions.isEmpty ? "CHANNELD_SHUTTING_DOWN" : "CLOSINGD_SIGEXCHANGE"
    case .closing: "CLOSINGD_COMPLETE"
    case .onchain: "ONCHAIN"
    case .ended: "CLOSED"
    }
  }

  /// In whole: what is ours, and what we have on its way counted as still ours.
  var ours: MilliSatoshi {
    pendingPayments.filter { $0.offeredBy == .local }
      .reduce(balances?[.local] ?? .zero) { $0.adding($1.amount) ?? $0 }
  }

  var statusText: String {
    switch phase {
    case .proposed, .agreed, .created: "OPENINGD:The funding transaction is being made."
    case .awaitingDepth: "CHANNELD_AWAITING_LOCKIN:Funding needs \(minimumDepth) confirmations to be used."
    case .normal:
      canOffer ? "CHANNELD_NORMAL:Channel ready for use." : "CHANNELD_NORMAL:Waiting for the peer to come back."
    case .shuttingDown: "CHANNELD_SHUTTING_DOWN:Payments under way end before the channel does."
    case .closing: "CLOSINGD_COMPLETE:Waiting until the closing transaction is confirmed."
    case .onchain: "ONCHAIN:Everything is being claimed on the chain."
    case .ended: "CLOSED:Everything is resolved."
    }
  }
}

extension AnyPendingPayment {
  /// The payment hash, for a lock that is one.
  var paymentHash: Bytes32? { lock.kind == HTLCExtension.id ? try? Bytes32(lock.bytes) : nil }
}

extension Handlers {
  func listpeerchannels(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let peer = try arguments.publicKey(ifPresent: "id")
    let scid = try arguments.shortChannelID(ifPresent: "short_channel_id")
    let connected = Set(node.network.peers.map(\.nodeID))
    let sums = try await hub.paymentTotals().sent
    let channels = await node.inspect().filter { hosted in
      hosted.channel.phase < .ended && (peer == nil || hosted.channel.peer.publicKey == peer)
        && (scid == nil || hosted.channel.shortChannelID == scid || hosted.channel.localAlias == scid)
    }
    return ["channels": .array(channels.map { json($0, isConnected: connected.contains($0.channel.peer), sums) })]
  }

  private func json(_ hosted: HostedChannel, isConnected: Bool, _ sums: [ChannelID: MilliSatoshi]) -> JSONValue {
    let channel = hosted.channel
    let isFirst = node.nodeID < channel.peer
    var object: JSONObject = [
      "peer_id": .text(channel.peer), "peer_connected": .bool(isConnected),
      "reestablished": .bool(isConnected && channel.isEstablished), "ignore_fee_limits": false,
      "state": .string(channel.stateName),
      "lost_state": .bool(channel.pointAfterDataLoss != nil),
    ]
    if let type = channel.type { object["channel_type"] = .channelType(type) }
    var updates: JSONObject = ["local": json(hosted.policy)]
    if let theirs = hosted.peerPolicy { updates["remote"] = json(theirs) }
    if channel.isFunded { object["updates"] = .object(updates) }
    if let core = channel.core, let state = core.fundings.first?.local {
      let rate = UInt64(state.feeRate.satPerKiloWeight)
      object["feerate"] = ["perkw": .unsigned(rate), "perkb": .unsigned(rate * 4)]
    }
    if channel.isEstablished && channel.phase <= .normal && isConnected { object["owner"] = "channeld" }
    if let scid = channel.shortChannelID { object["short_channel_id"] = .text(scid) }
    object["direction"] = isFirst ? 0 : 1
    object["channel_id"] = .text(channel.id)
    if let funding = channel.funding {
      object["funding_txid"] = .text(funding.outPoint.txid)
      object["funding_outnum"] = .int(funding.outPoint.vout)
    }
    if let script = channel.terms.local?.shutdownScript ?? channel.shutdownScripts.local ?? channel.closingScript {
      object["close_to"] = .hex(script.bytes)
      if let address = Address(scriptPubKey: script, on: network) { object["close_to_addr"] = .text(address) }
    }
    object["private"] = .bool(!channel.isAnnounced)
    object["opener"] = channel.isOpener ? "local" : "remote"
    if channel.phase > .normal { object["closer"] = channel.shutdownScripts.remote == nil ? "local" : "remote" }
    var alias: JSONObject = ["local": .text(channel.localAlias)]
    if let remote = channel.remoteAlias { alias["remote"] = .text(remote) }
    object["alias"] = .object(alias)
    object["features"] = .array(
      (channel.type?.features.bits ?? []).sorted().compactMap { bit in
        Feature.merged.first { $0.bit == bit & ~1 }.map { .string($0.name) }
      })
    let (own, other) =
      channel.isOpener ? ("local_funds_msat", "remote_funds_msat") : ("remote_funds_msat", "local_funds_msat")
    object["funding"] = .object([
      own: .msat(channel.capacity), other: 0, "pushed_msat": .msat(channel.pushed),
    ])
    object["to_us_msat"] = .msat(channel.ours)
    object["total_msat"] = .msat(channel.capacity)
    object["fee_base_msat"] = .int(hosted.policy.feeBaseMsat)
    object["fee_proportional_millionths"] = .int(hosted.policy.feeProportionalMillionths)
    if let terms = channel.terms.local {
      object["dust_limit_msat"] = .msat(terms.dustLimit)
      object["our_max_htlc_value_in_flight_msat"] = .msat(terms.limits.maximumInFlight)
      // What each of both asks the other to keep.
      object["their_reserve_msat"] = .msat(terms.reserve)
      object["minimum_htlc_in_msat"] = .msat(terms.limits.minimum)
      object["their_to_self_delay"] = .int(terms.contestDelay)
      object["max_accepted_htlcs"] = .int(terms.limits.maximumAccepted)
    }
    if let terms = channel.terms.remote {
      object["their_max_htlc_value_in_flight_msat"] = .msat(terms.limits.maximumInFlight)
      object["our_reserve_msat"] = .msat(terms.reserve)
      object["our_to_self_delay"] = .int(terms.contestDelay)
    }
    object["spendable_msat"] = .msat(channel.spendable)
    object["receivable_msat"] = .msat(channel.receivable)
    object["minimum_htlc_out_msat"] = .msat(hosted.policy.htlcMinimumMsat)
    object["maximum_htlc_out_msat"] = .msat(hosted.policy.htlcMaximumMsat)
    object["state_changes"] = []
    var status: [JSONValue] = [.string(channel.statusText)]
    if let ending = hub.directory.ending(of: channel.id) { status.append(.string(ending)) }
    if let failure = channel.failure { status.append(.string(failure)) }
    object["status"] = .array(status)
    let sum = sums[channel.id] ?? .zero
    // What we have now is what we began with, less what we have sent, and what we have received.
    let beginning = channel.isOpener ? channel.capacity.milliSatoshi?.subtracting(channel.pushed) : channel.pushed
    let received = sum.adding(channel.ours)?.subtracting(beginning ?? .zero) ?? .zero
    object["in_fulfilled_msat"] = .msat(received)
    object["out_fulfilled_msat"] = .msat(sum)
    object["htlcs"] = .array(htlcs(channel).map { .object($0) })
    return .object(object)
  }

  private func json(_ policy: ForwardingPolicy) -> JSONValue {
    [
      "htlc_minimum_msat": .msat(policy.htlcMinimumMsat), "htlc_maximum_msat": .msat(policy.htlcMaximumMsat),
      "cltv_expiry_delta": .int(policy.cltvExpiryDelta), "fee_base_msat": .int(policy.feeBaseMsat),
      "fee_proportional_millionths": .int(policy.feeProportionalMillionths),
    ]
  }

  private func htlcs(_ channel: LightningChannel) -> [JSONObject] {
    let settled = Set(channel.pendingPayments.map { HTLCName(id: $0.name, party: $0.offeredBy) })
    return channel.livePayments.sorted {
      ($0.offeredBy == .remote ? 0 : 1, $0.id) < ($1.offeredBy == .remote ? 0 : 1, $1.id)
    }.map { payment in
      let isCommitted = settled.contains(HTLCName(id: payment.name, party: payment.offeredBy))
      let isLocal = payment.offeredBy == .local
      var object: JSONObject = [
        "direction": isLocal ? "out" : "in", "id": .unsigned(payment.id), "amount_msat": .msat(payment.amount),
        "expiry": .int(payment.expiry),
      ]
      if let hash = payment.paymentHash { object["payment_hash"] = .hex(hash) }
      object["state"] =
        isCommitted
        ? (isLocal ? "SENT_ADD_ACK_REVOCATION" : "RCVD_ADD_ACK_REVOCATION")
        : (isLocal ? "SENT_ADD_HTLC" : "RCVD_ADD_HTLC")
      return object
    }
  }

  private struct HTLCName: Hashable {
    var id: PaymentName
    var party: Party
  }

  func listhtlcs(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let which = try arguments.channel(ifPresent: "id")
    var all: [JSONObject] = []
    for hosted in try await channels(which) where hosted.channel.isFunded && hosted.channel.phase < .ended {
      for htlc in htlcs(hosted.channel) {
        var object: JSONObject = [
          "short_channel_id": .text(hosted.channel.shortChannelID ?? hosted.channel.localAlias),
          "created_index": .int(all.count + 1), "updated_index": .int(all.count + 1),
        ]
        for (name, value) in htlc.members { object[name] = value }
        all.append(object)
      }
    }
    let index: (JSONObject) -> UInt64 = { $0["created_index"]?.unsignedValue ?? 0 }
    return ["htlcs": .array(try page(all, arguments, created: index, updated: index).map { .object($0) })]
  }

  func listclosedchannels(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let peer = try arguments.publicKey(ifPresent: "id")
    let closed = await node.channels().filter { $0.phase == .ended && (peer == nil || $0.peer.publicKey == peer) }
    return [
      "closedchannels": .array(
        closed.map { channel in
          var object: JSONObject = ["peer_id": .text(channel.peer), "channel_id": .text(channel.id)]
          if let scid = channel.shortChannelID { object["short_channel_id"] = .text(scid) }
          var alias: JSONObject = ["local": .text(channel.localAlias)]
          if let remote = channel.remoteAlias { alias["remote"] = .text(remote) }
          object["alias"] = .object(alias)
          object["opener"] = channel.isOpener ? "local" : "remote"
          object["private"] = .bool(!channel.isAnnounced)
          if let type = channel.type { object["channel_type"] = .channelType(type) }
          object["total_local_commitments"] = .unsigned((channel.core?.localNumber ?? 0) + 1)
          object["total_remote_commitments"] = .unsigned((channel.core?.remoteNumber ?? 0) + 1)
          if let funding = channel.funding {
            object["funding_txid"] = .text(funding.outPoint.txid)
            object["funding_outnum"] = .int(funding.outPoint.vout)
          }
          object["leased"] = false
          object["total_msat"] = .msat(channel.capacity)
          object["final_to_us_msat"] = .msat(channel.balances?[.local] ?? .zero)
          let cause = !channel.closingTransactions.isEmpty ? "user" : channel.failure == nil ? "onchain" : "local"
          object["close_cause"] = .string(cause)
          return .object(object)
        })
    ]
  }
}
