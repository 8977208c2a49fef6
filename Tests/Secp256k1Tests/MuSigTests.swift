import Encoding
import Secp256k1
import Testing

@Suite struct MuSigTests {
  /// A group of signers: noncopyable values cannot be in arrays, so their keys are kept as bytes.
  struct Group {
    var secrets: [Bytes32]
    var keys: MuSigKeyAggregation

    init(size: Int, _ random: inout SeededGenerator) throws {
      secrets = try (0..<size).map { _ in try Bytes32(copying: random.secretKey().bytes) }
      keys = try MuSigKeyAggregation(secrets.map { try SecretKey($0).publicKey })
    }

    func signer(_ index: Int) throws -> KeyPair { KeyPair(try SecretKey(secrets[index])) }
  }

  static let mixedTweaks: [[MuSigTweak.Kind]] = [[], [.plain], [.xOnly], [.plain, .xOnly], [.xOnly, .plain, .xOnly]]

  @Test("a group of any size signs for its aggregate key, whatever tweaks it carries")
  func signing() throws {
    for seed in 0..<40 { try sign(seed: seed) }
  }

  private func sign(seed: Int) throws {
    var random = SeededGenerator(state: UInt64(seed))
    var group = try Group(size: 1 + seed % 4, &random)
    for kind in Self.mixedTweaks[seed % Self.mixedTweaks.count] {
      try group.keys.apply(MuSigTweak(random.bytes32(), kind))
    }
    let message = random.bytes32()
    let secrets = group.secrets.map { _ in random.bytes32() }
    // Twice from the same secret: a nonce cannot be copied.
    func nonce(_ index: Int) throws -> MuSigSecretNonce {
      try MuSigSecretNonce(
        sessionSecret: secrets[index].bytes, signer: group.signer(index), message: message, keys: group.keys)
    }
    let publicNonces = try secrets.indices.map { try nonce($0).publicNonce }
    let aggregateNonce = try MuSigAggregateNonce(publicNonces)
    let session = MuSigSession(keys: group.keys, aggregateNonce: aggregateNonce, message: message)
    let plain = BIP327.Session(keys: group.keys, aggregateNonce: aggregateNonce, message: message.array)

    var signatures: [MuSigPartialSignature] = []
    for index in secrets.indices {
      let signature = try session.sign(with: group.signer(index), nonce: nonce(index))
      let key = group.keys.publicKeys[index]
      #expect(session.isValid(signature, of: key, nonce: publicNonces[index]), "seed \(seed)")
      // The library against the equations of the BIP: nonces, signatures and verification.
      let secretKey = try SecretKey(group.secrets[index])
      let own = try BIP327.nonce(
        randomness: secrets[index], secretKey: secretKey.bytes.array, publicKey: key,
        aggregateKey: group.keys.xOnlyPublicKey.x, message: message.array, extraInput: nil)
      #expect(own.publicNonce == publicNonces[index].raw)
      #expect(plain.isValid(signature, of: key, nonce: publicNonces[index].raw))
      #expect(try plain.sign(with: secretKey, nonce: own) == signature)
      // Anything changed is not valid.
      var changed = signature.raw
      changed[31] ^= 1
      let other = try MuSigPartialSignature(copying: changed.bytes)
      #expect(!session.isValid(other, of: key, nonce: publicNonces[index]))
      #expect(!plain.isValid(other, of: key, nonce: publicNonces[index].raw))
      signatures.append(signature)
    }
    let signature = try session.aggregate(signatures.reversed())
    #expect(group.keys.xOnlyPublicKey.isValidSchnorr(signature, for: message), "seed \(seed)")
    #expect(group.keys.aggregateKey.xOnly.key == group.keys.xOnlyPublicKey)
  }

