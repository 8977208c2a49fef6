public import Bitcoin
public import Logging

/// The blocks of a chain in order, one at a time, from where the last process left off: an asynchronous sequence.
///
///     for try await event in ChainFollower(source: source, after: recentPositions) {
///       switch event {
///       case .connected(let block, let position): …   // persist what it means together with `position`
///       case .disconnected(let position): …           // undo it
///       }
///     }
///
/// Nothing is fetched before it is asked for, so a slow consumer slows the source, not memory. The consumer sees every block of the best
/// chain once: after a reorganisation first `.disconnected` for each block that was left, from the tip down to the fork, then
/// `.connected` for the new ones. Trouble that passes (bitcoind restarts, is starting, cannot be reached) is waited out and logged;
/// the iteration throws only what waiting does not mend.
public struct ChainFollower: AsyncSequence, Sendable {
  public enum Event: Hashable, Sendable {
    case connected(Block, BlockPosition)
    case disconnected(BlockPosition)

    public var position: BlockPosition {
      switch self {
      case .connected(_, let position), .disconnected(let position): position
      }
    }
  }

  public typealias Element = Event
  public typealias Failure = ChainError

  /// How many positions it is worth to keep. A reorganisation that goes deeper is followed by the headers that the source still has.
  public static let recommendedHistory = 144

  private let source: any ChainSource
  private let processed: [BlockPosition]
  private let start: UInt32
  private let patience: Duration
  private let logger: Logger

  /// - Parameters:
  ///   - processed: the last blocks that were processed, in any order; one is enough, more make deep reorganisations cheap.
  ///   - start: the height of the first block when nothing has been processed.
  ///   - patience: the longest time between two attempts to reach a source that does not answer.
  public init(
    source: any ChainSource, after processed: [BlockPosition], startingAt start: UInt32 = 0,
    patience: Duration = .seconds(30), logger: Logger = Logger(label: "glc.chain")
  ) {
    self.source = source
    self.processed = processed.sorted { $0.height < $1.height }
    self.start = start
    self.patience = patience
    self.logger = logger
  }

  public func makeAsyncIterator() -> Iterator {
    Iterator(source: source, history: processed, start: start, patience: patience, logger: logger)
  }

  public struct Iterator: AsyncIteratorProtocol {
    private let source: any ChainSource
    /// Ascending; the last one is the last block told to the consumer.
    private var history: [BlockPosition]
    private let start: UInt32
    private let patience: Duration
    private let logger: Logger
    /// What the source said last; nil when it has to be asked again.
    private var tip: BlockPosition?

    init(
      source: any ChainSource, history: [BlockPosition], start: UInt32, patience: Duration, logger: Logger
    ) {
      self.source = source
      self.history = history
      self.start = start
      self.patience = patience
      self.logger = logger
    }

    /// Nil when the task is cancelled.
    public mutating func next(isolation actor: isolated (any Actor)? = #isolation) async throws(ChainError) -> Event? {
      var delay = Duration.milliseconds(250)
      while !Task.isCancelled {
        do throws(ChainError) {
          if let event = try await step() { return event }
          delay = .milliseconds(250)
        } catch {
          guard error.isTransient else { throw error }
          tip = nil
          if Task.isCancelled { return nil }
          logger.warning("\(error)", metadata: ["retry": "\(delay)"])
          try? await Task.sleep(for: delay)
          delay = Swift.min(delay * 2, patience)
        }
      }
      return nil
    }

    /// The next event, or nil after waiting or when the source has moved on while it was asked.
    nonisolated(nonsending) private mutating func step() async throws(ChainError) -> Event? {
      guard let last = history.last else { return try await first() }
      let known: BlockPosition
      if let tip { known = tip } else { known = try await source.tip() }
      tip = known
      if known.hash == last.hash {
        tip = try await source.tip(otherThan: last.hash, timeout: .seconds(60))
        return nil
      }
      if known.height > last.height, let hash = try await source.blockHash(at: last.height + 1),
        let event = try await connect(hash, after: last)
      {
        return event
      }
      // Either the chain has left us, or it moved between two questions: a block is taken back on fresh evidence only.
      tip = nil
      return try await isInBestChain(last) ? nil : try await disconnect(last)
    }

    nonisolated(nonsending) private func isInBestChain(_ position: BlockPosition) async throws(ChainError) -> Bool {
      try await source.blockHash(at: position.height) == position.hash
    }

    nonisolated(nonsending) private mutating func first() async throws(ChainError) -> Event? {
      guard let hash = try await source.blockHash(at: start) else {
        let tip = try await source.tip()
        if tip.height < start { _ = try await source.tip(otherThan: tip.hash, timeout: .seconds(60)) }
        return nil
      }
      return try await connect(hash, after: nil)
    }

    nonisolated(nonsending) private mutating func connect(_ hash: BlockHash, after last: BlockPosition?)
      async throws(ChainError) -> Event?
    {
      let block = try await source.block(hash)
      guard block.hash == hash else { throw .badAnswer("asked for block \(hash), got \(block.hash)") }
      if let last, block.header.previousBlock != last.hash { return nil }
      let position = BlockPosition(height: last.map { $0.height + 1 } ?? start, hash: hash)
      history.append(position)
      if history.count > 2 * ChainFollower.recommendedHistory {
        history.removeFirst(history.count - ChainFollower.recommendedHistory)
      }
      return .connected(block, position)
    }

    nonisolated(nonsending) private mutating func disconnect(_ last: BlockPosition) async throws(ChainError) -> Event? {
      let previous: BlockPosition?
      if history.count > 1, history[history.count - 2].height + 1 == last.height {
        previous = nil
      } else if start > 0, last.height <= start {
        // Below the first block that was wanted there is nothing to go back to.
        history = []
        return .disconnected(last)
      } else if last.height == 0 {
        throw .unknownHistory(last)
      } else {
        do throws(ChainError) {
          let header = try await source.header(of: last.hash)
          previous = BlockPosition(height: last.height - 1, hash: header.previousBlock)
        } catch {
          if case .unknownBlock = error { throw .unknownHistory(last) }
          throw error
        }
      }
      history.removeLast()
      if let previous { history.append(previous) }
      return .disconnected(last)
    }
  }
}
