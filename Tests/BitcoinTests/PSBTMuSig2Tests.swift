import Bitcoin
import Encoding
import Secp256k1
import Testing

@Suite struct PSBTMuSig2Tests {
  // BIP 373 §Test Vectors: the participants of the aggregate key 030b58e3…07d4.
  static let keys = [
    "L2XJhGmS9rkNwzn1eFJVD5ydKpA5K5p54uk9qqWpURj85VkEPuNE", "L19kEzCkrce5E3v7CWKn9pTceVzFwwdorjNXfqtUc5nKLXz4qXSX",
    "KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU74sHUHy8S",
  ]
  static let spends = ["output key", "internal key", "leaf key", "derived internal key"]

  static func pair(_ index: Int) throws -> KeyPair { KeyPair(try PrivateKeyWIF(keys[index]).secretKey) }

  /// What signing with this nonce throws; nil when it signs.
  static func failure(
    _ psbt: inout PSBT, _ target: PSBT.MuSig2Target, _ signer: borrowing KeyPair, _ nonce: consuming MuSigSecretNonce
  ) -> PSBTError? {
    do {
      try psbt.addMuSig2PartialSignature(input: 0, target: target, signer: signer, nonce: nonce)
      return nil
    } catch {
      return error
    }
  }

  @Test(arguments: spends)
  func printedPartialSignaturesAddUpToThePrintedSignature(_ name: String) throws {
    let printed = try PSBT(decoding: PSBTBIPVectors.named(373, name + ": partial signatures").bytes)
    var psbt = printed
    psbt.inputs[0].tapKeySignature = nil
    psbt.inputs[0].tapScriptSignatures = PSBT.Records()
    #expect(try psbt.aggregateMuSig2Signatures(input: 0) == 1)
    // The BIP leaves the whole signature out of the first case.
    if name != "output key" { #expect(psbt == printed) }
    let report = try psbt.finalize()
    #expect(report.unfinished == [])
    try psbt.verifyFinalScripts()
    #expect(psbt.inputs[0].musig2PartialSignatures.isEmpty)
  }

  @Test(arguments: spends)
  func twoRoundsLeadFromTheParticipantsToAValidTransaction(_ name: String) throws {
    var psbt = try PSBT(decoding: PSBTBIPVectors.named(373, name + ": participants").bytes)
    let printed = try PSBT(decoding: PSBTBIPVectors.named(373, name + ": nonces").bytes)
    let targets = try psbt.musig2Targets(input: 0)
    let target = try #require(targets.first)
    #expect(targets.count == 1)
    // The key that the BIP files nonces under is the one that we find.
    let one = try Self.pair(0)
    let two = try Self.pair(1)
    let three = try Self.pair(2)
    #expect(Set(printed.inputs[0].musig2PublicNonces.keys) == Set(target.participants.map { target.key(of: $0) }))

    let firstNonce = try psbt.addMuSig2Nonce(input: 0, target: target, signer: one)
    // The others work on copies of their own, and a combiner puts them together.
    var copies = [psbt, psbt]
    let secondNonce = try copies[0].addMuSig2Nonce(input: 0, target: target, signer: two)
    let thirdNonce = try copies[1].addMuSig2Nonce(input: 0, target: target, signer: three)
    psbt = try PSBT.combining([psbt] + copies, conflicts: .refuse)
    #expect(psbt.inputs[0].musig2PublicNonces.count == 3)

    try psbt.addMuSig2PartialSignature(input: 0, target: target, signer: one, nonce: firstNonce)
    try psbt.addMuSig2PartialSignature(input: 0, target: target, signer: two, nonce: secondNonce)
    var unfinished = psbt
    #expect(try unfinished.finalize().unfinished.map(\.error) == [.unsatisfied(input: 0)])
    try psbt.addMuSig2PartialSignature(input: 0, target: target, signer: three, nonce: thirdNonce)
    psbt = try PSBT(base64: psbt.base64)
    #expect(try psbt.finalize().isComplete)
    try psbt.verifyFinalScripts()
  }

  @Test func whatDoesNotBelongToTheSessionIsRefused() throws {
    var psbt = try PSBT(decoding: PSBTBIPVectors.named(373, "internal key: participants").bytes)
    let target = try #require(try psbt.musig2Targets(input: 0).first)
    let one = try Self.pair(0)
    let stranger = KeyPair(SecretKey.random())
    #expect(throws: PSBTError.musig2WrongSession(input: 0)) {
      _ = try psbt.addMuSig2Nonce(input: 0, target: target, signer: stranger)
    }
    let nonce = try psbt.addMuSig2Nonce(input: 0, target: target, signer: one)
    #expect(throws: PSBTError.musig2WrongSession(input: 0)) {
      _ = try psbt.addMuSig2Nonce(input: 0, target: target, signer: one)
    }
    let alone = psbt
    #expect(Self.failure(&psbt, target, one, nonce) == .musig2NonceMissing(input: 0))
    #expect(psbt == alone)
    // A nonce that is not in the PSBT signs nothing.
    let other = MuSigSecretNonce(signer: one)
    #expect(Self.failure(&psbt, target, one, other) == .musig2WrongSession(input: 0))
    // Nor does one for a target of another PSBT.
    let leaf = try PSBT(decoding: PSBTBIPVectors.named(373, "leaf key: participants").bytes)
    let foreign = try #require(try leaf.musig2Targets(input: 0).first)
    #expect(throws: PSBTError.musig2WrongSession(input: 0)) {
      _ = try psbt.addMuSig2Nonce(input: 0, target: foreign, signer: one)
    }
  }

  @Test func aParticipantListOfAnotherKeyIsRefused() throws {
    var psbt = try PSBT(decoding: PSBTBIPVectors.named(373, "output key: participants").bytes)
    let (aggregate, participants) = psbt.inputs[0].musig2ParticipantPubkeys[0]
    psbt.inputs[0].musig2ParticipantPubkeys[aggregate] = participants.reversed()
    #expect(throws: PSBTError.musig2AggregateMismatch(input: 0)) { _ = try psbt.musig2Targets(input: 0) }
  }

  @Test func aForgedPartialSignatureIsNotAddedUp() throws {
    var psbt = try PSBT(decoding: PSBTBIPVectors.named(373, "output key: partial signatures").bytes)
    let (key, signature) = psbt.inputs[0].musig2PartialSignatures[1]
    var forged = signature
    forged[31] ^= 1
    psbt.inputs[0].musig2PartialSignatures[key] = forged
    #expect(throws: PSBTError.musig2InvalidPartialSignature(input: 0)) {
      try psbt.aggregateMuSig2Signatures(input: 0)
    }
    #expect(try psbt.finalize().unfinished.map(\.error) == [.musig2InvalidPartialSignature(input: 0)])
    // One at or above the group order is no number at all.
    psbt.inputs[0].musig2PartialSignatures[key] = try Bytes32([UInt8](repeating: 0xff, count: 32))
    #expect(throws: PSBTError.musig2InvalidPartialSignature(input: 0)) {
      try psbt.aggregateMuSig2Signatures(input: 0)
    }
  }
}
