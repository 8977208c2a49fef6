public import Encoding
internal import Hashing

/// The signer's side of BIP 327 as its text writes it, over `Scalar` and points: for what libsecp256k1 does not offer,
/// which is messages of any length, nonces from given randomness and optional inputs, and deterministic signing. It is
/// slower than `MuSigSession`, not used by it, and held against it by tests.
package enum BIP327 {
  /// `NonceGen` with its randomness given. Throws `.invalidNonce` when a number comes out as 0.
  package static func nonce(
    randomness: Bytes32, secretKey: [UInt8]?, publicKey: PublicKey, aggregateKey: Bytes32?, message: [UInt8]?,
    extraInput: [UInt8]?
  ) throws(Secp256k1Error) -> SecretNonce {
    var state = Tag.muSigNonce
    // BIP 327: Let rand be the byte-wise xor of sk and hash_MuSig/aux(rand').
    if let secretKey {
      guard secretKey.count == 32 else { throw .invalidSecretKey }
      state.update(Tag.muSigAux.masking(secretKey.bytes, with: randomness).bytes)
    } else {
      state.update(randomness)
    }
    var writer = ByteWriter()
    writer.write(UInt8(PublicKey.byteCount))
    writer.write(publicKey)
    writer.write(UInt8(aggregateKey == nil ? 0 : 32))
    if let aggregateKey { writer.write(aggregateKey) }
    // BIP 327: m_prefixed = bytes(1, 0) without a message, bytes(1, 1) || bytes(8, len(m)) || m with one.
    writer.write(UInt8(message == nil ? 0 : 1))
    if let message {
      writer.write(UInt64(message.count))
      writer.write(message)
    }
    writer.write(UInt32(clamping: extraInput?.count ?? 0))
    writer.write(extraInput ?? [])
    state.update(writer.bytes)
    return try SecretNonce(continuing: &state, publicKey: publicKey)
  }

  /// k1, k2 and the key that they are for.
  package struct SecretNonce: ~Copyable, Sendable {
    let first: SecretKey
    let second: SecretKey
    package let publicKey: PublicKey

    /// k_i = int(hash(… ‖ bytes(1, i − 1))) mod n.
    /// The state is wiped.
    init(continuing state: inout SHA256, publicKey: PublicKey) throws(Secp256k1Error) {
      var (one, two) = (state, state)
      state.wipe()
      one.update([0])
      two.update([1])
      guard let first = try? SecretKey(Scalar(reducing: &one)), let second = try? SecretKey(Scalar(reducing: &two))
      else {
        throw .invalidNonce
      }
      self.first = first
      self.second = second
      self.publicKey = publicKey
    }

    /// Reads bytes(32, k1) ‖ bytes(32, k2) ‖ pk, 97 bytes. Throws `.invalidNonce`, where BIP 327 has `Sign` fail.
    package init(_ serialized: [UInt8]) throws(Secp256k1Error) {
      let bytes = serialized.bytes
      guard bytes.byteCount == 97, let first = try? SecretKey(copying: bytes.extracting(0..<32)),
        let second = try? SecretKey(copying: bytes.extracting(32..<64)),
        let publicKey = try? PublicKey(copying: bytes.extracting(64..<97))
      else { throw .invalidNonce }
      self.first = first
      self.second = second
      self.publicKey = publicKey
    }

    /// bytes(32, k1) ‖ bytes(32, k2) ‖ pk, 97 bytes: to be compared with a test vector.
    package var serialized: [UInt8] { first.bytes.array + second.bytes.array + publicKey.array }

    package var publicNonce: FixedBytes<66> {
      MuSigAggregateNonce(GroupElement(first.publicKey), GroupElement(second.publicKey)).raw
    }
  }

  /// The Session Context.
  package struct Session: Sendable {
    let keys: MuSigKeyAggregation
    let aggregateNonce: MuSigAggregateNonce
    let message: [UInt8]

    package init(keys: MuSigKeyAggregation, aggregateNonce: MuSigAggregateNonce, message: [UInt8]) {
      self.keys = keys
      self.aggregateNonce = aggregateNonce
      self.message = message
    }

    /// b = int(hash_MuSig/noncecoef(aggnonce ‖ xbytes(Q) ‖ m)) mod n.
    var nonceCoefficient: Scalar {
      var state = Tag.muSigNonceCoefficient
      state.update(aggregateNonce)
      state.update(keys.xOnlyPublicKey)
      state.update(message)
      return Scalar(reducing: state.finish())
    }

    /// R = R1 + b ⋅ R2, or G where that is infinity.
    var finalNonce: PublicKey {
      let (first, second) = aggregateNonce.points
      return (first + nonceCoefficient * second).point ?? .generator
    }

    /// e = int(hash_BIP0340/challenge(xbytes(R) ‖ xbytes(Q) ‖ m)) mod n.
    var challenge: Scalar {
      schnorrChallenge(nonce: finalNonce, key: keys.xOnlyPublicKey, message: message.bytes)
    }

    /// Whether g ⋅ gacc is −1: the keys that signers sign with are negated.
    var negatesKeys: Bool { keys.aggregateKey.yIsOdd != keys.negatesKeys }

    /// `Sign`. Throws `.nonceOfAnotherKey`, `.unknownSigner`.
    package func sign(
      with secretKey: borrowing SecretKey, nonce: consuming SecretNonce
    ) throws(Secp256k1Error) -> MuSigPartialSignature {
      let publicKey = secretKey.publicKey
      guard nonce.publicKey == publicKey else { throw .nonceOfAnotherKey }
      guard let coefficient = keys.coefficient(of: publicKey) else { throw .unknownSigner }
      let nonceIsNegated = finalNonce.yIsOdd
      let first = Scalar(nonce.first).negated(if: nonceIsNegated)
      let second = Scalar(nonce.second).negated(if: nonceIsNegated)
      let secret = Scalar(secretKey).negated(if: negatesKeys)
      // BIP 327: Let s = (k1 + b⋅k2 + e⋅a⋅d) mod n.
      let s = first + nonceCoefficient * second + challenge * coefficient * secret
      guard let signature = try? MuSigPartialSignature(copying: s.bytes.bytes) else { throw .invalidPartialSignature }
      let publicNonce = nonce.publicNonce
      // BIP 327: If PartialSigVerifyInternal(psig, pubnonce, pk, session_ctx) returns failure, fail.
      guard isValid(signature, of: publicKey, nonce: publicNonce) else { throw .invalidPartialSignature }
      return signature
    }

    /// `PartialSigVerifyInternal`.
    package func isValid(_ signature: MuSigPartialSignature, of publicKey: PublicKey, nonce: FixedBytes<66>) -> Bool {
      guard let coefficient = keys.coefficient(of: publicKey),
        let first = try? PublicKey(copying: nonce.bytes.extracting(0..<33)),
        let second = try? PublicKey(copying: nonce.bytes.extracting(33..<66)), let s = try? Scalar(signature.raw)
      else { return false }
      let effective = (GroupElement(first) + nonceCoefficient * GroupElement(second)).negated(if: finalNonce.yIsOdd)
      let factor = (challenge * coefficient).negated(if: negatesKeys)
      // BIP 327: Fail if s⋅G ≠ Re + e⋅a⋅g'⋅P.
      return s * .generator == effective + factor * GroupElement(publicKey)
    }
  }
}

