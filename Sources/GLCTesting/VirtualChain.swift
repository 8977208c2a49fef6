public import Bitcoin
internal import Encoding
internal import Hashing

/// Why a transaction was not taken into the mempool.
public enum ChainRefusal: Error, Hashable, Sendable {
  case missingInput(OutPoint)
  case alreadyKnown
  case rule(TransactionRuleError)
  case script(ScriptError, input: Int)
  /// nLockTime is not over in the next block.
  case notFinal
  /// BIP 68: an input is too young for its nSequence.
  case tooYoung
  /// Below the relay minimum: fee and weight, of the package where there is one.
  case feeTooLow(Satoshi, Weight)
  /// BIP 125: it pays less than what it would replace, or nothing for its own relay.
  case replacementTooCheap(needed: Satoshi, paid: Satoshi)
  case dust(Satoshi)
  /// BIP 431.
  case version3(String)
}

/// A chain as a channel sees it, in memory: unspent outputs, a mempool with the rules that matter to second-layer transactions, blocks
/// on demand, reorganisations. Scripts are run by the interpreter under standard rules.
public struct VirtualChain: Sendable {
  public struct Coin: Hashable, Sendable {
    public var output: TxOutput
    public var height: UInt32
  }

  public struct Block: Sendable {
    public var height: UInt32
    public var transactions: [Transaction]
    /// What the block spent, for undoing it.
    var spent: [OutPoint: Coin]
  }

  /// The relay minimum and the price of a replacement: 1 sat/vbyte.
  public var relayRate = FeeRate(satPerKiloWeight: 250)
  public private(set) var height: UInt32
  public private(set) var coins: [OutPoint: Coin] = [:]
  public private(set) var blocks: [Block] = []
  public private(set) var mempool: [Transaction] = []
  private var fees: [TxID: Satoshi] = [:]

  /// The median time past of every block: later than any commitment's lock time, which looks like one of 1987.
  static let time: Int64 = 1_700_000_000

  public init(height: UInt32) { self.height = height }

  /// Creates an output out of nothing.
  public mutating func fund(_ outPoint: OutPoint, _ output: TxOutput) {
    coins[outPoint] = Coin(output: output, height: height)
  }

  // MARK: Mempool

  /// Takes transactions into the mempool together: a parent that pays too little may have a child that pays for it.
  public mutating func submit(_ package: [Transaction]) throws(ChainRefusal) {
    let before = self
    var fee = Satoshi.zero
    var weight: UInt64 = 0
    do throws(ChainRefusal) {
      for transaction in package {
        if mempool.contains(where: { $0.txid == transaction.txid }) { continue }
        fee = fee.adding(try admit(transaction)) ?? fee
        weight += transaction.weight.rawValue
      }
      guard weight > 0 else { throw .alreadyKnown }
      guard fee >= relayRate.fee(for: Weight(weight)) ?? .zero else { throw .feeTooLow(fee, Weight(weight)) }
      // An output that only its own package may leave behind: ephemeral dust is spent by the child.
      for transaction in package {
        for (index, output) in transaction.outputs.enumerated() where output.value < Satoshi(294) {
          let outPoint = OutPoint(txid: transaction.txid, vout: UInt32(index))
          let isAnchor = output.scriptPubKey.bytes == [0x51, 0x02, 0x4e, 0x73] && output.value >= Satoshi(240)
          let isSpent = mempool.contains { $0.inputs.contains { $0.previousOutput == outPoint } }
          guard isAnchor || isSpent else { throw .dust(output.value) }
        }
      }
    } catch {
      self = before
      throw error
    }
  }

  public mutating func submit(_ transaction: Transaction) throws(ChainRefusal) { try submit([transaction]) }

