import Bitcoin
import Foundation
import GLC
import GLCTesting
import PTLC
import Testing

@Suite struct SimulatorTests {
  /// `GLC_SEED` repeats one run; `GLC_SEEDS` runs that many, from `GLC_SIM_FROM` on.
  static let seeds: [UInt64] = {
    let environment = ProcessInfo.processInfo.environment
    if let seed = environment["GLC_SEED"].flatMap({ UInt64($0) }) { return [seed] }
    let first = environment["GLC_SIM_FROM"].flatMap { UInt64($0) } ?? 0
    return Array(first..<(first + (environment["GLC_SEEDS"].flatMap { UInt64($0) } ?? 40)))
  }()

  @Test(arguments: BOLT3Stack.allCases)
  func bothEndsAgreeWhateverIsLostOrDies(stack: BOLT3Stack) throws {
    var updates = 0
    for seed in Self.seeds {
      let channelStack = try stack.stack
      var options = TwoPartySimulator<HTLCTraffic>.Options()
      if stack.paysNoFee { options.feeRate = .init(satPerKiloWeight: 0) }
      var simulator = try TwoPartySimulator(
        seed: seed, stack: channelStack, traffic: HTLCTraffic(in: channelStack), options: options)
      try simulator.run(steps: 400)
      updates += simulator.statistics.irrevocable
    }
    print("simulated \(stack): \(Self.seeds.count) seeds, \(updates) updates became irrevocable")
    #expect(updates > 0, "nothing happened")
  }

  /// With presignatures before each commitment that needs them.
  @Test(arguments: PTLCStack.allCases)
  func bothEndsAgreeOnPointLockedPaymentsWhateverIsLostOrDies(stack: PTLCStack) throws {
    var updates = 0
    for seed in Self.seeds {
      let channelStack = try stack.stack
      var options = TwoPartySimulator<MixedPaymentTraffic>.Options()
      if stack.paysNoFee { options.feeRate = .init(satPerKiloWeight: 0) }
      if !stack.isMixed {
        var simulator = try TwoPartySimulator(
          seed: seed, stack: channelStack, traffic: PTLCTraffic(in: channelStack))
        try simulator.run(steps: 400)
        updates += simulator.statistics.irrevocable
      } else {
        var simulator = try TwoPartySimulator(
          seed: seed, stack: channelStack, traffic: MixedPaymentTraffic(in: channelStack), options: options)
        try simulator.run(steps: 400)
        updates += simulator.statistics.irrevocable
      }
    }
    print("simulated \(stack): \(Self.seeds.count) seeds, \(updates) updates became irrevocable")
    #expect(updates > 0, "nothing happened")
  }

  /// Payments locked by points come into the channel and leave it, while those locked by hashes go on.
  @Test func bothEndsHaveOneStackWhateverIsLostOrDiesWhileItIsExchanged() throws {
    var (changes, refused) = (0, 0)
    for seed in Self.seeds {
      let both = try PTLCStack.mixed.stack
      let hashes = try both.without(PTLCExtension.id)
      var options = TwoPartySimulator<MixedPaymentTraffic>.Options()
      options.otherStacks = [seed % 2 == 0 ? both : hashes]
      let first = seed % 2 == 0 ? hashes : both
      var simulator = try TwoPartySimulator(
        seed: seed, stack: first, traffic: MixedPaymentTraffic(in: first), options: options)
      try simulator.run(steps: 900)
      changes += simulator.statistics.stackChanges
      refused += simulator.statistics.refusedStackChanges
    }
    print("simulated \(changes) exchanges of the stack, \(refused) that were refused, in \(Self.seeds.count) lives")
    #expect(changes > 0 && refused > 0, "nothing happened")
  }
}
