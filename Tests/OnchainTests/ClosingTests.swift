import Anchors
import Base
import Bitcoin
import Foundation
import GLC
import GLCTesting
import HTLC
import Onchain
import PTLC
import Testing

/// A stack with an extension that nobody but this test target knows.
func toyStack(usesTaproot: Bool = false) throws -> ChannelStack {
  try ChannelStack(
    funding: WitnessScriptFunding(),
    extensions: [
      Slot(MainOutputs(), .init(remoteFormat: .fixedAfterOneBlock)),
      Slot(HTLCExtension(), .init(format: .anchors)), Slot(TimeLock(usesTaproot: usesTaproot), .init()),
      Slot(Anchors(), Nothing()),
    ])
}

/// Payments, and locks of the toy.
struct MixedTraffic: SimulatedTraffic {
  var payments: HTLCTraffic
  var locks: TimeLockTraffic

  mutating func proposal(by index: Int, in channel: Channel, _ random: inout SeededGenerator) -> UpdateContent? {
    random.chance(oneIn: 2)
      ? payments.proposal(by: index, in: channel, &random) : locks.proposal(by: index, in: channel, &random)
  }

  mutating func resolution(by index: Int, in channel: Channel, _ random: inout SeededGenerator) -> UpdateContent? {
    random.chance(oneIn: 2)
      ? payments.resolution(by: index, in: channel, &random) : locks.resolution(by: index, in: channel, &random)
  }

  mutating func finish() { payments.finish() }

  func secrets(of index: Int, in channel: Channel) -> [SecretID: [UInt8]] { payments.secrets(of: index, in: channel) }
}

@Suite struct ClosingTests {
  /// `GLC_SEED` repeats one run; `GLC_SIM_SEEDS` runs that many, spread over the stacks, from `GLC_SIM_FROM` on.
  static let seeds: Range<UInt64> = {
    let environment = ProcessInfo.processInfo.environment
    if let seed = environment["GLC_SEED"].flatMap({ UInt64($0) }) { return seed..<(seed + 1) }
    let first = environment["GLC_SIM_FROM"].flatMap { UInt64($0) } ?? 0
    return first..<(first + (environment["GLC_SIM_SEEDS"].flatMap { UInt64($0) } ?? 200))
  }()

  /// In slices, so that a long run uses all cores and says how far it is.
  static let slices: [Range<UInt64>] = stride(from: seeds.lowerBound, to: seeds.upperBound, by: 1000).map {
    $0..<min($0 + 1000, seeds.upperBound)
  }

  private func summarise(_ name: String, _ reports: [ClosingReport]) {
    let ways = ClosingReport.Way.allCases.map { way in "\(reports.count { $0.way == way }) \(way)" }
    let sum = { (value: (ClosingReport) -> Int) in reports.reduce(0) { $0 + value($1) } }
    print(
      "closed \(name): \(reports.count) seeds (\(ways.joined(separator: ", "))), \(sum(\.outputs)) outputs,",
      "\(sum(\.transactions)) transactions, \(sum(\.replacements)) replacements,",
      "\(sum(\.joined)) second stages joined, \(sum(\.unfunded)) claims without a coin,",
      "\(sum(\.reorganisations)) reorganisations, \(sum(\.restarts)) restarts, \(sum(\.lateBlocks)) late and",
      "\(sum(\.expensiveBlocks)) expensive of \(sum(\.blocks)) blocks, \(sum { Int($0.fees[0] + $0.fees[1]) }) sat of fees,",
      "\(sum { Int($0.uneconomic[0] + $0.uneconomic[1]) }) sat not worth theirs")
  }

  /// A random life, with updates from both sides, lost connections and crashes. Left alone, both ends come to agree; interrupted, the channel
  /// ends on the chain in a random way, among late blocks, reorganisations, changing fees and parties that are away or die.
  @Test(arguments: BOLT3Stack.allCases, slices)
  func eachSideGetsWhatItIsOwedHoweverTheChannelEnds(stack: BOLT3Stack, seeds: Range<UInt64>) throws {
    var reports: [ClosingReport] = []
    let stacks = BOLT3Stack.allCases
    for seed in seeds where Self.seeds.count == 1 || stacks[Int(seed % UInt64(stacks.count))] == stack {
      // A long run goes on.
      do { reports.append(try live(stack, seed)) } catch { Issue.record(error) }
    }
    summarise("\(stack) \(seeds)", reports)
    #expect(reports.contains { $0.outputs > 4 } || reports.count <= 1, "nothing was at stake")
  }

