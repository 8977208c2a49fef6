import Anchors
import Base
import Bitcoin
import Encoding
import GLC
import GLCTesting
import HTLC
import Hashing
import PTLC
import Testing

/// Payments in both directions of all sizes, as a scenario for the law checker.
func paymentScenario(_ stack: ChannelStack, expiry: UInt32 = 600_000) throws -> LawScenario {
  let position = try #require(stack.extensions.firstIndex { $0.id == HTLCExtension.id })
  var updates: [(author: Party, content: UpdateContent)] = []
  var secrets: [SecretID: [UInt8]] = [:]
  for (index, amount) in [1_000_000, 5_000_000, 5_000_000, 100_000, 70_000_000].enumerated() {
    for author in Party.allCases {
      let preimage = sha256(Array("preimage \(index) \(author)".utf8))
      let hash = sha256(preimage.bytes)
      secrets[SecretID(kind: .sha256, value: hash)] = preimage.array
      updates.append(
        (
          author,
          .extension(
            position,
            AnyUpdate(
              .add(
                id: UInt64(index), amount: MilliSatoshi(UInt64(amount)), paymentHash: PaymentHash(hash),
                cltvExpiry: expiry + UInt32(index), onion: [UInt8](repeating: 1, count: 1366), extra: TLVStream()),
              of: HTLCExtension.self))
        ))
    }
  }
  return LawScenario(stack: stack, updates: updates, secrets: secrets)
}

/// The same, with payments locked by points where the stack has them.
func mixedScenario(_ stack: ChannelStack, expiry: UInt32 = 600_000) throws -> LawScenario {
  var scenario =
    stack.extensions.contains { $0.id == HTLCExtension.id }
    ? try paymentScenario(stack, expiry: expiry) : LawScenario(stack: stack, updates: [], secrets: [:])
  guard let position = stack.extensions.firstIndex(where: { $0.id == PTLCExtension.id }) else { return scenario }
  for (index, amount) in [1_000_000, 5_000_000, 100_000, 70_000_000].enumerated() {
    for author in Party.allCases {
      let scalar = PaymentScalar(sha256(Array("scalar \(index) \(author)".utf8)))
      let lock = try #require(scalar.point)
      scenario.secrets[lock.secretID] = scalar.raw.array
      scenario.updates.append(
        (
          author,
          .extension(
            position,
            AnyUpdate(
              .add(
                id: UInt64(index), amount: MilliSatoshi(UInt64(amount)), lock: lock, expiry: expiry + UInt32(index),
                onion: [UInt8](repeating: 1, count: 1366), extra: TLVStream()), of: PTLCExtension.self))
        ))
    }
  }
  return scenario
}

@Suite struct LawTests {
  @Test(arguments: PTLCStack.allCases)
  func everyPathOfAPointLockedOutputIsOpenToItsSideUnderItsConditionsAlone(stack: PTLCStack) throws {
    var scenario = try mixedScenario(try stack.stack)
    if stack.paysNoFee { scenario.feeRate = FeeRate(satPerKiloWeight: 0) }
    let report = try checkExtension(scenario)
    #expect(report.violations == [])
    #expect(report.executedPaths > 30, "only \(report.executedPaths) paths")
    #expect(report.refusedSpends > 30, "only \(report.refusedSpends) refusals")
  }

  @Test(arguments: BOLT3Stack.allCases)
  func everyPathOfEveryOutputIsOpenToItsSideUnderItsConditionsAlone(stack: BOLT3Stack) throws {
    var scenario = try paymentScenario(try stack.stack)
    if stack.paysNoFee { scenario.feeRate = FeeRate(satPerKiloWeight: 0) }
    let report = try checkExtension(scenario)
    #expect(report.violations == [])
    #expect(report.executedPaths > 50, "only \(report.executedPaths) paths")
    #expect(report.refusedSpends > 80, "only \(report.refusedSpends) refusals")
  }
}

/// A new extension is one new type: no other target knows of it.
@Suite struct ToyExtensionTests {
  func stack(_ flaw: TimeLock.Flaw = .none, usesTaproot: Bool = false) throws -> ChannelStack {
    try ChannelStack(
      funding: WitnessScriptFunding(),
      extensions: [
        Slot(MainOutputs(), .init(remoteFormat: .fixedAfterOneBlock)),
        Slot(HTLCExtension(), .init(format: .anchors)), Slot(TimeLock(flaw: flaw, usesTaproot: usesTaproot), .init()),
        Slot(Anchors(), Nothing()),
      ])
  }

  func scenario(_ flaw: TimeLock.Flaw, usesTaproot: Bool = false) throws -> LawScenario {
    var scenario = try paymentScenario(try stack(flaw, usesTaproot: usesTaproot))
    let position = try #require(scenario.stack.extensions.firstIndex { $0.id == TimeLock.id })
    for author in Party.allCases {
      for id in 0..<3 as Range<UInt32> {
        let update = TimeLock.Update.put(
          id: id, amount: MilliSatoshi(200_000 + 1_000_000 * UInt64(id)), height: 600_010 + id)
        scenario.updates.append((author, .extension(position, AnyUpdate(update, of: TimeLock.self))))
      }
    }
    return scenario
  }

  @Test(arguments: [false, true])
  func theToyKeepsEveryLaw(usesTaproot: Bool) throws {
    #expect(try checkExtension(try scenario(.none, usesTaproot: usesTaproot)).violations == [])
  }

  @Test(arguments: [
    (TimeLock.Flaw.scriptDisagrees, "path"), (.wrongWeight, "weight"), (.childNotSpendable, "child"),
    (.leaksValue, "value"), (.losesField, "codec"), (.wrongSummary, "summary"), (.opensTooEarly, "conditions"),
    (.lockTimeIgnored, "conditions"),
  ])
  func aBrokenPromiseIsFound(flaw: TimeLock.Flaw, law: String) throws {
    let violations = try checkExtension(try scenario(flaw)).violations
    #expect(violations.contains { $0.law == law }, "\(flaw): found only \(violations)")
  }

  @Test func theToyLivesOnASimulatedChannelBesidePayments() throws {
    let stack = try stack()
    let position = try #require(stack.extensions.firstIndex { $0.id == TimeLock.id })
    for seed in SimulatorTests.seeds.prefix(20) {
      var simulator = try TwoPartySimulator(seed: seed, stack: stack, traffic: TimeLockTraffic(position: position))
      try simulator.run(steps: 300)
      #expect(simulator.statistics.irrevocable > 0)
    }
  }
}
