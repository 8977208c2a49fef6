import Bitcoin
import Encoding
import Secp256k1
import Testing

/// Everything that BIP 174, BIP 370, BIP 371 and BIP 373 print, without any file from outside.
@Suite struct PSBTBIPTests {
  @Test(arguments: PSBTBIPVectors.of(kind: "invalid"))
  func invalidOnesAreRefused(_ vector: PSBTBIPVectors.Case) {
    #expect(throws: PSBTError.self) { _ = try PSBT(decoding: vector.bytes) }
  }

  @Test(arguments: PSBTBIPVectors.all.filter { $0.kind != "invalid" })
  func validOnesAreReadAndWrittenBack(_ vector: PSBTBIPVectors.Case) throws {
    let psbt = try PSBT(decoding: vector.bytes)
    #expect(psbt.base64 == vector.base64)
    #expect(try PSBT(decoding: psbt.encoded) == psbt)
    #expect(try PSBT(base64: psbt.base64) == psbt)
  }

  @Test(arguments: PSBTBIPVectors.all.filter { $0.kind.hasPrefix("locktime") })
  func theLockTimeIsDetermined(_ vector: PSBTBIPVectors.Case) throws {
    let psbt = try PSBT(decoding: vector.bytes)
    let expected = try #require(vector.kind.split(separator: " ").last)
    if expected == "none" {
      #expect(throws: PSBTError.incompatibleLocktimes) { _ = try psbt.lockTime() }
    } else {
      #expect(try psbt.lockTime() == UInt32(expected))
      #expect(try psbt.converted(to: .v0).unsignedTransaction().lockTime == UInt32(expected))
    }
  }

  @Test(arguments: [
    ("witness utxo of a P2PKH input", 0, PSBTError.nonWitnessUTXORequired(input: 0)),
    ("redeem script of another P2SH", 0, .scriptMismatch(.input(0, .redeemScript))),
    ("redeem script of another nested P2WSH", 1, .scriptMismatch(.input(1, .redeemScript))),
    ("witness script of another nested P2WSH", 1, .scriptMismatch(.input(1, .witnessScript))),
  ])
  func theSignerRefusesInputsWhoseDataDoNotFit(_ name: String, _ refused: Int, _ expected: PSBTError) throws {
    let original = try PSBT(decoding: PSBTBIPVectors.named(174, name).bytes)
    var psbt = original
    for wif in Self.firstKeys + Self.secondKeys {
      let report = try psbt.sign(with: PrivateKeyWIF(wif).secretKey)
      #expect(report.refused.contains { $0.error == expected }, "\(report.refused)")
    }
    #expect(psbt.inputs[refused] == original.inputs[refused])
  }

  // BIP 174 §Test Vectors: the keys of both signers.
  static let firstKeys = [
    "cP53pDbR5WtAD8dYAW9hhTjuvvTVaEiQBdrz9XPrgLBeRFiyCbQr", "cR6SXDoyfQrcp4piaiHE97Rsgta9mNhGTen9XeonVgwsh4iSgw6d",
  ]
  static let secondKeys = [
    "cT7J9YpCwY3AVRFSjN6ukeEeWY6mhpbJPxRaDaP5QTdygQRxP9Au", "cNBc3SWUip9PPm1GjRoLEJT6T41iNzCYtD7qro84FMnM5zEqeJsE",
  ]

