internal import NIOCore

/// So many per second in the long run, so many at once. It may be overdrawn: the debt says how long to wait.
struct TokenBucket {
  private let perSecond: Double
  private let burst: Double
  private var tokens: Double
  private var updated: NIODeadline

  init(perSecond: Double, burst: Double, now: NIODeadline) {
    self.perSecond = max(perSecond, 0.001)
    self.burst = max(burst, 1)
    tokens = self.burst
    updated = now
  }

  /// Takes `amount`, whether it is there or not. How long to wait until nothing is owed; nil when nothing is.
  mutating func spend(_ amount: Double, now: NIODeadline) -> TimeAmount? {
    let elapsed = Double((now - updated).nanoseconds) / 1e9
    updated = now
    tokens = min(burst, tokens + max(elapsed, 0) * perSecond) - amount
    guard tokens < 0 else { return nil }
    return .nanoseconds(Int64(min(-tokens / perSecond, 3_600) * 1e9))
  }
}
