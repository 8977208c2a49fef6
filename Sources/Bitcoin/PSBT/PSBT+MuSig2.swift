public import Encoding
internal import Hashing
public import Secp256k1

// BIP 373: the two rounds of MuSig2 through a PSBT.

extension PSBT {
  /// One signature that MuSig2 signers make together: for the key path, or for a key in a leaf.
  public struct MuSig2Target: Hashable, Sendable {
    /// The participants, and all tweaks that lead from their aggregate to the key that is signed for.
    public let keys: MuSigKeyAggregation
    /// Nil for the key path.
    public let leafHash: Bytes32?

    public var participants: [PublicKey] { keys.publicKeys }

    /// What a participant's nonce and partial signature are filed under.
    public func key(of participant: PublicKey) -> MuSig2Key {
      MuSig2Key(participant: participant, aggregate: keys.aggregateKey, leafHash: leafHash)
    }
  }

  /// What MuSig2 signers can sign in an input, by its participant lists: where an aggregate key, or a key derived from one, is the
  /// output key, the internal key or in a leaf. Throws `.musig2AggregateMismatch` when a list does not aggregate to its key, and
  /// what `spentOutput` throws.
  public func musig2Targets(input index: Int) throws(PSBTError) -> [MuSig2Target] {
    guard inputs.indices.contains(index) else { throw .noSuchInput(index) }
    let input = inputs[index]
    guard !input.musig2ParticipantPubkeys.isEmpty else { return [] }
    guard case .taproot(let outputKey) = try spending(index).kind else { return [] }
    var leaves: [[UInt8]: [Bytes32]] = [:]
    for (_, leaf) in input.tapLeafScripts where leaf.version == TapLeaf.tapscriptVersion {
      let hash = leaf.hash
      for push in Set(leaf.script.pushes) where push.count == 32 { leaves[push, default: []].append(hash) }
    }
    var targets: [MuSig2Target] = []
    var stepsLeft = Self.maximumMuSig2DerivationSteps
    for (aggregate, participants) in input.musig2ParticipantPubkeys {
      guard let base = try? MuSigKeyAggregation(participants), base.aggregateKey == aggregate else {
        throw .musig2AggregateMismatch(input: index)
      }
      for keys in [base] + derivedKeys(base, in: input, &stepsLeft) {
        let x = keys.xOnlyPublicKey
        if x.x == outputKey {
          targets.append(MuSig2Target(keys: keys, leafHash: nil))
        } else if x == input.tapInternalKey {
          let tweak = TaprootOutput.tweak(internalKey: x, merkleRoot: input.tapMerkleRoot)
          if let tweaked = try? keys.tweaked(by: tweak, .xOnly), tweaked.xOnlyPublicKey.x == outputKey {
            targets.append(MuSig2Target(keys: tweaked, leafHash: nil))
          }
        }
        for leafHash in leaves[x.array] ?? [] { targets.append(MuSig2Target(keys: keys, leafHash: leafHash)) }
      }
    }
    return targets
  }

