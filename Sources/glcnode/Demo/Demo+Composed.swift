internal import BOLT
internal import Bitcoin
internal import Chain
internal import Encoding
internal import GLC
internal import Hashing
internal import JSON
internal import Node
internal import Payments
internal import Secp256k1
internal import Wire

// The second part: channels that no BOLT knows.

extension Demo {
  private static let byHash = "musig2 + htlc + anchors"
  private static let byPoint = "musig2 + htlc + ptlc + anchors"

  func compose() async throws {
    let ab = try await propose()
    try await upgrade(ab)
    let bc = try await payByPoints(ab)
    try await claimOnTheChain(bc)
    try await world.node(alice).close(ab)
    try await world.wait("the closing transaction") { await !world.chain.mempoolTransactions().isEmpty }
    try await world.mine()
    try await resolve(ab, [alice, bob])
  }

  // MARK: 11

  private func propose() async throws -> ChannelID {
    heading("Alice composes a channel with Bob: \(Self.byHash)")
    try await world.connect(alice, bob)
    let reply = try await fund(alice, bob, Satoshi(3_000_000), Self.byHash)
    guard let proposal = reply["proposal"], let id = try id(reply) else { throw DemoFailure("no proposal") }
    line("She proposes the whole channel as PSBTs; Bob makes each of them again, and they are the same bytes.")
    line("stage \(text(proposal["stage"])) after \(text(proposal["round"])) round, \(text(proposal["stack"]))")
    for parameters in proposal["parameters"]?.arrayValue ?? [] {
      line("    \(padded(text(parameters["extension"]), 13)) parameters \(text(parameters["ours"]))")
    }
    let all = try await world.call(alice, "glc-proposals", ["psbt": true])
    let own = all["proposals"]?.arrayValue?.first { $0["channel_id"]?.stringValue == "\(id)" }
    guard let psbts = own?["psbts"]?.arrayValue, psbts.count == 3 else { throw DemoFailure("no PSBTs") }
    for (name, psbt) in zip(["funding", "Alice's first commitment", "Bob's first commitment"], psbts) {
      try show(name, try PSBT(base64: text(psbt)))
    }
    try await world.wait("the funding transaction") { await !world.chain.mempoolTransactions().isEmpty }
    try await world.mine(3)
    for index in [alice, bob] {
      try await world.wait("the channel of \(name(index))") { try await channel(index, id).canOffer }
    }
    return id
  }

  private func fund(_ opener: Int, _ acceptor: Int, _ capacity: Satoshi, _ stack: String) async throws -> JSONValue {
    try await world.call(
      opener, "fundchannel",
      [
        "id": .string("\(try world.node(acceptor).nodeID)"), "amount": .int(capacity.rawValue), "stack": .string(stack),
      ])
  }

  /// What people want to see of one: values, and whose record of ours each output has.
  private func show(_ name: String, _ psbt: PSBT) throws {
    let ours =
      psbt.proprietary.count + psbt.inputs.reduce(0) { $0 + $1.proprietary.count }
      + psbt.outputs.reduce(0) { $0 + $1.proprietary.count }
    line("\(name): \(psbt.encoded.count) bytes, \(psbt.inputs.count) input, \(ours) records of GLC")
    for output in psbt.outputs {
      let kind =
        output.tapTree != nil ? "taproot, with a tree" : output.tapInternalKey != nil ? "taproot" : "a wallet's"
      line("    \(right(amount(output.amount), 15))  \(kind)")
    }
  }

  // MARK: 12

  private func upgrade(_ id: ChannelID) async throws {
    heading("The open channel learns payments locked by points")
    let invoice = try await invoice(bob, 100_000, "before", byPoint: false)
    _ = try await world.node(alice).pay(PayRequest(try Bolt11Invoice(decoding: invoice)))
    line("It carries payments locked by hashes: Alice pays Bob 100,000 sat.")
    let funding = try await channel(alice, id).funding?.outPoint
    let reply = try await world.call(alice, "glc-upgrade", ["id": .string("\(id)"), "stack": .string(Self.byPoint)])
    guard reply["stack"]?.stringValue == Self.byPoint, try await channel(alice, id).funding?.outPoint == funding,
      await world.chain.mempoolTransactions().isEmpty
    else { throw DemoFailure("the channel was not upgraded") }
    line("Both stop offering (stfu), agree, sign commitments of the new stack and revoke the old ones.")
    line("Now it is \(Self.byPoint). The funding output is the same; nothing went to the chain.")
    try await world.wait("Bob has it, too") { try await channel(bob, id).canOffer }
    let again = try await self.invoice(bob, 50_000, "after", byPoint: false)
    _ = try await world.node(alice).pay(PayRequest(try Bolt11Invoice(decoding: again)))
    line("Payments locked by hashes go on beside the new ones.")
  }

  private func invoice(_ payee: Int, _ amount: UInt64, _ label: String, byPoint: Bool) async throws -> String {
    let reply = try await world.call(
      payee, "invoice",
      [
        "amount_msat": .int(amount * 1000), "label": .string("composed \(label)"), "description": .string(label),
        "ptlc": .bool(byPoint),
      ])
    return text(reply["bolt11"])
  }

  // MARK: 13

