import BOLT
import Bitcoin
import Chain
import Encoding
import GLC
import Payments
import Peers
import Storage
import Synchronization
import Testing
import Wallet
import Wire

@testable import Node

/// A whole life of three nodes in a row, with faults: channels are opened, payments go both ways and through the middle, one is refused,
/// channels are closed together. Whatever strikes, the life goes on, and at its end everything is where it belongs.
final class Life {
  let network: TestNetwork
  var opened: [(a: Int, b: Int, id: ChannelID)] = []
  var payments: [(from: Int, to: Int, paying: Paying, hash: Bytes32)] = []
  var restarts = 0

  init(_ configure: (inout Node.Launch, Int) -> Void = { _, _ in }) async throws {
    network = try await TestNetwork(
      nodes: 3,
      settings: { settings, _ in
        settings.irrevocableDepth = 6
        settings.payments.mppTimeoutMilliseconds = 2000
      },
      configure: { launch, index in
        launch.peers.times.firstRetry = .milliseconds(20)
        launch.peers.times.longestRetry = .milliseconds(100)
        configure(&launch, index)
      })
  }

  /// What died is started again; what lost its connection is connected.
  func heal() async {
    restarts += await network.heal()
  }

  func wait(_ what: String, seconds: Int = 15, _ condition: () async throws -> Bool) async throws {
    for _ in 0..<(seconds * 200) {
      await heal()
      if try await condition() { return }
      try await Task.sleep(for: .milliseconds(5))
    }
    throw NodeError.invalid("not in time: \(what)")
  }

  func connect(_ a: Int, _ b: Int) async throws {
    try await wait("\(a) is connected to \(b)") {
      if self.network.nodes[a].network.peer(self.network.nodes[b].nodeID) != nil { return true }
      let (from, to) = (self.network.nodes[a], self.network.nodes[b])
      try? await within(.seconds(2)) { try await from.connect(to: to.nodeID, at: to.addresses) }
      return from.network.peer(to.nodeID) != nil
    }
  }

  func mine(_ count: Int = 1) async throws {
    for _ in 0..<count {
      let height = try #require(try await network.chain.mine().last).height
      try await wait("height \(height)") { self.network.nodes.allSatisfy { $0.height >= height } }
    }
  }

  func fund(_ index: Int) async throws {
    var address: Address?
    try await wait("an address") {
      address = try? await self.network.nodes[index].newAddress()
      return address != nil
    }
    _ = try await network.chain.send(Satoshi(100_000_000), to: #require(address).scriptPubKey)
    try await mine()
  }

  func channel(_ index: Int, _ id: ChannelID) async -> LightningChannel? { await network.channel(index, id) }

  func open(_ a: Int, _ b: Int) async throws {
    for _ in 0..<8 {
      try await connect(a, b)
      let (from, to) = (network.nodes[a], network.nodes[b])
      _ = try? await within(.seconds(3)) {
        _ = try await from.openChannel(
          with: to.nodeID, capacity: Satoshi(10_000_000), pushing: MilliSatoshi(2_000_000_000), isAnnounced: false)
      }
      await heal()
      // It may have been opened although nobody could say so any more.
      for _ in 0..<3 {
        try await mine(2)
        await network.settleDown()
      }
      let peer = network.nodes[b].nodeID
      let found = await network.nodes[a].channels().filter { channel in
        channel.peer == peer && channel.funding?.confirmation != nil
      }
      guard let id = found.last?.id else { continue }
      opened.append((a, b, id))
      return try await usable()
    }
    throw NodeError.invalid("no channel after eight tries")
  }

  func usable() async throws {
    for (a, b, id) in opened {
      try await connect(a, b)
      try await wait("channel \(a)–\(b) is usable") {
        for index in [a, b] where await self.channel(index, id)?.canOffer != true {
          if self.network.nodes[a].network.peer(self.network.nodes[b].nodeID) == nil { try await self.connect(a, b) }
          return false
        }
        return true
      }
    }
  }

  @discardableResult func pay(_ from: Int, _ to: Int, _ amount: UInt64) async throws -> Paying {
    try await usable()
    var invoice: Bolt11Invoice?
    try await wait("an invoice") {
      invoice = try? await self.network.invoice(to, MilliSatoshi(amount))
      return invoice != nil
    }
    let given = try #require(invoice)
    var limits = PaymentLimits()
    limits.retryForSeconds = 5
    let paying = Paying(network.nodes[from], given, limits: limits)
    payments.append((from, to, paying, given.contents.paymentHash))
    try await wait("payment from \(from) to \(to) is over") { paying.isOver }
    return paying
  }

  /// All that is on its way has arrived.
  func calm() async throws {
    try await usable()
    try await wait("nothing is on its way") {
      for (a, b, id) in self.opened {
        for index in [a, b] {
          guard let channel = await self.channel(index, id), channel.pendingPayments.isEmpty,
            channel.core?.log.entries.isEmpty == true
          else { return false }
        }
      }
      return true
    }
  }

  func run() async throws {
    for index in 0..<2 { try await fund(index) }
    let start = try await network.chain.tip().height
    try await open(0, 1)
    try await open(1, 2)
    try await pay(0, 2, 1_000_000_000)
    try await pay(2, 0, 300_000_000)
    try await pay(1, 2, 20_000_000)
    try await refused()
    try await calm()
    // Who says that it was paid has been paid, and the other way round.
    for (from, to, _, hash) in payments {
      let sent = try await network.nodes[from].payments(withHash: hash)
      let got = try await network.nodes[to].invoice(hash)
      #expect(sent.allSatisfy { $0.status != .pending }, "\(sent)")
      #expect(sent.contains { $0.status == .complete } == (got?.status == .paid), "\(from) → \(to)")
    }
    for (a, b, id) in opened {
      let (one, other) = (await channel(a, id), await channel(b, id))
      #expect(
        one?.phase == .normal && other?.phase == .normal, "\(a)–\(b): \(one?.failure ?? "") \(other?.failure ?? "")")
      #expect(one?.balances?[.local] == other?.balances?[.remote])
    }
    try await close()
    let after = try await network.audit(since: start)
    #expect(after.total == 200_000_000 && after.strays.isEmpty, "\(after)")
    await network.stop()
  }

