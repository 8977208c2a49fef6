import Bitcoin
import Encoding
import Testing
import VectorSupport

@Suite struct TransactionRulesTests {
  private func outpoint(_ number: UInt8) -> OutPoint {
    var bytes = Bytes32()
    bytes[0] = number
    return OutPoint(txid: TxID(bytes), vout: 0)
  }

  private func transaction(
    inputs: [OutPoint]? = nil, amounts: [UInt64] = [1], scriptSig: Script = Script(), version: UInt32 = 2,
    sequences: [UInt32] = [], lockTime: UInt32 = 0
  ) -> Transaction {
    Transaction(
      version: version,
      inputs: (inputs ?? [outpoint(1)]).enumerated().map { index, outpoint in
        TxInput(
          previousOutput: outpoint, scriptSig: scriptSig, sequence: index < sequences.count ? sequences[index] : .max)
      },
      outputs: amounts.map { TxOutput(value: Satoshi($0), scriptPubKey: Script([0x51])) }, lockTime: lockTime)
  }

  private func reason(_ transaction: Transaction) -> String {
    do {
      try TransactionRules.check(transaction)
      return "OK"
    } catch {
      return error.rawValue
    }
  }

  @Test func `Each rule about a transaction alone has Bitcoin Core's reason`() {
    let money = Satoshi.maxMoney.rawValue
    #expect(reason(transaction()) == "OK")
    #expect(reason(transaction(inputs: [])) == "bad-txns-vin-empty")
    #expect(reason(transaction(amounts: [])) == "bad-txns-vout-empty")
    #expect(reason(transaction(amounts: [money])) == "OK")
    #expect(reason(transaction(amounts: [money + 1])) == "bad-txns-vout-toolarge")
    #expect(reason(transaction(amounts: [UInt64(Int64.max)])) == "bad-txns-vout-toolarge")
    #expect(reason(transaction(amounts: [UInt64(Int64.max) + 1])) == "bad-txns-vout-negative")
    #expect(reason(transaction(amounts: [UInt64.max])) == "bad-txns-vout-negative")
    #expect(reason(transaction(amounts: [money, 1])) == "bad-txns-txouttotal-toolarge")
    #expect(reason(transaction(inputs: [outpoint(1), outpoint(2)])) == "OK")
    #expect(reason(transaction(inputs: [outpoint(1), outpoint(2), outpoint(1)])) == "bad-txns-inputs-duplicate")
    #expect(reason(transaction(inputs: [outpoint(1), .null])) == "bad-txns-prevout-null")
    #expect(reason(transaction(inputs: [.null, .null])) == "bad-txns-inputs-duplicate")
    for (count, expected) in [
      (0, "bad-cb-length"), (1, "bad-cb-length"), (2, "OK"), (100, "OK"), (101, "bad-cb-length"),
    ] {
      let script = Script(Array(repeating: 0, count: count))
      #expect(reason(transaction(inputs: [.null], scriptSig: script)) == expected, "coinbase of \(count) bytes")
    }
    // A null hash with another index is a transaction nobody can have.
    #expect(reason(transaction(inputs: [OutPoint(txid: TxID(Bytes32()), vout: 0)])) == "OK")
  }

  @Test func `A transaction is as large as a block may be without its witness`() {
    // 4 + 1 + 36 + 5 + n + 4 + 1 + 8 + 1 + 1 + 4 bytes.
    var largest = transaction(scriptSig: Script(Array(repeating: 0, count: 1_000_000 - 65)))
    #expect(largest.baseSize == 1_000_000)
    #expect(reason(largest) == "OK")
    largest.inputs[0].witness = [[1, 2, 3]]
    #expect(reason(largest) == "OK")
    largest.inputs[0].scriptSig.bytes.append(0)
    #expect(reason(largest) == "bad-txns-oversize")
  }

