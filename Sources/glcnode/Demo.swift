internal import Anchors
internal import Base
internal import Bitcoin
internal import Encoding
internal import GLC
internal import HTLC
internal import Hashing
internal import Onchain
internal import Secp256k1
internal import Signer

/// The story that `glcnode demo` tells. Each line that it prints was just computed.
struct Demo {
  private let names = ["Alice", "Bob"]
  private let stack: ChannelStack
  private let signers: [LocalSigner]
  private var channels: [Channel]
  /// What each of them keeps of the other's commitments that are given up, by number.
  private var records: [[UInt64: RevocationRecord]] = [[:], [:]]
  private let capacity = Satoshi(1_000_000)

  init() throws {
    stack = try ChannelStack(
      funding: WitnessScriptFunding(),
      extensions: [
        Slot(MainOutputs(), .init(remoteFormat: .fixedAfterOneBlock)), Slot(HTLCExtension(), .init(format: .anchors)),
        Slot(Anchors(), Nothing()),
      ])
    let basepoints = Array(Set(stack.keys.map(\.role.basepoint)))
    let signers = ["Alice", "Bob"].map {
      LocalSigner(channelSeed: sha256(Array("demo \($0)".utf8)), basepoints: basepoints)
    }
    self.signers = signers
    let funding = Funding(
      outPoint: OutPoint(txid: TxID(sha256(Array("demo funding".utf8))), vout: 0), capacity: capacity)
    let payment = signers.compactMap { $0.basepoints[.payment] }
    guard payment.count == 2 else { throw DemoError("the stack has no payment basepoint") }
    func party(_ index: Int) -> PartyParameters {
      PartyParameters(
        dustLimit: Satoshi(354), contestDelay: 144, reserve: Satoshi(10_000), basepoints: signers[index].basepoints)
    }
    var channels: [Channel] = []
    for index in 0..<2 {
      let parameters = ChannelParameters(
        funder: index == 0 ? .local : .remote, parties: PerParty(local: party(index), remote: party(1 - index)),
        obscuringFactor: obscuringFactor(openerPaymentBasepoint: payment[0], acceptorPaymentBasepoint: payment[1]))
      let own = MilliSatoshi(index == 0 ? 1_000_000_000 : 0)
      let other = MilliSatoshi(index == 0 ? 0 : 1_000_000_000)
      channels.append(
        Channel(
          stack: stack, parameters: parameters, funding: funding, balances: Balances(local: own, remote: other),
          feeRate: FeeRate(satPerKiloWeight: 1000),
          remotePoints: (
            try signers[1 - index].perCommitmentPoint(0), try signers[1 - index].perCommitmentPoint(1)
          )))
    }
    let first = try (0..<2).map { index in
      try channels[1 - index].remoteCommitments()[0].map { try signers[1 - index].sign($0) }
    }
    self.channels = [channels[0].signed(first[0]), channels[1].signed(first[1])]
  }

  mutating func run() throws {
    heading("A channel is a stack of extensions")
    line("funding       2-of-2 witness script, \(capacity)")
    for slot in stack.extensions {
      line("extension     \(slot.manifest.name), phase \(slot.manifest.phase)")
    }
    line("base weight   \(stack.baseWeight) (BOLT 3 §Fee Calculation says 1124)")
    try show()

    heading("Alice pays Bob 400,000 sat")
    let preimage = sha256(Array("demo preimage".utf8))
    let offer = HTLCUpdate.add(
      id: 0, amount: MilliSatoshi(400_000_000), paymentHash: PaymentHash(sha256(preimage.bytes)), cltvExpiry: 800_000,
      onion: [UInt8](repeating: 0, count: HTLCUpdate.onionByteCount), extra: TLVStream())
    try propose(offer, by: 0)
    try commit(by: 0)
    try commit(by: 1)
    try show()
    let copy = channels[0]
    let stolen = try signers[0].signForBroadcast(copy.localCommitments(signers[0])[0], with: copy.signatures[0])
    line("Alice keeps a copy of her commitment \(channels[0].localNumber), which still says that she may get it back.")

    heading("Bob has the preimage: the payment is his")
    try propose(.fulfill(id: 0, preimage: preimage, extra: TLVStream()), by: 1)
    try commit(by: 1)
    try commit(by: 0)
    try show()

    heading("Alice broadcasts the copy")
    try punish(stolen, copy)
  }

  // MARK: The channel

  private mutating func propose(_ update: HTLCUpdate, by index: Int) throws {
    guard let position = stack.extensions.firstIndex(where: { $0.id == HTLCExtension.id }) else {
      throw DemoError("the stack carries no payments")
    }
    let effects = try channels[index].propose(.extension(position, AnyUpdate(update, of: HTLCExtension.self)))
    try carryOut(effects, from: index)
  }