  /// Checks all but the relay minimum; returns the fee.
  private mutating func admit(_ transaction: Transaction) throws(ChainRefusal) -> Satoshi {
    do { try TransactionRules.check(transaction) } catch { throw .rule(error) }
    var spent: [TxOutput] = []
    var confirmations: [(height: UInt32, medianTimePastBefore: Int64)] = []
    for input in transaction.inputs {
      guard let (output, height) = available(input.previousOutput) else { throw .missingInput(input.previousOutput) }
      spent.append(output)
      confirmations.append((height ?? self.height + 1, Self.time))
    }
    let fee: Satoshi
    do { fee = try TransactionRules.fee(of: transaction, spending: spent) } catch { throw .rule(error) }
    guard TransactionRules.isFinal(transaction, height: height + 1, time: Self.time) else { throw .notFinal }
    guard let lock = TransactionRules.relativeLock(of: transaction, confirmations: confirmations),
      lock.isOver(height: height + 1, medianTimePastBefore: Self.time)
    else { throw .tooYoung }
    let parts = SighashParts(transaction, spentOutputs: spent)
    for index in transaction.inputs.indices {
      do {
        try ScriptVerifier.verify(input: index, of: transaction, spending: spent, flags: .standard, parts: parts)
      } catch {
        throw .script(error, input: index)
      }
    }
    try checkVersion3(transaction)
    try replaceConflicts(of: transaction, fee: fee)
    mempool.append(transaction)
    fees[transaction.txid] = fee
    return fee
  }

  private func available(_ outPoint: OutPoint) -> (TxOutput, UInt32?)? {
    if let coin = coins[outPoint] { return (coin.output, coin.height) }
    guard let parent = mempool.first(where: { $0.txid == outPoint.txid }),
      parent.outputs.indices.contains(Int(outPoint.vout))
    else { return nil }
    return (parent.outputs[Int(outPoint.vout)], nil)
  }

  /// BIP 431: one unconfirmed parent or child, of the same version, 10,000 and 1,000 vbytes.
  private func checkVersion3(_ transaction: Transaction) throws(ChainRefusal) {
    let parents = mempool.filter { parent in transaction.inputs.contains { $0.previousOutput.txid == parent.txid } }
    for parent in parents where (parent.version == 3) != (transaction.version == 3) {
      throw .version3("mixed with other versions")
    }
    guard transaction.version == 3 else { return }
    guard transaction.virtualSize <= 10_000 else { throw .version3("too large") }
    guard let parent = parents.first else { return }
    guard parents.count == 1 else { throw .version3("two unconfirmed parents") }
    guard transaction.virtualSize <= 1_000 else { throw .version3("a child of \(transaction.virtualSize) vbytes") }
    let inputs = Set(transaction.inputs.map(\.previousOutput))
    let sibling = mempool.contains { other in
      other.inputs.contains { $0.previousOutput.txid == parent.txid }
        && !other.inputs.contains { inputs.contains($0.previousOutput) }
    }
    if sibling { throw .version3("a second child") }
  }

  /// BIP 125 with full replaceability: what conflicts goes, with all that builds on it, if the newcomer pays more.
  private mutating func replaceConflicts(of transaction: Transaction, fee: Satoshi) throws(ChainRefusal) {
    let inputs = Set(transaction.inputs.map(\.previousOutput))
    let conflicts = mempool.filter { $0.inputs.contains { inputs.contains($0.previousOutput) } }
    guard !conflicts.isEmpty else { return }
    for conflict in conflicts {
      // Bitcoin Core: its rate is higher than that of everything it conflicts with.
      let (old, weight) = (fees[conflict.txid] ?? .zero, conflict.weight.rawValue)
      guard fee.rawValue * weight > old.rawValue * transaction.weight.rawValue else {
        throw .replacementTooCheap(
          needed: Satoshi(old.rawValue * transaction.weight.rawValue / weight + 1), paid: fee)
      }
    }
    var doomed = Set(conflicts.map(\.txid))
    var count = 0
    while count != doomed.count {
      count = doomed.count
      for other in mempool where other.inputs.contains(where: { doomed.contains($0.previousOutput.txid) }) {
        doomed.insert(other.txid)
      }
    }
    var needed = relayRate.fee(for: transaction.weight) ?? .zero
    for txid in doomed { needed = needed.adding(fees[txid] ?? .zero) ?? .maxMoney }
    guard fee >= needed else { throw .replacementTooCheap(needed: needed, paid: fee) }
    mempool.removeAll { doomed.contains($0.txid) }
  }

