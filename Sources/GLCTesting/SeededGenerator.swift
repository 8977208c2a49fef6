/// A small random generator (SplitMix64) that gives the same numbers for the same seed on every machine: a failing run is repeated
/// with the seed that it printed.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  public let seed: UInt64
  private var state: UInt64

  public init(seed: UInt64) {
    self.seed = seed
    state = seed
  }

  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// True once in `times` on average.
  public mutating func chance(oneIn times: UInt64) -> Bool { next() % times == 0 }

  /// From 0 up to, but not including, `bound`.
  public mutating func below(_ bound: UInt64) -> UInt64 { next() % max(bound, 1) }
}
