import Bitcoin
import Encoding
import JSON
import Secp256k1
import Testing
import VectorSupport

/// BIP 341's wallet vectors: outputs made of keys and scripts, and a transaction of nine inputs signed with every hash type.
@Suite struct SighashTaprootTests {
  private static let path = "bips/bip-0341/wallet-test-vectors.json"

  @Test(.vectors(path))
  func `Outputs, signature hashes and signatures are those of BIP 341`() throws {
    let vectors = try Vectors.json(Self.path)
    var count = 0
    for vector in try vectors.required("scriptPubKey").array {
      try checkOutput(vector)
      count += 1
    }
    for vector in try vectors.required("keyPathSpending").array {
      count += try checkSpending(vector)
    }
    Vectors.report(Self.path, cases: count)
    #expect(count == 14)
  }

  private func tree(_ value: JSONValue) throws -> TapTree? {
    if value.isNull { return nil }
    if let branches = value.arrayValue {
      guard branches.count == 2, let left = try tree(branches[0]), let right = try tree(branches[1]) else {
        throw VectorError.unexpected("a tree of \(branches.count) branches")
      }
      return .branch(left, right)
    }
    return .leaf(
      TapLeaf(
        script: try Script(hex: value.required("script").string),
        version: UInt8(try value.required("leafVersion").integer)))
  }

  private func checkOutput(_ vector: JSONValue) throws {
    let given = try vector.required("given")
    let intermediary = try vector.required("intermediary")
    let expected = try vector.required("expected")
    let output = try TaprootOutput(
      internalKey: XOnlyPublicKey(hex: given.required("internalPubkey").string),
      tree: tree(given.required("scriptTree")))
    #expect(output.merkleRoot?.hex == intermediary["merkleRoot"]?.stringValue)
    #expect(output.tweak.hex == intermediary["tweak"]?.stringValue)
    #expect(output.outputKey.hex == intermediary["tweakedPubkey"]?.stringValue)
    #expect(output.scriptPubKey.hex == expected["scriptPubKey"]?.stringValue)
    guard output.merkleRoot != nil else { return }
    #expect(
      try output.paths.map(\.leaf.hash.hex) == intermediary.required("leafHashes").array.map { try $0.string })
    #expect(
      try output.paths.map { Hex.encode(output.controlBlock(for: $0).encoded) }
        == expected.required("scriptPathControlBlocks").array.map { try $0.string })
  }

  private func checkSpending(_ vector: JSONValue) throws -> Int {
    let given = try vector.required("given")
    let transaction = try Transaction(decoding: Hex.decode(given.required("rawUnsignedTx").string))
    let spent = try given.required("utxosSpent").array.map { output in
      TxOutput(
        value: Satoshi(UInt64(try output.required("amountSats").integer)),
        scriptPubKey: try Script(hex: output.required("scriptPubKey").string))
    }
    let parts = SighashParts(transaction, spentOutputs: spent)
    let signed = try Transaction(
      decoding: Hex.decode(vector.required("auxiliary").required("fullySignedTx").string))
    let inputs = try vector.required("inputSpending").array
    for input in inputs {
      let given = try input.required("given")
      let index = Int(try given.required("txinIndex").integer)
      let type = SighashType(rawValue: UInt32(try given.required("hashType").integer))
      let sighash = try transaction.taprootSighash(input: index, spentOutputs: spent, type: type, parts: parts)
      #expect(try sighash.hex == input.required("intermediary").required("sigHash").string, "input \(index)")

      // The vectors are signed without auxiliary randomness.
      let root = try given["merkleRoot"]?.stringValue.map { try Bytes32(hex: $0) }
      let keyPair = try KeyPair(SecretKey(Bytes32(hex: given.required("internalPrivkey").string)))
        .taprootTweaked(merkleRoot: root)
      var signature = keyPair.signSchnorr(sighash.raw, auxRand: Bytes32()).array
      if type != .default { signature.append(UInt8(type.rawValue)) }
      #expect(try Hex.encode(signature) == input.required("expected").required("witness").array[0].string)
      #expect(signed.inputs[index].witness.elements == [signature])
    }
    try TransactionVerifier.verifyScripts(of: signed, spending: spent, flags: .standard)
    return inputs.count
  }
}

