import Bitcoin
import Encoding
import GLC
import GLCTesting
import Hashing
import Onchain
import Secp256k1
import Signer
import Testing

/// Claims of taproot outputs: BIP 341's two ways, BIP 342's leaves.
@Suite struct TaprootSpendTests {
  private let secrets: BasepointSecrets
  private let keys: SpendingKeys
  private let output: TaprootOutput
  private static let ref = KeyRef(.payment, .holder)

  init() throws {
    secrets = try BasepointSecrets([.payment]) { _ in try SecretKey(sha256([7])) }
    let point = try SecretKey(sha256([8])).publicKey
    let resolved = try CommitmentKeys(
      holder: secrets.basepoints, counterparty: Basepoints([:]), perCommitmentPoint: point, resolving: [Self.ref])
    keys = SpendingKeys(side: .holder, keys: resolved)
    let key = try resolved(Self.ref).xOnly.key
    func leaf(_ prefix: [UInt8]) -> TapTree {
      .leaf(
        TapLeaf(
          script: Script {
            for byte in prefix { $0.append(number: Int64(byte)) }
            if !prefix.isEmpty { $0.append(.drop) }
            $0.append(push: key)
            $0.append(.checkSig)
          }))
    }
    output = try TaprootOutput(internalKey: key, tree: .branch(leaf([]), .branch(leaf([2]), leaf([3]))))
  }

  private func spend(_ number: UInt32, _ type: SighashType, leaf: Int?) -> OutputSpend {
    let witness: [WitnessElement] = [.signature(Self.ref, type)] + (leaf.map { [.tapLeaf($0)] } ?? [])
    return OutputSpend(
      outPoint: OutPoint(txid: TxID(sha256([1])), vout: number), value: Satoshi(10_000 + UInt64(number)),
      lock: .taproot(output),
      path: SpendPath("tap", by: .holder, witness: witness, execution: .free(witnessWeight: Weight(200))))
  }

  private func verify(_ transaction: Transaction, _ spent: [TxOutput]) throws {
    for index in spent.indices {
      try ScriptVerifier.verify(input: index, of: transaction, spending: spent, flags: .standard)
    }
  }

  @Test(arguments: [SighashType.default, .all, .none, .single, .allAnyoneCanPay, .singleAnyoneCanPay])
  func keyPathAndEveryLeafAreSigned(type: SighashType) throws {
    let spends = [nil, 0, 1, 2].enumerated().map { spend(UInt32($0), type, leaf: $1) }
    let p2wpkh = OutputSpend(
      outPoint: OutPoint(txid: TxID(sha256([2])), vout: 9), value: Satoshi(5_000),
      lock: .publicKeyHash(try keys.keys(Self.ref)),
      path: SpendPath(
        "v0", by: .holder, witness: [.signature(Self.ref, .all), .publicKey(Self.ref)],
        execution: .free(witnessWeight: Weight(110))))
    let all = spends + [p2wpkh]
    let unsigned = Transaction(
      inputs: all.map { TxInput(previousOutput: $0.outPoint) },
      outputs: all.map { TxOutput(value: $0.value, scriptPubKey: Script([0x51])) })
    var transaction = unsigned
    try secrets.sign(&transaction, taking: all, with: keys)
    try verify(transaction, all.map(\.output))
    #expect(transaction.inputs[0].witness.elements.map(\.count) == [type == .default ? 64 : 65])
    #expect(transaction.inputs[2].witness.elements.map(\.count).last == 33 + 64)
    // The same again, byte for byte.
    var again = unsigned
    try secrets.sign(&again, taking: all, with: keys)
    #expect(again == transaction)

    // Inputs of others: what they spend has to be known.
    var partly = unsigned
    #expect(throws: SigningError.sighash(.prevoutsMissing)) { try secrets.sign(&partly, taking: spends, with: keys) }
    try secrets.sign(&partly, taking: spends, with: keys, others: [p2wpkh.outPoint: p2wpkh.output])
    #expect(partly.inputs[0].witness == transaction.inputs[0].witness)
    if !type.isAnyoneCanPay {
      // BIP 341: a signature commits to the values of all inputs.
      var wrong = all.map(\.output)
      wrong[4].value = Satoshi(5_001)
      #expect(throws: ScriptError.self) { try verify(transaction, wrong) }
    }
  }

  @Test func whatCannotBeSignedIsRefused() throws {
    func sign(_ spend: OutputSpend) throws {
      var transaction = Transaction(
        inputs: [TxInput(previousOutput: spend.outPoint)],
        outputs: [TxOutput(value: Satoshi(1), scriptPubKey: Script([0x51]))])
      try secrets.sign(&transaction, taking: [spend], with: keys)
    }
    #expect(throws: SigningError.missing("a taproot leaf")) { try sign(spend(0, .default, leaf: 3)) }
    #expect(throws: SigningError.sighash(.invalidType(5))) { try sign(spend(0, SighashType(rawValue: 5), leaf: nil)) }
    // The key path of an output with another internal key.
    var other = spend(0, .default, leaf: nil)
    other.lock = .taproot(try TaprootOutput(internalKey: try SecretKey(sha256([9])).publicKey.xOnly.key))
    #expect(throws: SigningError.unusableKey(Self.ref)) { try sign(other) }
    // A leaf in an output that has none.
    other = spend(0, .all, leaf: 0)
    other.lock = .witnessScript(Script([0x51]))
    #expect(throws: SigningError.missing("a taproot leaf")) { try sign(other) }
  }

  /// What the other side has signed beforehand.
  @Test func aCounterSignatureStandsInTheWitness() throws {
    var spend = spend(0, .default, leaf: 0)
    var transaction = Transaction(
      inputs: [TxInput(previousOutput: spend.outPoint)],
      outputs: [TxOutput(value: Satoshi(1), scriptPubKey: Script([0x51]))])
    try secrets.sign(&transaction, taking: [spend], with: keys)
    let signature = SchnorrSignature(try Bytes64(transaction.inputs[0].witness.elements[0]))
    spend.path.witness[0] = .counterSignature(.schnorr(Self.ref, .default))
    #expect(throws: SigningError.missing("a signature of the other side")) {
      var copy = transaction
      try secrets.sign(&copy, taking: [spend], with: keys)
    }
    spend.counterSignature = .schnorr(signature)
    var copy = transaction
    copy.inputs[0].witness = Witness()
    try secrets.sign(&copy, taking: [spend], with: keys)
    #expect(copy == transaction)
    try verify(copy, [spend.output])
  }
}
