internal import Anchors
internal import Base
internal import Bitcoin
internal import Encoding
internal import GLC
internal import HTLC
internal import Hashing
internal import Secp256k1
internal import Signer

/// The story that `glcnode demo` tells. Each line that it prints was just computed.
struct Demo {
  private let names = ["Alice", "Bob"]
  private let stack: ChannelStack
  private let signers: [LocalSigner]
  private var channels: [Channel]
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
    let stolen = try signers[0].signForBroadcast(
      channels[0].localCommitments(signers[0])[0], with: channels[0].signatures[0])
    line("Alice keeps a copy of her commitment \(channels[0].localNumber), which still says that she may get it back.")

    heading("Bob has the preimage: the payment is his")
    try propose(.fulfill(id: 0, preimage: preimage, extra: TLVStream()), by: 1)
    try commit(by: 1)
    try commit(by: 0)
    try show()

    heading("Alice broadcasts the copy")
    try punish(stolen)
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

  private func punish(_ stolen: Transaction) throws {
    // Bob finds the number in the transaction, and among what Alice has revealed the secret that belongs to it.
    let obscured = UInt64(stolen.inputs[0].sequence & 0xff_ffff) << 24 | UInt64(stolen.lockTime & 0xff_ffff)
    let number = obscured ^ channels[1].parameters.obscuringFactor
    guard let index = ShachainIndex(commitmentNumber: number), let secret = channels[1].secrets.secret(at: index) else {
      throw DemoError("commitment \(number) is not revoked")
    }
    line(
      "Bob reads its number, \(number), from lock time and sequence, and knows the secret that Alice gave up for it.")
    let revealed = try SecretKey(secret.raw)
    // What it consisted of: the state after the offer. A node keeps this in a revocation record.
    let commitment = try rebuild(number: number, point: revealed.publicKey, txid: stolen.txid)
    var taken: UInt64 = 0
    for output in commitment.outputs {
      guard let path = output.output.paths.first(where: { $0.name == "revoke" && $0.spender == .counterparty }) else {
        continue
      }
      let spend = try self.spend(output, path, by: 1, commitment, sequence: 0xffff_fffd, secret: secret.raw)
      try verify(spend, output)
      taken += output.output.value.rawValue
      line(
        "Bob takes \(output.output.value) of \(output.output.tag) with the revocation key: the interpreter accepts it")
    }
    guard let own = commitment.outputs.first(where: { $0.output.tag == .balance(of: .holder) }),
      let delayed = own.output.paths.first(where: { $0.spender == .holder })
    else { throw DemoError("Alice has no output") }
    do {
      try verify(try spend(own, delayed, by: 0, commitment, sequence: 143, secret: nil), own)
      throw DemoError("Alice was too fast")
    } catch let error as ScriptError {
      line("Alice tries her own output one block before its 144 are over: \(error.rawValue)")
    }
    line("Alice tried to take 400,000 sat back. Bob has them, and all that was hers: \(taken) sat.")
  }

  private func rebuild(number: UInt64, point: PublicKey, txid: TxID) throws -> Commitment {
    var state = CommitmentState(
      balances: Balances(local: .zero, remote: MilliSatoshi(1_000_000_000)), ledgers: stack.makeLedgers(),
      feeRate: channels[1].fundings[0].base.feeRate)
    guard let position = stack.extensions.firstIndex(where: { $0.id == HTLCExtension.id }) else {
      throw DemoError("the stack carries no payments")
    }
    let preimage = sha256(Array("demo preimage".utf8))
    let offer = HTLCUpdate.add(
      id: 0, amount: MilliSatoshi(400_000_000), paymentHash: PaymentHash(sha256(preimage.bytes)), cltvExpiry: 800_000,
      onion: [UInt8](repeating: 0, count: HTLCUpdate.onionByteCount), extra: TLVStream())
    try state.apply(.extension(position, AnyUpdate(offer, of: HTLCExtension.self)), by: .remote)
    let commitment = try channels[1].commitment(
      state, on: channels[1].fundings[0].funding, heldBy: .remote, number: number, point: point)
    guard commitment.txid == txid else { throw DemoError("Bob rebuilt another transaction") }
    return commitment
  }

  private func spend(
    _ output: SealedOutput, _ path: SpendPath, by index: Int, _ commitment: Commitment, sequence: UInt32,
    secret: Bytes32?
  ) throws -> Transaction {
    var transaction = Transaction(
      inputs: [TxInput(previousOutput: output.outPoint, sequence: sequence)],
      outputs: [
        TxOutput(
          value: Satoshi(output.output.value.rawValue - 300),
          scriptPubKey: Script.p2wpkh(hash160(Array(names[index].utf8).bytes)))
      ])
    let opener = PathOpener(
      signers[index].secrets, side: index == 0 ? .holder : .counterparty, keys: commitment.context.keys,
      perCommitmentSecret: try secret.map { try SecretKey($0) })
    let parts = SighashParts(transaction)
    let unsigned = transaction
    transaction.inputs[0].witness = try opener.witness(path.witness, lock: output.output.lock) {
      (type) throws(SighashError) in
      try unsigned.segwitV0Sighash(
        input: 0, scriptCode: output.output.lock.scriptCode ?? Script(), amount: output.output.value, type: type,
        parts: parts)
    }
    return transaction
  }

  private func verify(_ transaction: Transaction, _ output: SealedOutput) throws {
    try ScriptVerifier.verify(
      input: 0, of: transaction,
      spending: [TxOutput(value: output.output.value, scriptPubKey: output.output.lock.scriptPubKey)], flags: .standard)
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
