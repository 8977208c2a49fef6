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
      case .ecdsa(let ref, let type) = commitment.fundingCounterSignature,
      let scriptCode = commitment.fundingLock.scriptCode
    else { throw simulator.fail("a funding output that cannot be signed for") }
    let balances = first.channel.fundings[0].base.balances
    var shares = [balances[.local].satoshiRoundedDown.rawValue, balances[.remote].satoshiRoundedDown.rawValue]
    let fee = feeRate.fee(for: Weight(800))?.rawValue ?? 0
    shares[0] -= min(fee, shares[0])
    for index in shares.indices where shares[index] < 354 { shares[index] = 0 }
    self.shares = shares
    var transaction = Transaction(
      inputs: [TxInput(previousOutput: commitment.context.fundingOutpoint, sequence: 0xffff_fffd)],
      outputs: zip(shares, wallets).filter { $0.0 > 0 }.map {
        TxOutput(value: Satoshi($0.0), scriptPubKey: $0.1)
      })
    let unsigned = transaction
    let parts = SighashParts(unsigned)
    func sighash(_ type: SighashType) throws(SighashError) -> Sighash {
      try unsigned.segwitV0Sighash(
        input: 0, scriptCode: scriptCode, amount: commitment.context.capacity, type: type, parts: parts)
    }
    let other = PathOpener(second.signer.secrets, side: .counterparty, keys: commitment.context.keys)
    let own = PathOpener(first.signer.secrets, side: .holder, keys: commitment.context.keys)
    transaction.inputs[0].witness = try own.witness(
      commitment.fundingWitness, lock: commitment.fundingLock,
      counterSignature: .ecdsa(other.sign(ref, try sighash(type))), sighash: sighash)
    self.transaction = transaction
  }
}
