import BOLT
import Bitcoin
import Chain
import Encoding
import GLC
import Payments
import Testing
import Wallet
import Wire

@testable import Node

/// Two nodes with a liar between them, a channel, and a payment that is held each way.
struct LiarsWorld {
  let network: TestNetwork
  let middle: Middle
  let id: ChannelID
  let there: Held
  let back: Held

  init() async throws {
    network = try await TestNetwork(
      nodes: 2, settings: { settings, _ in settings.channels.contestDelay = 6 },
      configure: { launch, _ in launch.reconnectsQuickly() })
    for index in 0..<2 { for _ in 0..<2 { try await network.fund(index) } }
    middle = try await network.middle(0, 1)
    id = try await network.open(0, 1, pushing: MilliSatoshi(4_000_000_000))
    there = try await network.hold(0, 1, MilliSatoshi(50_000_000))
    back = try await network.hold(1, 0, MilliSatoshi(60_000_000))
    let (network, there, back) = (network, there, back)
    try await network.wait("both are held") {
      let first = await network.isHeld(there)
      return await network.isHeld(back) && first
    }
    try await network.calm(id, pending: 2)
    for log in network.logs { log.clear() }
  }

  func wallets() async -> [UInt64] {
    var all: [UInt64] = []
    for node in network.nodes { all.append(await node.walletBalance().confirmed.rawValue) }
    return all
  }

  func balances() async throws -> [UInt64] {
    var all: [UInt64] = []
    for index in 0..<2 {
      let channel = try #require(await network.channel(index, id))
      all.append((channel.balances?[.local] ?? .zero).rawValue / 1000)
    }
    return all
  }

  /// The payment to node 1 is taken on the chain, the other goes back: node 1 has 50,000 more than before.
  func endsOnChain(_ wallets: [UInt64], _ before: [UInt64]) async throws {
    try await network.wait("a commitment") { try await !network.chain.mempoolTransactions().isEmpty }
    try await network.mine()
    await network.settleDown()
    try await network.settle(there)
    try await network.cancel(back)
    do {
      try await network.mine(until: "everything is resolved", limit: 200) {
        for index in [0, 1] where await network.channel(index, id)?.phase != .ended { return false }
        return there.paying.isOver && back.paying.isOver
      }
    } catch {
      let ends = [await network.channel(0, id)?.phase, await network.channel(1, id)?.phase]
      throw NodeError.invalid(
        "not resolved: \(ends), \(there.paying.isOver), \(back.paying.isOver), "
          + network.logs.map { $0.all.suffix(40).joined(separator: "\n") }.joined(separator: "\n— the other:\n"))
    }
    #expect(there.paying.succeeded && back.paying.failed)
    let after = await self.wallets()
    // What was under way when it happened is 6,000 at most; the rest are fees.
    let gained: [UInt64] = [0, 110_000]
    for (index, held) in gained.enumerated() {
      let (now, due) = (after[index] - wallets[index], before[index] + held)
      #expect(now + 40_000 > due && now < due + 6_000, "node \(index) has \(now) of \(due)")
    }
  }

  /// What was under way when the connection broke may have failed for that; nothing hangs, and the next payments pass.
  func goesOn(_ payments: [Paying]) async throws {
    try await network.wait("all payments are over") { payments.allSatisfy(\.isOver) }
    try await network.settle(there)
    try await network.cancel(back)
    try await network.wait("those that were held too") { there.paying.isOver && back.paying.isOver }
    #expect(there.paying.succeeded && back.paying.failed)
    try await network.calm(id)
    let balances = try await balances()
    try await network.wait("the channel is usable") {
      for index in 0..<2 where await network.channel(index, id)?.canOffer != true { return false }
      return true
    }
    #expect(balances.reduce(0, +) == 10_000_000)
    _ = try await network.pay(0, 1, MilliSatoshi(3_000_000))
    _ = try await network.pay(1, 0, MilliSatoshi(2_000_000))
    try await network.calm(id)
    #expect(try await self.balances() == [balances[0] - 1000, balances[1] + 1000])
    for index in 0..<2 { #expect(await network.channel(index, id)?.phase == .normal) }
  }
}
