internal import BOLT
internal import Bitcoin
internal import Chain
internal import Encoding
internal import JSON
internal import Logging
internal import Peers
internal import RPC
internal import Wallet
internal import Wire

extension Handlers {
  // MARK: Addresses and coins

  func newaddr(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let type = try arguments.string(ifPresent: "addresstype") ?? "p2tr"
    var object: JSONObject = [:]
    if type != "p2tr" { object["bech32"] = .text(try await node.newAddress(.segwit)) }
    if type != "bech32" { object["p2tr"] = .text(try await node.newAddress(.taproot)) }
    return .object(object)
  }

  func listfunds(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let wallet = await hub.wallet.current
    let withSpent = try arguments.bool(ifPresent: "spent") ?? false
    var outputs: [JSONValue] = []
    for coin in wallet.coins {
      var object = output(coin.outPoint, coin.output)
      switch coin.state {
      case .confirmed(let height):
        object["status"] = "confirmed"
        object["blockheight"] = .int(height)
      case .immature: object["status"] = "immature"
      case .unconfirmed: object["status"] = "unconfirmed"
      }
      object["reserved"] = .bool(coin.reservation != nil)
      if let expires = wallet.allReservations.first(where: { $0.id == coin.reservation })?.expires {
        object["reserved_to_block"] = .int(expires)
      }
      outputs.append(.object(object))
    }
    if withSpent {
      let unspent = Set(wallet.coins.map(\.outPoint))
      for entry in wallet.history where entry.status.isActive {
        guard let record = wallet.transaction(entry.txid) else { continue }
        for (index, txOutput) in record.transaction.outputs.enumerated() {
          let point = OutPoint(txid: entry.txid, vout: UInt32(clamping: index))
          guard !unspent.contains(point), wallet.path(of: txOutput.scriptPubKey) != nil else { continue }
          var object = output(point, txOutput)
          object["status"] = "spent"
          if let height = entry.status.height { object["blockheight"] = .int(height) }
          object["reserved"] = false
          outputs.append(.object(object))
        }
      }
    }
    let connected = Set(node.network.peers.map(\.nodeID))
    let channels = await node.channels().filter { $0.funding != nil && $0.phase < .ended }.map { channel -> JSONValue in
      var object: JSONObject = [
        "peer_id": .text(channel.peer), "connected": .bool(connected.contains(channel.peer)),
        "state": .string(channel.stateName), "channel_id": .text(channel.id),
      ]
      if let scid = channel.shortChannelID { object["short_channel_id"] = .text(scid) }
      object["our_amount_msat"] = .msat(channel.ours)
      object["amount_msat"] = .msat(channel.capacity)
      if let funding = channel.funding {
        object["funding_txid"] = .text(funding.outPoint.txid)
        object["funding_output"] = .int(funding.outPoint.vout)
      }
      return .object(object)
    }
    return ["outputs": .array(outputs), "channels": .array(channels)]
  }

  private func output(_ point: OutPoint, _ output: TxOutput) -> JSONObject {
    var object: JSONObject = [
      "txid": .text(point.txid), "output": .int(point.vout), "amount_msat": .msat(output.value),
      "scriptpubkey": .hex(output.scriptPubKey.bytes),
    ]
    if let address = Address(scriptPubKey: output.scriptPubKey, on: network) { object["address"] = .text(address) }
    return object
  }

  func listtransactions(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let wallet = await hub.wallet.current
    return [
      "transactions": .array(
        wallet.history.filter(\.status.isActive).compactMap { entry in
          guard let transaction = wallet.transaction(entry.txid)?.transaction else { return nil }
          var (height, position): (UInt32, UInt32) = (0, 0)
          if case .confirmed(let atHeight, let index) = entry.status { (height, position) = (atHeight, index) }
          return [
            "hash": .text(entry.txid), "rawtx": .hex(transaction.encoded), "blockheight": .int(height),
            "txindex": .int(position), "locktime": .int(transaction.lockTime), "version": .int(transaction.version),
            "inputs": .array(
              transaction.inputs.map { input in
                [
                  "txid": .text(input.previousOutput.txid), "index": .int(input.previousOutput.vout),
                  "sequence": .int(input.sequence),
                ]
              }),
            "outputs": .array(
              transaction.outputs.enumerated().map { index, output in
                [
                  "index": .int(index), "amount_msat": .msat(output.value),
                  "scriptPubKey": .hex(output.scriptPubKey.bytes),
                ]
              }),
          ]
        })
    ]
  }

  // MARK: Spending