/// The same transaction for a checkout without the vector folder: BIP 341's `keyPathSpending`, its hashes by input.
@Suite struct SighashTaprootCompactTests {
  private static let unsigned = """
    02000000097de20cbff686da83a54981d2b9bab3586f4ca7e48f57f5b55963115f3b334e9c010000000000000000d7b7cab57b1393ac\
    e2d064f4d4a2cb8af6def61273e127517d44759b6dafdd990000000000fffffffff8e1f583384333689228c5d28eac13366be082dc57\
    441760d957275419a418420000000000fffffffff0689180aa63b30cb162a73c6d2a38b7eeda2a83ece74310fda0843ad604853b0100\
    000000feffffffaa5202bdf6d8ccd2ee0f0202afbbb7461d9264a25e5bfd3c5a52ee1239e0ba6c0000000000feffffff956149bdc66f\
    aa968eb2be2d2faa29718acbfe3941215893a2a3446d32acd050000000000000000000e664b9773b88c09c32cb70a2a3e4da0ced63b7\
    ba3b22f848531bbb1d5d5f4c94010000000000000000e9aa6b8e6c9de67619e6a3924ae25696bb7b694bb677a632a74ef7eadfd4eabf\
    0000000000ffffffffa778eb6a263dc090464cd125c466b5a99667720b1c110468831d058aa1b82af10100000000ffffffff0200ca9a\
    3b000000001976a91406afd46bcdfd22ef94ac122aa11f241244a37ecc88ac807840cb0000000020ac9a87f5594be208f8532db38cff\
    670c450ed2fea8fcdefcc9a663f78bab962b0065cd1d
    """

  private static let spent: [(script: String, amount: UInt64)] = [
    ("512053a1f6e454df1aa2776a2814a721372d6258050de330b3c6d10ee8f4e0dda343", 420_000_000),
    ("5120147c9c57132f6e7ecddba9800bb0c4449251c92a1e60371ee77557b6620f3ea3", 462_000_000),
    ("76a914751e76e8199196d454941c45d1b3a323f1433bd688ac", 294_000_000),
    ("5120e4d810fd50586274face62b8a807eb9719cef49c04177cc6b76a9a4251d5450e", 504_000_000),
    ("512091b64d5324723a985170e4dc5a0f84c041804f2cd12660fa5dec09fc21783605", 630_000_000),
    ("00147dd65592d0ab2fe0d0257d571abf032cd9db93dc", 378_000_000),
    ("512075169f4001aa68f15bbed28b218df1d0a62cbbcf1188c6665110c293c907b831", 672_000_000),
    ("5120712447206d7a5238acc7ff53fbe94a3b64539ad291c7cdbc490b7577e4b17df5", 546_000_000),
    ("512077e30a5522dd9f894c3f8b8bd4c4b2cf82ca7da8a3ea6a239655c39c050ab220", 588_000_000),
  ]

  private static let hashes: [(input: Int, type: UInt32, hash: String)] = [
    (0, 0x03, "2514a6272f85cfa0f45eb907fcb0d121b808ed37c6ea160a5a9046ed5526d555"),
    (1, 0x83, "325a644af47e8a5a2591cda0ab0723978537318f10e6a63d4eed783b96a71a4d"),
    (3, 0x01, "bf013ea93474aa67815b1b6cc441d23b64fa310911d991e713cd34c7f5d46669"),
    (4, 0x00, "4f900a0bae3f1446fd48490c2958b5a023228f01661cda3496a11da502a7f7ef"),
    (6, 0x02, "15f25c298eb5cdc7eb1d638dd2d45c97c4c59dcaec6679cfc16ad84f30876b85"),
    (7, 0x82, "cd292de50313804dabe4685e83f923d2969577191a3e1d2882220dca88cbeb10"),
    (8, 0x81, "cccb739eca6c13a8a89e6e5cd317ffe55669bbda23f2fd37b0f18755e008edd2"),
  ]

  private func transaction() throws -> (Transaction, [TxOutput]) {
    (
      try Transaction(decoding: Hex.decode(Self.unsigned)),
      try Self.spent.map { TxOutput(value: Satoshi($0.amount), scriptPubKey: try Script(hex: $0.script)) }
    )
  }

