import Base
import Bitcoin
import Encoding
import GLC
import Hashing
import Secp256k1
import Signer
import Testing

/// Source of all figures: lightning/bolts, 03-transactions.md (CC-BY-4.0).
@Suite("BOLT 3, appendices B and E") struct BOLT3AppendixTests {
  /// Appendix B: a funding transaction that spends a P2PKH output, with RFC 6979 signatures.
  @Test func theFundingTransactionIsBuiltByteForByte() throws {
    let key = try SecretKey(Bytes32(hex: "6bd078650fcee8444e4e09825227b801a1ca928debb750eb36e6d56124bb20e8"))
    let spent = TxOutput(value: Satoshi(5_000_000_000), scriptPubKey: .p2pkh(key.publicKey))
    #expect(Hex.encode(spent.scriptPubKey.bytes) == "76a9143ca33c2e4446f4a305f23c80df8ad1afdcf652f988ac")

    let local = try PublicKey(hex: "023da092f6980e58d2c037173180e9a465476026ee50f96695963e8efe436f54eb")
    let remote = try PublicKey(hex: "030e9f7b623d2ccc7c9bd44d66d5ce21ce504c0acf6385a132cec6d3c39fa711c1")
    let scheme = WitnessScriptFunding()
    for (holder, counterparty) in [(local, remote), (remote, local)] {
      let keys = try CommitmentKeys(
        holder: Basepoints([.funding: holder]), counterparty: Basepoints([.funding: counterparty]),
        perCommitmentPoint: local, resolving: scheme.keys)
      let lock = try scheme.lock(keys)
      guard case .witnessScript(let script) = lock.reveal else { throw SignerRefusal("not a witness script") }
      #expect(
        Hex.encode(script.bytes)
          == "5221023da092f6980e58d2c037173180e9a465476026ee50f96695963e8efe436f54eb21030e9f7b623d2ccc7c9bd44d66d5ce21ce504c0acf6385a132cec6d3c39fa711c152ae"
      )
      // Feerate 15000, and the weight of the signed transaction: 928.
      let fee = try #require(FeeRate(satPerKiloWeight: 15_000).fee(for: Weight(928)))
      let funding = Satoshi(10_000_000)
      let change = try #require(spent.value.subtracting(funding)?.subtracting(fee))
      #expect(change == Satoshi(4_989_986_080))
      var transaction = Transaction(
        inputs: [
          TxInput(
            previousOutput: OutPoint(
              txid: try TxID(display: "fd2105607605d2302994ffea703b09f66b6351816ee737a93e42a841ea20bbad"), vout: 0),
            sequence: 0xffff_ffff)
        ],
        outputs: [
          TxOutput(value: funding, scriptPubKey: lock.scriptPubKey),
          TxOutput(value: change, scriptPubKey: .p2wpkh(key.publicKey)),
        ])
      let hash = try transaction.legacySighash(input: 0, scriptCode: spent.scriptPubKey, type: .all)
      transaction.inputs[0].scriptSig = Script {
        $0.append(push: key.signECDSA(hash.raw, grindLowR: false).der + [1])
        $0.append(push: key.publicKey)
      }
      #expect(transaction.weight == Weight(928))
      #expect(
        Hex.encode(transaction.encoded)
          == "0200000001adbb20ea41a8423ea937e76e8151636bf6093b70eaff942930d20576600521fd000000006b48304502210090587b6201e166ad6af0227d3036a9454223d49a1f11839c1a362184340ef0240220577f7cd5cca78719405cbf1de7414ac027f0239ef6e214c90fcaab0454d84b3b012103535b32d5eb0a6ed0982a0479bbadc9868d9836f6ba94dd5a63be16d875069184ffffffff028096980000000000220020c015c4a6be010e21657068fc2e6a9d02b27ebe4d490a25846f7237f104d1a3cd20256d29010000001600143ca33c2e4446f4a305f23c80df8ad1afdcf652f900000000"
      )
      #expect(transaction.txid.description == "8984484a580b825b9972d7adb15050b3ab624ccd731946b3eeddb92f4e7ef6be")
      try ScriptVerifier.verify(input: 0, of: transaction, spending: [spent], flags: .standard)
    }
  }

  // MARK: Appendix E

  private static let baseSecret = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
  private static let perCommitmentSecret = "1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100"
  private static let basePoint = "036d6caac248af96f6afa7f904f550253a0f3ef3f5aa2fe6838a95b216691468e2"
  private static let perCommitmentPoint = "025f7117a78150fe2ef97db7cfc83bd57b2e2c0d0dd25eaf467a4a1c2a45ce1486"

  @Test func publicKeysAreDerivedAsInAppendixE() throws {
    let (base, point) = (try PublicKey(hex: Self.basePoint), try PublicKey(hex: Self.perCommitmentPoint))
    #expect(try SecretKey(Bytes32(hex: Self.baseSecret)).publicKey == base)
    #expect(try SecretKey(Bytes32(hex: Self.perCommitmentSecret)).publicKey == point)
    #expect(
      keyTweak(base, perCommitmentPoint: point).hex
        == "cbcdd70fcfad15ea8e9e5c5a12365cf00912504f08ce01593689dd426bca9ff0")
    #expect(
      try derivedKey(base, perCommitmentPoint: point).hex
        == "0235f2dbfaa89b57ec7b055afe29849ef7ddfeb1cefdb9ebdc43f5494984db29e5")
    #expect(
      try revocationKey(base, perCommitmentPoint: point).hex
        == "02916e326636d19c33f13e8c0c3a03dd157f332f3e99c317c141dd865eb01f8ff0")
  }

  /// The signer's secrets are those of the keys that everybody else derives.
  @Test func secretKeysAreDerivedAsInAppendixE() throws {
    let point = try PublicKey(hex: Self.perCommitmentPoint)
    let basepoints: [Basepoint] = [.payment, .revocation]
    let secrets = try BasepointSecrets(basepoints) { _ in try SecretKey(Bytes32(hex: Self.baseSecret)) }
    let own = try secrets.secret(
      KeyRef(KeyRole(.payment, .perCommitment), .holder), side: .holder, perCommitmentPoint: point)
    #expect(
      try Bytes32(copying: own.bytes).hex == "cbced912d3b21bf196a766651e436aff192362621ce317704ea2f75d87e7be0f")
    let revocation = try secrets.secret(
      KeyRef(.revocation, .counterparty), side: .counterparty, perCommitmentPoint: point,
      perCommitmentSecret: try SecretKey(Bytes32(hex: Self.perCommitmentSecret)))
    #expect(
      try Bytes32(copying: revocation.bytes).hex
        == "d09ffff62ddb2297ab000cc85bcb4283fdeb6aa052affbc9dddcf33b61078110")
    #expect(
      revocation.publicKey.hex == "02916e326636d19c33f13e8c0c3a03dd157f332f3e99c317c141dd865eb01f8ff0")
  }
}