  private func live(_ stack: BOLT3Stack, _ seed: UInt64) throws -> ClosingReport {
    let channelStack = try stack.stack
    var options = TwoPartySimulator<HTLCTraffic>.Options()
    if stack.paysNoFee { options.feeRate = .init(satPerKiloWeight: 0) }
    // Some have many payments open, some few.
    let kind = seed / UInt64(BOLT3Stack.allCases.count)
    let traffic = HTLCTraffic(in: channelStack, patience: kind % 3 == 0 ? 1 : 8)
    var simulator = try TwoPartySimulator(
      seed: seed, stack: channelStack, traffic: traffic, options: options)
    try simulator.interrupt(after: 60 + Int(kind % 5) * 50)
    var settled = simulator.copy
    try settled.run(steps: 20)
    return try simulator.close()
  }

  /// Small anchors that the other side takes while their owner is away, and confirmations are expensive.
  @Test(arguments: [(BOLT3Stack.anchorsWithFees, 3282 as UInt64)])
  func whatOnceFailedHolds(stack: BOLT3Stack, seed: UInt64) throws { _ = try live(stack, seed) }

  /// One party does nothing: the other takes every output that it could ever take, on its own and on the other's commitment, be that the
  /// latest, the one before or a revoked one.
  @Test(arguments: BOLT3Stack.allCases, ClosingReport.Way.allCases)
  func everyOutputOfEveryKindOfCommitmentComesHome(stack: BOLT3Stack, way: ClosingReport.Way) throws {
    var reports: [ClosingReport] = []
    for seed in 0..<60 as Range<UInt64> where reports.count < 4 {
      let channelStack = try stack.stack
      var options = TwoPartySimulator<HTLCTraffic>.Options()
      if stack.paysNoFee { options.feeRate = .init(satPerKiloWeight: 0) }
      var simulator = try TwoPartySimulator(
        seed: 1000 + seed, stack: channelStack, traffic: HTLCTraffic(in: channelStack), options: options)
      try simulator.interrupt(after: 150 + Int(seed))
      for idle in 0..<2 {
        var copy = simulator.copy
        let report = try copy.close(way, idle: idle)
        if report.way == way { reports.append(report) }
      }
    }
    summarise("\(stack) with one side idle", reports)
    #expect(!reports.isEmpty, "no \(way) close was possible")
  }

  /// Payments locked by points, alone and beside those locked by hashes. What the receiver takes from the sender's commitment needs the sender's
  /// signature, which it got before it signed that commitment; and the sender learns the secret from what is taken.
  @Test(arguments: PTLCStack.allCases, slices)
  func pointLockedPaymentsComeHomeHoweverTheChannelEnds(stack: PTLCStack, seeds: Range<UInt64>) throws {
    var reports: [ClosingReport] = []
    let stacks = PTLCStack.allCases
    for seed in seeds where Self.seeds.count == 1 || stacks[Int(seed % UInt64(stacks.count))] == stack {
      do { reports.append(try live(stack, seed)) } catch { Issue.record(error) }
    }
    summarise("\(stack) \(seeds)", reports)
    #expect(reports.contains { $0.outputs > 4 } || reports.count <= 1, "nothing was at stake")
  }

  /// Of a joint claim that had no coin, a part is lost: the rest, worth a hundred times as much, was behind all others for the next coin.
  /// A contested joint claim was divided into halves: the first took the only coin, and what stood beside the contested one was lost.
  @Test(arguments: [(PTLCStack.mixedZeroFee, 9980 as UInt64), (.mixedZeroFee, 4940)])
  func whatOnceFailedHolds(stack: PTLCStack, seed: UInt64) throws { _ = try live(stack, seed) }

  private func live(_ stack: PTLCStack, _ seed: UInt64) throws -> ClosingReport {
    let channelStack = try stack.stack
    let kind = seed / UInt64(PTLCStack.allCases.count)
    let patience: UInt64 = kind % 3 == 0 ? 1 : 8
    if !stack.isMixed { return try live(channelStack, seed, kind, PTLCTraffic(in: channelStack, patience: patience)) }
    return try live(channelStack, seed, kind, MixedPaymentTraffic(in: channelStack, patience: patience))
  }

