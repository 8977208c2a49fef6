internal import Bitcoin
internal import Encoding
internal import JSON

// A subset of bitcoind's RPC. Method names, parameters, results and error numbers are those of Bitcoin Core 29.

extension RegtestChain {
  /// The parameters of each method, in order.
  private static let methods: [String: [String]] = [
    "getblockchaininfo": [], "getblockcount": [], "getbestblockhash": [], "getblockhash": ["height"],
    "getblock": ["blockhash", "verbosity"], "getblockheader": ["blockhash", "verbose"],
    "getrawtransaction": ["txid", "verbosity", "blockhash"], "gettxout": ["txid", "n", "include_mempool"],
    "sendrawtransaction": ["hexstring", "maxfeerate", "maxburnamount"],
    "submitpackage": ["package", "maxfeerate", "maxburnamount"], "testmempoolaccept": ["rawtxs", "maxfeerate"],
    "getrawmempool": ["verbose", "mempool_sequence"], "getmempoolentry": ["txid"], "getmempoolinfo": [],
    "gettxspendingprevout": ["outputs"],
    "estimatesmartfee": ["conf_target", "estimate_mode"], "getnetworkinfo": [],
    "generatetoaddress": ["nblocks", "address", "maxtries"], "generateblock": ["output", "transactions", "submit"],
    "invalidateblock": ["blockhash"], "reconsiderblock": ["blockhash"], "submitblock": ["hexdata", "dummy"],
    "sendtoaddress": ["address", "amount"], "getbalance": [], "waitfornewblock": ["timeout", "current_tip"],
    "setmocktime": ["timestamp"], "help": ["command"], "uptime": [],
  ]

  func answer(_ method: String, _ parameters: JSONValue?) async throws(RPCFault) -> JSONValue {
    guard let names = Self.methods[method] else { throw RPCFault(RPCFault.methodNotFound, "Method not found") }
    let arguments = try RPCArguments(parameters, names: names)
    do {
      switch method {
      case "waitfornewblock": return try await waitForNewBlock(arguments)
      case "sendrawtransaction", "submitpackage", "testmempoolaccept", "getrawmempool", "getmempoolentry",
        "getmempoolinfo", "gettxspendingprevout", "estimatesmartfee":
        return try answerAboutMempool(method, arguments)
      case "generatetoaddress", "generateblock", "invalidateblock", "reconsiderblock", "submitblock", "sendtoaddress",
        "setmocktime":
        return try change(method, arguments)
      default: return try answerAboutChain(method, arguments)
      }
    } catch let fault as RPCFault {
      throw fault
    } catch let error as ChainError {
      throw RPCFault(error)
    } catch {
      throw RPCFault(RPCFault.miscellaneous, "\(error)")
    }
  }

  // MARK: Blocks and outputs

  private func answerAboutChain(_ method: String, _ arguments: RPCArguments) throws -> JSONValue {
    switch method {
    case "getblockchaininfo":
      return [
        "chain": "regtest", "blocks": .int(state.height), "headers": .int(state.height),
        "bestblockhash": .text(state.tip.hash), "bits": .string(ChainState.hex(Regtest.bits.rawValue)),
        "difficulty": ChainState.difficulty, "time": .int(state.tip.block.header.time),
        "mediantime": .int(state.tip.medianTimePast), "verificationprogress": 1, "initialblockdownload": false,
        "chainwork": .text(state.tip.work), "size_on_disk": 0, "pruned": false, "warnings": [],
      ]
    case "getblockcount": return .int(state.height)
    case "getbestblockhash": return .text(state.tip.hash)
    case "getblockhash":
      let height = try arguments.integer(0, "height")
      guard let height = UInt32(exactly: height), let entry = state.entry(at: height)
      else { throw RPCFault(RPCFault.invalidParameter, "Block height out of range") }
      return .text(entry.hash)
    case "getblock":
      let entry = try entry(arguments)
      let verbosity = try arguments.verbosity(1, default: 1)
      return verbosity <= 0 ? .hex(entry.block.encoded) : state.json(block: entry, verbosity: verbosity)
    case "getblockheader":
      let entry = try entry(arguments)
      let isVerbose = try arguments.bool(1, "verbose", default: true)
      return isVerbose ? state.json(header: entry) : .hex(entry.block.header.encoded)
    case "getrawtransaction": return try rawTransaction(arguments)
    case "gettxout": return try output(arguments)
    case "getnetworkinfo":
      return [
        "version": 290000, "subversion": "/glc-regtest:1/", "protocolversion": 70016, "localrelay": true,
        "networkactive": false, "connections": 0, "networks": [],
        "relayfee": .bitcoins(state.policy.minimumRelayRate),
        "incrementalfee": .bitcoins(state.policy.incrementalRelayRate), "localaddresses": [], "warnings": [],
      ]
    case "getbalance": return .bitcoins(faucetBalance().rawValue)
    case "uptime": return 0
    default: return .string(Self.methods.keys.sorted().joined(separator: "\n"))
    }
  }