  @Test("tweaks give the keys that BIP 32 and BIP 341 arithmetic gives")
  func tweaks() throws {
    var random = SeededGenerator(state: 7)
    let keys = try Group(size: 2, &random).keys
    let tweak = random.bytes32()
    #expect(try keys.tweaked(by: tweak, .plain).aggregateKey == keys.aggregateKey.adding(tweak))
    #expect(try keys.tweaked(by: tweak, .xOnly).xOnlyPublicKey == keys.xOnlyPublicKey.tweaked(by: tweak).key)
  }

  @Test("a MuSig2 pre-signature is completed by the secret of its point, which the signature then reveals")
  func adaptor() throws {
    var random = SeededGenerator(state: 1)
    var parities: Set<Bool> = []
    for round in 0..<48 {
      var group = try Group(size: 2, &random)
      for kind in Self.mixedTweaks[round % Self.mixedTweaks.count] {
        try group.keys.apply(MuSigTweak(random.bytes32(), kind))
      }
      let secret = random.secretKey()
      let point = secret.publicKey
      let message = random.bytes32()
      let alice = try group.signer(0)
      let bob = try group.signer(1)
      let first = MuSigSecretNonce(signer: alice, message: message, keys: group.keys)
      let second = MuSigSecretNonce(signer: bob)
      let nonces = [first.publicNonce, second.publicNonce]
      let session = MuSigAdaptorSession(
        keys: group.keys, aggregateNonce: try MuSigAggregateNonce(nonces), point: point, message: message)

      let signatures = [try session.sign(with: alice, nonce: first), try session.sign(with: bob, nonce: second)]
      for index in 0..<2 {
        #expect(session.isValid(signatures[index], of: group.keys.publicKeys[index], nonce: nonces[index]))
        #expect(!session.isValid(signatures[index], of: group.keys.publicKeys[1 - index], nonce: nonces[index]))
      }
      let preSignature = try session.aggregate(signatures)
      let key = group.keys.xOnlyPublicKey
      #expect(key.isValidSchnorrAdaptor(preSignature, for: message, point: point))
      #expect(!key.isValidSchnorrAdaptor(preSignature, for: message, point: point.negated()))
      #expect(!key.isValidSchnorrAdaptor(preSignature, for: message, point: alice.publicKey))

      let signature = preSignature.adapted(with: secret)
      #expect(key.isValidSchnorr(signature, for: message))
      let extracted = try preSignature.secret(from: signature, point: point)
      #expect(extracted.bytes.array == secret.bytes.array)
      // The wrong secret completes nothing, and reveals nothing.
      let wrong = preSignature.adapted(with: random.secretKey())
      #expect(!key.isValidSchnorr(wrong, for: message))
      #expect(throws: Secp256k1Error.wrongAdaptorSecret) { _ = try preSignature.secret(from: wrong, point: point) }
      parities.insert(preSignature.noncePoint.yIsOdd)
    }
    #expect(parities == [false, true])
  }

  @Test("the points of an aggregate nonce may cancel out")
  func infinity() throws {
    var random = SeededGenerator(state: 3)
    let group = try Group(size: 2, &random)
    let message = random.bytes32()
    let nonce = MuSigSecretNonce(signer: try group.signer(0), message: message)
    // The other signer answers with the negated nonce.
    var negated = nonce.publicNonce.raw
    negated[0] ^= 1
    negated[33] ^= 1
    let sum = try MuSigAggregateNonce(encoded: [nonce.publicNonce.raw, negated])
    #expect(sum.raw == FixedBytes<66>())
    let session = MuSigSession(keys: group.keys, aggregateNonce: sum, message: message)
    let publicNonce = nonce.publicNonce
    let signature = try session.sign(with: group.signer(0), nonce: nonce)
    #expect(session.isValid(signature, of: group.keys.publicKeys[0], nonce: publicNonce))
    let plain = BIP327.Session(keys: group.keys, aggregateNonce: sum, message: message.array)
    #expect(plain.isValid(signature, of: group.keys.publicKeys[0], nonce: publicNonce.raw))
  }

