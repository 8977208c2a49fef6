public import Bitcoin

extension RegtestChain {
  /// OP_TRUE behind a hash: whoever mines without saying for whom, mines for the faucet, and the faucet needs no key.
  static let faucetWitnessScript = Script([Opcode.op1.rawValue])
  static let faucetScript = Script.p2wsh(faucetWitnessScript)
  /// In satoshi per vbyte.
  private static let faucetRate: UInt64 = 2

  /// What the faucet can send now.
  public func faucetBalance() -> Satoshi { Satoshi(faucetCoins().reduce(0) { $0 + $1.value }) }

  /// Sends coins out of nowhere. The transaction is in the mempool, or in a block when `mining` is true, when this returns. Throws
  /// `.faucetEmpty` when the faucet's coins that are old enough do not suffice: mine more.
  @discardableResult
  public func send(_ amount: Satoshi, to script: Script, mining: Bool = false) throws(ChainError) -> OutPoint {
    let transaction = try makePayment(of: amount, to: script)
    try submit(transaction)
    if mining { try mine() }
    return OutPoint(txid: transaction.txid, vout: 0)
  }

  private struct FaucetCoin {
    let outPoint: OutPoint
    let value: UInt64
    let isConfirmed: Bool
  }

  /// Not spent yet, old enough; the confirmed ones first, the largest first.
  private func faucetCoins() -> [FaucetCoin] {
    let next = state.height + 1
    var found: [FaucetCoin] = []
    for outPoint in state.watchedCoins where state.mempool.spenders[outPoint] == nil {
      guard let coin = state.coins[outPoint] else { continue }
      if coin.isCoinbase && next - coin.height < Regtest.coinbaseMaturity { continue }
      found.append(FaucetCoin(outPoint: outPoint, value: coin.output.value.rawValue, isConfirmed: true))
    }
    for entry in state.mempool.entries.values {
      for (index, output) in entry.transaction.outputs.enumerated()
      where output.scriptPubKey == Self.faucetScript && entry.transaction.version == 2 {
        let outPoint = OutPoint(txid: entry.txid, vout: UInt32(index))
        guard state.mempool.spenders[outPoint] == nil else { continue }
        found.append(FaucetCoin(outPoint: outPoint, value: output.value.rawValue, isConfirmed: false))
      }
    }
    return found.sorted {
      if $0.isConfirmed != $1.isConfirmed { return $0.isConfirmed }
      return $0.value == $1.value ? $0.outPoint < $1.outPoint : $0.value > $1.value
    }
  }

  private func makePayment(of amount: Satoshi, to script: Script) throws(ChainError) -> Transaction {
    let coins = faucetCoins()
    // The smallest confirmed coin that suffices keeps the others free; else as many as it takes.
    let generous = amount.rawValue.addingReportingOverflow(10_000)
    let single = coins.last { $0.isConfirmed && !generous.overflow && $0.value >= generous.partialValue }
    var transaction = Transaction(inputs: [], outputs: [TxOutput(value: amount, scriptPubKey: script)])
    var total: UInt64 = 0
    for coin in single.map({ [$0] }) ?? coins {
      transaction.inputs.append(
        TxInput(previousOutput: coin.outPoint, sequence: 0xffff_fffd, witness: [Self.faucetWitnessScript.bytes]))
      total += coin.value
      // With room for a change output.
      let fee = (transaction.virtualSize + 43) * Self.faucetRate
      let (needed, overflow) = amount.rawValue.addingReportingOverflow(fee)
      guard !overflow, total >= needed else { continue }
      if total - needed >= 1000 {
        transaction.outputs.append(TxOutput(value: Satoshi(total - needed), scriptPubKey: Self.faucetScript))
      }
      return transaction
    }
    throw .faucetEmpty(wanted: amount, available: Satoshi(total))
  }
}
