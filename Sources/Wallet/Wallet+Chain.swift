public import Bitcoin

extension Wallet {
  /// The next block of the chain. The first one may have any height; give one below `birth` or at it. Throws `.outOfOrder`.
  public mutating func connect(_ block: Block, height: UInt32) throws(WalletError) -> WalletUpdate {
    let hash = block.hash
    if let tip {
      guard tip.height < .max, height == tip.height + 1, block.header.previousBlock == tip.hash else {
        throw .outOfOrder(tip: tip)
      }
      blocks[tip.height] = tip.hash
      dirty.blocks.insert(tip.height)
      if height > policy.rememberedBlocks {
        let forgotten = height - policy.rememberedBlocks - 1
        if blocks.removeValue(forKey: forgotten) != nil { dirty.blocks.insert(forgotten) }
      }
    }
    scan(block, height: height)
    tip = BlockPosition(height: height, hash: hash)
    dirty.head = true
    for reservation in reservations.values where reservation.expires.map({ $0 <= height }) ?? false {
      drop(reservation)
    }
    return flush()
  }

  /// Skips blocks that cannot concern the wallet, below its birth or filtered out by somebody who can tell. Throws `.outOfOrder` unless
  /// the position is above the tip.
  public mutating func skip(to position: BlockPosition) throws(WalletError) -> WalletUpdate {
    if let tip {
      guard position.height > tip.height else { throw .outOfOrder(tip: tip) }
      // What lies between is not known: a reorganisation cannot be followed past here.
      for height in blocks.keys { dirty.blocks.insert(height) }
      blocks = [:]
    }
    tip = position
    dirty.head = true
    return flush()
  }

  /// The tip is no longer part of the chain. Throws `.outOfOrder` for another block, `.reorganisationTooDeep` (and changes nothing) when the
  /// one before is not remembered.
  public mutating func disconnect(_ hash: BlockHash) throws(WalletError) -> WalletUpdate {
    guard let tip, tip.hash == hash else { throw .outOfOrder(tip: tip) }
    guard tip.height > 0, let previous = blocks[tip.height - 1] else { throw .reorganisationTooDeep }
    let lost = records.values.filter { $0.status.height == tip.height }.sorted { $0.blockPosition < $1.blockPosition }
    for record in lost where records[record.txid]?.status.height == tip.height {
      if record.transaction.isCoinbase {
        setStatus(.orphaned, of: record.txid)
      } else {
        setStatus(.unconfirmed, of: record.txid)
        dirty.notices.append(.unconfirmed(record.txid))
        if record.isOwn { dirty.notices.append(.publish(record.transaction)) }
      }
    }
    blocks[tip.height - 1] = nil
    dirty.blocks.insert(tip.height - 1)
    self.tip = BlockPosition(height: tip.height - 1, hash: previous)
    if let rescan = rescanHeight, rescan > tip.height { rescanHeight = tip.height }
    dirty.head = true
    return flush()
  }

  // MARK: Rescan

  /// Reads blocks once more, from `height` up to the tip, because something that they hold may have been missed. The wallet's birth moves
  /// down if need be.
  public mutating func beginRescan(from height: UInt32) -> WalletUpdate {
    guard let tip, height <= tip.height else { return flush() }
    rescanHeight = height
    birth = min(birth, height)
    dirty.head = true
    return flush()
  }

  /// The block that `rescanHeight` asks for. Throws `.outOfOrder` for another height.
  public mutating func rescan(_ block: Block, height: UInt32) throws(WalletError) -> WalletUpdate {
    guard let tip, height == rescanHeight, height <= tip.height else { throw .outOfOrder(tip: tip) }
    scan(block, height: height)
    rescanHeight = height < tip.height ? height + 1 : nil
    dirty.head = true
    return flush()
  }

  // MARK: Outside of blocks

  /// An unconfirmed transaction was seen. One that spends what a confirmed transaction has spent is passed over; one that conflicts with
  /// another unconfirmed one has replaced it, as the node it comes from has decided.
  public mutating func see(_ transaction: Transaction, time: UInt64) -> WalletUpdate {
    let txid = transaction.txid
    if let known = records[txid], known.status.isActive { return WalletUpdate() }
    guard !transaction.isCoinbase, concerns(transaction) || records[txid] != nil else { return WalletUpdate() }
    insert(transaction, txid, .unconfirmed, time: time)
    return flush()
  }

