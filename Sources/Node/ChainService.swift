internal import Synchronization
internal import Wallet
internal import Bitcoin
internal import Chain
internal import GLC
internal import Logging
internal import Payments
internal import Wire

/// Follows the chain: tells channels, wallet and payments of every block, in this order, and remembers how far it has come when all of
/// them have stored what it means to them. After a crash, blocks may be told again; none is left out.
actor ChainService {
  private let hub: Hub
  private let logger: Logger
  private var tasks: [Task<Void, Never>] = []
  private var waiters: [(UInt32, CheckedContinuation<Void, Never>)] = []
  private var failure: ChainError?
  /// The tip when the node started, as long as it has not been reached.
  private var target: UInt32?
  private var meter = ProgressMeter()
  /// The height that every part has stored what it means to it; nil before the first block.
  private var processed: UInt32?

  init(hub: Hub) {
    self.hub = hub
    var logger = hub.logger
    logger[metadataKey: "part"] = "chain"
    self.logger = logger
  }

  /// Goes up to the present tip, and follows from there on.
  func start() async throws {
    await hub.fees.refresh(from: hub.source)
    // Before anything follows the chain: nobody else sets the height from then on.
    processed = await hub.wallet.current.tip?.height
    if let processed { hub.height = processed }
    let tip = try await hub.source.tip()
    let follower = ChainFollower(
      source: hub.source, after: await hub.wallet.locator, startingAt: await hub.wallet.birth, logger: logger)
    tasks.append(
      Task {
        do throws(ChainError) {
          for try await event in follower { await self.process(event) }
        } catch {
          self.stopped(by: error)
        }
      })
    let notifications = await hub.source.notifications()
    tasks.append(
      Task { [hub] in
        for await case .transaction(let transaction) in notifications { await hub.see(transaction) }
      })
    tasks.append(Task { await self.askForSpenders() })
    if let processed, tip.height > processed + 1 {
      logger.info("catching up", metadata: ["from": "\(processed)", "to": "\(tip.height)"])
    }
    target = tip.height
    await reach(tip.height)
    target = nil
    if let failure { throw failure }
    await hub.rescan.goOn()
    for transaction in await hub.wallet.takeUnpublished() { await hub.broadcast([transaction], "again") }
    for transaction in await hub.wallet.current.unpublished {
      // What it builds on may come later, or never.
      if await hub.broadcast([transaction], "again") != nil { await hub.broadcaster.keep([transaction], "again") }
    }
  }

  /// As long as the source does not tell what enters the mempool, it is asked: a claim of a peer's shows its secret before a block does.
  private func askForSpenders() async {
    var told: [OutPoint: TxID] = [:]
    while (try? await Task.sleep(for: hub.settings.mempoolInterval)) != nil {
      let outPoints = hub.watches.outPoints
      guard !outPoints.isEmpty, await !hub.source.tellsTransactions,
        let found = try? await hub.source.mempoolSpenders(of: outPoints)
      else { continue }
      for txid in Set(found.filter { told[$0] != $1 }.values) {
        // Gone again, or mined: the block tells.
        if let located = try? await hub.source.transaction(txid), located.block == nil {
          await hub.see(located.transaction)
        }
      }
      told = found
    }
  }

  func stop() {
    for task in tasks { task.cancel() }
    if failure == nil { failure = .closed }
    for (_, waiter) in waiters { waiter.resume() }
    waiters = []
  }

  /// Returns when this height has been processed.
  func reach(_ height: UInt32) async {
    guard failure == nil, processed.map({ $0 < height }) ?? true else { return }
    await withCheckedContinuation { waiters.append((height, $0)) }
  }

  /// Why the chain is not followed any more; nil while it is.
  var problem: String? { failure.map { "\($0)" } }

  private func stopped(by error: ChainError) {
    // The node stops by itself.
    guard failure == nil, !hub.isStopping.load(ordering: .relaxed) else { return }
    logger.critical("the chain cannot be followed any more", metadata: ["reason": "\(error)"])
    failure = error
    for (_, waiter) in waiters { waiter.resume() }
    waiters = []
  }

  private func process(_ event: ChainFollower.Event) async {
    // What cannot be stored is tried again: no block may be left out.
    while !Task.isCancelled {
      do {
        switch event {
        case .connected(let block, let position): try await connect(block, position)
        case .disconnected(let position): try await disconnect(position)
        }
        processed = hub.height
        if let target, let rate = meter.rate(at: hub.height) {
          logger.info(
            "catching up",
            metadata: ["block": "\(hub.height)", "of": "\(target)", "blocks per second": "\(rate)"])
        }
        break
      } catch {
        logger.critical("a block cannot be processed", metadata: ["block": "\(event.position)", "reason": "\(error)"])
        try? await Task.sleep(for: .seconds(1))
      }
    }
    guard let processed else { return }
    let reached = waiters.filter { $0.0 <= processed }
    waiters.removeAll { $0.0 <= processed }
    for (_, waiter) in reached { waiter.resume() }
  }

  private func connect(_ block: Block, _ position: BlockPosition) async throws {
    var relevant: [NodeID: [(index: UInt32, transaction: Transaction)]] = [:]
    // What spends an output of a relevant transaction of the same block is relevant too: nobody can have asked for it yet.
    var known: [TxID: Set<NodeID>] = [:]
    for (index, transaction) in block.transactions.enumerated() {
      let txid = transaction.txid
      var peers = hub.watches.interested(in: transaction, txid: txid)
      if !known.isEmpty {
        for input in transaction.inputs {
          if let parents = known[input.previousOutput.txid] { peers.formUnion(parents) }
        }
      }
      guard !peers.isEmpty else { continue }
      known[txid] = peers
      for peer in peers { relevant[peer, default: []].append((UInt32(index), transaction)) }
    }
    hub.height = position.height
    let hosts = hub.hosts.withLock { Array($0.values) }
    await withTaskGroup(of: Void.self) { group in
      for host in hosts {
        let notice = BlockNotice(height: position.height, transactions: relevant[host.peer] ?? [])
        group.addTask {
          await withCheckedContinuation { done in
            if !host.mailbox.post(.block(notice, done: done)) { done.resume() }
          }
        }
      }
    }
    // A host that has stopped has not taken it: it is told again after the next start.
    if hub.isStopping.load(ordering: .relaxed) { throw NodeError.start("the node stops") }
    await hub.broadcaster.confirm(block)
    try await hub.wallet.connect(block, height: position.height)
    for txid in await hub.broadcaster.takeImpossible() { await hub.wallet.abandon(txid) }
    hub.payments.post(.input(.block(position.height)))
    hub.gossip.post(.block(block, height: position.height))
    hub.events.send(.block(position.height))
    if block.transactions.count > 1 || position.height.isMultiple(of: 6) { await hub.fees.refresh(from: hub.source) }
    for transaction in await hub.wallet.takeUnpublished() { await hub.broadcast([transaction], "again") }
    Task { [hub] in await hub.broadcaster.again() }
  }

  private func disconnect(_ position: BlockPosition) async throws {
    logger.notice("a block was replaced", metadata: ["block": "\(position)"])
    let height = position.height > 0 ? position.height - 1 : 0
    let hosts = hub.hosts.withLock { Array($0.values) }
    await withTaskGroup(of: Void.self) { group in
      for host in hosts {
        group.addTask {
          await withCheckedContinuation { done in
            if !host.mailbox.post(.reorg(to: height, done: done)) { done.resume() }
          }
        }
      }
    }
    try await hub.wallet.disconnect(position.hash)
    hub.height = height
  }
}

extension Hub {
  /// A transaction has entered the mempool.
  fileprivate func see(_ transaction: Transaction) async {
    await wallet.see(transaction, time: WallClock.seconds)
    for peer in watches.interested(in: transaction, txid: transaction.txid) {
      host(peer)?.mailbox.post(.unconfirmed(transaction))
    }
  }
}
