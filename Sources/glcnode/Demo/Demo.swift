internal import Bitcoin
internal import Chain
internal import Encoding
internal import Foundation
internal import BOLT
internal import GLC
internal import Hashing
internal import Node
internal import Payments
internal import Secp256k1
internal import Signer
internal import Wallet
internal import Wire

/// The story that `glcnode demo` tells. Every line tells what has just happened, and every claim is checked.
final class Demo {
  let world: DemoWorld
  private var step = 0
  private let start = ContinuousClock.now
  let (alice, bob, carol) = (0, 1, 2)

  init(folder: String, isVerbose: Bool) async throws {
    world = try DemoWorld(folder: folder, isVerbose: isVerbose)
  }

  func run() async throws {
    say("Generalized Lightning Channels: three nodes in one process, on a chain of their own.\n")
    try await wake()
    let (ab, bc) = try await openChannels()
    try await showStack(ab)
    try await payAcross()
    try await failOne()
    try await restartInMidPayment()
    let old = try await channel(alice, ab)
    try await payAfterTheCopy()
    try await closeWithPaymentPending(bc)
    try await steal(ab, old)
    try await closeTogether()
    try await compose()
    try await count()
    let seconds = (ContinuousClock.now - start).components
    say("\nAll as told, in \(seconds.seconds).\(seconds.attoseconds / 100_000_000_000_000_000) seconds.\n")
  }

  func stop() async { for index in 0..<3 { await world.stop(index) } }

  // MARK: 1

  private func wake() async throws {
    heading("Three nodes wake up")
    for index in 0..<3 {
      try await world.start(index)
      let node = try world.node(index)
      line("\(padded(name(index), 6)) \(node.nodeID)")
      line("       listens on \(node.addresses.first.map { "\($0)" } ?? "nothing"), keeps its state in SQLite")
    }
    try await world.give(alice, Satoshi(100_000_000))
    try await world.give(bob, Satoshi(100_000_000))
    try await world.give(carol, Satoshi(100_000_000))
    try await world.mine()
    line("The faucet gives each of them \(amount(Satoshi(100_000_000))).")
  }

  // MARK: 2

  private func openChannels() async throws -> (ChannelID, ChannelID) {
    heading("Alice opens a channel with Bob, Bob with Carol")
    try await world.connect(alice, bob)
    try await world.connect(bob, carol)
    let ab = try await world.node(alice).openChannel(with: try world.node(bob).nodeID, capacity: Satoshi(10_000_000))
    let bc = try await world.node(bob).openChannel(with: try world.node(carol).nodeID, capacity: Satoshi(5_000_000))
    try await world.wait("the funding transactions") { await world.chain.mempoolTransactions().count == 2 }
    try await world.mine(3)
    for (index, id) in [(alice, ab), (bob, ab), (bob, bc), (carol, bc)] {
      try await world.wait("the channel of \(name(index))") { try await channel(index, id).canOffer }
    }
    for (pair, id) in [("Alice–Bob", ab), ("Bob–Carol", bc)] {
      let index = id == ab ? alice : bob
      let open = try await channel(index, id)
      line("\(padded(pair, 10)) \(amount(open.capacity)), \(open.shortChannelID.map { "\($0)" } ?? "?"), ready")
    }
    return (ab, bc)
  }

  // MARK: 3

  private func showStack(_ id: ChannelID) async throws {
    heading("What Alice's channel is composed of")
    let open = try await channel(alice, id)
    guard let core = open.core else { throw DemoFailure("there is no channel") }
    line("channel_type   \(open.type.map { "\($0)" } ?? "none")")
    line("funding        2-of-2 witness script")
    for slot in core.stack.extensions { line("extension      \(slot.manifest.name), phase \(slot.manifest.phase)") }
    guard let commitment = try core.localCommitments(open.signer).first else { throw DemoFailure("no commitment") }
    let report = commitment.stack.report(commitment, at: commitment.context.feeRate)
    line(
      "Her commitment \(core.localNumber): \(report.commitmentWeight), fee \(report.commitmentFee) at \(report.feeRate)"
    )
    line(
      "    \(padded("output", 13)) \(padded("value", 15)) \(padded("who", 6)) \(padded("how", 22)) \(padded("weight", 9)) fee"
    )
    for path in report.paths {
      let weight = path.witnessWeight ?? path.secondStageWeight
      line(
        "    \(padded(title(path.output, core.stack), 13)) \(padded("\(path.value)", 15)) "
          + "\(padded(path.spender == .holder ? "Alice" : "Bob", 6)) \(padded(path.name, 22)) "
          + "\(padded(weight.map { "\($0)" } ?? "", 9)) \(path.fee)")
    }
  }