  /// The keys of the input that its derivations say were derived from an aggregate key. BIP 373: "Derivation from the aggregate
  /// pubkey can be assumed to follow BIP 328 if there is no PSBT_GLOBAL_XPUB that specifies the synthetic xpub".
  private func derivedKeys(
    _ base: MuSigKeyAggregation, in input: Input, _ stepsLeft: inout Int
  ) -> [MuSigKeyAggregation] {
    let aggregate = base.aggregateKey
    var fingerprint = hash160(aggregate.bytes).array.prefix(4)
    var prefix: [UInt32] = []
    var chainCode = Self.bip328ChainCode
    if let (xpub, origin) = xpubs.first(where: { $0.key.array[45...].elementsEqual(aggregate.array) }) {
      let code = xpub.array[13..<45]
      if let code = try? Bytes32(copying: code.bytes) { chainCode = code }
      fingerprint = origin.fingerprint.array[...]
      prefix = origin.path
    }
    var result: [MuSigKeyAggregation] = []
    for (key, origin) in input.tapBIP32Derivations {
      let path = origin.origin.path
      guard origin.origin.fingerprint.array.elementsEqual(fingerprint), path.starts(with: prefix),
        // BIP 32: a key is at most 255 steps deep, and without the secret key no step is hardened.
        prefix.count < path.count, path.count <= 255, path[prefix.count...].allSatisfy({ $0 < 1 << 31 }),
        path.count - prefix.count <= stepsLeft
      else { continue }
      stepsLeft -= path.count - prefix.count
      var derived = base
      var chain = chainCode
      var isValid = true
      for step in path[prefix.count...] where isValid {
        var writer = ByteWriter(reservingCapacity: 37)
        writer.write(derived.aggregateKey)
        writer.write(step)
        let digest = hmacSHA512(key: chain.bytes, writer.bytes.bytes)
        var reader = ByteReader(digest.bytes)
        guard let tweak = try? reader.read(Bytes32.self), let next = try? reader.read(Bytes32.self),
          let child = try? derived.tweaked(by: tweak, .plain)
        else {
          isValid = false
          continue
        }
        derived = child
        chain = next
      }
      if isValid && derived.xOnlyPublicKey == key { result.append(derived) }
    }
    return result
  }

  /// How many steps of derivation one input may cost. Each takes a multiplication on the curve, and a peer decides how many there
  /// are; wallets derive a few keys by two steps each.
  static let maximumMuSig2DerivationSteps = 1_000

  /// BIP 328: the SHA-256 of "MuSig2MuSig2MuSig2".
  private static let bip328ChainCode = Hashing.sha256([UInt8]("MuSig2MuSig2MuSig2".utf8))

  // MARK: Round one

  /// Makes a nonce for this signer, adds its public part, and returns the secret part, which `addMuSig2PartialSignature` uses up.
  /// It cannot be stored: when it is lost, a new nonce has to be made and all signers begin again. Throws `.musig2WrongSession`
  /// when the signer takes no part, or has a nonce in the PSBT already.
  public mutating func addMuSig2Nonce(
    input index: Int, target: MuSig2Target, signer: borrowing KeyPair, options: SigningOptions = SigningOptions()
  ) throws(PSBTError) -> MuSigSecretNonce {
    guard inputs.indices.contains(index) else { throw .noSuchInput(index) }
    let type = try signingType(index, isTaproot: true, options)
    let message = try SighashContext(self).taproot(index, leafHash: target.leafHash, type: type)
    let nonce = MuSigSecretNonce(signer: signer, message: message.raw, keys: target.keys)
    try addMuSig2Nonce(nonce.publicNonce, of: signer.publicKey, input: index, target: target)
    return nonce
  }

  /// Adds a public nonce that was made elsewhere, as taproot channels derive theirs.
  public mutating func addMuSig2Nonce(
    _ nonce: MuSigPublicNonce, of participant: PublicKey, input index: Int, target: MuSig2Target
  ) throws(PSBTError) {
    guard inputs.indices.contains(index) else { throw .noSuchInput(index) }
    let key = target.key(of: participant)
    guard target.participants.contains(participant), inputs[index].musig2PublicNonces[key] == nil,
      try musig2Targets(input: index).contains(target)
    else { throw .musig2WrongSession(input: index) }
    inputs[index].musig2PublicNonces[key] = nonce.raw
  }

  // MARK: Round two