  /// A transaction of ours that is ready to be published, or will be: its coins are spent from now on, and its reservation is done with.
  /// - Parameters:
  ///   - fee: what it pays, where inputs are not ours.
  ///   - isReplaceable: false where something depends on its id, such as a channel on its funding transaction.
  public mutating func record(
    _ transaction: Transaction, label: String = "", fee: Satoshi? = nil, isReplaceable: Bool = true, time: UInt64
  ) -> WalletUpdate {
    let txid = transaction.txid
    guard concerns(transaction) || records[txid] != nil else { return WalletUpdate() }
    if records[txid]?.status.isActive != true { insert(transaction, txid, .unconfirmed, time: time) }
    guard records[txid] != nil else { return flush() }
    records[txid]?.isOwn = true
    records[txid]?.isReplaceable = isReplaceable
    if !label.isEmpty { records[txid]?.label = label }
    if let fee { records[txid]?.fee = fee }
    // The signed form, should an unsigned one have been recorded.
    if transaction.hasWitness { records[txid]?.transaction = transaction }
    dirty.records.insert(txid)
    let done = Set(transaction.inputs.compactMap { reserved[$0.previousOutput] })
    for id in done { if let reservation = reservations[id] { drop(reservation) } }
    return flush()
  }

  /// Gives an unconfirmed transaction up, with all that depend on it: its coins can be spent again. (The network may still confirm it: spend
  /// one of its coins to make sure.) Throws `.unknownTransaction`, `.alreadyConfirmed`.
  public mutating func abandon(_ txid: TxID) throws(WalletError) -> WalletUpdate {
    guard let record = records[txid] else { throw .unknownTransaction(txid) }
    guard record.status == .unconfirmed else { throw .alreadyConfirmed(txid) }
    setStatus(.abandoned, of: txid)
    return flush()
  }

  /// Throws `.unknownTransaction`.
  public mutating func setLabel(_ label: String, of txid: TxID) throws(WalletError) -> WalletUpdate {
    guard records[txid] != nil else { throw .unknownTransaction(txid) }
    records[txid]?.label = label
    dirty.records.insert(txid)
    return flush()
  }

  /// How many channels rely on coins of the wallet to be confirmed: some are kept back for them. Not stored.
  public mutating func setAnchorChannels(_ count: Int) { anchorChannels = max(count, 0) }

  // MARK: -

  private mutating func scan(_ block: Block, height: UInt32) {
    let time = UInt64(block.header.time)
    var isComplete = false
    while !isComplete {
      let watched = scripts.count
      for (position, transaction) in block.transactions.enumerated() {
        let isOurs = concerns(transaction)
        // Others' transactions may still undo unconfirmed ones that pay us.
        guard isOurs || conflicts(transaction) else { continue }
        let txid = transaction.txid
        if isOurs || records[txid] != nil {
          let status = WalletTransaction.Status.confirmed(height: height, position: UInt32(clamping: position))
          if records[txid]?.status == status { continue }
          insert(transaction, txid, status, time: time)
        } else {
          replaceOthers(of: transaction, txid)
        }
      }
      // A transaction that used a late address has brought more of them into view: earlier ones in this block may pay to those.
      isComplete = scripts.count == watched
    }
  }

  /// Whether a transaction pays to us or spends from us.
  func concerns(_ transaction: Transaction) -> Bool {
    for output in transaction.outputs where scripts.path(of: output.scriptPubKey) != nil { return true }
    guard !records.isEmpty else { return false }
    for input in transaction.inputs where ownOutput(input.previousOutput) != nil { return true }
    return false
  }

  private func conflicts(_ transaction: Transaction) -> Bool {
    guard !unconfirmed.isEmpty else { return false }
    return transaction.inputs.contains { spenders[$0.previousOutput] != nil }
  }
}

extension WalletTransaction {
  /// For order within a block.
  var blockPosition: UInt32 { if case .confirmed(_, let position) = status { position } else { .max } }
}