  private func title(_ tag: OutputTag, _ stack: ChannelStack) -> String {
    if tag.owner == .core { return tag.index == 0 ? "to_local" : "to_remote" }
    return stack.extensions.first { $0.id == tag.owner }?.manifest.name ?? "\(tag)"
  }

  // MARK: 4

  private func payAcross() async throws {
    heading("Alice pays Carol 2,000,000 sat across Bob")
    let invoice = try await world.node(carol).createInvoice(
      InvoiceTerms(amount: MilliSatoshi(2_000_000_000), label: "coffee", description: "a machine for coffee"))
    line("Carol's invoice: \(invoice.bolt11.prefix(60))…")
    let before = ContinuousClock.now
    let paid = try await world.node(alice).pay(PayRequest(try Bolt11Invoice(decoding: invoice.bolt11)))
    let took = (ContinuousClock.now - before).components.attoseconds / 1_000_000_000_000_000
    guard let preimage = paid.preimage, sha256(preimage.bytes) == invoice.paymentHash else {
      throw DemoFailure("the proof of payment does not hold")
    }
    line(
      "paid in \(took) ms: \(paid.amountSent) sent, of which Bob keeps \(paid.amountSent.subtracting(paid.amount) ?? .zero)"
    )
    line("proof of payment \(preimage)")
    try await world.wait("Carol's money") { try await balance(carol) == MilliSatoshi(2_000_000_000) }
    try await showBalances()
  }

  // MARK: 5

  private func failOne() async throws {
    heading("A payment that fails: Carol has withdrawn the invoice")
    let invoice = try await world.node(carol).createInvoice(
      InvoiceTerms(amount: MilliSatoshi(50_000_000), label: "regret", description: "bought in haste"))
    try await world.node(carol).cancelInvoice(invoice.paymentHash)
    let before = try await balance(alice)
    do {
      _ = try await world.node(alice).pay(PayRequest(try Bolt11Invoice(decoding: invoice.bolt11)))
    } catch let failure as PaymentFailure {
      line("Alice reads from the failure onion: \(failure.failureName ?? "?"), said by hop \(failure.erringIndex ?? 0)")
      line("\(failure)")
      try await world.wait("Alice's money is back") { try await balance(alice) == before }
      return
    }
    throw DemoFailure("an invoice that was withdrawn could be paid")
  }

  // MARK: 6

  private func restartInMidPayment() async throws {
    heading("Bob's process dies in the middle of a payment")
    let preimage = sha256(Array("demo \(UInt64.random(in: 0...(.max)))".utf8))
    let hash = sha256(preimage.bytes)
    try await hold(by: carol, hash, MilliSatoshi(300_000_000), "held")
    let node = try world.node(alice)
    let invoice = try await holdInvoice(by: carol, hash)
    let payment = Task { try await node.pay(PayRequest(try Bolt11Invoice(decoding: invoice))) }
    try await world.wait("Carol holds the payment") { try await world.node(carol).isHeld(hash) }
    line("The payment of 300,000 sat is with Carol, who has not taken it yet: it is pending in both channels.")
    await world.stop(bob)
    line("Bob is gone. Carol takes the payment.")
    try await world.node(carol).settleInvoice(hash, preimage: preimage)
    try await world.start(bob)
    line("Bob starts again from what he had stored, and finds both others again.")
    try await world.connect(alice, bob)
    try await world.connect(bob, carol)
    let paid = try await payment.value
    guard paid.preimage == preimage else { throw DemoFailure("Alice has no proof") }
    line("Alice has her proof of payment: nothing was lost.")
    try await world.wait("everything is settled") { try await balance(carol) == MilliSatoshi(2_300_000_000) }
    try await showBalances()
  }

  private var invoices: [Bytes32: String] = [:]

  private func hold(by index: Int, _ hash: Bytes32, _ amount: MilliSatoshi, _ label: String) async throws {
    var terms = InvoiceTerms(amount: amount, label: label, description: label)
    terms.holdHash = hash
    terms.minFinalCLTVExpiryDelta = 60
    invoices[hash] = try await world.node(index).createInvoice(terms).bolt11
  }

  private func holdInvoice(by index: Int, _ hash: Bytes32) async throws -> String {
    guard let text = invoices[hash] else { throw DemoFailure("no invoice") }
    return text
  }