  /// Signs with a nonce whose public part is in the PSBT, once all participants' nonces are. Throws `.musig2NonceMissing`,
  /// `.musig2WrongSession` when the PSBT has another nonce of this signer or a partial signature already,
  /// `.unacceptableSighashType`, and what `spentOutput` throws. The nonce is used up in any case.
  public mutating func addMuSig2PartialSignature(
    input index: Int, target: MuSig2Target, signer: borrowing KeyPair, nonce: consuming MuSigSecretNonce,
    options: SigningOptions = SigningOptions()
  ) throws(PSBTError) {
    guard inputs.indices.contains(index) else { throw .noSuchInput(index) }
    guard !isFinal(index) else { throw .alreadyFinal(input: index) }
    let key = target.key(of: signer.publicKey)
    guard inputs[index].musig2PublicNonces[key] == nonce.publicNonce.raw,
      inputs[index].musig2PartialSignatures[key] == nil
    else { throw .musig2WrongSession(input: index) }
    let type = try signingType(index, isTaproot: true, options)
    // A target made by hand, or found before the PSBT changed, may be another input's.
    guard try musig2Targets(input: index).contains(target) else { throw .musig2WrongSession(input: index) }
    let (session, _) = try musig2Session(index, target, type, try SighashContext(self))
    let signature: MuSigPartialSignature
    do {
      signature = try session.sign(with: signer, nonce: nonce)
    } catch {
      throw .musig2WrongSession(input: index)
    }
    inputs[index].musig2PartialSignatures[key] = signature.raw
    noteSignature(index, type, defaultType: .default)
  }

  /// Verifies the partial signatures of every target that has all of them, and adds them up to the signature that goes into
  /// `tapKeySignature` or `tapScriptSignatures`. Tells how many there were. Throws `.musig2InvalidPartialSignature`,
  /// `.musig2NonceMissing`. The finalizer does this by itself.
  @discardableResult
  public mutating func aggregateMuSig2Signatures(input index: Int) throws(PSBTError) -> Int {
    var count = 0
    let context = try SighashContext(self)
    for target in try musig2Targets(input: index) {
      let input = inputs[index]
      let scriptKey = target.leafHash.map {
        TapScriptSignatureKey(publicKey: target.keys.xOnlyPublicKey, leafHash: $0)
      }
      if let scriptKey { if input.tapScriptSignatures[scriptKey] != nil { continue } }
      if scriptKey == nil && input.tapKeySignature != nil { continue }
      var encoded: [Bytes32] = []
      for participant in target.participants {
        if let signature = input.musig2PartialSignatures[target.key(of: participant)] { encoded.append(signature) }
      }
      guard encoded.count == target.participants.count else { continue }
      let type = input.sighashType ?? .default
      let (session, nonces) = try musig2Session(index, target, type, context)
      var partial: [MuSigPartialSignature] = []
      for (position, participant) in target.participants.enumerated() {
        guard let signature = try? MuSigPartialSignature(copying: encoded[position].bytes),
          session.isValid(signature, of: participant, nonce: nonces[position])
        else { throw .musig2InvalidPartialSignature(input: index) }
        partial.append(signature)
      }
      guard let signature = try? session.aggregate(partial),
        target.keys.xOnlyPublicKey.isValidSchnorr(signature, for: session.message)
      else { throw .musig2InvalidPartialSignature(input: index) }
      let whole = TapSignature(signature, sighashType: type)
      if let scriptKey {
        inputs[index].tapScriptSignatures[scriptKey] = whole
      } else {
        inputs[index].tapKeySignature = whole
      }
      count += 1
    }
    return count
  }

  /// The session of a target, and the participants' nonces in their order.
  private func musig2Session(
    _ index: Int, _ target: MuSig2Target, _ type: SighashType, _ context: SighashContext
  ) throws(PSBTError) -> (MuSigSession, [MuSigPublicNonce]) {
    var nonces: [MuSigPublicNonce] = []
    for participant in target.participants {
      guard let encoded = inputs[index].musig2PublicNonces[target.key(of: participant)],
        let nonce = try? MuSigPublicNonce(copying: encoded.bytes)
      else { throw .musig2NonceMissing(input: index) }
      nonces.append(nonce)
    }
    let message = try context.taproot(index, leafHash: target.leafHash, type: type).raw
    guard let aggregateNonce = try? MuSigAggregateNonce(nonces) else { throw .musig2NonceMissing(input: index) }
    return (MuSigSession(keys: target.keys, aggregateNonce: aggregateNonce, message: message), nonces)
  }
}