  private func live<Traffic: SimulatedTraffic>(
    _ stack: ChannelStack, _ seed: UInt64, _ kind: UInt64, _ traffic: Traffic
  ) throws -> ClosingReport {
    var options = TwoPartySimulator<Traffic>.Options()
    if stack.fixesFeeRate { options.feeRate = .init(satPerKiloWeight: 0) }
    var simulator = try TwoPartySimulator(seed: seed, stack: stack, traffic: traffic, options: options)
    try simulator.interrupt(after: 60 + Int(kind % 5) * 50)
    var settled = simulator.copy
    try settled.run(steps: 20)
    return try simulator.close()
  }

  /// One party does nothing: the other takes every output that it could ever take.
  @Test(arguments: [PTLCStack.mixed, .mixedZeroFee, .pairedMixed, .pairedZeroFee], ClosingReport.Way.allCases)
  func everyPointLockedOutputOfEveryKindOfCommitmentComesHome(stack: PTLCStack, way: ClosingReport.Way) throws {
    var reports: [ClosingReport] = []
    for seed in 0..<60 as Range<UInt64> where reports.count < 4 {
      let channelStack = try stack.stack
      var options = TwoPartySimulator<MixedPaymentTraffic>.Options()
      if stack.paysNoFee { options.feeRate = .init(satPerKiloWeight: 0) }
      var simulator = try TwoPartySimulator(
        seed: 1000 + seed, stack: channelStack, traffic: MixedPaymentTraffic(in: channelStack), options: options)
      try simulator.interrupt(after: 150 + Int(seed))
      for idle in 0..<2 {
        var copy = simulator.copy
        let report = try copy.close(way, idle: idle)
        if report.way == way { reports.append(report) }
      }
    }
    summarise("\(stack) with one side idle", reports)
    #expect(!reports.isEmpty, "no \(way) close was possible")
  }

  /// The stack was exchanged once or more: a revoked commitment with what the channel does not carry any more is punished as any other, and
  /// one that is in force while the stack changes comes home.
  @Test(arguments: slices)
  func commitmentsOfEveryStackThatAChannelHadComeHome(seeds: Range<UInt64>) throws {
    var reports: [ClosingReport] = []
    var changes = 0
    for seed in seeds where seed % 4 == 0 || Self.seeds.count == 1 {
      let both = try PTLCStack.mixed.stack
      let hashes = try both.without(PTLCExtension.id)
      let first = seed / 4 % 2 == 0 ? hashes : both
      var options = TwoPartySimulator<MixedPaymentTraffic>.Options()
      options.otherStacks = [seed / 4 % 2 == 0 ? both : hashes]
      var simulator = try TwoPartySimulator(
        seed: seed, stack: first, traffic: MixedPaymentTraffic(in: first), options: options)
      try simulator.interrupt(after: 300 + Int(seed / 4 % 7) * 60)
      changes += simulator.statistics.stackChanges
      var copy = simulator.copy
      reports.append(try simulator.close())
      reports.append(try copy.close(.revoked, idle: Int(seed / 4 % 2)))
    }
    summarise("exchanged \(seeds)", reports)
    #expect(changes > 0 || reports.count < 3, "no stack was exchanged")
  }

  @Test(arguments: slices)
  func anExtensionThatNobodyKnowsComesHomeAsWell(seeds: Range<UInt64>) throws {
    var reports: [ClosingReport] = []
    for seed in seeds where seed % 5 == 0 || Self.seeds.count == 1 {
      let stack = try toyStack(usesTaproot: seed / 5 % 2 == 1)
      let position = try #require(stack.extensions.firstIndex { $0.id == TimeLock.id })
      let traffic = MixedTraffic(payments: HTLCTraffic(in: stack), locks: TimeLockTraffic(position: position))
      var simulator = try TwoPartySimulator(seed: seed, stack: stack, traffic: traffic)
      try simulator.interrupt(after: 60 + Int(seed / 5 % 5) * 50)
      var copy = simulator.copy
      reports.append(try simulator.close())
      reports.append(try copy.close(.revoked, idle: Int(seed % 2)))
    }
    summarise("toy \(seeds)", reports)
    #expect(reports.contains { $0.outputs > 6 } || reports.count < 3, "nothing was at stake")
  }
}
