internal import Bitcoin
internal import Encoding

/// An output that can be spent.
struct Coin: Hashable, Sendable {
  var output: TxOutput
  var height: UInt32
  var isCoinbase: Bool
}

/// Why a block is not taken: Bitcoin Core's reject reason.
struct BlockFault: Error, Hashable, Sendable, CustomStringConvertible {
  let reason: String
  init(_ reason: String) { self.reason = reason }
  var description: String { reason }
}

/// Blocks, unspent outputs and the mempool of a regtest chain. No clock, no I/O: `RegtestChain` brings those.
struct ChainState: Sendable {
  struct Entry: Sendable {
    let block: Block
    let hash: BlockHash
    let txids: [TxID]
    let height: UInt32
    let medianTimePast: Int64
    /// Of the whole chain up to here.
    let work: UInt256
    /// The number of blocks that came before, in time.
    let order: Int
    var isInvalid = false
    /// What the block spent, in order, while it is in the best chain.
    var spent: [(outPoint: OutPoint, coin: Coin)] = []

    var position: BlockPosition { BlockPosition(height: height, hash: hash) }
  }

  private(set) var entries: [BlockHash: Entry] = [:]
  /// The best chain, by height.
  private(set) var active: [BlockHash] = []
  private(set) var coins: [OutPoint: Coin] = [:]
  /// In the best chain.
  private(set) var confirmed: [TxID: BlockHash] = [:]
  var mempool = Mempool()
  var policy = RegtestPolicy()
  /// Seconds since 1970, as of the last thing that happened.
  var now: Int64 = 0
  let signatures = SignatureCache(capacity: 1 << 14)
  /// Outputs of this script are counted in `watchedCoins`.
  let watchedScript: Script
  private(set) var watchedCoins: Set<OutPoint> = []

  init(watching script: Script) {
    watchedScript = script
    let genesis = Regtest.genesis
    let hash = genesis.hash
    // The output of the first block was never put among the unspent ones, and so is not here.
    entries[hash] = Entry(
      block: genesis, hash: hash, txids: genesis.transactions.map(\.txid), height: 0,
      medianTimePast: Int64(genesis.header.time), work: genesis.header.work, order: 0)
    active = [hash]
  }

  var height: UInt32 { UInt32(active.count - 1) }
  /// There is always one.
  var tip: Entry { entries[active[active.count - 1]] ?? genesisEntry }
  private var genesisEntry: Entry {
    Entry(
      block: Regtest.genesis, hash: active[0], txids: [], height: 0, medianTimePast: 0, work: UInt256(), order: 0)
  }

  func entry(at height: UInt32) -> Entry? { height < active.count ? entries[active[Int(height)]] : nil }
  func isActive(_ entry: Entry) -> Bool { entry.height < active.count && active[Int(entry.height)] == entry.hash }

  /// BIP 113: the median of the last eleven block times, from this block down.
  func medianTimePast(of block: BlockHeader, after parent: Entry) -> Int64 {
    var times = [Int64(block.time)]
    var next: Entry? = parent
    while let entry = next, times.count < 11 {
      times.append(Int64(entry.block.header.time))
      next = entries[entry.block.header.previousBlock]
    }
    times.sort()
    return times[times.count / 2]
  }

  // MARK: Taking blocks

  /// What changed in the best chain.
  struct Change: Sendable {
    var disconnected: [BlockPosition] = []
    var connected: [BlockPosition] = []
    /// From the blocks that were taken back, oldest first.
    var returned: [Transaction] = []

    var isReorganisation: Bool { !disconnected.isEmpty }
  }

  /// Takes a block into its branch and moves to that branch when it has more work than the best chain. Throws when the block is
  /// invalid as far as can be said then: the scripts of a block in a side branch are checked when the branch becomes the best.
  mutating func accept(_ block: Block) throws(BlockFault) -> Change {
    let hash = block.hash
    if let known = entries[hash] {
      throw BlockFault(known.isInvalid ? "duplicate-invalid" : "duplicate")
    }
    guard let parent = entries[block.header.previousBlock] else { throw BlockFault("prev-blk-not-found") }
    if parent.isInvalid { throw BlockFault("bad-prevblk") }
    try checkShape(block)
    let height = parent.height + 1
    guard Int64(block.header.time) > parent.medianTimePast else { throw BlockFault("time-too-old") }
    try checkContext(block, height: height, medianTimePast: parent.medianTimePast)
    let entry = Entry(
      block: block, hash: hash, txids: block.transactions.map(\.txid), height: height,
      medianTimePast: medianTimePast(of: block.header, after: parent), work: parent.work &+ block.header.work,
      order: entries.count)
    if parent.hash == tip.hash {
      var connecting = entry
      connecting.spent = try connect(entry)
      entries[hash] = connecting
      active.append(hash)
      mempool.remove(confirmed: Array(zip(entry.txids, block.transactions)))
      return Change(connected: [entry.position])
    }
    entries[hash] = entry
    let change = activateBest()
    rebuildMempool(returning: change.returned)
    if let entry = entries[hash], entry.isInvalid { throw BlockFault("invalid in its branch") }
    return change
  }