  private func entry(_ arguments: RPCArguments) throws(RPCFault) -> ChainState.Entry {
    guard let entry = state.entries[try arguments.blockHash(0)]
    else { throw RPCFault(RPCFault.invalidAddressOrKey, "Block not found") }
    return entry
  }

  private func rawTransaction(_ arguments: RPCArguments) throws -> JSONValue {
    let txid = try arguments.txid(0)
    let verbosity = try arguments.verbosity(1, default: 0)
    let hash = arguments[2] == nil ? nil : try arguments.blockHash(2)
    let transaction: Transaction
    var entry: ChainState.Entry?
    if let hash {
      guard let named = state.entries[hash]
      else { throw RPCFault(RPCFault.invalidAddressOrKey, "Block hash not found") }
      guard let index = named.txids.firstIndex(of: txid) else {
        throw RPCFault(RPCFault.invalidAddressOrKey, "No such transaction found in the provided block.")
      }
      transaction = named.block.transactions[index]
      entry = named
    } else if let found = try self.transaction(txid, in: nil) {
      transaction = found.transaction
      entry = found.block.flatMap { state.entries[$0.hash] }
    } else {
      throw RPCFault(RPCFault.invalidAddressOrKey, "No such mempool or blockchain transaction.")
    }
    guard verbosity > 0 else { return .hex(transaction.encoded) }
    guard case .object(var object) = ChainState.json(transaction, withHex: true) else { return .null }
    if let entry {
      let confirmations = max(state.confirmations(of: entry), 0)
      if hash != nil { object["in_active_chain"] = .bool(confirmations > 0) }
      object["blockhash"] = .text(entry.hash)
      object["confirmations"] = .int(confirmations)
      if confirmations > 0 {
        object["time"] = .int(entry.block.header.time)
        object["blocktime"] = .int(entry.block.header.time)
      }
    }
    return .object(object)
  }

  private func output(_ arguments: RPCArguments) throws -> JSONValue {
    let txid = try arguments.txid(0)
    let index = try arguments.integer(1, "n")
    let includesMempool = try arguments.bool(2, "include_mempool", default: true)
    guard let vout = UInt32(exactly: index),
      let found = try unspentOutput(OutPoint(txid: txid, vout: vout), includingMempool: includesMempool)
    else { return .null }
    return [
      "bestblock": .text(state.tip.hash),
      "confirmations": .int(found.confirmationHeight.map { state.height - $0 + 1 } ?? 0),
      "value": .bitcoins(found.output.value.rawValue), "scriptPubKey": ChainState.json(found.output.scriptPubKey),
      "coinbase": .bool(found.isCoinbase),
    ]
  }

  private func waitForNewBlock(_ arguments: RPCArguments) async throws -> JSONValue {
    let milliseconds = try arguments.integer(0, "timeout", default: 0)
    guard milliseconds >= 0 else { throw RPCFault(RPCFault.miscellaneous, "Negative timeout") }
    let known = arguments[1] == nil ? state.tip.hash : try arguments.blockHash(1)
    let timeout = Duration.milliseconds(milliseconds == 0 ? 86_400_000 : min(milliseconds, 86_400_000))
    let tip = try await tip(otherThan: known, timeout: timeout)
    return ["hash": .text(tip.hash), "height": .int(tip.height)]
  }