  /// A payment that its payee does not want.
  private func refused() async throws {
    try await usable()
    var held: Held?
    try await wait("a hold invoice") {
      held = try? await self.network.hold(0, 2, MilliSatoshi(40_000_000))
      return held != nil
    }
    let given = try #require(held)
    payments.append((0, 2, given.paying, given.hash))
    try await wait("it is held") {
      if given.paying.isOver { return true }
      return await self.network.isHeld(given)
    }
    try await wait("it is over") {
      try? await self.network.cancel(given)
      return given.paying.isOver
    }
    #expect(given.paying.failed)
  }

  private func close() async throws {
    for (a, b, id) in opened {
      try await wait("channel \(a)–\(b) is closing") {
        if let phase = await self.channel(a, id)?.phase, phase >= .closing { return true }
        try await self.connect(a, b)
        let node = self.network.nodes[a]
        _ = try? await within(.seconds(1)) { try await node.close(id) }
        return false
      }
    }
    for _ in 0..<20 {
      try await mine()
      await network.settleDown()
      var over = true
      for (a, b, id) in opened {
        for index in [a, b] where await channel(index, id)?.phase != .ended { over = false }
      }
      if over { return }
    }
    throw NodeError.invalid("the channels do not end")
  }
}

/// Gives up waiting after a while.
func within(_ time: Duration, _ body: @escaping @Sendable () async throws -> Void) async throws {
  let box = Box()
  let task = Task {
    do {
      try await body()
      box.finish(true)
    } catch { box.finish(false) }
  }
  let timer = Task {
    try await Task.sleep(for: time)
    box.finish(false)
  }
  let succeeded = await withCheckedContinuation { box.wait($0) }
  timer.cancel()
  task.cancel()
  if !succeeded { throw NodeError.invalid("not in time") }
}

private final class Box: Sendable {
  private let state: Mutex<(result: Bool?, waiter: CheckedContinuation<Bool, Never>?)>
  init() { state = Mutex((nil, nil)) }

  func finish(_ value: Bool) {
    let waiter = state.withLock { state in
      if state.result == nil { state.result = value }
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume(returning: value)
  }

  func wait(_ continuation: CheckedContinuation<Bool, Never>) {
    let value = state.withLock { state in
      if state.result == nil { state.waiter = continuation }
      return state.result
    }
    if let value { continuation.resume(returning: value) }
  }
}