  private func checkShape(_ block: Block) throws(BlockFault) {
    guard block.header.bits == Regtest.bits else { throw BlockFault("bad-diffbits") }
    guard block.header.hasProofOfWork(limit: Network.regtest.proofOfWorkLimit) else { throw BlockFault("high-hash") }
    guard let coinbase = block.transactions.first, coinbase.isCoinbase else { throw BlockFault("bad-cb-missing") }
    if block.transactions.dropFirst().contains(where: \.isCoinbase) { throw BlockFault("bad-cb-multiple") }
    guard block.merkleRoot == block.header.merkleRoot else { throw BlockFault("bad-txnmrklroot") }
    guard block.isConsistent else { throw BlockFault("bad-witness-merkle-match") }
    var weight: UInt64 = 4 * 90
    for transaction in block.transactions {
      do { try TransactionRules.check(transaction) } catch { throw BlockFault(error.rawValue) }
      weight += transaction.weight.rawValue
    }
    if weight > UInt64(TransactionRules.maximumBlockWeight) { throw BlockFault("bad-blk-weight") }
  }

  private func checkContext(_ block: Block, height: UInt32, medianTimePast: Int64) throws(BlockFault) {
    // BIP 34: the height is the first item in the coinbase's script.
    let prefix = Script { $0.append(number: Int64(height)) }.bytes
    guard let script = block.transactions.first?.inputs.first?.scriptSig.bytes, script.starts(with: prefix)
    else { throw BlockFault("bad-cb-height") }
    for transaction in block.transactions
    where !TransactionRules.isFinal(transaction, height: height, time: medianTimePast) {
      throw BlockFault("bad-txns-nonfinal")
    }
  }

  // MARK: Moving the tip

  /// Spends and creates what the block says, verifying every script, on top of the current tip. Changes nothing when it throws.
  private mutating func connect(_ entry: Entry) throws(BlockFault) -> [(outPoint: OutPoint, coin: Coin)] {
    var spent: [(outPoint: OutPoint, coin: Coin)] = []
    var created = 0
    do throws(BlockFault) {
      var fees: UInt64 = 0
      var sigops = 0
      for (index, transaction) in entry.block.transactions.enumerated() {
        var outputs: [TxOutput] = []
        if index > 0 {
          var confirmations: [(height: UInt32, medianTimePastBefore: Int64)] = []
          for input in transaction.inputs {
            guard let coin = remove(input.previousOutput) else { throw BlockFault("bad-txns-inputs-missingorspent") }
            spent.append((input.previousOutput, coin))
            if coin.isCoinbase && entry.height - coin.height < Regtest.coinbaseMaturity {
              throw BlockFault("bad-txns-premature-spend-of-coinbase")
            }
            outputs.append(coin.output)
            confirmations.append((coin.height, medianTimePastBefore(coin.height)))
          }
          do {
            fees += try TransactionRules.fee(of: transaction, spending: outputs).rawValue
          } catch {
            throw BlockFault(error.rawValue)
          }
          guard let lock = TransactionRules.relativeLock(of: transaction, confirmations: confirmations),
            lock.isOver(height: entry.height, medianTimePastBefore: tip.medianTimePast)
          else { throw BlockFault("bad-txns-nonfinal") }
          do {
            try TransactionVerifier.verifyScripts(
              of: transaction, spending: outputs, flags: .consensus, cache: signatures)
          } catch {
            guard case .script(let error, _) = error else { throw BlockFault(error.name) }
            throw BlockFault("mandatory-script-verify-flag-failed (\(error.coreText))")
          }
        }
        sigops += TransactionRules.signatureOperationCost(of: transaction, spending: outputs, flags: .consensus)
        if sigops > Regtest.maximumSigopCost { throw BlockFault("bad-blk-sigops") }
        try create(transaction, txid: entry.txids[index], height: entry.height)
        created = index + 1
      }
      let reward = (entry.block.transactions.first?.outputs ?? []).reduce(0) { $0 + $1.value.rawValue }
      if reward > Regtest.subsidy(at: entry.height) + fees { throw BlockFault("bad-cb-amount") }
    } catch {
      undo(entry, transactions: created, spent: spent)
      throw error
    }
    for txid in entry.txids { confirmed[txid] = entry.hash }
    return spent
  }

  /// BIP 68: "the median time past of the block prior" to the one with the coin.
  func medianTimePastBefore(_ height: UInt32) -> Int64 {
    self.entry(at: height == 0 ? 0 : height - 1)?.medianTimePast ?? 0
  }

  private mutating func remove(_ outPoint: OutPoint) -> Coin? {
    guard let coin = coins.removeValue(forKey: outPoint) else { return nil }
    if coin.output.scriptPubKey == watchedScript { watchedCoins.remove(outPoint) }
    return coin
  }

  private mutating func insert(_ outPoint: OutPoint, _ coin: Coin) {
    coins[outPoint] = coin
    if coin.output.scriptPubKey == watchedScript { watchedCoins.insert(outPoint) }
  }

