internal import CAllocations

/// An operation beside its floor. Both run it `count` times and return a sum over the results.
struct Benchmark {
  let name: String
  let group: String
  let ours: (_ count: Int) -> UInt64
  let floor: (_ count: Int) -> UInt64
  /// Whether the sums must agree: not where the floor makes another thing than we do, a walk for a decoded value.
  let isComparable: Bool
  /// Whether ours uses several cores: then the wall's clock counts instead of the thread's.
  let isParallel: Bool
  /// Makes what `ours` uses up, before the clock runs.
  let prepare: ((_ count: Int) -> Void)?
}

/// Collects benchmarks.
struct Suite {
  var benchmarks: [Benchmark] = []
  var group = ""

  mutating func add(
    _ name: String, isComparable: Bool = true, isParallel: Bool = false, ours: @escaping (_ count: Int) -> UInt64,
    floor: @escaping (_ count: Int) -> UInt64, prepare: ((_ count: Int) -> Void)? = nil
  ) {
    benchmarks.append(
      Benchmark(
        name: name, group: group, ours: ours, floor: floor, isComparable: isComparable,
        isParallel: isParallel, prepare: prepare))
  }
}

/// What was measured, per operation.
struct Measurement {
  let name: String
  let group: String
  let medianNanoseconds: Double
  let floorNanoseconds: Double
  /// The median of the ratios of neighbouring batches, with its 95 % confidence interval.
  let ratio: Double
  let ratioInterval: ClosedRange<Double>
  let allocations: Double
  let floorAllocations: Double
}

enum MeasurementError: Error, CustomStringConvertible {
  case differentResults(String)

  var description: String {
    switch self {
    case .differentResults(let name): "\(name): the floor computes something else"
    }
  }
}

/// How long is measured. A batch must be long against the clock (some 300 ns to read) and short against a time slice.
struct Plan {
  var rounds = 201
  var batchNanoseconds: UInt64 = 400_000
}

extension Benchmark {
  func measure(_ plan: Plan) throws(MeasurementError) -> Measurement {
    for count in [1, 7] where isComparable {
      prepare?(count)
      guard ours(count) == floor(count) else { throw .differentResults(name) }
    }
    // Warm-up, and how many turns fill a batch.
    var count = 1
    while true {
      let elapsed = max(time(ours, count), time(floor, count))
      if elapsed * 2 > plan.batchNanoseconds || count >= 1 << 24 { break }
      count =
        elapsed * 16 > plan.batchNanoseconds ? Int(UInt64(count) * plan.batchNanoseconds / elapsed) + 1 : count * 4
    }
    let allocations = Double(allocationsOf(ours, count)) / Double(count)
    let floorAllocations = Double(allocationsOf(floor, count)) / Double(count)

    // Neighbouring batches see the same machine: the same clock rate, the same neighbours. Their ratio is what counts. The
    // order changes each round, so that a drift does not favour one side.
    var oursTimes: [Double] = []
    var floorTimes: [Double] = []
    var ratios: [Double] = []
    // What takes milliseconds is measured less often.
    let rounds = time(floor, count) > 8 * plan.batchNanoseconds ? plan.rounds / 4 : plan.rounds
    for round in 0..<rounds {
      let times: (ours: UInt64, floor: UInt64)
      if round.isMultiple(of: 2) {
        let first = time(ours, count)
        times = (first, time(floor, count))
      } else {
        let first = time(floor, count)
        times = (time(ours, count), first)
      }
      oursTimes.append(Double(times.ours) / Double(count))
      floorTimes.append(Double(times.floor) / Double(count))
      ratios.append(Double(times.ours) / Double(times.floor))
    }
    ratios.sort()
    return Measurement(
      name: name, group: group, medianNanoseconds: oursTimes.median, floorNanoseconds: floorTimes.median,
      ratio: ratios.median, ratioInterval: ratios.medianInterval, allocations: allocations,
      floorAllocations: floorAllocations)
  }

  private func time(_ operation: (Int) -> UInt64, _ count: Int) -> UInt64 {
    prepare?(count)
    let clock = isParallel ? wall_nanoseconds : thread_nanoseconds
    let start = clock()
    sink &+= operation(count)
    return max(clock() - start, 1)
  }

  private func allocationsOf(_ operation: (Int) -> UInt64, _ count: Int) -> UInt64 {
    // Only what a turn takes: what is taken once, before the loop, is told apart by running it without a turn.
    prepare?(count)
    let before = allocations_count()
    sink &+= operation(count)
    let middle = allocations_count()
    sink &+= operation(0)
    return (middle - before) - (allocations_count() - middle)
  }
}

/// Keeps results alive.
nonisolated(unsafe) private var sink: UInt64 = 0

extension [Double] {
  var median: Double {
    let sorted = self.sorted()
    return sorted.isEmpty ? .nan : (sorted[sorted.count / 2] + sorted[(sorted.count - 1) / 2]) / 2
  }

  /// Of sorted values: the order statistics between which the median lies with 95 % confidence.
  var medianInterval: ClosedRange<Double> {
    let half = 0.98 * Double(count).squareRoot()
    let low = Swift.max(0, Int(Double(count) / 2 - half))
    let high = Swift.min(count - 1, Int((Double(count) / 2 + half).rounded(.up)))
    return self[low]...self[high]
  }
}
