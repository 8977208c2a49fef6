internal import Bitcoin
internal import Chain
internal import Encoding
internal import JSON
internal import RPC
internal import Wallet

extension Handlers {
  private func control() throws -> any ChainControl {
    guard let control = surroundings.control else {
      throw RPCError(.failure, "this chain cannot be told what to do: only regtest can")
    }
    return control
  }

  func chain(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let tip = try await hub.source.tip()
    var object: JSONObject = [
      "source": hub.source is RegtestChain ? "embedded" : "bitcoind", "network": .string(network.chainName),
      "blockheight": .int(tip.height), "blockhash": .text(tip.hash),
    ]
    if let rescan = await hub.rescan.progress { object["rescan"] = .rescan(rescan) }
    if let waiting = try? await surroundings.control?.waiting() { object["mempool"] = .int(waiting.count) }
    return .object(object)
  }

  func rescan(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let wallet = await hub.wallet.current
    let height = try arguments.integer(ifPresent: "blockheight", as: UInt32.self) ?? wallet.birth
    guard let tip = wallet.tip?.height, height <= tip else {
      throw arguments.invalid("blockheight", "should not be above the chain's height")
    }
    try await hub.rescan.begin(from: height)
    return ["from": .int(height), "to": .int(tip)]
  }

  func generate(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let control = try control()
    let script = arguments.has("address") ? try address(arguments, "address").scriptPubKey : nil
    let blocks = try await control.generate(Int(try arguments.integer(ifPresent: "blocks") ?? 1), payingTo: script)
    let height = try await processed()
    return ["blockhashes": .array(blocks.map { .text($0.hash) }), "blockheight": .int(height)]
  }

  /// Waits until the node has taken in the present tip.
  private func processed() async throws -> UInt32 {
    let height = try await hub.source.tip().height
    let node = node
    _ = try await firstOf(.seconds(60)) { await node.reach(height) }
    return height
  }

  func faucet(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let control = try control()
    let amount = try arguments.satoshi(ifPresent: "satoshi") ?? .oneBitcoin
    let to = arguments.has("address") ? try address(arguments, "address") : try await node.newAddress()
    let txid = try await control.give(amount, to: to)
    let height = try await processed()
    return [
      "txid": .text(txid), "address": .text(to), "amount_msat": .msat(amount), "blockheight": .int(height),
    ]
  }

  func mempool(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    [
      "transactions": .array(
        try await control().waiting().map { waiting in
          var object: JSONObject = ["txid": .text(waiting.transaction.txid)]
          if let fee = waiting.fee { object["fee_msat"] = .msat(fee) }
          object["weight"] = .unsigned(waiting.transaction.weight.rawValue)
          object["version"] = .int(waiting.transaction.version)
          return .object(object)
        })
    ]
  }

  func reorg(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let depth = Int(try arguments.integer("depth"))
    let count = try arguments.integer(ifPresent: "blocks").map { Int($0) }
    let blocks = try await control().reorganise(
      depth: depth, count: count, keepingTransactions: try arguments.bool(ifPresent: "mempool") ?? true)
    guard let last = blocks.last else { throw RPCError(.failure, "there are no new blocks") }
    // The new tip may be lower than what was processed.
    for _ in 0..<1000 {
      if await hub.wallet.current.tip?.hash == last.hash { break }
      try await Task.sleep(for: .milliseconds(20))
    }
    return ["blockheight": .int(last.height), "blockhash": .text(last.hash)]
  }
}

extension JSONValue {
  static func rescan(_ progress: Rescan.Progress) -> JSONValue {
    var object: JSONObject = ["blockheight": .int(progress.next), "of": .int(progress.tip)]
    if let problem = progress.problem { object["problem"] = .string(problem) }
    return .object(object)
  }
}
