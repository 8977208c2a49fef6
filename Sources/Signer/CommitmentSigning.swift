public import Bitcoin
internal import Encoding
public import GLC
internal import Secp256k1

extension Commitment {
  /// Signs this commitment and its second stage for its holder. Without `grindLowR` the signatures are those of BOLT 3's
  /// vectors.
  public func sign(
    asCounterparty secrets: BasepointSecrets, grindLowR: Bool = true
  ) throws(SigningError) -> CommitmentSignatures {
    let point = context.keys.perCommitmentPoint
    guard case .ecdsa(let ref, let type) = fundingCounterSignature else {
      throw .missing("ECDSA for the funding output")
    }
    let fundingKey = try secrets.secret(ref, side: .counterparty, perCommitmentPoint: point)
    let funding = fundingKey.signECDSA(try fundingHash(type).raw, grindLowR: grindLowR)
    var children: [CounterSignature] = []
    var childRef = ref
    var childKey = fundingKey
    for child in secondStage {
      guard case .ecdsa(let ref, let type) = child.template.counterSignature else {
        throw .missing("ECDSA for the second stage")
      }
      // Second stages share their key: it is derived once.
      if ref != childRef {
        childKey = try secrets.secret(ref, side: .counterparty, perCommitmentPoint: point)
        childRef = ref
      }
      let hash: Sighash
      do { hash = try child.sighash(type) } catch { throw .signature(error) }
      children.append(.ecdsa(childKey.signECDSA(hash.raw, grindLowR: grindLowR)))
    }
    return CommitmentSignatures(funding: .ecdsa(funding), children: children)
  }

  /// The commitment transaction, ready to be broadcast by its holder.
  public func signedTransaction(
    asHolder secrets: BasepointSecrets, with signatures: CommitmentSignatures, grindLowR: Bool = true
  ) throws(SigningError) -> Transaction {
    let opener = PathOpener(secrets, side: .holder, keys: context.keys, grindLowR: grindLowR)
    var signed = transaction
    signed.inputs[0].witness = try opener.witness(
      fundingWitness, lock: fundingLock, counterSignature: signatures.funding
    ) { (type) throws(SighashError) in try fundingSighash(type) }
    return signed
  }

  /// A second-stage transaction, ready to be broadcast by the holder. `secret` is the path's, where it has one.
  public func signed(
    _ child: SecondStage, asHolder secrets: BasepointSecrets, with counterSignature: CounterSignature,
    secret: [UInt8]?, grindLowR: Bool = true
  ) throws(SigningError) -> Transaction {
    let opener = PathOpener(secrets, side: .holder, keys: context.keys, grindLowR: grindLowR)
    let output = child.parent.output
    guard let scriptCode = output.lock.scriptCode else { throw .missing("a way to sign for taproot") }
    var signed = child.transaction
    let parts = SighashParts(signed)
    signed.inputs[0].witness = try opener.witness(
      child.path.witness, lock: output.lock, counterSignature: counterSignature, secret: secret
    ) { (type) throws(SighashError) in
      try child.transaction.segwitV0Sighash(
        input: 0, scriptCode: scriptCode, amount: output.value, type: type, parts: parts)
    }
    return signed
  }

  private func fundingHash(_ type: SighashType) throws(SigningError) -> Sighash {
    do { return try fundingSighash(type) } catch { throw .sighash(error) }
  }
}