  func withdraw(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let script = try address(arguments, "destination").scriptPubKey
    var request = SpendRequest(paying: try spendAmount(arguments), to: script, feeRate: try feeRate(arguments))
    request.coins = try arguments.outpoints(ifPresent: "utxos")
    try confirmations(arguments, &request)
    let (node, order) = (node, request)
    let (transaction, psbt) = try await handedOver { try await node.send(order, label: "withdrawal") }
    return ["tx": .hex(transaction.encoded), "txid": .text(transaction.txid), "psbt": .string(psbt.base64)]
  }

  private func spendAmount(_ arguments: RPCArguments) throws -> SpendRequest.Amount {
    guard case .exactly(let amount) = try arguments.amount("satoshi") else { return .all }
    guard amount.rawValue.isMultiple(of: 1000) else { throw arguments.invalid("satoshi", "should be whole satoshi") }
    return .exactly(amount.satoshiRoundedDown)
  }

  private func confirmations(_ arguments: RPCArguments, _ request: inout SpendRequest) throws {
    guard let minimum = try arguments.integer(ifPresent: "minconf", as: UInt32.self) else { return }
    request.minimumConfirmations = minimum
    request.spendsUnconfirmedChange = minimum == 0
  }

  func bumpfee(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let txid = TxID(Bytes32(reversing: try arguments.bytes32("txid")))
    let rate = try feeRate(arguments)
    let node = node
    let transaction = try await handedOver { try await node.bump(txid, to: rate) }
    return ["txid": .text(transaction.txid), "tx": .hex(transaction.encoded)]
  }

  func feerates(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let style = try arguments.string("style")
    let factor: UInt64 = style == "perkb" ? 4 : 1
    func rate(_ blocks: UInt32) -> JSONValue {
      .unsigned(UInt64(hub.fees.rate(within: blocks).satPerKiloWeight) * factor)
    }
    let floor = (try? await hub.source.minimumFeeRate()) ?? .relayFloor
    let policy = hub.settings.channels
    let rates: JSONObject = [
      "opening": rate(6), "mutual_close": rate(6), "unilateral_close": rate(6), "unilateral_anchor_close": rate(2),
      "penalty": rate(2), "min_acceptable": .unsigned(UInt64(policy.minimumFeeRate.satPerKiloWeight) * factor),
      "max_acceptable": .unsigned(UInt64((hub.maximumFeeRate ?? policy.maximumFeeRate).satPerKiloWeight) * factor),
      "floor": .unsigned(UInt64(max(floor, .relayFloor).satPerKiloWeight) * factor),
      "estimates": .array(
        FeeBoard.targets.map { ["blockcount": .int($0), "feerate": rate($0), "smoothed_feerate": rate($0)] }),
    ]
    // Weights of what is usual: one input, two outputs; a mutual close; an anchor commitment; second stages.
    func cost(_ weight: UInt64, _ blocks: UInt32) -> JSONValue {
      .unsigned((hub.fees.rate(within: blocks).fee(for: Weight(weight)) ?? .zero).rawValue)
    }
    return [
      style: .object(rates),
      "onchain_fee_estimates": [
        "opening_channel_satoshis": cost(702, 6), "mutual_close_satoshis": cost(673, 6),
        "unilateral_close_satoshis": cost(1112, 2), "unilateral_close_nonanchor_satoshis": cost(598, 6),
        "htlc_timeout_satoshis": cost(663, 2), "htlc_success_satoshis": cost(703, 2),
      ],
    ]
  }

  func seed(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    guard let reveal = surroundings.revealSeed else {
      throw RPCError(.failure, "the seed of this node is kept elsewhere")
    }
    context.logger.notice("the seed was shown")
    return ["words": .string(try reveal()), "birthday": .int(await hub.wallet.birth)]
  }

  // MARK: PSBT

  private func psbt(_ arguments: RPCArguments) throws -> PSBT {
    do { return try PSBT(base64: try arguments.string("psbt")) } catch let error as PSBTError {
      throw RPCError(.fundPSBTInvalid, "psbt: \(error)")
    }
  }

