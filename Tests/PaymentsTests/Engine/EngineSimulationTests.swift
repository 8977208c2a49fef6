import Bitcoin
import Encoding
import Foundation
import GLC
import Hashing
import Payments
import Testing
import Wire

/// Random payments over random networks, whose nodes die at any store, and start again from what was stored.
@Suite struct EngineSimulationTests {
  /// `GLC_SEED` repeats one run; `GLC_SEEDS` says how many there are.
  static let seeds: [UInt64] = {
    let environment = ProcessInfo.processInfo.environment
    if let seed = environment["GLC_SEED"].flatMap({ UInt64($0) }) { return [seed] }
    return Array(0..<(environment["GLC_SEEDS"].flatMap { UInt64($0) } ?? 60))
  }()

  @Test(arguments: seeds)
  func nobodyLosesMoneyWhateverHappens(seed: UInt64) throws {
    var simulation = try Simulation(seed: seed)
    try simulation.play(rounds: 60)
    try simulation.settleEverything()
    try simulation.check()
  }

  @Test func theSimulationReachesWhatItIsFor() throws {
    var crashes = 0
    var complete = 0
    var failed = 0
    var split = 0
    var points = 0
    for seed in 1000..<1012 as Range<UInt64> {
      var simulation = try Simulation(seed: seed)
      try simulation.play(rounds: 60)
      try simulation.settleEverything()
      crashes += simulation.network.crashes
      for node in simulation.network.nodes.indices {
        for payment in try simulation.network.stored(PaymentRecord.self, at: node) {
          complete += payment.status == .complete ? 1 : 0
          failed += payment.status == .failed ? 1 : 0
          split += payment.parts > 1 ? 1 : 0
          points += payment.status == .complete && payment.target != nil ? 1 : 0
        }
      }
    }
    #expect(crashes > 50)
    #expect(complete > 50)
    #expect(failed > 20)
    #expect(split > 5)
    #expect(points > 20)
  }
}

struct Simulation {
  var network: SimulatedNetwork
  var before: [UInt64] = []
  /// Secrets of hold invoices, by the node that has them.
  var held: [(node: Int, hash: Bytes32, preimage: Bytes32)] = []
  var labels = 0

  init(seed: UInt64) throws {
    network = SimulatedNetwork(seed: seed)
    network.forgets = true
    let count = Int.random(in: 2...5, using: &network.random)
    for _ in 0..<count { _ = try network.addNode() }
    for node in 1..<count {
      connect(node, Int.random(in: 0..<node, using: &network.random))
    }
    for _ in 0..<count {
      let a = Int.random(in: 0..<count, using: &network.random)
      let b = Int.random(in: 0..<count, using: &network.random)
      if a != b { connect(a, b) }
    }
    before = network.nodes.indices.map(network.wealth)
  }

  private mutating func connect(_ a: Int, _ b: Int) {
    network.connect(
      a, b,
      (
        UInt64.random(in: 0...20_000_000, using: &network.random),
        UInt64.random(in: 0...20_000_000, using: &network.random)
      ),
      feeBase: UInt32.random(in: 0...2000, using: &network.random),
      feePpm: UInt32.random(in: 0...2000, using: &network.random),
      kinds: [[hashKind, pointKind], [hashKind, pointKind], [hashKind], [pointKind]]
        .randomElement(using: &network.random)!)
  }

  private mutating func anyNode() -> Int { Int.random(in: network.nodes.indices, using: &network.random) }

  mutating func play(rounds: Int) throws {
    for _ in 0..<rounds {
      switch Int.random(in: 0..<14, using: &network.random) {
      case 0...5: try pay()
      case 6: try keysend()
      case 7: try release()
      case 8: network.crash(anyNode())
      case 9...10: network.storesUntilCrash = Int.random(in: 0..<8, using: &network.random)
      case 11: network.mine(UInt32.random(in: 1...2, using: &network.random))
      case 12: network.wait(seconds: UInt64.random(in: 1...40, using: &network.random))
      default:
        let refusal = OfferRefusal.allCases.randomElement(using: &network.random)!
        network.refusals[anyNode(), default: []].append(refusal)
      }
      for _ in 0..<Int.random(in: 0..<30, using: &network.random) where !network.step() { break }
    }
  }

  private mutating func pay() throws {
    let payee = anyNode()
    let payer = anyNode()
    guard payer != payee else { return }
    labels += 1
    let preimage = sha256(Array("preimage \(network.seed) \(labels)".utf8))
    let isHold = Int.random(in: 0..<5, using: &network.random) == 0
    let scheme = bothKinds.randomElement(using: &network.random)!
    let amount = UInt64.random(in: 1000...25_000_000, using: &network.random)
    let invoice = try network.invoice(at: payee, amount, label: "label \(labels)") {
      $0.minFinalCLTVExpiryDelta = 60
      $0.kind = scheme.kind
      if isHold { $0.holdTarget = scheme.target(of: preimage) }
    }
    if isHold { held.append((payee, invoice.paymentHash, preimage)) }
    // A node that died while it made the invoice has not shown it.
    guard network.nodes[payee].engine.invoices[invoice.paymentHash] != nil else { return }
    do {
      try network.pay(from: payer, invoice.bolt11) {
        $0.limits.maximumFee = MilliSatoshi(amount / 10 + 10_000)
        $0.limits.retryForSeconds = 120
      }
    } catch is PaymentFailure {}
    // Somebody asks twice.
    if Int.random(in: 0..<6, using: &network.random) == 0 {
      do { try network.pay(from: payer, invoice.bolt11) } catch is PaymentFailure {}
    }
  }