  // MARK: Blocks

  /// Mines the mempool. Returns the new block.
  /// - Parameters:
  ///   - extra: what a miner was handed directly, whatever it pays; not checked.
  ///   - minimum: what pays less, together with what it builds on and with what builds on it, is left for later.
  @discardableResult
  public mutating func mine(
    adding extra: [Transaction] = [], paying minimum: FeeRate = FeeRate(satPerKiloWeight: 0)
  ) -> Block {
    height += 1
    var spent: [OutPoint: Coin] = [:]
    let (chosen, rest) = choose(paying: minimum)
    let transactions = chosen + extra
    for transaction in transactions {
      for input in transaction.inputs { spent[input.previousOutput] = coins.removeValue(forKey: input.previousOutput) }
      let txid = transaction.txid
      for (index, output) in transaction.outputs.enumerated() {
        coins[OutPoint(txid: txid, vout: UInt32(index))] = Coin(output: output, height: height)
      }
    }
    let block = Block(height: height, transactions: transactions, spent: spent)
    blocks.append(block)
    mempool = rest
    return block
  }

  /// Which transactions a miner takes: each package of one with all that it builds on that pays enough.
  private func choose(paying minimum: FeeRate) -> (chosen: [Transaction], rest: [Transaction]) {
    if minimum.satPerKiloWeight == 0 { return (mempool, []) }
    let ids = mempool.map(\.txid)
    let places = Dictionary(uniqueKeysWithValues: zip(ids, mempool.indices))
    var chosen: Set<Int> = []
    for last in mempool.indices {
      // Parents stand before their children.
      var package: Set<Int> = [last]
      for place in (0...last).reversed() where package.contains(place) {
        for input in mempool[place].inputs {
          if let parent = places[input.previousOutput.txid] { package.insert(parent) }
        }
      }
      package.subtract(chosen)
      let weight = package.reduce(UInt64(0)) { $0 + mempool[$1].weight.rawValue }
      let fee = package.reduce(UInt64(0)) { $0 + (fees[ids[$1]] ?? .zero).rawValue }
      if fee >= (minimum.fee(for: Weight(weight)) ?? .maxMoney).rawValue { chosen.formUnion(package) }
    }
    return (
      mempool.indices.filter { chosen.contains($0) }.map { mempool[$0] },
      mempool.indices.filter { !chosen.contains($0) }.map { mempool[$0] }
    )
  }

  /// Takes back the last blocks, at most those that were mined here. Their transactions are forgotten. Returns the new height.
  @discardableResult
  public mutating func reorganise(depth: Int) -> UInt32 {
    mempool = []
    for _ in 0..<min(depth, blocks.count) {
      let block = blocks.removeLast()
      for transaction in block.transactions {
        let txid = transaction.txid
        for index in transaction.outputs.indices { coins[OutPoint(txid: txid, vout: UInt32(index))] = nil }
      }
      for transaction in block.transactions {
        for input in transaction.inputs {
          // What the same block made is gone as well.
          let isInner = block.transactions.contains { $0.txid == input.previousOutput.txid }
          if !isInner { coins[input.previousOutput] = block.spent[input.previousOutput] }
        }
      }
      height -= 1
    }
    return height
  }

  /// The fee that a transaction paid when it was taken in.
  public func fee(of txid: TxID) -> Satoshi { fees[txid] ?? .zero }

  /// What pays to a script.
  public func coins(for script: Script) -> [(outPoint: OutPoint, coin: Coin)] {
    coins.filter { $0.value.output.scriptPubKey == script }.map { (outPoint: $0.key, coin: $0.value) }
      .sorted { $0.outPoint < $1.outPoint }
  }
}