  @Test func creatorUpdaterSignersCombinerAndFinalizerMakeTheSameBytes() throws {
    func vector(_ name: String) throws -> PSBT { try PSBT(decoding: PSBTBIPVectors.named(174, name).bytes) }
    let updated = try vector("updated")

    var psbt = try PSBT(
      unsignedTransaction: Transaction(
        version: 2,
        inputs: [
          ("75ddabb27b8845f5247975c8a5ba7c6f336c4570708ebe230caf6db5217ae858", 0),
          ("1dea7cd05979072a3578cab271c02244ea8a090bbb46aa680a65ecd027048d83", 1),
        ].map { TxInput(previousOutput: OutPoint(txid: try TxID(display: $0), vout: $1)) },
        outputs: [
          TxOutput(
            value: Satoshi(149_990_000), scriptPubKey: try Script(hex: "0014d85c2b71d0060b09c9886aeb815e50991dda124d")),
          TxOutput(
            value: Satoshi(100_000_000), scriptPubKey: try Script(hex: "001400aea9a2e5f0f876a588df5546e8742d1d87008f")),
        ]))
    #expect(psbt.base64 == PSBTBIPVectors.named(174, "created").base64)

    for index in 0..<2 {
      psbt.inputs[index].redeemScript = updated.inputs[index].redeemScript
      psbt.inputs[index].witnessScript = updated.inputs[index].witnessScript
      psbt.inputs[index].bip32Derivations = updated.inputs[index].bip32Derivations
      psbt.outputs[index].bip32Derivations = updated.outputs[index].bip32Derivations
    }
    try psbt.addUTXO(try #require(updated.inputs[0].nonWitnessUTXO), toInput: 0)
    // The second of the transactions is not in the PSBT: the updater left it out, as it may for segwit.
    psbt.inputs[1].witnessUTXO = updated.inputs[1].witnessUTXO
    #expect(psbt.base64 == PSBTBIPVectors.named(174, "updated").base64)

    for index in 0..<2 { psbt.inputs[index].sighashType = .all }
    #expect(try psbt == vector("updated with sighash type"))
    #expect(try psbt.fee() == Satoshi(10_000))

    var first = psbt
    for wif in Self.firstKeys { #expect(try first.sign(with: PrivateKeyWIF(wif).secretKey).signatures == 1) }
    #expect(first.base64 == PSBTBIPVectors.named(174, "signed by the first").base64)
    var second = psbt
    // The second signer of the BIP does not look for a small r.
    var options = PSBT.SigningOptions()
    options.grindLowR = false
    for wif in Self.secondKeys {
      #expect(try second.sign(with: PrivateKeyWIF(wif).secretKey, options: options).signatures == 1)
    }
    #expect(second.base64 == PSBTBIPVectors.named(174, "signed by the second").base64)
    #expect(try first.finalize().unfinished.map(\.error) == [.unsatisfied(input: 0), .unsatisfied(input: 1)])

    var combined = try PSBT.combining([first, second])
    #expect(combined.base64 == PSBTBIPVectors.named(174, "combined").base64)
    #expect(try PSBT.combining([second, first]) == combined)

    #expect(!combined.isComplete)
    #expect(throws: PSBTError.incomplete(input: 0)) { _ = try combined.extractTransaction() }
    #expect(try combined.finalize().isComplete)
    #expect(combined.base64 == PSBTBIPVectors.named(174, "finalized").base64)
    try combined.verifyFinalScripts()
    // BIP 174 prints the transaction: this is what it hashes to.
    let transaction = try combined.extractTransaction()
    #expect(
      try transaction.txid == TxID(display: "c001dff12b319c432360072394690d2e9ef1a28a5d77e3f5346ecc46dff966cd"))
    #expect(
      try transaction.witnessTxID
        == WitnessTxID(display: "91736836f073cc890ce3d9fb1f5b78fbc9a3a2d0cd8150fca83af35cc469b39c"))
  }

  @Test func unknownRecordsAreCombinedInLexicographicOrder() throws {
    let a = try PSBT(decoding: PSBTBIPVectors.named(174, "unknown A").bytes)
    let b = try PSBT(decoding: PSBTBIPVectors.named(174, "unknown B").bytes)
    let expected = PSBTBIPVectors.named(174, "unknown A and B").base64
    #expect(try PSBT.combining([a, b]).base64 == expected)
    #expect(try PSBT.combining([b, a]).base64 == expected)
  }
}