  @Test func `Every hash type of a key path signs what BIP 341 says`() throws {
    let (transaction, spent) = try transaction()
    let parts = SighashParts(transaction, spentOutputs: spent)
    for expected in Self.hashes {
      let sighash = try transaction.taprootSighash(
        input: expected.input, spentOutputs: spent, type: SighashType(rawValue: expected.type), parts: parts)
      #expect(sighash.hex == expected.hash, "input \(expected.input)")
    }
  }

  @Test func `What cannot be signed is refused with its reason`() throws {
    let (transaction, spent) = try transaction()
    let parts = SighashParts(transaction, spentOutputs: spent)
    #expect(throws: SighashError.noSuchInput(9)) {
      try transaction.taprootSighash(input: 9, spentOutputs: spent, type: .all, parts: parts)
    }
    #expect(throws: SighashError.noSuchInput(-1)) {
      try transaction.legacySighash(input: -1, scriptCode: Script(), type: .all)
    }
    #expect(throws: SighashError.noSuchInput(9)) {
      try transaction.segwitV0Sighash(input: 9, scriptCode: Script(), amount: .zero, type: .all, parts: parts)
    }
    // Two outputs: SINGLE has no match from the third input on.
    #expect(throws: SighashError.noMatchingOutput) {
      try transaction.taprootSighash(input: 2, spentOutputs: spent, type: .single, parts: parts)
    }
    for type: UInt32 in [4, 0x80, 0x84, 0x101] {
      #expect(throws: SighashError.invalidType(type)) {
        try transaction.taprootSighash(
          input: 0, spentOutputs: spent, type: SighashType(rawValue: type), parts: parts)
      }
    }
    #expect(throws: SighashError.prevoutsMissing) {
      try transaction.taprootSighash(
        input: 0, spentOutputs: spent, type: .all, parts: SighashParts(transaction))
    }
    #expect(throws: SighashError.prevoutsMissing) {
      try transaction.taprootSighash(input: 0, spentOutputs: [], type: .all, parts: parts)
    }
  }
}

@Suite struct SighashLegacyTests {
  /// The first rows of Bitcoin Core's sighash.json (MIT) that cover a plain hash, a negative type and SINGLE out of range are too
  /// long to be repeated here; what they pin down is shown on a transaction of our own.
  private static let transaction = Transaction(
    version: 1,
    inputs: [
      TxInput(previousOutput: OutPoint(txid: TxID(Bytes32()), vout: 0), sequence: 1),
      TxInput(previousOutput: OutPoint(txid: TxID(Bytes32()), vout: 1), sequence: 2),
    ],
    outputs: [TxOutput(value: Satoshi(5), scriptPubKey: Script([0x51]))])

  private func sighash(_ index: Int, _ code: [UInt8], _ type: UInt32) throws -> String {
    try Self.transaction.legacySighash(
      input: index, scriptCode: Script(code), type: SighashType(rawValue: type)
    ).hex
  }

  @Test func `SINGLE without a matching output signs the number one`() throws {
    let one = "01" + String(repeating: "0", count: 62)
    #expect(try sighash(1, [0x51], 3) == one)
    #expect(try sighash(1, [0x51], 0x83) == one)
    // Only the low five bits count.
    #expect(try sighash(1, [0x51], 0xffff_ff43) == one)
    #expect(try sighash(0, [0x51], 3) != one)
    #expect(try sighash(1, [0x51], 4) != one)
  }

  @Test func `OP_CODESEPARATOR is left out where it is an operation, and kept where it is data`() throws {
    #expect(try sighash(0, [0xab, 0x51, 0xab, 0xab, 0x52, 0xab], 1) == sighash(0, [0x51, 0x52], 1))
    #expect(try sighash(0, [0x02, 0xab, 0xab, 0x51], 1) != sighash(0, [0x51], 1))
    #expect(try sighash(0, [0x02, 0xab, 0xab, 0xab], 1) == sighash(0, [0x02, 0xab, 0xab], 1))
  }

  @Test func `All 32 bits of the hash type are hashed`() throws {
    #expect(try sighash(0, [0x51], 1) != sighash(0, [0x51], 0x101))
    #expect(try sighash(0, [0x51], 1) != sighash(0, [0x51], 0xffff_ff01))
  }
}
