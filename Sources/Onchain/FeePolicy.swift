public import Bitcoin

/// What a confirmation within some number of blocks costs now, as the caller's source of estimates says.
public struct FeeEstimates: Hashable, Sendable {
  /// By rising number of blocks.
  public private(set) var entries: [Entry]

  public struct Entry: Hashable, Sendable {
    public var blocks: UInt32
    public var rate: FeeRate

    public init(blocks: UInt32, rate: FeeRate) {
      self.blocks = blocks
      self.rate = rate
    }
  }

  public init(_ entries: [Entry]) { self.entries = entries.sorted { $0.blocks < $1.blocks } }

  /// The same rate whatever the hurry.
  public init(flat rate: FeeRate) { self.init([Entry(blocks: 1, rate: rate)]) }

  /// The rate for a confirmation within `blocks`: that of the longest target that is not longer, or else the fastest.
  public func rate(within blocks: UInt32) -> FeeRate {
    (entries.last { $0.blocks <= blocks } ?? entries.first)?.rate ?? .relayFloor
  }
}

/// How much a claim may cost: little as long as there is time, and up to a share of what is at stake when there is none left.
public struct FeePolicy: Hashable, Sendable {
  /// From so many blocks before its deadline on, a claim pays more than the estimates ask for.
  public var urgentBlocks: UInt32 = 18
  /// The target of claims that nobody can contest, in blocks.
  public var patientBlocks: UInt32 = 144
  /// The largest part of a claim's value that may go into its fee, in thousandths.
  public var maximumShare: UInt64 = 500
  /// BIP 125's rule 4: a replacement pays for its own relay at this rate; nodes ask for 1 sat/vbyte.
  public var incrementalRate = FeeRate(satPerKiloWeight: 250)
  /// A replacement that raises the rate by less, in percent, is not worth its noise.
  public var minimumRaise: UInt64 = 25
  /// The smallest output worth making, in satoshi.
  public var dustLimit = Satoshi(330)

  public init() {}

  /// The most that a claim of this value may pay.
  public func budget(stake: Satoshi) -> Satoshi {
    let (high, low) = stake.rawValue.multipliedFullWidth(by: maximumShare)
    guard high == 0 else { return stake }
    return min(Satoshi(low / 1000), stake)
  }

  /// The fee rate of a claim.
  /// - Parameters:
  ///   - blocksLeft: how many blocks can hold it before somebody else could take what it takes; nil when nobody ever can.
  ///   - waited: for how many blocks it has been tried without success: a race is won by who pays more.
  ///   - stake: what it is worth, which its fee never exceeds.
  ///   - weight: of the whole transaction.
  public func rate(
    blocksLeft: UInt32?, waited: UInt32, stake: Satoshi, weight: Weight, estimates: FeeEstimates
  ) -> FeeRate {
    guard let blocksLeft else { return max(estimates.rate(within: patientBlocks), .relayFloor) }
    let estimate = max(estimates.rate(within: max(blocksLeft / 2, 1)), .relayFloor)
    let budget = rate(spending: budget(stake: stake), on: weight)
    let urgentBlocks = min(self.urgentBlocks, 0xffff)
    guard budget > estimate, urgentBlocks > 0 else { return max(min(estimate, budget), .relayFloor) }
    // Rises with the square of the time that has passed in the urgent phase.
    let remaining = blocksLeft == 0 ? urgentBlocks - min(waited, urgentBlocks) : min(blocksLeft, urgentBlocks)
    let passed = UInt64(urgentBlocks - remaining)
    let window = UInt64(urgentBlocks)
    let range = UInt64(budget.satPerKiloWeight - estimate.satPerKiloWeight)
    // At most 2³² · (2¹⁶)².
    let raise = range * (passed * passed) / (window * window)
    return FeeRate(satPerKiloWeight: estimate.satPerKiloWeight + UInt32(clamping: min(raise, range)))
  }

  /// The lowest rate at which a replacement is accepted and worth it.
  func replacementRate(of rate: FeeRate) -> FeeRate {
    let old = UInt64(rate.satPerKiloWeight)
    return FeeRate(
      satPerKiloWeight: UInt32(
        clamping: max(old + UInt64(incrementalRate.satPerKiloWeight), old + (old * minimumRaise + 99) / 100)))
  }

  /// The rate that a fee amounts to, rounded down.
  func rate(spending fee: Satoshi, on weight: Weight) -> FeeRate {
    let (product, overflow) = fee.rawValue.multipliedReportingOverflow(by: 1000)
    guard !overflow, weight.rawValue > 0 else { return FeeRate(satPerKiloWeight: .max) }
    return FeeRate(satPerKiloWeight: UInt32(clamping: product / weight.rawValue))
  }
}