  // MARK: Mempool

  private func answerAboutMempool(_ method: String, _ arguments: RPCArguments) throws -> JSONValue {
    switch method {
    case "sendrawtransaction":
      let transaction = try arguments.transaction(.string(try arguments.string(0, "hexstring")))
      try submit(transaction)
      return .text(transaction.txid)
    case "testmempoolaccept":
      let list = try transactions(arguments, 0, "rawtxs")
      return .array(zip(list, try testAccept(list)).map { Self.json($0, $1) })
    case "submitpackage": return try submitPackage(arguments)
    case "getrawmempool":
      let entries = state.mempool.sorted
      guard try arguments.bool(0, "verbose", default: false) else { return .array(entries.map { .text($0.txid) }) }
      var object = JSONObject()
      for entry in entries { object[entry.txid.description] = state.json(entry) }
      return .object(object)
    case "getmempoolentry":
      guard let entry = state.mempool[try arguments.txid(0)]
      else { throw RPCFault(RPCFault.invalidAddressOrKey, "Transaction not in mempool") }
      return state.json(entry)
    case "gettxspendingprevout":
      let outputs = try arguments.array(0, "outputs")
      guard !outputs.isEmpty else {
        throw RPCFault(RPCFault.invalidParameter, "Invalid parameter, outputs are missing")
      }
      var answers: [JSONValue] = []
      for output in outputs {
        let outPoint = try arguments.outPoint(output)
        var answer: JSONObject = ["txid": .text(outPoint.txid), "vout": .int(outPoint.vout)]
        if let spender = state.mempool.spenders[outPoint] { answer["spendingtxid"] = .text(spender) }
        answers.append(.object(answer))
      }
      return .array(answers)
    case "getmempoolinfo":
      let fees = state.mempool.entries.values.reduce(0) { $0 + $1.fee }
      return [
        "loaded": true, "size": .int(state.mempool.count), "bytes": .int(state.mempool.size),
        "usage": .int(state.mempool.size * 4), "total_fee": .bitcoins(fees),
        "maxmempool": .int(RegtestPolicy.maximumMempoolSize), "mempoolminfee": .bitcoins(state.policy.minimumRelayRate),
        "minrelaytxfee": .bitcoins(state.policy.minimumRelayRate),
        "incrementalrelayfee": .bitcoins(state.policy.incrementalRelayRate), "unbroadcastcount": 0, "fullrbf": true,
      ]
    default:
      let target = try arguments.integer(0, "conf_target")
      guard 1...1008 ~= target
      else { throw RPCFault(RPCFault.invalidParameter, "Invalid conf_target, must be between 1 and 1008") }
      guard let rate = announcedRate
      else { return ["errors": ["Insufficient data or no feerate found"], "blocks": .int(target)] }
      return ["feerate": .bitcoins(UInt64(rate.satPerKiloWeight) * 4), "blocks": .int(target)]
    }
  }

  private func transactions(_ arguments: RPCArguments, _ index: Int, _ name: String) throws(RPCFault) -> [Transaction] {
    let list = try arguments.array(index, name)
    guard 1...RegtestPolicy.maximumPackageCount ~= list.count else {
      throw RPCFault(RPCFault.invalidParameter, "Array must contain between 1 and 25 transactions.")
    }
    var transactions: [Transaction] = []
    for element in list { transactions.append(try arguments.transaction(element)) }
    return transactions
  }