  func fundpsbt(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    var request = InputsRequest(
      try spendAmount(arguments), feeRate: try feeRate(arguments),
      startWeight: Weight(try arguments.integer("startweight")))
    request.minimumConfirmations = try arguments.integer(ifPresent: "minconf", as: UInt32.self) ?? 1
    request.minimumWitnessWeight = Weight(try arguments.integer(ifPresent: "min_witness_weight") ?? 0)
    request.lockTime = try arguments.integer(ifPresent: "locktime", as: UInt32.self) ?? node.height
    request.addsChange = try arguments.bool(ifPresent: "excess_as_change") ?? false
    if try arguments.bool(ifPresent: "opening_anchor_channel") ?? false {
      request.furtherReserve = await hub.wallet.current.policy.anchorReservePerChannel
    }
    let blocks = try arguments.integer(ifPresent: "reserve", as: UInt32.self) ?? 72
    let until = node.height.addingReportingOverflow(blocks).partialValue
    let funded = try await hub.wallet.fund(request, holdingUntil: blocks == 0 ? nil : until)
    var object: JSONObject = [
      "psbt": .string(funded.psbt.base64), "feerate_per_kw": .int(request.feeRate.satPerKiloWeight),
      "estimated_final_weight": .unsigned(funded.weight.rawValue), "excess_msat": .msat(funded.excess),
    ]
    if let output = funded.changeOutput { object["change_outnum"] = .int(output) }
    if blocks > 0 {
      object["reservations"] = .array(
        funded.outPoints.map { point in
          [
            "txid": .text(point.txid), "vout": .int(point.vout), "was_reserved": false, "reserved": true,
            "reserved_to_block": .int(until),
          ]
        })
    }
    return .object(object)
  }

  func signpsbt(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    var psbt = try psbt(arguments)
    var own = try await hub.wallet.current.complete(&psbt)
    if let only = arguments.json(ifPresent: "signonly")?.arrayValue {
      let wanted = only.compactMap { $0.unsignedValue.flatMap { Int(exactly: $0) } }
      guard wanted.count == only.count, wanted.allSatisfy({ own[$0] != nil }) else {
        throw arguments.invalid("signonly", "should be inputs of the wallet")
      }
      own = own.filter { wanted.contains($0.key) }
    }
    guard !own.isEmpty else { throw RPCError(.fundPSBTInvalid, "No wallet inputs to sign. Are they reserved?") }
    _ = try hub.keys.sign(&psbt, inputs: own)
    return ["signed_psbt": .string(psbt.base64)]
  }

  func sendpsbt(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    var psbt = try psbt(arguments)
    let report = try psbt.finalize()
    if let missing = report.unfinished.first {
      throw RPCError(.fundPSBTInvalid, "input \(missing.input) of the PSBT is not signed: \(missing.error)")
    }
    let transaction = try psbt.extractTransaction()
    let fee = try? psbt.fee()
    let node = node
    try await handedOver { try await node.publish(transaction, label: "psbt", fee: fee) }
    return ["tx": .hex(transaction.encoded), "txid": .text(transaction.txid)]
  }

  func reserveinputs(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let psbt = try psbt(arguments)
    let blocks = try arguments.integer(ifPresent: "reserve", as: UInt32.self) ?? 72
    let isExclusive = try arguments.bool(ifPresent: "exclusive") ?? true
    let wallet = await hub.wallet.current
    let own = psbt.inputs.map(\.previousOutput).filter { wallet.coin($0) != nil }
    let held = own.filter { wallet.coin($0)?.reservation != nil }
    guard held.isEmpty || !isExclusive else {
      throw RPCError(.failure, "already reserved: \(held.map { "\($0)" }.joined(separator: ", "))")
    }
    let until = node.height + blocks
    let free = own.filter { !held.contains($0) }
    if !free.isEmpty { try await hub.wallet.reserve(free, until: until) }
    return [
      "reservations": .array(
        own.map { point in
          let wasReserved = held.contains(point)
          return [
            "txid": .text(point.txid), "vout": .int(point.vout), "was_reserved": .bool(wasReserved), "reserved": true,
            "reserved_to_block": .int(until),
          ]
        })
    ]
  }

  func unreserveinputs(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let psbt = try psbt(arguments)
    let wallet = await hub.wallet.current
    let own = psbt.inputs.map(\.previousOutput).filter { wallet.coin($0) != nil }
    for id in Set(own.compactMap { wallet.coin($0)?.reservation }) { await hub.wallet.release(id) }
    return [
      "reservations": .array(
        own.map { point in
          [
            "txid": .text(point.txid), "vout": .int(point.vout),
            "was_reserved": .bool(wallet.coin(point)?.reservation != nil), "reserved": false,
          ]
        })
    ]
  }
}

extension Bytes32 {
  /// Ids of transactions are written with their bytes reversed.
  init(reversing other: Bytes32) {
    self.init()
    for index in 0..<32 { self[index] = other[31 - index] }
  }
}
