public import Bitcoin
internal import Encoding
public import GLC
internal import Secp256k1

extension Commitment {
  /// Signs this commitment and its second stage for its holder; the second stage in batches, on as many cores as `workers` has.
  /// Without `grindLowR` the signatures are those of BOLT 3's vectors.
  public func sign(
    asCounterparty secrets: BasepointSecrets, grindLowR: Bool = true, workers: Workers = .all
  ) throws(SigningError) -> CommitmentSignatures {
    let point = context.keys.perCommitmentPoint
    guard case .ecdsa(let ref, let type) = fundingCounterSignature else {
      throw .missing("ECDSA for the funding output")
    }
    let fundingKey = try secrets.secret(ref, side: .counterparty, perCommitmentPoint: point)
    let funding = fundingKey.signECDSA(try fundingHash(type).raw, grindLowR: grindLowR)
    let index = secondStageIndex
    let children = try workers.map(index.count, smallestPiece: Self.smallestPiece) {
      (range) throws(SigningError) -> [CounterSignature] in
      var signatures: [CounterSignature] = []
      signatures.reserveCapacity(range.count)
      var scratch = ByteWriter(reservingCapacity: 160)
      var position = range.lowerBound
      while position < range.upperBound {
        // Second stages share their key: each piece derives it once.
        let ref = try signing(index[position], &scratch).ref
        let key = try secrets.secret(ref, side: .counterparty, perCommitmentPoint: point)
        while position < range.upperBound {
          let next = try signing(index[position], &scratch)
          guard next.ref == ref else { break }
          signatures.append(.ecdsa(key.signECDSA(next.hash.raw, grindLowR: grindLowR)))
          position += 1
        }
      }
      return signatures
    }
    return CommitmentSignatures(funding: .ecdsa(funding), children: children)
  }

  /// With which key what is signed.
  private func signing(
    _ position: SecondStageIndex.Position, _ scratch: inout ByteWriter
  ) throws(SigningError) -> (ref: KeyRef, hash: Sighash) {
    let (slot, hash): (SignatureSlot, Sighash)
    do { (slot, hash) = try secondStageSighash(position, scratch: &scratch) } catch { throw .signature(error) }
    guard case .ecdsa(let ref, _) = slot else { throw .missing("ECDSA for the second stage") }
    return (ref, hash)
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
