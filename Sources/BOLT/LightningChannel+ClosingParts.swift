public import Bitcoin
internal import GLC
internal import Secp256k1
internal import Signer
internal import Wire

// What both ways of closing need.

extension LightningChannel {
  /// Where our share goes when the peer wants to close and nothing was promised: the node sets it.
  var replyScript: Script? { closingScript }

  var shares: PerParty<ClosingTransaction.Share>? {
    guard let balances, let ours = shutdownScripts.local, let theirs = shutdownScripts.remote else { return nil }
    return PerParty(
      local: ClosingTransaction.Share(balance: balances[.local], scriptPubKey: ours),
      remote: ClosingTransaction.Share(balance: balances[.remote], scriptPubKey: theirs))
  }

  /// For `closing_signed`.
  mutating func finishClosing(
    _ transaction: Transaction, _ theirs: CompactSignature, _ effects: inout [LightningEffect]
  ) throws(Fault) {
    try finishClosing(
      transaction, try closingSignature(transaction), .ecdsa(try Self.signature(theirs)), &effects)
  }

  mutating func finishClosing(
    _ transaction: Transaction, _ own: CounterSignature, _ theirs: CounterSignature,
    _ effects: inout [LightningEffect]
  ) throws(Fault) {
    let signed: Transaction
    do { signed = try signer.complete(try spend(transaction), own: own, theirs: theirs) } catch {
      throw .fail("the closing transaction cannot be signed: \(error)")
    }
    if !closingTransactions.contains(where: { $0.txid == signed.txid }) { closingTransactions.append(signed) }
    if phase < .closing { phase = .closing }
    effects += [.persist, .broadcast(signed, .close)]
  }

  /// A block shows a transaction that spends the funding and pays to nothing but the scripts of both `shutdown` messages: we have signed it, or
  /// it could not be there. The last message about it has not come.
  public mutating func learnClosing(_ transaction: Transaction) -> [LightningEffect] {
    guard phase >= .shuttingDown, phase < .onchain, let shares, transaction.inputs.count == 1,
      transaction.inputs[0].previousOutput == funding?.outPoint, !transaction.outputs.isEmpty,
      transaction.outputs.allSatisfy({ output in
        Party.allCases.contains { shares[$0].scriptPubKey == output.scriptPubKey }
      }), !closingTransactions.contains(where: { $0.txid == transaction.txid })
    else { return [] }
    closingTransactions.append(transaction)
    phase = .closing
    return [.persist]
  }

  func fundingCommitment() throws(Fault) -> Commitment {
    do {
      guard let commitment = try core?.localCommitments(signer).first else { throw Fault.fail("no commitment") }
      return commitment
    } catch {
      throw .fail("\(error)")
    }
  }

  func spend(_ transaction: Transaction) throws(Fault) -> AgreedSpend {
    AgreedSpend(transaction, insteadOf: try fundingCommitment())
  }

  /// Our signature of a transaction of our own; where both sign together, with the nonce that the other side has told.
  func closingSignature(_ transaction: Transaction) throws(Fault) -> CounterSignature {
    let spend = try spend(transaction)
    do { return try signer.sign(spend, nonce: closingNonces.remote) } catch {
      throw .fail("the closing transaction cannot be signed: \(error)")
    }
  }

  /// Our signature of the other side's transaction; where both sign together, with the nonce that we have told.
  func closingSignature(
    _ transaction: Transaction, answering theirs: CounterSignature
  ) throws(Fault) -> CounterSignature {
    guard signsTogether else { return try closingSignature(transaction) }
    let spend = try spend(transaction)
    guard let announced = closingNonces.local, let nonce = theirs.nonce else { throw .warn("no nonce to sign with") }
    // It is used up: what goes wrong from here on needs a new `shutdown`, on a new connection.
    do { return try signer.sign(spend, announced: announced, nonce: nonce) } catch { throw .warn(error.reason) }
  }

  /// A signature in `closing_complete`, of the one kind or the other.
  func closingSignature(
    _ signature: CompactSignature?, _ partial: PartialSignatureWithNonce?
  ) throws(Fault) -> CounterSignature? {
    guard signsTogether else {
      return try signature.map { (signature) throws(Fault) in .ecdsa(try Self.signature(signature)) }
    }
    return try partial.map { (partial) throws(Fault) in .musigPartial(try partial.parsed()) }
  }

  func isValid(
    _ signature: CounterSignature, for transaction: Transaction, nonce: MuSigPublicNonce? = nil
  ) throws(Fault) -> Bool {
    try spend(transaction).isValid(signature, nonce: nonce)
  }

  /// Of a closing transaction with both outputs, signed.
  func closingWeight() throws(Fault) -> Weight {
    guard let shares, let core else { throw .fail("no shutdown yet") }
    let scripts = UInt64(shares.local.scriptPubKey.count + shares.remote.scriptPubKey.count)
    // 4 version, 1 count, 41 input, 1 count, 9 for each output and its script, 4 lock time; the witness as the stack counts it.
    return Weight(4 * (51 + 18 + scripts) + core.stack.funding.expectedWitnessWeight.rawValue)
  }

  func fee(_ rate: FeeRate, _ weight: Weight) -> Satoshi { max(rate, .relayFloor).fee(for: weight) ?? .zero }

  /// What the opener, who pays for `closing_signed`, can pay at most.
  var affordableFee: Satoshi {
    guard let shares else { return .zero }
    return (isOpener ? shares.local : shares.remote).balance.satoshiRoundedDown
  }

  /// BOLT 3 §Dust Limits: what nodes relay, by the form of the script.
  static func dustThreshold(_ script: Script) -> Satoshi {
    switch ShutdownScript(script) {
    case .p2wpkh: Satoshi(294)
    case .p2wsh: Satoshi(330)
    case .anySegwit: Satoshi(354)
    case .opReturn: .zero
    case nil: Satoshi(546)
    }
  }
}
