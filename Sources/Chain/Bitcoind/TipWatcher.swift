internal import Bitcoin
internal import Encoding
internal import JSON
internal import Logging

/// Finds out that there is a new block, for all who wait: one question at a time, however many they are. Runs while somebody waits or
/// listens.
///
/// With ZMQ (`TipWatcher+ZMQ.swift`), it asks when bitcoind has published something, and now and then all the same; while ZMQ is away, it
/// asks as often as without.
actor TipWatcher {
  let client: RPCClient
  let options: BitcoindSource.Options
  let logger: Logger
  var listening: Listening?
  /// Somebody has news: the next pause is none.
  private var isHinted = false
  private var pause: (id: Int, continuation: CheckedContinuation<Void, Never>)?
  /// Something may have been missed: the mempool is asked for whole.
  private var isMempoolStale = false
  private var tip: BlockHash?
  private var mempool: Set<TxID>?
  /// Whether bitcoind waits for a block other than the one that is named: Bitcoin Core 30, Knots 29, and our own server.
  private var canWait = true
  private var waiters: [Int: (hash: BlockHash, continuation: CheckedContinuation<Void, Never>)] = [:]
  private var listeners: [Int: AsyncStream<ChainNotification>.Continuation] = [:]
  private var nextID = 0
  private var task: Task<Void, Never>?
  private var failure: ChainError?

  init(_ client: RPCClient, _ options: BitcoindSource.Options, logger: Logger) {
    self.client = client
    self.options = options
    self.logger = logger
  }

  func close() {
    task?.cancel()
    task = nil
    stopListening()
    endPause()
    for listener in listeners.values { listener.finish() }
    listeners = [:]
    wakeAll()
  }

  // MARK: For those who wait

  /// Returns when the tip is another, when the time is over, or when bitcoind cannot be reached (the next call will say why).
  func wait(otherThan hash: BlockHash, timeout: Duration) async throws(ChainError) {
    let current = try await bestBlockHash()
    if current != hash || Task.isCancelled { return }
    // Unless the loop is behind: then it has yet to tell its listeners.
    if tip == nil { tip = current }
    let id = nextID
    nextID += 1
    let timer = Task { [weak self] in
      try? await Task.sleep(for: timeout)
      await self?.wake(id)
    }
    run()
    await withTaskCancellationHandler {
      await withCheckedContinuation { waiters[id] = (hash, $0) }
    } onCancel: {
      timer.cancel()
    }
    timer.cancel()
    if let failure {
      self.failure = nil
      throw failure
    }
  }

  private func wake(_ id: Int) { waiters.removeValue(forKey: id)?.continuation.resume() }

  private func wakeAll() {
    let woken = waiters.values
    waiters = [:]
    for waiter in woken { waiter.continuation.resume() }
  }

  func stream() async -> AsyncStream<ChainNotification> {
    let id = nextID
    nextID += 1
    let (stream, continuation) = AsyncStream.makeStream(
      of: ChainNotification.self, bufferingPolicy: .bufferingNewest(1024))
    continuation.onTermination = { [weak self] _ in
      Task { [weak self] in await self?.removeListener(id) }
    }
    // What there is already is no news; when it cannot be asked now, what is found first is not either.
    if tip == nil { tip = try? await bestBlockHash() }
    if options.watchesMempool, mempool == nil { mempool = try? await mempoolIDs() }
    listeners[id] = continuation
    run()
    return stream
  }

  private func removeListener(_ id: Int) {
    listeners[id] = nil
    if listeners.isEmpty { mempool = nil }
  }

  func heard(_ transaction: Transaction) {
    for listener in listeners.values { listener.yield(.transaction(transaction)) }
  }

  func heard(tip position: BlockPosition) {
    guard tip != position.hash else { return }
    tip = position.hash
    for listener in listeners.values { listener.yield(.tip(position)) }
    let woken = waiters.filter { $0.value.hash != position.hash }
    for (id, waiter) in woken {
      waiters[id] = nil
      waiter.continuation.resume()
    }
  }

  // MARK: Asking

  /// Whether news of blocks come by themselves.
  private var hearsBlocks: Bool { options.zmq.blocks.map { listening?.connected.contains($0) == true } ?? false }
  var hearsTransactions: Bool {
    options.zmq.transactions.map { listening?.connected.contains($0) == true } ?? false
  }

  /// Asks for the tip now.
  func look() {
    isHinted = true
    endPause()
  }

  /// Asks for everything now.
  func resynchronise() {
    isMempoolStale = true
    look()
  }

  private func endPause() {
    pause?.continuation.resume()
    pause = nil
  }

  private func endPause(_ id: Int) { if pause?.id == id { endPause() } }

  /// Until there is news, or for so long.
  private func pause(for time: Duration) async {
    guard !isHinted, !Task.isCancelled else { return }
    let id = nextID
    nextID += 1
    let timer = Task { [weak self] in
      try? await Task.sleep(for: time)
      await self?.endPause(id)
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { pause = (id, $0) }
    } onCancel: {
      timer.cancel()
    }
    timer.cancel()
  }

  private func run() {
    guard task == nil else { return }
    listen()
    task = Task { [weak self] in
      var delay = Duration.milliseconds(250)
      while !Task.isCancelled {
        guard let self, await self.isNeeded else { return }
        do {
          try await self.ask()
          delay = .milliseconds(250)
        } catch {
          if Task.isCancelled { return }
          await self.report(error)
          try? await Task.sleep(for: delay)
          delay = min(delay * 2, .seconds(30))
        }
      }
    }
  }

  private var isNeeded: Bool {
    if waiters.isEmpty && listeners.isEmpty {
      task = nil
      tip = nil
      mempool = nil
      return false
    }
    return true
  }

  private func report(_ error: any Error) {
    guard !waiters.isEmpty else {
      logger.warning("\(error)")
      return
    }
    failure = error as? ChainError
    wakeAll()
  }

  private func ask() async throws(ChainError) {
    if options.watchesMempool, !listeners.isEmpty, !hearsTransactions || isMempoolStale {
      isMempoolStale = false
      try await askForMempool()
    }
    let known = tip
    let current = try await nextTip(after: known)
    guard let current, current != known else { return }
    let header = try await client.call("getblockheader", [.text(current), true])
    guard let height = header.height("height") else { throw .badAnswer("getblockheader") }
    heard(tip: BlockPosition(height: height, hash: current))
  }

  /// Waits for the poll interval at most (longer where only blocks are of interest and bitcoind does the waiting).
  private func nextTip(after known: BlockHash?) async throws(ChainError) -> BlockHash? {
    // What is heard is only looked after now and then.
    let interval = hearsBlocks && (hearsTransactions || !options.watchesMempool) ? .seconds(30) : options.pollInterval
    if canWait, !hearsBlocks, let known {
      let isWatchingMempool = options.watchesMempool && !listeners.isEmpty
      let wait = isWatchingMempool ? interval : max(interval, .seconds(5))
      let milliseconds = max(Int(wait / .milliseconds(1)), 1)
      do {
        let reply = try await client.call(
          "waitfornewblock", [.int(milliseconds), .text(known)], timeout: wait + .seconds(30))
        return reply["hash"]?.blockHashValue
      } catch {
        guard [RPCFault.miscellaneous, RPCFault.methodNotFound].contains(error.rpcCode) else { throw error }
        // It does not take the second parameter.
        canWait = false
      }
    }
    await pause(for: interval)
    isHinted = false
    if Task.isCancelled { throw .closed }
    return try await bestBlockHash()
  }

  private func askForMempool() async throws(ChainError) {
    let ids = try await mempoolIDs()
    if let before = mempool {
      for txid in ids.subtracting(before) {
        // Gone again, or mined: the block tells.
        let reply = try? await client.call("getrawtransaction", [.text(txid)])
        if let transaction = reply?.transactionValue { heard(transaction) }
      }
    }
    mempool = ids
  }

  private func mempoolIDs() async throws(ChainError) -> Set<TxID> {
    guard let list = try await client.call("getrawmempool").arrayValue else { throw .badAnswer("getrawmempool") }
    return Set(list.compactMap { $0.stringValue.flatMap { try? TxID(display: $0) } })
  }

  private func bestBlockHash() async throws(ChainError) -> BlockHash {
    guard let hash = try await client.call("getbestblockhash").blockHashValue
    else { throw .badAnswer("getbestblockhash") }
    return hash
  }
}
