internal import Bitcoin
internal import Encoding
internal import GLC
internal import Secp256k1
internal import Signer

/// A closing transaction of a channel that has come to rest, signed by both: each balance goes to its owner's wallet, the opener pays.
struct SimulatedClosing: Sendable {
  let transaction: Transaction
  /// What each party gets, in satoshi.
  let shares: [UInt64]

  init(
    _ simulator: TwoPartySimulator<some SimulatedTraffic>, paying wallets: [Script], feeRate: FeeRate
  ) throws {
    let (first, second) = (simulator.parties[0], simulator.parties[1])
    guard let commitment = try first.channel.localCommitments(first.signer).first,
      let other = try second.channel.localCommitments(second.signer).first
    else { throw simulator.fail("a funding output that cannot be signed for") }
    let balances = first.channel.fundings[0].base.balances
    var shares = [balances[.local].satoshiRoundedDown.rawValue, balances[.remote].satoshiRoundedDown.rawValue]
    let fee = feeRate.fee(for: Weight(800))?.rawValue ?? 0
    shares[0] -= min(fee, shares[0])
    for index in shares.indices where shares[index] < 354 { shares[index] = 0 }
    self.shares = shares
    let unsigned = Transaction(
      inputs: [TxInput(previousOutput: commitment.context.fundingOutpoint, sequence: 0xffff_fffd)],
      outputs: zip(shares, wallets).filter { $0.0 > 0 }.map {
        TxOutput(value: Satoshi($0.0), scriptPubKey: $0.1)
      })
    let own = AgreedSpend(unsigned, insteadOf: commitment)
    let theirs = AgreedSpend(unsigned, insteadOf: other)
    // Where both sign together, the second has told a nonce before, and the first brings one along.
    let announced = commitment.signsTogether ? try second.signer.announceNonce() : nil
    let ownSignature = try first.signer.sign(own, nonce: announced)
    let theirSignature: CounterSignature
    if let announced, case .musigPartial(let partial) = ownSignature {
      theirSignature = try second.signer.sign(theirs, announced: announced, nonce: partial.nonce)
    } else {
      theirSignature = try second.signer.sign(theirs)
    }
    guard own.isValid(theirSignature, nonce: ownSignature.nonce), theirs.isValid(ownSignature, nonce: announced) else {
      throw simulator.fail("a signature of the closing transaction does not hold")
    }
    transaction = try first.signer.complete(own, own: ownSignature, theirs: theirSignature)
  }
}
