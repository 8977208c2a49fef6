import Bitcoin
import Encoding
import Hashing
import Secp256k1
import Testing

/// Creator, Constructor, conversion between versions, Combiner.
@Suite struct PSBTConstructorTests {
  static func input(_ number: UInt8, time: UInt32? = nil, height: UInt32? = nil) -> PSBT.Input {
    var input = PSBT.Input(previousOutput: OutPoint(txid: TxID(sha256([number])), vout: 0))
    input.requiredTimeLocktime = time
    input.requiredHeightLocktime = height
    return input
  }

  static let output = PSBT.Output(amount: Satoshi(1_000), script: .p2wpkh(Bytes20()))

  /// A signature that nobody checks here.
  static func signature(_ type: SighashType) throws -> (PSBT.ScriptKey, PSBT.PartialSignature) {
    let key = SecretKey.random()
    return (
      PSBT.ScriptKey(key.publicKey), PSBT.PartialSignature(key.signECDSA(sha256([1])), sighashType: type)
    )
  }

  @Test func theCreatorObeysTheVersions() throws {
    #expect(throws: PSBTError.transactionVersionTooLow(1)) { _ = try PSBT(transactionVersion: 1) }
    #expect(try PSBT(transactionVersion: 1, txModifiable: nil).inputs.isEmpty)
    let empty = try PSBT()
    #expect(
      Hex.encode(empty.encoded) == "70736274ff01020402000000010304000000000104010001050100010601030" + "1fb040200000000"
    )
    var signed = Transaction(inputs: [TxInput(previousOutput: .null)], outputs: [])
    signed.inputs[0].witness = [[1]]
    #expect(throws: PSBTError.unsignedTransactionIsSigned(input: 0)) { _ = try PSBT(unsignedTransaction: signed) }
  }

  @Test func flagsDecideWhatCanBeAdded() throws {
    var psbt = try PSBT(txModifiable: [.inputs])
    try psbt.addInput(Self.input(1))
    #expect(throws: PSBTError.outputsNotModifiable) { try psbt.addOutput(Self.output) }
    #expect(throws: PSBTError.duplicateInput(Self.input(1).previousOutput)) { try psbt.addInput(Self.input(1)) }
    #expect(throws: PSBTError.noSuchInput(3)) { try psbt.addInput(Self.input(2), at: 3) }
    psbt.finishConstruction()
    #expect(psbt.txModifiable == [])
    #expect(throws: PSBTError.inputsNotModifiable) { try psbt.addInput(Self.input(2)) }
    #expect(throws: PSBTError.inputsNotModifiable) { try psbt.removeInput(at: 0) }
    var old = try psbt.converted(to: .v0)
    #expect(throws: PSBTError.notVersion2) { try old.addInput(Self.input(2)) }
    #expect(throws: PSBTError.notVersion2) { try old.setSequence(1, ofInput: 0) }
    var closed = try PSBT(txModifiable: nil)
    #expect(throws: PSBTError.inputsNotModifiable) { try closed.addInput(Self.input(1)) }
  }

  @Test func lockTimesHaveToSuitAllInputs() throws {
    var psbt = try PSBT(fallbackLocktime: 7)
    try psbt.addInput(Self.input(1))
    #expect(try psbt.lockTime() == 7)
    try psbt.addInput(Self.input(2, height: 100))
    #expect(try psbt.lockTime() == 100)
    let before = psbt
    #expect(throws: PSBTError.incompatibleLocktimes) { try psbt.addInput(Self.input(3, time: 600_000_000)) }
    #expect(psbt == before)
    try psbt.addInput(Self.input(3, time: 600_000_000, height: 50))
    #expect(try psbt.lockTime() == 100)
    // Once somebody signed, the lock time stays.
    let (key, signature) = try Self.signature(.allAnyoneCanPay)
    psbt.inputs[0].partialSignatures[key] = signature
    #expect(throws: PSBTError.locktimeIsSigned) { try psbt.addInput(Self.input(4, height: 101)) }
    #expect(throws: PSBTError.locktimeIsSigned) { try psbt.removeInput(at: 1) }
    try psbt.addInput(Self.input(4, height: 99))
    #expect(psbt.inputs.count == 4)
  }

  @Test func pairsThatSighashSingleCoversStayTogether() throws {
    var psbt = try PSBT()
    for number in 0..<3 {
      try psbt.addInput(Self.input(UInt8(number)))
      try psbt.addOutput(Self.output)
    }
    let (key, signature) = try Self.signature(.singleAnyoneCanPay)
    psbt.inputs[1].partialSignatures[key] = signature
    psbt.txModifiable = [.inputs, .outputs, .hasSighashSingle]
    for index in 0...1 {
      #expect(throws: PSBTError.breaksSighashSingle(input: 1)) { try psbt.addInput(Self.input(9), at: index) }
      #expect(throws: PSBTError.breaksSighashSingle(input: 1)) { try psbt.addOutput(Self.output, at: index) }
    }
    #expect(throws: PSBTError.breaksSighashSingle(input: 1)) { try psbt.removeInput(at: 0) }
    #expect(throws: PSBTError.breaksSighashSingle(input: 1)) { try psbt.removeOutput(at: 1) }
    try psbt.addPair(Self.input(9), Self.output, at: 0)
    #expect(psbt.inputs[2].partialSignatures.count == 1 && psbt.outputs.count == 4)
    try psbt.addInput(Self.input(10))
    try psbt.addOutput(Self.output)
    try psbt.removeOutput(at: 4)
    #expect(psbt.inputs.count == 5)
    // An input that was signed with SIGHASH_SINGLE and has no output must not get one.
    psbt.inputs[4].partialSignatures[key] = signature
    #expect(throws: PSBTError.breaksSighashSingle(input: 4)) { try psbt.addOutput(Self.output) }
  }

  @Test func versionsAreConvertedBothWays() throws {
    for vector in PSBTBIPVectors.all where vector.kind == "valid" {
      let psbt = try PSBT(decoding: vector.bytes)
      let other = try psbt.converted(to: psbt.version == .v0 ? .v2 : .v0)
      let read = try PSBT(decoding: other.encoded)
      #expect(read == other, "\(vector)")
      #expect(try read.unsignedTransaction() == psbt.unsignedTransaction(), "\(vector)")
      if psbt.version == .v0 { #expect(try read.converted(to: .v0).base64 == vector.base64, "\(vector)") }
    }
  }

  @Test func combiningKeepsBothAndRefusesOthers() throws {
    #expect(throws: PSBTError.nothingToCombine) { _ = try PSBT.combining([]) }
    var psbt = try PSBT()
    try psbt.addInput(Self.input(1))
    try psbt.addOutput(Self.output)
    var a = psbt
    var b = psbt
    let (firstKey, first) = try Self.signature(.all)
    let (secondKey, second) = try Self.signature(.all)
    a.inputs[0].partialSignatures[firstKey] = first
    b.inputs[0].partialSignatures[secondKey] = second
    a.txModifiable = [.inputs]
    b.txModifiable = [.inputs, .outputs, .hasSighashSingle]
    b.inputs[0].sequence = 5
    b.outputs[0].unknown[PSBT.UnknownKey(type: 0xf1)] = [1]
    let combined = try PSBT.combining([a, b])
    #expect(combined == (try PSBT.combining([b, a])))
    #expect(combined.inputs[0].partialSignatures.count == 2)
    // What one has closed stays closed.
    #expect(combined.txModifiable == [.inputs, .hasSighashSingle])
    // BIP 370: the sequence does not tell PSBTs apart.
    #expect(combined.inputs[0].sequence == 5)

    b.inputs[0].partialSignatures[firstKey] = second
    #expect(throws: PSBTError.conflict(.input(0))) { _ = try PSBT.combining([a, b], conflicts: .refuse) }
    #expect(try PSBT.combining([a, b]).inputs[0].partialSignatures[firstKey] == first)
    b.outputs[0].amount = Satoshi(2)
    #expect(throws: PSBTError.differentTransactions) { _ = try PSBT.combining([a, b]) }
    // A version 0 of the same transaction.
    let old = try a.converted(to: .v0)
    #expect(try PSBT.combining([old, a]).version == .v2)
    #expect(throws: PSBTError.differentTransactions) { _ = try PSBT.combining([old, b]) }
  }

  @Test func amountsAreAddedUpWithCare() throws {
    var psbt = try PSBT()
    try psbt.addInput(Self.input(1))
    try psbt.addOutput(Self.output)
    #expect(throws: PSBTError.missingUTXO(input: 0)) { _ = try psbt.fee() }
    psbt.inputs[0].witnessUTXO = TxOutput(value: Satoshi(999), scriptPubKey: .p2a)
    #expect(throws: PSBTError.invalidAmounts) { _ = try psbt.fee() }
    psbt.inputs[0].witnessUTXO?.value = Satoshi(1_500)
    #expect(try psbt.fee() == Satoshi(500))
    psbt.outputs[0].amount = Satoshi(.max)
    #expect(throws: PSBTError.invalidAmounts) { _ = try psbt.fee() }
    psbt.outputs = [Self.output, Self.output]
    for index in 0..<2 { psbt.outputs[index].amount = .maxMoney }
    #expect(throws: PSBTError.invalidAmounts) { _ = try psbt.outputAmount() }
  }

  @Test func tapTreesAreWrittenAndReadWhole() throws {
    func leaf(_ number: UInt8) -> TapTree { .leaf(TapLeaf(script: Script([number]))) }
    let trees: [TapTree] = [
      leaf(1), .branch(leaf(1), leaf(2)), .branch(.branch(leaf(1), leaf(2)), leaf(3)),
      .branch(leaf(1), .branch(.branch(leaf(2), leaf(3)), .branch(leaf(4), .branch(leaf(5), leaf(6))))),
    ]
    for tree in trees {
      let leaves = try PSBT.TapTreeLeaves(tree)
      #expect(leaves.tree == tree)
      #expect(PSBT.TapTreeLeaves(leaves.leaves) == leaves)
      #expect(PSBT.TapTreeLeaves(Array(leaves.leaves.dropLast())) == nil)
      #expect(PSBT.TapTreeLeaves(leaves.leaves + leaves.leaves) == nil)
    }
    var deep = leaf(0)
    for number in 1...128 { deep = .branch(leaf(UInt8(number)), deep) }
    let leaves = try PSBT.TapTreeLeaves(deep)
    #expect(leaves.leaves.last?.depth == 128 && leaves.tree == deep)
    #expect(throws: TaprootError.treeTooDeep) { _ = try PSBT.TapTreeLeaves(.branch(leaf(0), deep)) }
    let item = PSBT.TapTreeLeaves.Leaf(depth: 0, leaf: TapLeaf(script: Script(), version: 0xc1))
    #expect(PSBT.TapTreeLeaves([item]) == nil)
    #expect(PSBT.TapTreeLeaves([]) == nil)
  }
}