  private func payAfterTheCopy() async throws {
    heading("Alice keeps a copy of her channel as it is, and pays on")
    let invoice = try await world.node(bob).createInvoice(
      InvoiceTerms(amount: MilliSatoshi(4_000_000_000), label: "boat", description: "a small boat"))
    _ = try await world.node(alice).pay(PayRequest(try Bolt11Invoice(decoding: invoice.bolt11)))
    line("Bob is paid 4,000,000 sat. Alice's copy still says that they are hers; she has revoked it.")
    try await world.wait("the payment has settled") { try await balance(alice) < MilliSatoshi(4_000_000_000) }
    try await showBalances()
  }

  // MARK: 7

  private func closeWithPaymentPending(_ id: ChannelID) async throws {
    heading("Bob closes his channel with Carol alone, a payment pending in it")
    let preimage = sha256(Array("demo \(UInt64.random(in: 0...(.max)))".utf8))
    let hash = sha256(preimage.bytes)
    try await hold(by: carol, hash, MilliSatoshi(1_000_000_000), "pending")
    let node = try world.node(bob)
    let invoice = try await holdInvoice(by: carol, hash)
    let payment = Task { try await node.pay(PayRequest(try Bolt11Invoice(decoding: invoice))) }
    try await world.wait("Carol holds the payment") { try await world.node(carol).isHeld(hash) }
    try await node.forceClose(id)
    try await world.wait("Bob's commitment") { await !world.chain.mempoolTransactions().isEmpty }
    try await world.mine()
    line("Bob's commitment is in a block, with an output for the 1,000,000 sat that are on their way.")
    try await world.node(carol).settleInvoice(hash, preimage: preimage)
    try await world.wait("Carol's claim") { await !world.chain.mempoolTransactions().isEmpty }
    try await world.mine()
    line("Carol takes it on the chain with the preimage, in a block before it expires.")
    let paid = try await payment.value
    guard paid.preimage == preimage else { throw DemoFailure("Bob has not read the preimage from the chain") }
    line("Bob reads the preimage from her witness: his payment is proven.")
    try await resolve(id, [bob, carol])
    line("Bob waits 24 blocks for the rest. Everything is resolved.")
  }

  /// Mines until a channel is resolved for these.
  func resolve(_ id: ChannelID, _ indexes: [Int], limit: Int = 80) async throws {
    for _ in 0..<limit {
      var isOver = true
      for index in indexes { isOver = try await channel(index, id).phase == .ended && isOver }
      if isOver { return }
      try await world.mine()
      try await Task.sleep(for: .milliseconds(15))
    }
    throw DemoFailure("the channel is not resolved after \(limit) blocks")
  }

  // MARK: 8

  private func steal(_ id: ChannelID, _ old: LightningChannel) async throws {
    heading("Alice publishes the copy")
    guard let core = old.core, let commitment = try core.localCommitments(old.signer).first,
      let signatures = core.signatures.first, let then = old.balances
    else { throw DemoFailure("the copy is empty") }
    // Her signer refuses what is revoked: a thief takes the secrets out of it.
    let stolen = try commitment.signedTransaction(asHolder: old.signer.secrets, with: signatures)
    let now = try await channel(alice, id)
    line(
      "It is commitment \(core.localNumber), where she has \(amount(then[.local])); now she has \(amount(now.balances?[.local] ?? .zero))."
    )
    await world.stop(alice)
    line("Then she goes silent.")
    try await world.chain.submit(stolen)
    try await world.mine()
    line("The revoked commitment \(stolen.txid) is in a block.")
    try await world.wait("Bob's penalty") { await !world.chain.mempoolTransactions().isEmpty }
    let claims = await world.chain.mempoolTransactions().filter { transaction in
      transaction.inputs.contains { $0.previousOutput.txid == stolen.txid }
    }
    guard !claims.isEmpty else { throw DemoFailure("Bob does not punish") }
    var takes: UInt64 = 0
    line("Bob has the secret that revokes it, and takes everything:")
    for claim in claims {
      let values = claim.inputs.compactMap { input in
        input.previousOutput.txid == stolen.txid
          ? stolen.outputs[Int(input.previousOutput.vout)].value.rawValue : nil
      }
      takes += values.reduce(0, +)
      line("    \(claim.txid)  \(values.map { grouped($0) }.joined(separator: " + ")) sat")
    }
    line("That is \(grouped(takes)) of the channel's \(grouped(old.capacity.rawValue)) sat.")
    try await world.mine()
    try await resolve(id, [bob])
    guard takes + 20_000 >= old.capacity.rawValue else { throw DemoFailure("the penalty left the thief too much") }
    try await world.start(alice)
    guard try await balance(alice) == .zero else { throw DemoFailure("Alice still has money in the channel") }
    line("Alice comes back, and has nothing left in the channel.")
    try await resolve(id, [alice])
  }

