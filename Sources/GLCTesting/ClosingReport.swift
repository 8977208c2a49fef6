/// How a simulated channel ended on the chain.
public struct ClosingReport: Sendable {
  public enum Way: String, Sendable, CaseIterable {
    /// One party publishes its latest commitment.
    case unilateral
    /// Both do, at the same time.
    case both
    /// One party publishes its latest commitment, which the other one has already replaced.
    case previous
    /// One party publishes a commitment that it has revoked.
    case revoked
    /// Both have signed a closing transaction.
    case cooperative
  }

  public var way: Way
  /// Whose commitment was confirmed.
  public var holder: Int
  /// What each party brought home and what it paid for that, in satoshi.
  public var gains: [Int64] = [0, 0]
  public var fees: [UInt64] = [0, 0]
  /// What each party was owed at least.
  public var owed: [UInt64] = [0, 0]
  /// Owed, but worth less than its fee: still there.
  public var uneconomic: [UInt64] = [0, 0]
  public var outputs = 0
  public var blocks = 0
  public var transactions = 0
  public var replacements = 0
  public var reorganisations = 0
  /// How often a process was killed and went on from its bytes.
  public var restarts = 0
  /// Second stages that shared a transaction, and claims that the wallet had no coin for at first.
  public var joined = 0
  public var unfunded = 0
  /// Blocks that a party heard of late.
  public var lateBlocks = 0
  /// Blocks in which a confirmation cost many times as much.
  public var expensiveBlocks = 0
}