  private mutating func keysend() throws {
    let payee = anyNode()
    let payer = anyNode()
    guard payer != payee else { return }
    var request = KeysendRequest(
      destination: network.nodes[payee].id,
      amount: MilliSatoshi(UInt64.random(in: 1000...5_000_000, using: &network.random)))
    request.limits.maximumFee = MilliSatoshi(500_000)
    network.updateFinders()
    let (_, actions) = try network.nodes[payer].engine.keysend(request, at: network.time)
    network.carryOut(payer, actions)
  }

  private mutating func release() throws {
    guard let index = held.indices.randomElement(using: &network.random) else { return }
    let (node, hash, preimage) = held[index]
    guard network.nodes[node].engine.isHeld(hash) else { return }
    held.remove(at: index)
    let settles = Bool.random(using: &network.random)
    let actions =
      try settles
      ? network.nodes[node].engine.settleInvoice(hash, preimage: preimage, at: network.time)
      : network.nodes[node].engine.cancelInvoice(hash, at: network.time)
    network.carryOut(node, actions)
    // Whoever dies before it is stored has to be told again.
    if network.nodes[node].engine.isHeld(hash) { held.append((node, hash, preimage)) }
  }

  /// No more accidents: everything that is open comes to its end.
  mutating func settleEverything() throws {
    network.storesUntilCrash = nil
    network.refusals = [:]
    try network.run()
    while !held.isEmpty {
      let count = held.count
      for _ in 0..<count { try release() }
      held.removeAll { !network.nodes[$0.node].engine.isHeld($0.hash) }
      try network.run()
    }
    for _ in 0..<4 {
      network.wait(seconds: 61)
      try network.run()
    }
    // Late parts of payments that were complete when they came.
    for node in network.nodes.indices { network.perform(node, .tick) }
    try network.run()
  }

  func check() throws {
    let seed = network.seed
    func require(_ condition: Bool, _ what: @autoclosure () -> String) throws {
      if !condition { throw SimulationError("seed \(seed): \(what())") }
    }
    try require(network.pendingOffers == 0, "\(network.pendingOffers) offers are stuck")
    let total = network.nodes.indices.reduce(0) { $0 + network.wealth($1) }
    try require(total == before.reduce(0, +), "money came or went")
    var paidHashes: Set<Bytes32> = []
    // Points are never met again, neither on the way nor by parts.
    var seen: Set<[UInt8]> = []
    for offer in network.offered where offer.lock.kind == pointKind {
      try require(seen.insert(offer.lock.bytes).inserted, "two offers are locked by the same point")
    }
    for (index, node) in network.nodes.enumerated() {
      var expected = Int64(before[index])
      for payment in try network.stored(PaymentRecord.self, at: index) {
        try require(payment.status != .pending, "node \(index): a payment never ends")
        guard payment.status == .complete else {
          try require(payment.amountSent == .zero && payment.parts == 0, "node \(index): a failed payment has sent")
          continue
        }
        let preimage = payment.preimage ?? Bytes32()
        let isProven = bothKinds.contains { scheme in
          guard let target = scheme.target(of: preimage) else { return false }
          return scheme.identity(of: target) == payment.id.paymentHash
            && scheme.kind == (payment.target?.kind ?? hashKind)
        }
        try require(isProven, "node \(index): no proof of a payment")
        try require(paidHashes.insert(payment.id.paymentHash).inserted, "node \(index): paid twice")
        let payee = network.nodes.firstIndex { $0.id == payment.destination }
        let invoice = payee.flatMap { network.invoice(payment.id.paymentHash, at: $0) }
        try require(invoice?.status == .paid, "node \(index): paid, but the payee does not know")
        try require(invoice?.amountReceived == payment.amount, "node \(index): another amount has arrived")
        expected -= Int64(payment.amountSent.rawValue)
      }
      for invoice in try network.stored(InvoiceRecord.self, at: index) where invoice.status == .paid {
        expected += Int64(invoice.amountReceived?.rawValue ?? 0)
        let payers = try network.nodes.indices.filter { payer in
          try network.stored(PaymentRecord.self, at: payer).contains {
            $0.id.paymentHash == invoice.paymentHash && $0.status == .complete
          }
        }
        try require(payers.count == 1, "node \(index): \(payers.count) payers know of a paid invoice")
        try require(invoice.accepted.isEmpty, "node \(index): accepted offers are remembered for ever")
      }
      for value in (node.records[.forwards] ?? [:]).values {
        let forward = try ForwardRecord(decoding: value.bytes)
        if forward.status == .settled { expected += Int64(forward.fee.rawValue) }
      }
      try require(
        Int64(network.wealth(index)) == expected,
        "node \(index) has \(network.wealth(index)) where its records say \(expected)")
      try require(node.outcomes.isEmpty, "node \(index): \(node.outcomes.count) outcomes are remembered for ever")
      try require(node.engine.pendingForwards.isEmpty, "node \(index): forwards are remembered for ever")
      try require(node.records[.pendingForwards, default: [:]].isEmpty, "node \(index): forwards are stored for ever")
      try require(node.engine.pendingParts.isEmpty, "node \(index): parts are remembered for ever")
      try require(node.engine.payments.isEmpty, "node \(index): payments are remembered for ever")
      try require(
        node.engine.invoices.values.allSatisfy { $0.status == .unpaid },
        "node \(index): invoices are remembered for ever")
      for collection in [RecordCollection.payments, .parts] {
        try require(
          node.records[collection, default: [:]].isEmpty, "node \(index): \(collection) are read at every start")
      }
      try require(node.closes.isEmpty, "node \(index) closes \(node.closes.count) channels")
    }
  }
}