extension MuSigKeyAggregation {
  /// a_i of a signer (`KeyAggCoeff`); nil for a key that takes no part.
  func coefficient(of publicKey: PublicKey) -> Scalar? {
    guard publicKeys.contains(publicKey) else { return nil }
    // BIP 327 gives the second distinct key the coefficient 1.
    if let second = publicKeys.first(where: { $0 != publicKeys.first }), second == publicKey {
      var one = Bytes32()
      one[31] = 1
      return Scalar(reducing: one)
    }
    var list = Tag.keyAggList
    for key in publicKeys { list.update(key) }
    var state = Tag.keyAggCoefficient
    state.update(list.finish())
    state.update(publicKey)
    return Scalar(reducing: state.finish())
  }

  /// Whether gacc is −1: each x-only tweak of a key with odd y has negated it.
  var negatesKeys: Bool {
    // Aggregated before with the same keys, and each tweak applied before: neither can fail.
    guard var before = try? MuSigKeyAggregation(publicKeys) else { return false }
    var negated = false
    for tweak in tweaks {
      if tweak.kind == .xOnly && before.aggregateKey.yIsOdd { negated.toggle() }
      try? before.apply(tweak)
    }
    return negated
  }
}

extension SecretKey {
  /// BIP 327 §Deterministic and Stateless Signing for a Single Signer: one signer of a session, the last to make a
  /// nonce, can do without randomness and without keeping anything between the rounds.
  ///
  /// - Parameters:
  ///   - keys: the aggregated keys, with their tweaks.
  /// - aggregateOtherNonce: the sum of all *other* signers' public nonces, 66 bytes; whoever adds them up need not be
  /// trusted.
  ///   - message: of any length; 32 bytes where the others sign with libsecp256k1.
  ///   - auxRand: 32 random bytes, against side channels, where there are any.
  /// - Returns: this signer's public nonce and partial signature, to be sent together.
  /// - Throws: `.invalidContribution(.aggregateOtherNonce, signer: nil)`, `.unknownSigner`.
  public func signMuSigDeterministically(
    keys: MuSigKeyAggregation, aggregateOtherNonce: FixedBytes<66>, message: [UInt8], auxRand: Bytes32?
  ) throws(Secp256k1Error) -> (publicNonce: MuSigPublicNonce, signature: MuSigPartialSignature) {
    var state = Tag.muSigDeterministicNonce
    if let auxRand {
      state.update(Tag.muSigAux.masking(bytes, with: auxRand).bytes)
    } else {
      state.update(bytes)
    }
    state.update(aggregateOtherNonce)
    state.update(keys.xOnlyPublicKey)
    var writer = ByteWriter()
    writer.write(UInt64(message.count))
    writer.write(message)
    state.update(writer.bytes)
    let nonce = try BIP327.SecretNonce(continuing: &state, publicKey: publicKey)
    guard let publicNonce = try? MuSigPublicNonce(copying: nonce.publicNonce.bytes) else { throw .invalidNonce }
    // BIP 327: blame nonce aggregator for invalid aggothernonce.
    guard let others = try? MuSigPublicNonce(copying: aggregateOtherNonce.bytes) else {
      throw .invalidContribution(.aggregateOtherNonce, signer: nil)
    }
    let session = BIP327.Session(keys: keys, aggregateNonce: try .init([publicNonce, others]), message: message)
    return (publicNonce, try session.sign(with: self, nonce: nonce))
  }
}