  // MARK: 9

  private func closeTogether() async throws {
    heading("Bob and Carol open another channel, and close it together")
    try await world.connect(bob, carol)
    let id = try await world.node(bob).openChannel(with: try world.node(carol).nodeID, capacity: Satoshi(2_000_000))
    try await world.wait("the funding transaction") { await !world.chain.mempoolTransactions().isEmpty }
    try await world.mine(3)
    for index in [bob, carol] {
      try await world.wait("the channel of \(name(index))") { try await channel(index, id).canOffer }
    }
    let invoice = try await world.node(carol).createInvoice(
      InvoiceTerms(amount: MilliSatoshi(700_000_000), label: "last", description: "for the way"))
    _ = try await world.node(bob).pay(PayRequest(try Bolt11Invoice(decoding: invoice.bolt11)))
    try await world.wait("the payment has settled") { try await balance(carol) == MilliSatoshi(700_000_000) }
    try await world.node(carol).close(id)
    try await world.wait("the closing transaction") { await !world.chain.mempoolTransactions().isEmpty }
    try await world.mine()
    try await resolve(id, [bob, carol])
    line("One transaction pays both out: 700,000 sat to Carol, the rest to Bob.")
  }

  // MARK: 10

  private func count() async throws {
    heading("Where everything is")
    try await world.mine(3)
    let ledger = try await world.ledger()
    for index in 0..<3 { line("\(padded(name(index), 14)) \(right(grouped(ledger.wallets[index].rawValue), 14)) sat") }
    line("\(padded("fees to miners", 14)) \(right(grouped(ledger.fees), 14)) sat")
    line("\(padded("left behind", 14)) \(right(grouped(ledger.left), 14)) sat   (anchors, not worth their fee)")
    line(
      "\(padded("sum", 14)) \(right(grouped(ledger.sum), 14)) sat   of \(grouped(ledger.given)) that the faucet gave")
    guard ledger.sum == ledger.given else { throw DemoFailure("the sum is not what the faucet gave") }
    guard ledger.left < 5_000 else { throw DemoFailure("more was left behind than anchors") }
    for index in 0..<3 {
      guard try await balance(index) == .zero else { throw DemoFailure("\(name(index)) still has money in a channel") }
    }
    guard ledger.wallets[alice] < ledger.wallets[carol], ledger.wallets[bob] > Satoshi(104_000_000) else {
      throw DemoFailure("the thief did not lose")
    }
  }

  // MARK: Parts

  /// Leaves the nodes to the visitor.
  func stay() async throws {
    say("\nThe nodes stay until one of them is stopped, or Control-C. Talk to them:\n")
    for index in 0..<3 { line("glcnode getinfo --data-dir \(world.folder)/\(name(index).lowercased())") }
    line("glcnode glc-faucet --data-dir \(world.folder)/alice")
    line("glcnode stop --data-dir \(world.folder)/alice")
    try await world.serve()
  }

  func name(_ index: Int) -> String { DemoWorld.names[index] }

  func channel(_ index: Int, _ id: ChannelID) async throws -> LightningChannel {
    guard let found = try await world.node(index).channels().first(where: { $0.id == id }) else {
      throw DemoFailure("\(name(index)) does not know channel \(id)")
    }
    return found
  }

  func balance(_ index: Int) async throws -> MilliSatoshi {
    try await world.node(index).channels().filter { $0.phase < .onchain }
      .reduce(.zero) { $0.adding($1.balances?[.local] ?? .zero) ?? $0 }
  }

  private func showBalances() async throws {
    for index in 0..<3 {
      line(
        "\(padded(name(index), 6)) has \(right(grouped(try await balance(index).rawValue / 1000), 10)) sat in channels")
    }
  }

  private func say(_ text: String) { try? Output.write(text) }

  func heading(_ text: String) {
    step += 1
    say("\n\(step). \(text)\n")
  }

  func line(_ text: String) { say("   \(text)\n") }

  func amount(_ value: Satoshi) -> String { "\(grouped(value.rawValue)) sat" }
  func amount(_ value: MilliSatoshi) -> String { "\(grouped(value.rawValue / 1000)) sat" }

  func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }

  /// 1,234,567
  func grouped(_ value: UInt64) -> String {
    var digits = Array(String(value))
    var index = digits.count - 3
    while index > 0 {
      digits.insert(",", at: index)
      index -= 3
    }
    return String(digits)
  }
}
