public import Bitcoin
internal import Encoding
public import GLC
public import Secp256k1

extension Commitment {
  /// Signs this commitment and its second stage for its holder; the second stage in batches, on as many cores as `workers` has.
  /// Without `grindLowR` the signatures are those of BOLT 3's vectors.
  /// - Parameters:
  ///   - nonce: the holder's for this commitment, where both sign together.
  ///   - presignatures: the holder's, where second stages are signed together.
  public func sign(
    asCounterparty secrets: BasepointSecrets, nonce: MuSigPublicNonce? = nil, presignatures: [CounterSignature] = [],
    grindLowR: Bool = true, workers: Workers = .all
  ) throws(SigningError) -> CommitmentSignatures {
    let funding = try signFunding(secrets, nonce, grindLowR: grindLowR)
    return CommitmentSignatures(
      funding: funding,
      children: try sign(
        secondStageIndex, secrets, .counterparty, presignatures.compactMap(\.nonce), grindLowR: grindLowR, workers))
  }

  /// Signs the counterparty's second stage for it, before it signs this commitment.
  /// - Parameter nonces: the counterparty's, where second stages are signed together.
  public func presign(
    asHolder secrets: BasepointSecrets, nonces: [MuSigPublicNonce] = [], workers: Workers = .all
  ) throws(SigningError) -> [CounterSignature] {
    try sign(presignIndex, secrets, .holder, nonces, grindLowR: false, workers)
  }

  /// - Parameter nonces: the other side's, for what both sign.
  private func sign(
    _ index: SecondStageIndex, _ secrets: BasepointSecrets, _ side: Side, _ nonces: [MuSigPublicNonce],
    grindLowR: Bool, _ workers: Workers
  ) throws(SigningError) -> [CounterSignature] {
    guard nonces.count == index.pairCount else { throw .signature(.missingNonce) }
    let point = context.keys.perCommitmentPoint
    return try workers.map(index.count, smallestPiece: Self.smallestPiece) {
      (range) throws(SigningError) -> [CounterSignature] in
      var signatures: [CounterSignature] = []
      signatures.reserveCapacity(range.count)
      var scratch = ByteWriter(reservingCapacity: 160)
      var position = range.lowerBound
      while position < range.upperBound {
        // Second stages share their key: each piece derives it once.
        let slot = try signed(index[position], &scratch).slot
        let ref = slot.isPaired ? KeyRef(slot.key.role, side) : slot.key
        let key = try secrets.secret(ref, side: side, perCommitmentPoint: point)
        switch slot {
        case .ecdsa:
          while position < range.upperBound {
            let next = try signed(index[position], &scratch)
            guard case .ecdsa(slot.key, _) = next.slot else { break }
            signatures.append(.ecdsa(key.signECDSA(next.hash.raw, grindLowR: grindLowR)))
            position += 1
          }
        case .schnorr:
          let pair = KeyPair(key)
          while position < range.upperBound {
            let next = try signed(index[position], &scratch)
            guard case .schnorr(slot.key, _) = next.slot else { break }
            // No randomness is added (BIP 340 allows that): the same question gets the same answer.
            signatures.append(.schnorr(pair.signSchnorr(next.hash.raw, auxRand: Bytes32())))
            position += 1
          }
        case .adaptor:
          while position < range.upperBound {
            let next = try signed(index[position], &scratch)
            guard case .adaptor(slot.key, _, let point) = next.slot else { break }
            let bound = try boundKey(next)
            do {
              signatures.append(
                .adaptor(
                  try key.adding(pointTweak(point)).signSchnorrAdaptor(
                    next.hash.raw.bytes, publicKey: bound, point: point, auxRand: Bytes32())))
            } catch {
              throw .unusableKey(slot.key)
            }
            position += 1
          }
        case .musigAdaptor:
          let opener = PathOpener(secrets, side: side, keys: context.keys)
          while position < range.upperBound, let pair = index[position].pair {
            let stage = try pairedStage(index[position], &scratch)
            signatures.append(
              .musigPartial(
                side == .counterparty
                  ? try opener.signFirst(stage, nonce: nonces[pair]) : try opener.signLast(stage, nonce: nonces[pair])))
            position += 1
          }
        case .musigPartial: throw .missing("a way to sign the second stage")
        }
      }
      return signatures
    }
  }

