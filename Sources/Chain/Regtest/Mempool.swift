internal import Bitcoin

/// A transaction that waits for a block.
struct MempoolEntry: Sendable {
  let transaction: Transaction
  let txid: TxID
  let witnessTxID: WitnessTxID
  let fee: UInt64
  let weight: UInt64
  /// In vbytes, with signature operations counted as 20 bytes each where that is more.
  let size: UInt64
  /// Seconds since 1970.
  let time: Int64
  /// Of the tip when it came.
  let height: UInt32
  /// Parents have a lower number than children.
  var order = 0
}

struct Mempool: Sendable {
  private(set) var entries: [TxID: MempoolEntry] = [:]
  private(set) var spenders: [OutPoint: TxID] = [:]
  private(set) var size: UInt64 = 0
  private var nextOrder = 0

  var count: Int { entries.count }

  subscript(txid: TxID) -> MempoolEntry? { entries[txid] }

  /// All, parents before children.
  var sorted: [MempoolEntry] { entries.values.sorted { $0.order < $1.order } }

  mutating func insert(_ entry: MempoolEntry) {
    var entry = entry
    entry.order = nextOrder
    nextOrder += 1
    entries[entry.txid] = entry
    size += entry.size
    for input in entry.transaction.inputs { spenders[input.previousOutput] = entry.txid }
  }

  mutating func remove(_ txid: TxID) {
    guard let entry = entries.removeValue(forKey: txid) else { return }
    size -= entry.size
    for input in entry.transaction.inputs { spenders[input.previousOutput] = nil }
  }

  mutating func remove(_ txids: Set<TxID>) { for txid in txids { remove(txid) } }

  func output(_ outPoint: OutPoint) -> TxOutput? {
    guard let entry = entries[outPoint.txid], outPoint.vout < UInt32(clamping: entry.transaction.outputs.count)
    else { return nil }
    return entry.transaction.outputs[Int(outPoint.vout)]
  }

  // MARK: Relations

  func parents(of transaction: Transaction) -> Set<TxID> {
    var parents: Set<TxID> = []
    for input in transaction.inputs where entries[input.previousOutput.txid] != nil {
      parents.insert(input.previousOutput.txid)
    }
    return parents
  }

  func children(of entry: MempoolEntry) -> Set<TxID> {
    var children: Set<TxID> = []
    for index in entry.transaction.outputs.indices {
      if let spender = spenders[OutPoint(txid: entry.txid, vout: UInt32(index))] { children.insert(spender) }
    }
    return children
  }

  /// All unconfirmed ancestors, without the transaction itself.
  func ancestors(of transaction: Transaction) -> Set<TxID> {
    var found = parents(of: transaction)
    var open = Array(found)
    while let txid = open.popLast() {
      guard let entry = entries[txid] else { continue }
      for parent in parents(of: entry.transaction) where found.insert(parent).inserted { open.append(parent) }
    }
    return found
  }

  /// These and all that builds on them.
  func withDescendants(_ txids: Set<TxID>) -> Set<TxID> {
    var found = txids
    var open = Array(txids)
    while let txid = open.popLast() {
      guard let entry = entries[txid] else { continue }
      for child in children(of: entry) where found.insert(child).inserted { open.append(child) }
    }
    return found
  }

  func fees(of txids: Set<TxID>) -> UInt64 { txids.reduce(0) { $0 + (entries[$1]?.fee ?? 0) } }
  func sizes(of txids: Set<TxID>) -> UInt64 { txids.reduce(0) { $0 + (entries[$1]?.size ?? 0) } }

  /// What a block confirms goes, and what it makes impossible goes with all that builds on it.
  mutating func remove(confirmed transactions: [(txid: TxID, transaction: Transaction)]) {
    guard !entries.isEmpty else { return }
    for (txid, _) in transactions { remove(txid) }
    var conflicting: Set<TxID> = []
    for (_, transaction) in transactions {
      for input in transaction.inputs {
        if let spender = spenders[input.previousOutput] { conflicting.insert(spender) }
      }
    }
    if !conflicting.isEmpty { remove(withDescendants(conflicting)) }
  }
}