  private mutating func create(_ transaction: Transaction, txid: TxID, height: UInt32) throws(BlockFault) {
    for index in transaction.outputs.indices where coins[OutPoint(txid: txid, vout: UInt32(index))] != nil {
      throw BlockFault("bad-txns-BIP30")
    }
    let isCoinbase = transaction.isCoinbase
    for (index, output) in transaction.outputs.enumerated() where !output.scriptPubKey.isUnspendable {
      insert(
        OutPoint(txid: txid, vout: UInt32(index)), Coin(output: output, height: height, isCoinbase: isCoinbase))
    }
  }

  private mutating func undo(_ entry: Entry, transactions count: Int, spent: [(outPoint: OutPoint, coin: Coin)]) {
    for index in 0..<count {
      for output in entry.block.transactions[index].outputs.indices {
        _ = remove(OutPoint(txid: entry.txids[index], vout: UInt32(output)))
      }
    }
    // What one transaction of the block made for another is gone for good.
    let own = Set(entry.txids)
    for (outPoint, coin) in spent where !own.contains(outPoint.txid) { insert(outPoint, coin) }
  }

  private mutating func disconnectTip() -> Entry {
    var entry = tip
    undo(entry, transactions: entry.txids.count, spent: entry.spent)
    for txid in entry.txids where confirmed[txid] == entry.hash { confirmed[txid] = nil }
    active.removeLast()
    entry.spent = []
    entries[entry.hash] = entry
    return entry
  }

  /// Moves to the valid branch with the most work; of equals, to the one we are on, then the first that came.
  private mutating func activateBest() -> Change {
    var change = Change()
    var returned: [[Transaction]] = []
    while true {
      let current = tip
      var best = current
      for entry in entries.values where !entry.isInvalid {
        if best.isInvalid || entry.work > best.work
          || (entry.work == best.work && best.hash != current.hash && entry.hash != current.hash
            && entry.order < best.order)
        {
          best = entry
        }
      }
      if best.hash == current.hash { break }
      var path: [Entry] = []
      var next = best
      while !isActive(next), let parent = entries[next.block.header.previousBlock] {
        path.append(next)
        next = parent
      }
      while tip.hash != next.hash {
        let entry = disconnectTip()
        returned.append(Array(entry.block.transactions.dropFirst()))
        // What was connected a moment ago, in a branch that proved invalid, was never told to anyone.
        if change.connected.last == entry.position {
          change.connected.removeLast()
          returned.removeLast()
        } else {
          change.disconnected.append(entry.position)
        }
      }
      for entry in path.reversed() {
        do {
          let spent = try connect(entry)
          entries[entry.hash]?.spent = spent
          active.append(entry.hash)
          change.connected.append(entry.position)
        } catch {
          setInvalid(entry.hash)
          break
        }
      }
    }
    // A branch that proved invalid may have led us back to where we were.
    while let first = change.connected.first, change.disconnected.last == first {
      change.connected.removeFirst()
      change.disconnected.removeLast()
      returned.removeLast()
    }
    change.returned = returned.reversed().flatMap { $0 }
    return change
  }

  private mutating func setInvalid(_ hash: BlockHash) {
    var found: Set<BlockHash> = [hash]
    for entry in entries.values.sorted(by: { $0.order < $1.order })
    where entry.hash == hash || found.contains(entry.block.header.previousBlock) {
      found.insert(entry.hash)
      entries[entry.hash]?.isInvalid = true
    }
  }

  // MARK: By command

  /// Bitcoin Core's `invalidateblock`: the block and all that builds on it are no longer candidates.
  mutating func invalidate(_ hash: BlockHash) throws(BlockFault) -> Change {
    guard let entry = entries[hash] else { throw BlockFault("Block not found") }
    guard entry.height > 0 else { throw BlockFault("the first block cannot be invalid") }
    setInvalid(hash)
    let change = activateBest()
    rebuildMempool(returning: change.returned)
    return change
  }

  /// Bitcoin Core's `reconsiderblock`: the block, what it builds on and what builds on it are candidates again.
  mutating func reconsider(_ hash: BlockHash) throws(BlockFault) -> Change {
    guard let entry = entries[hash] else { throw BlockFault("Block not found") }
    var ancestor: Entry? = entry
    while let next = ancestor, next.isInvalid {
      entries[next.hash]?.isInvalid = false
      ancestor = entries[next.block.header.previousBlock]
    }
    var found: Set<BlockHash> = [hash]
    for other in entries.values.sorted(by: { $0.order < $1.order })
    where found.contains(other.block.header.previousBlock) {
      found.insert(other.hash)
      entries[other.hash]?.isInvalid = false
    }
    let change = activateBest()
    rebuildMempool(returning: change.returned)
    return change
  }
}

extension Script {
  /// Whether nobody can ever spend an output of this script: such outputs are not kept.
  var isUnspendable: Bool { bytes.first == Opcode.return.rawValue || bytes.count > 10_000 }
}