  private func signFunding(
    _ secrets: BasepointSecrets, _ nonce: MuSigPublicNonce?, grindLowR: Bool
  ) throws(SigningError) -> CounterSignature {
    let slot = fundingCounterSignature
    let hash = try fundingHash(slot.sighashType)
    let opener = PathOpener(secrets, side: .counterparty, keys: context.keys, grindLowR: grindLowR)
    switch slot {
    case .ecdsa(let ref, _): return .ecdsa(try opener.sign(ref, hash))
    case .musigPartial(let ref, _):
      guard let nonce else { throw .signature(.missingNonce) }
      guard case .taproot(let output) = fundingLock.reveal else { throw .signature(.wrongKind) }
      return .musigPartial(try opener.signPartially(ref.role, spending: output, nonce: nonce, hash))
    case .schnorr, .adaptor, .musigAdaptor: throw .missing("a way to sign for the funding output")
    }
  }

  private func pairedStage(
    _ position: SecondStageIndex.Position, _ scratch: inout ByteWriter
  ) throws(SigningError) -> PairedStage {
    do { return try pairedStage(at: position, scratch: &scratch) } catch { throw .signature(error) }
  }

  private func boundKey(_ signed: SecondStageSighash) throws(SigningError) -> PublicKey {
    do { return try key(signed) } catch { throw .signature(error) }
  }

  /// What is signed with which key.
  private func signed(
    _ position: SecondStageIndex.Position, _ scratch: inout ByteWriter
  ) throws(SigningError) -> SecondStageSighash {
    do { return try secondStageSighash(position, scratch: &scratch) } catch { throw .signature(error) }
  }

  /// The commitment transaction, ready to be broadcast by its holder.
  /// - Parameter nonce: whose public half the counterparty has signed with, where both sign together.
  public func signedTransaction(
    asHolder secrets: BasepointSecrets, with signatures: CommitmentSignatures,
    nonce: consuming MuSigSecretNonce? = nil, grindLowR: Bool = true
  ) throws(SigningError) -> Transaction {
    let opener = PathOpener(secrets, side: .holder, keys: context.keys, grindLowR: grindLowR)
    var signed = transaction
    signed.inputs[0].witness = try opener.witness(
      fundingWitness, lock: fundingLock, counterSignature: signatures.funding, nonce: nonce
    ) { (type) throws(SighashError) in try fundingSighash(type) }
    return signed
  }

  /// A second-stage transaction, ready to be broadcast by the holder. `secret` is the path's, where it has one.
  public func signed(
    _ child: SecondStage, asHolder secrets: BasepointSecrets, with counterSignature: CounterSignature,
    secret: [UInt8]?, grindLowR: Bool = true
  ) throws(SigningError) -> Transaction {
    let opener = PathOpener(secrets, side: .holder, keys: context.keys, grindLowR: grindLowR)
    var signed = child.transaction
    signed.inputs[0].witness = try opener.witness(
      child.path.witness, lock: child.parent.output.lock, counterSignature: counterSignature, secret: secret
    ) { (type) throws(SighashError) in
      do throws(SignatureError) { return try child.sighash(type) } catch {
        guard case .sighash(let reason) = error else { throw .invalidType(type.rawValue) }
        throw reason
      }
    }
    return signed
  }

  private func fundingHash(_ type: SighashType) throws(SigningError) -> Sighash {
    do { return try fundingSighash(type) } catch { throw .sighash(error) }
  }
}
