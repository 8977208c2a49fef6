public import Bitcoin
internal import Encoding
internal import JSON

extension BitcoindSource {
  public func submit(_ transaction: Transaction) async throws(ChainError) {
    do {
      // 0: whatever it pays. What is too much is decided by who makes the transaction.
      _ = try await client.call("sendrawtransaction", [.hex(transaction.encoded), 0])
    } catch {
      guard let refusal = Self.refusal(error, txid: transaction.txid) else { throw error }
      if refusal.kind != .alreadyInMempool { throw .refused(refusal) }
    }
  }

  public func submit(package: [Transaction]) async throws(ChainError) {
    if package.count == 1 { return try await submit(package[0]) }
    let list = JSONValue.array(package.map { .hex($0.encoded) })
    let reply: JSONValue
    do {
      reply = try await submitPackage(list)
    } catch {
      guard var refusal = Self.refusal(error, txid: nil) else { throw error }
      if error.rpcCode == RPCFault.invalidParameter { refusal.kind = .badPackage }
      throw .refused(refusal)
    }
    guard let results = reply["tx-results"]?.objectValue, let message = reply["package_msg"]?.stringValue
    else { throw .badAnswer("submitpackage") }
    // What the package as a whole breaks says more than what each of its transactions lacks alone.
    if message != "success", message != "transaction failed" {
      throw .refused(TransactionRefusal(saying: message, txid: package.last?.txid))
    }
    let txids = Dictionary(package.map { ($0.witnessTxID.description, $0.txid) }, uniquingKeysWith: { $1 })
    var refusals: [TransactionRefusal] = []
    // In the order of the package, which the answer may not have.
    for transaction in package {
      let id = transaction.witnessTxID.description
      guard let error = results[id]?["error"]?.stringValue, error != "package-not-validated" else { continue }
      let refusal = TransactionRefusal(saying: error, txid: txids[id])
      if refusal.kind != .alreadyInMempool { refusals.append(refusal) }
    }
    if let refusal = TransactionRefusal.decisive(of: refusals) { throw .refused(refusal) }
    guard message == "success" else { throw .refused(TransactionRefusal(saying: message)) }
  }

  private func submitPackage(_ list: JSONValue) async throws(ChainError) -> JSONValue {
    do {
      return try await client.call("submitpackage", [list, 0])
    } catch {
      guard case .rpc(RPCFault.miscellaneous, let message) = error, message.hasPrefix("submitpackage")
      else { throw error }
      // Before Bitcoin Core 28 there was no second parameter; the answer is the help text.
      return try await client.call("submitpackage", [list])
    }
  }

  public func testAccept(_ transactions: [Transaction]) async throws(ChainError) -> [AcceptanceTest] {
    if transactions.isEmpty { return [] }
    let reply = try await client.call("testmempoolaccept", [.array(transactions.map { .hex($0.encoded) }), 0])
    guard let results = reply.arrayValue, results.count == transactions.count
    else { throw .badAnswer("testmempoolaccept") }
    var tests: [AcceptanceTest] = []
    for (transaction, result) in zip(transactions, results) {
      let txid = transaction.txid
      let outcome: AcceptanceTest.Outcome
      if let reason = result["reject-reason"]?.stringValue ?? result["package-error"]?.stringValue {
        outcome = .refused(
          TransactionRefusal(saying: reason, detail: result["reject-details"]?.stringValue, txid: txid))
      } else if result["allowed"]?.boolValue == true {
        guard let fee = Satoshi(bitcoins: result["fees"]?["base"]), let size = result["vsize"]?.unsignedValue
        else { throw .badAnswer("testmempoolaccept") }
        outcome = .accepted(fee: fee, virtualSize: size)
      } else {
        outcome = .notTested
      }
      tests.append(AcceptanceTest(txid: txid, outcome: outcome))
    }
    return tests
  }

  public func mempoolSpenders(of outPoints: [OutPoint]) async throws(ChainError) -> [OutPoint: TxID] {
    var found: [OutPoint: TxID] = [:]
    var rest = outPoints[...]
    while !rest.isEmpty {
      let part = rest.prefix(1000)
      rest = rest.dropFirst(part.count)
      let list = part.map { outPoint in JSONValue.object(["txid": .text(outPoint.txid), "vout": .int(outPoint.vout)]) }
      guard let answers = try await client.call("gettxspendingprevout", [.array(list)]).arrayValue,
        answers.count == part.count
      else { throw .badAnswer("gettxspendingprevout") }
      for (outPoint, answer) in zip(part, answers) {
        guard let text = answer["spendingtxid"]?.stringValue else { continue }
        guard let txid = try? TxID(display: text) else { throw .badAnswer("gettxspendingprevout") }
        found[outPoint] = txid
      }
    }
    return found
  }

  /// Nil for an error that is not about the transaction.
  private static func refusal(_ error: ChainError, txid: TxID?) -> TransactionRefusal? {
    guard case .rpc(let code, let message) = error else { return nil }
    switch code {
    case RPCFault.verifyError, RPCFault.verifyRejected, RPCFault.cannotDecode, RPCFault.invalidParameter:
      return TransactionRefusal(saying: message, txid: txid)
    case RPCFault.alreadyInUTXOSet: return TransactionRefusal(.alreadyConfirmed, message, txid: txid)
    default: return nil
    }
  }

  // MARK: Fees

  /// bitcoind's estimate, never below what its mempool takes nor below 253 sat/kw; without one, the fallback of the options. For six
  /// blocks and fewer it is asked to be conservative.
  public func feeEstimate(target: Int) async throws(ChainError) -> FeeEstimate {
    let target = min(max(target, 1), 1008)
    let reply = try await client.call(
      "estimatesmartfee", [.int(target), .string(target <= 6 ? "conservative" : "economical")])
    let minimum = max(try await minimumFeeRate(), .relayFloor)
    if let rate = Satoshi(bitcoins: reply["feerate"]), rate > .zero {
      let estimate = FeeRate(satPerKiloWeight: UInt32(clamping: (rate.rawValue + 3) / 4))
      return FeeEstimate(rate: min(max(estimate, minimum), max(Self.maximumEstimate, minimum)), isEstimated: true)
    }
    let fallback = options.fallbackRates.first { target <= $0.target }?.rate ?? minimum
    return FeeEstimate(rate: max(fallback, minimum), isEstimated: false)
  }

  public func minimumFeeRate() async throws(ChainError) -> FeeRate {
    let reply = try await client.call("getmempoolinfo")
    guard let minimum = Satoshi(bitcoins: reply["mempoolminfee"]), let relay = Satoshi(bitcoins: reply["minrelaytxfee"])
    else { throw .badAnswer("getmempoolinfo") }
    return FeeRate(satPerKiloVByteRoundedUp: max(minimum, relay).rawValue)
  }
}
