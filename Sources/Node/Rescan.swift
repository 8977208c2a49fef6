internal import Bitcoin
internal import Chain
internal import Logging
internal import Wallet

/// Reads blocks for the wallet once more, beside everything else, up to its tip. How far it has come is stored with the wallet: after a
/// restart it goes on.
actor Rescan {
  struct Progress: Hashable, Sendable {
    /// The next block to be read, and the last.
    var next: UInt32
    var tip: UInt32
    /// Why it has stopped, if it has: until the node starts again, or is told to begin anew.
    var problem: String?
  }

  private let wallet: WalletService
  private let source: any ChainSource
  private let logger: Logger
  private var task: Task<Void, Never>?
  private var problem: String?

  /// So much is stored at once.
  private static let blocksAtOnce = 32
  private static let bytesAtOnce = 8_000_000

  init(wallet: WalletService, source: any ChainSource, logger: Logger) {
    self.wallet = wallet
    self.source = source
    self.logger = logger
  }

  /// Nil when nothing is to be read.
  var progress: Progress? {
    get async {
      let current = await wallet.current
      guard let next = current.rescanHeight, let tip = current.tip?.height else { return nil }
      return Progress(next: next, tip: tip, problem: problem)
    }
  }

  /// Begins at this height, whatever was under way; nothing is left out when that was further below.
  func begin(from height: UInt32) async throws {
    let under = await wallet.current.rescanHeight
    let start = min(height, under ?? height)
    try await wallet.change { wallet in ((), wallet.beginRescan(from: start)) }
    problem = nil
    goOn()
  }

  /// Takes up what was interrupted.
  func goOn() {
    guard task == nil else { return }
    task = Task { [weak self] in
      await self?.run()
      await self?.ended()
    }
  }

  func stop() async {
    task?.cancel()
    await task?.value
  }

  private func ended() { task = nil }

  private func run() async {
    guard let first = await progress else { return }
    logger.notice("reads blocks again", metadata: ["from": "\(first.next)", "to": "\(first.tip)"])
    var meter = ProgressMeter()
    while !Task.isCancelled, let next = await progress {
      if let rate = meter.rate(at: next.next) {
        logger.info(
          "reads blocks again",
          metadata: ["block": "\(next.next)", "of": "\(next.tip)", "blocks per second": "\(rate)"])
      }
      do {
        try await step(next)
      } catch {
        if let error = error as? ChainError, error.isTransient {
          logger.warning("reading blocks again waits", metadata: ["reason": "\(error)"])
          try? await Task.sleep(for: .seconds(2))
          continue
        }
        problem = "\(error)"
        logger.error("blocks cannot be read again", metadata: ["block": "\(next.next)", "reason": "\(error)"])
        return
      }
    }
    if !Task.isCancelled { logger.notice("has read all blocks again") }
  }

  private func step(_ position: Progress) async throws {
    var blocks: [(block: Block, height: UInt32)] = []
    var size = 0
    var height = position.next
    // As the wallet knows them: near the tip they may be others in a moment.
    let known = Dictionary(await wallet.locator.map { ($0.height, $0.hash) }) { first, _ in first }
    while height <= position.tip, blocks.count < Self.blocksAtOnce, size < Self.bytesAtOnce {
      guard let hash = try await source.blockHash(at: height), known[height] ?? hash == hash else { break }
      let block = try await source.block(hash)
      size += block.transactions.reduce(0) { $0 + $1.totalSize }
      blocks.append((block, height))
      height += 1
    }
    guard !blocks.isEmpty else {
      // The chain is being reorganised.
      try await Task.sleep(for: .milliseconds(500))
      return
    }
    let given = blocks
    try await wallet.change { wallet in
      var update = WalletUpdate()
      for (block, height) in given where wallet.rescanHeight == height {
        update.append(try wallet.rescan(block, height: height))
      }
      return ((), update)
    }
  }
}

/// How fast blocks go by, said every ten seconds.
struct ProgressMeter {
  private var last: (time: ContinuousClock.Instant, height: UInt32)?

  /// Blocks per second since the last time that this was not nil.
  mutating func rate(at height: UInt32) -> Int? {
    let now = ContinuousClock.now
    guard let last else {
      self.last = (now, height)
      return nil
    }
    let passed = now - last.time
    guard passed >= .seconds(10) else { return nil }
    self.last = (now, height)
    return Int(height > last.height ? height - last.height : 0) / Int(max(passed.components.seconds, 1))
  }
}