  private func payByPoints(_ ab: ChannelID) async throws -> ChannelID {
    heading("Alice pays Carol across Bob: a payment locked by points")
    try await world.connect(bob, carol)
    let reply = try await fund(bob, carol, Satoshi(2_000_000), Self.byPoint)
    guard let bc = try id(reply) else { throw DemoFailure("no channel") }
    try await world.mine(3)
    for index in [bob, carol] {
      try await world.wait("the channel of \(name(index))") { try await channel(index, bc).canOffer }
    }
    let (secret, held) = try await holdPoint(carol, 300_000, "points")
    let node = try world.node(alice)
    let payment = Task { try await node.pay(PayRequest(held)) }
    try await world.wait("Carol holds the payment") { try await world.node(carol).isHeld(held.contents.paymentHash) }
    let (first, second) = (try await point(alice, ab), try await point(carol, bc))
    let target = try SecretKey(secret).publicKey
    line("Carol's invoice asks for the discrete logarithm of  \(target)")
    line("Alice to Bob is locked by                           \(first)")
    line("Bob to Carol is locked by                           \(second)")
    guard Set([target, first, second, first.negated(), second.negated(), target.negated()]).count == 6 else {
      throw DemoFailure("the points are related")
    }
    line("What leads from one to the other is in the onion, and Bob alone can read his part: nobody else can tell that")
    line("the two are one payment. A payment locked by a hash would show the same 32 bytes twice.")
    try await world.node(carol).settleInvoice(held.contents.paymentHash, preimage: secret)
    let paid = try await payment.value
    guard let proof = paid.preimage, try SecretKey(proof).publicKey == target else {
      throw DemoFailure("the proof of payment does not hold")
    }
    line("Carol takes it. Alice's proof of payment: \(proof) times G is the invoice's point.")
    return bc
  }

  private func holdPoint(_ payee: Int, _ amount: UInt64, _ label: String) async throws -> (Bytes32, Bolt11Invoice) {
    let secret = sha256(Array("demo \(UInt64.random(in: 0...(.max)))".utf8))
    let reply = try await world.call(
      payee, "glc-holdinvoice",
      [
        "payment_hash": .string(Hex.encode(try SecretKey(secret).publicKey.array)), "amount_msat": .int(amount * 1000),
        "label": .string("composed \(label)"), "description": .string(label), "cltv": 60,
      ])
    return (secret, try Bolt11Invoice(decoding: text(reply["bolt11"])))
  }

  /// The point that locks the payment in a channel.
  private func point(_ index: Int, _ id: ChannelID) async throws -> PublicKey {
    guard let lock = try await channel(index, id).livePayments.last?.lock, let point = PublicKey(parsing: lock.bytes)
    else { throw DemoFailure("no payment is locked by a point") }
    return point
  }

  // MARK: 14

  private func claimOnTheChain(_ id: ChannelID) async throws {
    heading("Bob pays Carol, and goes to the chain with the payment pending")
    let (secret, held) = try await holdPoint(carol, 400_000, "chain")
    let node = try world.node(bob)
    let payment = Task { try await node.pay(PayRequest(held)) }
    try await world.wait("Carol holds the payment") { try await world.node(carol).isHeld(held.contents.paymentHash) }
    let lock = try await point(carol, id)
    try await node.forceClose(id)
    try await world.wait("Bob's commitment") { await !world.chain.mempoolTransactions().isEmpty }
    let pending = await world.chain.mempoolTransactions()
    guard let funding = try await channel(bob, id).funding?.outPoint,
      let commitment = pending.first(where: { $0.inputs.first?.previousOutput == funding })
    else { throw DemoFailure("Bob's commitment is not there") }
    try await world.mine()
    try await world.node(carol).settleInvoice(held.contents.paymentHash, preimage: secret)
    func claim() async -> Transaction? {
      await world.chain.mempoolTransactions().first { transaction in
        transaction.inputs.contains { $0.previousOutput.txid == commitment.txid && $0.witness.elements.count == 4 }
      }
    }
    try await world.wait("Carol's claim") { await claim() != nil }
    guard let taken = await claim(),
      let input = taken.inputs.first(where: {
        $0.previousOutput.txid == commitment.txid && $0.witness.elements.count == 4
      })
    else { throw DemoFailure("Carol's claim is gone") }
    line("The output is locked by  \(lock)")
    line("Carol completes the signature that Bob gave her in advance; her witness shows it:")
    for element in input.witness.elements.prefix(2) { line("    signature  \(Hex.encode(element))") }
    line("No preimage, no point: on the chain it looks like any spending by two keys.")
    try await world.mine()
    let paid = try await payment.value
    guard let proof = paid.preimage, proof == secret else {
      throw DemoFailure("Bob has not got the secret from the chain")
    }
    line("Bob subtracts what he gave from what he sees, and has the secret, less his tweak: \(proof)")
    try await resolve(id, [bob, carol])
    line("Everything is resolved; Alice and Bob close theirs together.")
  }

  // MARK: Parts

  private func id(_ reply: JSONValue) throws -> ChannelID? {
    try reply["channel_id"]?.stringValue.map { ChannelID(try Bytes32(hex: $0)) }
  }

  /// Strings as they are, numbers in decimal.
  private func text(_ value: JSONValue?) -> String {
    value?.stringValue ?? value?.unsignedValue.map { String($0) } ?? "?"
  }
}