  private static func json(_ transaction: Transaction, _ test: AcceptanceTest) -> JSONValue {
    var object: JSONObject = ["txid": .text(test.txid), "wtxid": .text(transaction.witnessTxID)]
    switch test.outcome {
    case .accepted(let fee, let size):
      object["allowed"] = true
      object["vsize"] = .int(size)
      object["fees"] = ["base": .bitcoins(fee.rawValue)]
    case .refused(let refusal):
      object["allowed"] = false
      // Under another name here than elsewhere.
      object["reject-reason"] = .string(refusal.kind == .missingInputs ? "missing-inputs" : refusal.reason)
      object["reject-details"] = .string(refusal.detail.map { "\(refusal.reason), \($0)" } ?? refusal.reason)
    case .notTested: break
    }
    return .object(object)
  }

  private func submitPackage(_ arguments: RPCArguments) throws -> JSONValue {
    let package = try transactions(arguments, 0, "package")
    let before = Set(state.mempool.entries.keys)
    let outcomes = try submitPackage(package)
    var results = JSONObject()
    var message = "success"
    for (transaction, outcome) in zip(package, outcomes) {
      var result: JSONObject = ["txid": .text(transaction.txid)]
      switch outcome {
      case .accepted, .alreadyThere:
        if let entry = state.mempool[transaction.txid] {
          result["vsize"] = .int(entry.size)
          result["fees"] = ["base": .bitcoins(entry.fee)]
        }
      case .refused(let refusal):
        message = "transaction failed"
        result["error"] = .string(refusal.detail.map { "\(refusal.reason), \($0)" } ?? refusal.reason)
      case .skipped:
        message = "transaction failed"
        result["error"] = "package-not-validated"
      }
      results[transaction.witnessTxID.description] = .object(result)
    }
    let replaced = before.subtracting(state.mempool.entries.keys)
    return [
      "package_msg": .string(message), "tx-results": .object(results),
      "replaced-transactions": .array(replaced.sorted().map { .text($0) }),
    ]
  }

  // MARK: Changing the chain

  private func change(_ method: String, _ arguments: RPCArguments) throws -> JSONValue {
    switch method {
    case "generatetoaddress":
      let count = try arguments.integer(0, "nblocks")
      let script = try arguments.script(1, "address")
      guard 0...10_000 ~= count else { throw RPCFault(RPCFault.invalidParameter, "nblocks out of range") }
      return .array(try mine(count, payingTo: script).map { .text($0.hash) })
    case "generateblock":
      let script = try arguments.script(0, "output")
      var list: [Transaction] = []
      for element in try arguments.array(1, "transactions") {
        if let text = element.stringValue, let txid = try? TxID(display: text) {
          guard let entry = state.mempool[txid] else {
            throw RPCFault(RPCFault.invalidAddressOrKey, "Transaction \(text) not in mempool.")
          }
          list.append(entry.transaction)
        } else {
          list.append(try arguments.transaction(element))
        }
      }
      return ["hash": .text(try mine(list, payingTo: script).hash)]
    case "submitblock":
      guard let block = try arguments.string(0, "hexdata").blockValue
      else { throw RPCFault(RPCFault.cannotDecode, "Block decode failed") }
      // The reason is the result, as BIP 22 wants it.
      do { try submit(block: block) } catch {
        if case .invalidBlock(let reason) = error { return .string(reason) }
        throw error
      }
      return .null
    case "invalidateblock":
      try invalidate(try arguments.blockHash(0))
      return .null
    case "reconsiderblock":
      try reconsider(try arguments.blockHash(0))
      return .null
    case "setmocktime":
      let time = try arguments.integer(0, "timestamp")
      guard 0...Int(UInt32.max) ~= time else { throw RPCFault(RPCFault.invalidParameter, "Timestamp out of range") }
      setTime(time == 0 ? nil : Int64(time))
      return .null
    default:
      let script = try arguments.script(0, "address")
      guard let amount = Satoshi(bitcoins: arguments[1]) else { throw RPCFault(RPCFault.wrongType, "Invalid amount") }
      return .text(try send(amount, to: script).txid)
    }
  }
}

extension String {
  fileprivate var blockValue: Block? {
    guard let bytes = try? Hex.decode(self) else { return nil }
    return try? Block(decoding: bytes)
  }
}