  private mutating func commit(by index: Int) throws {
    try carryOut(try channels[index].commit(signers[index]), from: index)
  }

  private mutating func carryOut(_ effects: [ChannelEffect], from index: Int) throws {
    for effect in effects {
      if case .revoked(let revoked) = effect {
        for commitment in revoked.commitments {
          records[index][commitment.context.number] = try RevocationRecord(commitment)
        }
      }
      guard case .send(let message) = effect else { continue }
      switch message {
      case .update: line("\(names[index]) → \(names[1 - index])  update")
      case .commit(let sets):
        line(
          "\(names[index]) → \(names[1 - index])  signs the next commitment and \(sets[0].children.count) second-stage transactions"
        )
      case .revoke: line("\(names[index]) → \(names[1 - index])  gives up the one before")
      case .reestablish: break
      }
      try carryOut(try channels[1 - index].receive(message, signers[1 - index]), from: 1 - index)
    }
  }

  private func show() throws {
    let commitment = try channels[0].localCommitments(signers[0])[0]
    let signed = try signers[0].signForBroadcast(commitment, with: channels[0].signatures[0])
    try ScriptVerifier.verify(
      input: 0, of: signed, spending: [TxOutput(value: capacity, scriptPubKey: commitment.fundingLock.scriptPubKey)],
      flags: .standard)
    line(
      "Alice's commitment \(channels[0].localNumber): \(commitment.txid), fee \(commitment.fee); the interpreter accepts it"
    )
    for output in commitment.outputs {
      let paths = output.output.paths.map { "\($0.name) by \($0.spender == .holder ? "Alice" : "Bob")" }
      line("    \(padded(output.output.value.description, 12))  \(paths.joined(separator: ", "))")
    }
  }

  // MARK: The theft

  private func punish(_ stolen: Transaction, _ copy: Channel) throws {
    var bob = try resolver(1, channels[1])
    var taken: UInt64 = 0
    for action in bob.handle(.block(height: 700_000, transactions: [stolen], estimates: estimates)) {
      switch action {
      case .recognised(.revoked(let number, _, _)):
        line("Bob reads its number, \(number), from lock time and sequence, and knows the secret that revokes it.")
      case .publish(let claim):
        try sign(claim, by: 1)
        for spend in claim.spends where spend.path.conditions.revoked {
          taken += spend.value.rawValue
          let output = bob.outputs.first { $0.outPoint == spend.outPoint }
          let name = output?.tag.map { "\($0)" } ?? "an output"
          line("Bob takes \(spend.value) of \(name) with the revocation key: the interpreter accepts it")
        }
      default: break
      }
    }
    guard taken > 0 else { throw DemoError("Bob did not notice") }
    // Alice's own software waits for the delay; she does not.
    var alice = try resolver(0, copy)
    var actions = alice.handle(.block(height: 700_000, transactions: [stolen], estimates: estimates))
    while alice.height < 700_200 {
      for case .publish(var claim) in actions where claim.sequences == [144] {
        claim.sequences = [143]
        do {
          try sign(claim, by: 0)
          throw DemoError("Alice was too fast")
        } catch let error as ScriptError {
          line("Alice tries her own output one block before its 144 are over: \(error.rawValue)")
          line("Alice tried to take 400,000 sat back. Bob has them, and all that was hers: \(taken) sat.")
          return
        }
      }
      actions = alice.handle(.block(height: alice.height + 1, transactions: [], estimates: estimates))
    }
    throw DemoError("Alice has no output")
  }

  private var estimates: FeeEstimates { FeeEstimates(flat: FeeRate(satPerKiloWeight: 500)) }

  private func resolver(_ index: Int, _ channel: Channel) throws -> Resolver {
    let kept = records[index]
    return Resolver(
      try ResolverInput(
        channel, signer: signers[index], destination: Script.p2wpkh(hash160(Array(names[index].utf8).bytes)),
        records: { number, _ in kept[number] }))
  }

  private func sign(_ claim: Claim, by index: Int) throws {
    var transaction = claim.transaction
    try signers[index].secrets.sign(&transaction, taking: claim.spends, with: claim.keys)
    for input in transaction.inputs.indices {
      try ScriptVerifier.verify(
        input: input, of: transaction, spending: claim.spends.map(\.output), flags: .standard)
    }
  }

  // MARK: Printing

  private func heading(_ text: String) { print("\n\(text)\n\(String(repeating: "─", count: text.count))") }
  private func line(_ text: String) { print(text) }
  private func padded(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}

struct DemoError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