  @Test func `The fee is what the outputs leave`() throws {
    func spent(_ amounts: UInt64...) -> [TxOutput] {
      amounts.map { TxOutput(value: Satoshi($0), scriptPubKey: Script()) }
    }
    let one = transaction(amounts: [3, 4])
    #expect(try TransactionRules.fee(of: one, spending: spent(10)) == Satoshi(3))
    #expect(try TransactionRules.fee(of: one, spending: spent(7)) == .zero)
    #expect(throws: TransactionRuleError.inputsBelowOutputs) { try TransactionRules.fee(of: one, spending: spent(6)) }
    #expect(throws: TransactionRuleError.missingOrSpent) { try TransactionRules.fee(of: one, spending: []) }
    let two = transaction(inputs: [outpoint(1), outpoint(2)])
    let money = Satoshi.maxMoney.rawValue
    #expect(throws: TransactionRuleError.inputValuesOutOfRange) {
      try TransactionRules.fee(of: two, spending: spent(money, 1))
    }
    #expect(throws: TransactionRuleError.inputValuesOutOfRange) {
      try TransactionRules.fee(of: two, spending: spent(.max, .max))
    }
  }

  @Test func `A lock time is a height or a time, and final inputs ignore it`() {
    func isFinal(_ lockTime: UInt32, _ height: UInt32, _ time: Int64, sequence: UInt32 = 0) -> Bool {
      TransactionRules.isFinal(
        transaction(sequences: [sequence], lockTime: lockTime), height: height, time: time)
    }
    #expect(isFinal(0, 0, 0))
    #expect(!isFinal(100, 100, 0))
    #expect(isFinal(100, 101, 0))
    #expect(isFinal(100, 100, 0, sequence: .max))
    #expect(!isFinal(499_999_999, 499_999_999, .max))
    #expect(!isFinal(500_000_000, .max, 500_000_000))
    #expect(isFinal(500_000_000, 0, 500_000_001))
    #expect(!isFinal(.max, .max, Int64(UInt32.max)))
  }

  @Test func `Relative locks count from the block of the output`() throws {
    let confirmed: [(height: UInt32, medianTimePastBefore: Int64)] = [(100, 1_000_000), (200, 2_000_000)]
    func lock(_ sequences: [UInt32], version: UInt32 = 2) throws -> RelativeLock {
      try #require(
        TransactionRules.relativeLock(
          of: transaction(inputs: [outpoint(1), outpoint(2)], version: version, sequences: sequences),
          confirmations: confirmed))
    }
    #expect(try lock([.max, .max]) == .none)
    #expect(try lock([10, .max]) == RelativeLock(height: 109, time: -1))
    #expect(try lock([10, 0]) == RelativeLock(height: 199, time: -1))
    #expect(try lock([10, RelativeLock.typeFlag | 3]) == RelativeLock(height: 109, time: 2_000_000 + 3 * 512 - 1))
    #expect(try lock([10, 10], version: 1) == .none)
    // BIP 68: versions are compared as unsigned numbers.
    #expect(try lock([10, .max], version: .max) == RelativeLock(height: 109, time: -1))
    // Bits without meaning are ignored.
    #expect(try lock([0x7fbf_0000 | 10, .max]) == RelativeLock(height: 109, time: -1))
    #expect(TransactionRules.relativeLock(of: transaction(), confirmations: confirmed) == nil)

    let both = RelativeLock(height: 109, time: 5000)
    #expect(both.isOver(height: 110, medianTimePastBefore: 5001))
    #expect(!both.isOver(height: 109, medianTimePastBefore: 5001))
    #expect(!both.isOver(height: 110, medianTimePastBefore: 5000))
    #expect(RelativeLock.none.isOver(height: 0, medianTimePastBefore: 0))
  }

  @Test func `Signature operations cost as Bitcoin Core counts them`() throws {
    func count(_ text: String, accurate: Bool) throws -> Int {
      try ScriptText.parse(text).signatureOperations(accurate: accurate)
    }
    #expect(try count("CHECKSIG CHECKSIGVERIFY", accurate: false) == 2)
    #expect(try count("2 CHECKMULTISIG", accurate: false) == 20)
    #expect(try count("2 CHECKMULTISIG 16 CHECKMULTISIGVERIFY", accurate: true) == 18)
    #expect(try count("0 CHECKMULTISIG", accurate: true) == 20)
    #expect(try count("0x01 0x02 CHECKMULTISIG", accurate: true) == 20)
    #expect(try count("0x02 0xacac CHECKSIG", accurate: true) == 1)
    // Counting ends where the script cannot be read.
    #expect(try count("CHECKSIG 0x4c 0xff CHECKSIG", accurate: true) == 1)

    let multisig = try ScriptText.parse("1 0 0 2 CHECKMULTISIG")
    let scriptHash = Script {
      $0.append(.hash160)
      $0.append(push: Array(repeating: 0, count: 20))
      $0.append(.equal)
    }
    let keyHash = Script([0, 20] + Array(repeating: 0, count: 20))
    let witnessScriptHash = Script([0, 32] + Array(repeating: 0, count: 32))
    func cost(_ scriptPubKey: Script, scriptSig: Script = Script(), witness: Witness = [], flags: ScriptFlags) -> Int {
      var spend = transaction()
      spend.inputs[0].scriptSig = scriptSig
      spend.inputs[0].witness = witness
      return TransactionRules.signatureOperationCost(
        of: spend, spending: [TxOutput(value: .zero, scriptPubKey: scriptPubKey)], flags: flags)
    }
    let all: ScriptFlags = [.p2sh, .witness]
    #expect(cost(multisig, flags: all) == 0)
    #expect(cost(scriptHash, scriptSig: Script { $0.append(push: multisig.bytes) }, flags: all) == 8)
    #expect(cost(scriptHash, scriptSig: Script { $0.append(push: multisig.bytes) }, flags: .none) == 0)
    #expect(
      cost(
        scriptHash,
        scriptSig: Script {
          $0.append(push: multisig.bytes); $0.append(.nop)
        }, flags: all) == 0)
    #expect(cost(Script([0x51]), scriptSig: multisig, flags: all) == 80)
    #expect(cost(keyHash, flags: all) == 1)
    #expect(cost(keyHash, flags: .p2sh) == 0)
    #expect(cost(witnessScriptHash, witness: [[], multisig.bytes], flags: all) == 2)
    #expect(cost(witnessScriptHash, flags: all) == 0)
    #expect(cost(scriptHash, scriptSig: Script { $0.append(push: keyHash.bytes) }, flags: all) == 1)
    #expect(
      cost(
        scriptHash, scriptSig: Script { $0.append(push: witnessScriptHash.bytes) }, witness: [multisig.bytes],
        flags: all)
        == 2)
    // Taproot counts in its own way.
    #expect(cost(Script([0x51, 32] + Array(repeating: 0, count: 32)), witness: [multisig.bytes], flags: all) == 0)

    var coinbase = transaction(inputs: [.null], scriptSig: Script([0xac]))
    #expect(TransactionRules.signatureOperationCost(of: coinbase, spending: [], flags: all) == 4)
    coinbase.outputs[0].scriptPubKey = multisig
    #expect(TransactionRules.signatureOperationCost(of: coinbase, spending: [], flags: all) == 84)
  }

  @Test func `A verdict names the rule, or the script and its input`() throws {
    let good = transaction(inputs: [outpoint(1), outpoint(2)])
    var prevouts = [
      outpoint(1): TxOutput(value: .zero, scriptPubKey: Script([0x51])),
      outpoint(2): TxOutput(value: .zero, scriptPubKey: Script([0x51])),
    ]
    try TransactionVerifier.verify(good, prevouts: prevouts, flags: .standard)
    prevouts[outpoint(2)] = TxOutput(value: .zero, scriptPubKey: Script([0x6a]))
    #expect(throws: TransactionFault.script(.opReturn, input: 1)) {
      try TransactionVerifier.verify(good, prevouts: prevouts, flags: .consensus)
    }
    prevouts[outpoint(2)] = nil
    #expect(throws: TransactionFault.rule(.missingOrSpent)) {
      try TransactionVerifier.verify(good, prevouts: prevouts, flags: .consensus)
    }
    #expect(TransactionFault.rule(.missingOrSpent).name == "bad-txns-inputs-missingorspent")
    #expect(TransactionFault.script(.opReturn, input: 1).name == "OP_RETURN")
    #expect(throws: TransactionFault.rule(.noInputs)) {
      try TransactionVerifier.verify(transaction(inputs: []), prevouts: prevouts, flags: .consensus)
    }
  }
}
