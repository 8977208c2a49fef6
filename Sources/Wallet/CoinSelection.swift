internal import Bitcoin

/// Chooses which coins pay for a transaction. Amounts are in thousandths of a satoshi, so that fees by weight add up exactly.
struct CoinSelection {
  struct Candidate: Hashable, Sendable {
    var outPoint: OutPoint
    var path: AddressPath
    var output: TxOutput
    /// What it costs to bring its unconfirmed parents to the fee rate, in satoshi.
    var parentsDeficit: Int64 = 0

    /// What is counted for its witness at least.
    var minimumWitnessWeight: Int64 = 0

    /// Of the input with its witness.
    var weight: Int64 { 4 * 41 + max(Int64(path.kind.witnessWeight.rawValue), minimumWitnessWeight) }
  }

  struct Result {
    var chosen: [Candidate]
    /// Whether what is left over is worth an output.
    var hasChange: Bool
    /// What it costs beyond what would have to be paid some day anyway.
    var waste: Int64
  }

  let candidates: [Candidate]
  /// In satoshi per 1000 weight units.
  let feeRate: Int64
  let longTermRate: Int64
  /// What the outputs and everything else but the inputs need.
  let target: Int64
  /// What a change output costs now and when it is spent.
  let costOfChange: Int64
  /// The fee of a change output alone, and the least that it may hold.
  let changeFee: Int64
  let minimumChange: Int64
  /// Transactions heavier than this are not relayed; without what the outputs weigh.
  let maximumWeight: Int64

  /// What a coin brings in beyond its own cost.
  func effectiveValue(_ candidate: Candidate) -> Int64 {
    Int64(candidate.output.value.rawValue) * 1000 - feeRate * candidate.weight - candidate.parentsDeficit * 1000
  }

  /// The least wasteful of several ways; nil when the coins do not suffice.
  func select(using generator: inout some RandomNumberGenerator) -> Result? {
    let useful = candidates.map { ($0, effectiveValue($0)) }.filter { $0.1 > 0 }
    guard useful.reduce(0, { $0 + $1.1 }) >= target else { return nil }
    var results: [Result] = []
    if let exact = branchAndBound(useful) { results.append(exact) }
    if let single = smallestSufficient(useful) { results.append(single) }
    for _ in 0..<5 {
      if let drawn = accumulate(useful.shuffled(using: &generator)) { results.append(drawn) }
    }
    if let large = accumulate(useful.sorted { $0.1 > $1.1 }) { results.append(large) }
    return results.min { $0.waste < $1.waste }
  }

  private func result(_ chosen: [(Candidate, Int64)]) -> Result? {
    let excess = chosen.reduce(0) { $0 + $1.1 } - target
    let weight = chosen.reduce(0) { $0 + $1.0.weight }
    guard excess >= 0, weight <= maximumWeight else { return nil }
    let hasChange = excess >= changeFee + minimumChange
    return Result(
      chosen: chosen.map(\.0), hasChange: hasChange,
      waste: weight * (feeRate - longTermRate) + (hasChange ? costOfChange : excess))
  }

  /// Looks for coins that need no change: their excess is below what change would cost. A search through all sets, largest coins first,
  /// which gives up after so many steps.
  private func branchAndBound(_ useful: [(Candidate, Int64)]) -> Result? {
    let sorted = useful.sorted { $0.1 > $1.1 }
    // What all coins from here on are worth.
    var rest = [Int64](repeating: 0, count: sorted.count + 1)
    for index in sorted.indices.reversed() { rest[index] = rest[index + 1] + sorted[index].1 }
    // Below the least change, so that the excess can only be a fee.
    let upper = target + min(costOfChange, changeFee + minimumChange - 1)
    var best: (excess: Int64, chosen: [Int])?
    var chosen: [Int] = []
    var sum: Int64 = 0
    var index = 0
    for _ in 0..<100_000 {
      var backtracks = false
      if sum > upper || sum + rest[index] < target {
        backtracks = true
      } else if sum >= target {
        if best.map({ sum - target < $0.excess }) ?? true { best = (sum - target, chosen) }
        if sum == target { break }
        backtracks = true
      } else if index == sorted.count {
        backtracks = true
      }
      if backtracks {
        guard let last = chosen.popLast() else { break }
        sum -= sorted[last].1
        index = last + 1
        // Coins of the same value lead to the same sums.
        while index < sorted.count, sorted[index].1 == sorted[last].1 { index += 1 }
      } else {
        sum += sorted[index].1
        chosen.append(index)
        index += 1
      }
    }
    return best.flatMap { result($0.chosen.map { sorted[$0] }) }
  }

  /// One coin alone, the smallest that leaves room for change.
  private func smallestSufficient(_ useful: [(Candidate, Int64)]) -> Result? {
    useful.filter { $0.1 >= target + changeFee + minimumChange }.min { $0.1 < $1.1 }.flatMap { result([$0]) }
  }

  /// Takes coins in the given order until there is enough, with change if possible, and without the ones that were not needed.
  private func accumulate(_ ordered: [(Candidate, Int64)]) -> Result? {
    var chosen: [(Candidate, Int64)] = []
    var sum: Int64 = 0
    for candidate in ordered {
      chosen.append(candidate)
      sum += candidate.1
      if sum >= target + changeFee + minimumChange { break }
    }
    return result(chosen)
  }
}
