public import Bitcoin

/// A regtest chain in this process: blocks on demand or on a timer, a mempool with the policy that matters to second-layer
/// transactions, every script run by the interpreter, a faucet, reorganisations on command, and a file that survives restarts.
///
/// Blocks are real: headers with proof of work, merkle roots, witness commitments. A bitcoind on regtest takes them.
public actor RegtestChain: ChainSource {
  public struct Options: Sendable {
    /// Where the history is kept; nil: in memory alone.
    public var path: String?
    /// Mined at once when the chain is new. The faucet can spend the coins of all but the last hundred, 50 BTC each.
    public var initialBlocks: Int
    public var policy: RegtestPolicy
    /// Seconds since 1970. Nil: the system's clock.
    public var clock: (@Sendable () -> Int64)?

    public init(
      path: String? = nil, initialBlocks: Int = 120, policy: RegtestPolicy = RegtestPolicy(),
      clock: (@Sendable () -> Int64)? = nil
    ) {
      self.path = path
      self.initialBlocks = initialBlocks
      self.policy = policy
      self.clock = clock
    }
  }

  public nonisolated var network: Network { .regtest }

  var state: ChainState
  private let file: ChainFile?
  private let clock: @Sendable () -> Int64
  private var fixedTime: Int64?
  var announcedRate: FeeRate?
  /// Set when the file could not be written: what is in memory is then ahead of it, and nothing more is promised.
  private var failure: ChainError?
  private var timer: Task<Void, Never>?
  private var observers: [Int: AsyncStream<ChainNotification>.Continuation] = [:]
  private var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
  private var nextID = 0

  /// Opens the chain in `options.path`, or begins one. Throws `.storage` when the file is damaged or in use.
  public init(_ options: Options = Options()) throws(ChainError) {
    clock = options.clock ?? { wallClock() }
    state = ChainState(watching: Self.faucetScript)
    state.policy = options.policy
    state.now = clock()
    guard let path = options.path else {
      file = nil
      try Self.mine(options.initialBlocks, &state, file: nil)
      return
    }
    let (file, records) = try ChainFile.open(path)
    self.file = file
    try Self.replay(records, &state, path: path)
    if state.height == 0 { try Self.mine(options.initialBlocks, &state, file: file) }
  }

  deinit {
    timer?.cancel()
    for observer in observers.values { observer.finish() }
    for waiter in waiters.values { waiter.resume() }
  }

  private static func replay(_ records: [ChainFile.Record], _ state: inout ChainState, path: String) throws(ChainError)
  {
    for record in records {
      do throws(BlockFault) {
        switch record {
        case .block(let block): _ = try state.accept(block)
        case .invalidate(let hash): _ = try state.invalidate(hash)
        case .reconsider(let hash): _ = try state.reconsider(hash)
        case .transactions(let transactions):
          // What was confirmed or replaced later is refused, now or by what follows.
          let isConfirmed = transactions.allSatisfy { state.confirmed[$0.txid] != nil }
          if !isConfirmed { _ = try? state.submit(package: transactions) }
        }
      } catch {
        throw .storage("\(path) does not make a chain: \(error.reason)")
      }
    }
  }

  private static func mine(_ count: Int, _ state: inout ChainState, file: ChainFile?) throws(ChainError) {
    for _ in 0..<max(count, 0) {
      let block = state.makeBlock([], payingTo: faucetScript)
      do { _ = try state.accept(block) } catch { throw .invalidBlock(error.reason) }
      try file?.append(.block(block))
    }
  }

  // MARK: Changing

  /// Called before anything else in every method that changes the chain.
  func prepare() throws(ChainError) {
    if let failure { throw failure }
    state.now = fixedTime ?? clock()
  }

  func record(_ record: ChainFile.Record) throws(ChainError) {
    do {
      try file?.append(record)
    } catch {
      failure = error
      throw error
    }
  }

  /// The time that blocks get, in seconds since 1970; nil: the clock's. Block times never go back: to pass a time lock, set the time
  /// and mine at least six blocks, so that the median follows.
  public func setTime(_ seconds: Int64?) { fixedTime = seconds }

  public var policy: RegtestPolicy {
    get { state.policy }
    set { state.policy = newValue }
  }

  public func setPolicy(_ policy: RegtestPolicy) { state.policy = policy }

  /// What `feeEstimate` says from now on; nil: it has no data.
  public func setFeeEstimate(_ rate: FeeRate?) { announcedRate = rate }

  /// Mines blocks with what is in the mempool. Returns them.
  /// - Parameter script: where subsidy and fees go; nil: to the faucet.
  @discardableResult
  public func mine(_ count: Int = 1, payingTo script: Script? = nil) throws(ChainError) -> [BlockPosition] {
    var mined: [BlockPosition] = []
    for _ in 0..<max(count, 0) { mined.append(try mineOne(nil, payingTo: script)) }
    return mined
  }

  /// Mines a block with these transactions and nothing else, whatever the mempool thinks of them. Throws `.invalidBlock` when they
  /// break consensus.
  @discardableResult
  public func mine(_ transactions: [Transaction], payingTo script: Script? = nil) throws(ChainError) -> BlockPosition {
    try mineOne(transactions, payingTo: script)
  }

  private func mineOne(_ transactions: [Transaction]?, payingTo script: Script?) throws(ChainError) -> BlockPosition {
    try prepare()
    let block = state.makeBlock(transactions, payingTo: script ?? Self.faucetScript)
    try take(block)
    announceTip()
    return state.tip.position
  }

  /// Takes a block from elsewhere. It becomes the tip when its branch has the most work.
  public func submit(block: Block) throws(ChainError) {
    try prepare()
    let before = state.tip.hash
    try take(block)
    if state.tip.hash != before { announceTip() }
  }

  private func take(_ block: Block) throws(ChainError) {
    do { _ = try state.accept(block) } catch { throw .invalidBlock(error.reason) }
    try record(.block(block))
  }

  /// Mines a block whenever so much time has passed; nil stops it.
  public func mineBlocks(every interval: Duration?) {
    timer?.cancel()
    timer = nil
    guard let interval else { return }
    timer = Task { [weak self] in
      while !Task.isCancelled {
        do { try await Task.sleep(for: interval) } catch { return }
        guard let self else { return }
        _ = try? await self.mine()
      }
    }
  }

  // MARK: Reorganisations

  /// The block and all that builds on it leave the best chain; their transactions go back to the mempool.
  public func invalidate(_ hash: BlockHash) throws(ChainError) {
    try prepare()
    let before = state.tip.hash
    try invalidateQuietly(hash)
    if state.tip.hash != before { announceTip() }
  }

  /// Takes back `invalidate`.
  public func reconsider(_ hash: BlockHash) throws(ChainError) {
    try prepare()
    let before = state.tip.hash
    try reconsiderQuietly(hash)
    if state.tip.hash != before { announceTip() }
  }

  private func invalidateQuietly(_ hash: BlockHash) throws(ChainError) {
    guard state.entries[hash] != nil else { throw .unknownBlock(hash) }
    do { _ = try state.invalidate(hash) } catch { throw .invalidBlock(error.reason) }
    try record(.invalidate(hash))
  }

  private func reconsiderQuietly(_ hash: BlockHash) throws(ChainError) {
    guard state.entries[hash] != nil else { throw .unknownBlock(hash) }
    do { _ = try state.reconsider(hash) } catch { throw .invalidBlock(error.reason) }
    try record(.reconsider(hash))
  }

  /// Replaces the last blocks by others, at once: observers see the new tip only. What the old blocks held returns to the mempool
  /// unless the new ones hold it, or something in conflict with it.
  /// - Parameters:
  ///   - depth: how many blocks go.
  ///   - count: how many come; nil: one more than go. With fewer or as many, the old ones become invalid.
  ///   - contents: the transactions of the new blocks, from the first; those beyond the list are empty.
  /// - Returns: the new blocks.
  @discardableResult
  public func reorganise(
    depth: Int, count: Int? = nil, contents: [[Transaction]] = [], payingTo script: Script? = nil
  ) throws(ChainError) -> [BlockPosition] {
    try prepare()
    guard depth > 0, UInt32(clamping: depth) <= state.height else {
      throw .invalidBlock("a reorganisation of \(depth) blocks in a chain of \(state.height)")
    }
    let before = state.tip
    defer { if state.tip.hash != before.hash { announceTip() } }
    let first = state.active[Int(state.height) + 1 - depth]
    // Blocks that were once replaced must not come back when these go.
    try invalidateQuietly(first)
    var mined: [BlockPosition] = []
    for index in 0..<max(count ?? depth + 1, 0) {
      let content = index < contents.count ? contents[index] : []
      let block = state.makeBlock(content, payingTo: script ?? Self.faucetScript)
      do {
        try take(block)
      } catch {
        if mined.isEmpty { try reconsiderQuietly(first) }
        throw error
      }
      mined.append(state.tip.position)
    }
    if state.tip.work > before.work { try reconsiderQuietly(first) }
    return mined
  }

  // MARK: Telling

  func announce(_ notification: ChainNotification) { for observer in observers.values { observer.yield(notification) } }

  private func announceTip() {
    announce(.tip(state.tip.position))
    let woken = waiters.values
    waiters = [:]
    for waiter in woken { waiter.resume() }
  }

  public func notifications() -> AsyncStream<ChainNotification> {
    let id = nextID
    nextID += 1
    let (stream, continuation) = AsyncStream.makeStream(
      of: ChainNotification.self, bufferingPolicy: .bufferingNewest(1024))
    observers[id] = continuation
    continuation.onTermination = { [weak self] _ in
      Task { [weak self] in await self?.removeObserver(id) }
    }
    return stream
  }

  private func removeObserver(_ id: Int) { observers[id] = nil }

  public func tip(otherThan hash: BlockHash, timeout: Duration) async throws(ChainError) -> BlockPosition {
    guard state.tip.hash == hash, !Task.isCancelled else { return state.tip.position }
    let id = nextID
    nextID += 1
    let timer = Task { [weak self] in
      try? await Task.sleep(for: timeout)
      await self?.wake(id)
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { waiters[id] = $0 }
    } onCancel: {
      timer.cancel()
    }
    timer.cancel()
    return state.tip.position
  }

  private func wake(_ id: Int) { waiters.removeValue(forKey: id)?.resume() }
}