  @Test("what does not belong to a session is refused with a typed error, and nothing aborts")
  func misuse() throws {
    var random = SeededGenerator(state: 4)
    let group = try Group(size: 2, &random)
    let message = random.bytes32()
    let alice = try group.signer(0)
    let stranger = KeyPair(random.secretKey())
    let nonces = try MuSigAggregateNonce([
      MuSigSecretNonce(signer: alice).publicNonce, MuSigSecretNonce(signer: try group.signer(1)).publicNonce,
    ])
    let session = MuSigSession(keys: group.keys, aggregateNonce: nonces, message: message)
    #expect(throws: Secp256k1Error.nonceOfAnotherKey) {
      try session.sign(with: alice, nonce: MuSigSecretNonce(signer: stranger))
    }
    #expect(throws: Secp256k1Error.unknownSigner) {
      try session.sign(with: stranger, nonce: MuSigSecretNonce(signer: stranger))
    }
    let nonce = MuSigSecretNonce(signer: alice)
    let publicNonce = nonce.publicNonce
    let signature = try session.sign(with: alice, nonce: nonce)
    #expect(!session.isValid(signature, of: stranger.publicKey, nonce: publicNonce))
    #expect(throws: Secp256k1Error.invalidPartialSignature) { try session.aggregate([signature]) }
    #expect(throws: Secp256k1Error.invalidPartialSignature) { try session.aggregate([]) }
    #expect(throws: Secp256k1Error.pointAtInfinity) { try MuSigAggregateNonce([]) }
    #expect(throws: Secp256k1Error.pointAtInfinity) { try MuSigKeyAggregation([]) }
    for secret in [[], [UInt8](repeating: 0, count: 32), [UInt8](repeating: 1, count: 33)] {
      #expect(throws: Secp256k1Error.invalidNonce) {
        _ = try MuSigSecretNonce(sessionSecret: secret.bytes, signer: alice)
      }
    }
    let zeros = [UInt8](repeating: 0, count: 97)
    #expect(throws: Secp256k1Error.invalidNonce) { _ = try BIP327.SecretNonce(zeros) }
    #expect(throws: DecodingError.self) { try MuSigPublicNonce(copying: [UInt8](repeating: 0, count: 66).bytes) }
    #expect(throws: DecodingError.wrongLength(expected: 66, actual: 65)) {
      try MuSigPublicNonce(copying: [UInt8](repeating: 2, count: 65).bytes)
    }
    #expect(throws: DecodingError.self) { try MuSigAggregateNonce(copying: [UInt8](repeating: 1, count: 66).bytes) }
    #expect(throws: DecodingError.self) { try MuSigPartialSignature(copying: [UInt8](repeating: 255, count: 32).bytes) }
    // A refused tweak leaves the keys as they were.
    var keys = group.keys
    #expect(throws: Secp256k1Error.invalidTweak) {
      try keys.apply(MuSigTweak(try Bytes32([UInt8](repeating: 255, count: 32)), .plain))
    }
    #expect(keys == group.keys)
    #expect(keys.aggregateKey == group.keys.aggregateKey)
  }

  @Test("a deterministic signer and libsecp256k1 make a signature together")
  func deterministic() throws {
    var random = SeededGenerator(state: 5)
    let group = try Group(size: 2, &random)
    let message = random.bytes32()
    let bob = try group.signer(1)
    let nonce = MuSigSecretNonce(signer: bob, message: message, keys: group.keys)
    for auxRand in [nil, random.bytes32()] {
      let secretKey = try SecretKey(group.secrets[0])
      let made = try secretKey.signMuSigDeterministically(
        keys: group.keys, aggregateOtherNonce: nonce.publicNonce.raw, message: message.array, auxRand: auxRand)
      let session = MuSigSession(
        keys: group.keys, aggregateNonce: try MuSigAggregateNonce([made.publicNonce, nonce.publicNonce]),
        message: message)
      #expect(session.isValid(made.signature, of: group.keys.publicKeys[0], nonce: made.publicNonce))
    }
  }
}
