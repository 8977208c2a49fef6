public import Bitcoin
internal import Encoding
public import GLC
public import Secp256k1

/// A transaction that spends the funding output because both sides agree, such as a closing transaction. Its only input is the funding
/// output.
public struct AgreedSpend: Sendable {
  public let transaction: Transaction
  let lock: OutputLock
  let witness: [WitnessElement]
  let slot: SignatureSlot
  let keys: CommitmentKeys
  private let capacity: Satoshi

  /// - Parameter commitment: one that we hold, on the same funding output.
  public init(_ transaction: Transaction, insteadOf commitment: Commitment) {
    self.transaction = transaction
    lock = commitment.fundingLock
    witness = commitment.fundingWitness
    slot = commitment.fundingCounterSignature
    keys = commitment.context.keys
    capacity = commitment.context.capacity
  }

  func sighash(_ type: SighashType) throws(SighashError) -> Sighash {
    if case .taproot = lock.reveal {
      let spent = [TxOutput(value: capacity, scriptPubKey: lock.scriptPubKey)]
      return try transaction.taprootSighash(
        input: 0, spentOutputs: spent, type: type, parts: SighashParts(transaction, spentOutputs: spent))
    }
    guard let scriptCode = lock.scriptCode else { throw .invalidType(type.rawValue) }
    return try transaction.segwitV0Sighash(
      input: 0, scriptCode: scriptCode, amount: capacity, type: type, parts: SighashParts(transaction))
  }

  /// Whether the other side's signature holds.
  /// - Parameter nonce: ours, where both sign together.
  public func isValid(_ signature: CounterSignature, nonce: MuSigPublicNonce? = nil) -> Bool {
    guard let hash = try? sighash(slot.sighashType), let key = try? keys(slot.key) else { return false }
    switch (slot, signature) {
    case (.ecdsa, .ecdsa(let signature)): return key.isValidECDSA(signature, for: hash.raw)
    case (.musigPartial(let ref, _), .musigPartial(let partial)):
      guard let nonce, case .taproot(let output) = lock.reveal,
        let paired = try? keys.paired(ref.role, spending: output),
        let session = try? MuSigSession(keys: paired, nonces: nonce, partial.nonce, hash: hash)
      else { return false }
      return session.isValid(partial.signature, of: key, nonce: partial.nonce)
    default: return false
    }
  }
}

extension LocalSigner {
  /// Our signature.
  /// - Parameter nonce: the other side's, where both sign together. Ours comes with the signature.
  public func sign(
    _ spend: AgreedSpend, nonce theirs: MuSigPublicNonce? = nil
  ) throws(SignerRefusal) -> CounterSignature {
    do throws(SigningError) {
      let opener = PathOpener(secrets, side: .holder, keys: spend.keys)
      let hash = try spend.hash()
      guard case .musigPartial(let ref, _) = spend.slot else {
        return .ecdsa(try opener.sign(KeyRef(spend.slot.key.role, .holder), hash))
      }
      guard let theirs else { throw .signature(.missingNonce) }
      let partial = try opener.signPartially(ref.role, spending: try spend.output(), nonce: theirs, hash)
      try record(partial.nonce, theirs, hash)
      return .musigPartial(partial)
    } catch {
      throw SignerRefusal("\(error)")
    }
  }

  /// Our part of a signature, with a nonce that we have announced. It is used up, whether or not signing succeeds.
  public func sign(
    _ spend: AgreedSpend, announced own: MuSigPublicNonce, nonce theirs: MuSigPublicNonce
  ) throws(SignerRefusal) -> CounterSignature {
    guard case .musigPartial(let ref, _) = spend.slot else { throw SignerRefusal("each side signs alone") }
    var announced = takeAnnounced(own)
    guard let nonce = announced.take() else { throw SignerRefusal("a nonce that was not announced, or was used") }
    do throws(SigningError) {
      let opener = PathOpener(secrets, side: .holder, keys: spend.keys)
      let hash = try spend.hash()
      try record(own, theirs, hash)
      return .musigPartial(
        try opener.signPartially(ref.role, spending: try spend.output(), with: nonce, nonce: theirs, hash))
    } catch {
      throw SignerRefusal("\(error)")
    }
  }

  /// The transaction with both signatures.
  public func complete(
    _ spend: AgreedSpend, own: CounterSignature, theirs: CounterSignature
  ) throws(SignerRefusal) -> Transaction {
    do throws(SigningError) {
      let opener = PathOpener(secrets, side: .holder, keys: spend.keys)
      var signed = spend.transaction
      if case (.musigPartial(let ref, let type), .musigPartial(let own), .musigPartial(let theirs)) = (
        spend.slot, own, theirs
      ) {
        let signature = try opener.complete(
          ref.role, spending: try spend.output(), own, theirs, try spend.hash())
        signed.inputs[0].witness = Witness([signature.witnessElement(type)])
      } else {
        signed.inputs[0].witness = try opener.witness(
          spend.witness, lock: spend.lock, counterSignature: theirs, sighash: spend.sighash)
      }
      return signed
    } catch {
      throw SignerRefusal("\(error)")
    }
  }
}

extension AgreedSpend {
  fileprivate func hash() throws(SigningError) -> Sighash {
    do { return try sighash(slot.sighashType) } catch { throw .sighash(error) }
  }

  fileprivate func output() throws(SigningError) -> TaprootOutput {
    guard case .taproot(let output) = lock.reveal else { throw .signature(.wrongKind) }
    return output
  }
}
