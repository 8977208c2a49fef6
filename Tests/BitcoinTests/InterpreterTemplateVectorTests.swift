import Bitcoin
import Encoding
import JSON
import Testing
import VectorSupport

/// OP_CHECKTEMPLATEVERIFY against the vectors of BIP 119.
@Suite struct InterpreterTemplateVectorTests {
  @Test(.vectors("bips/bip-0119/ctvhash.json"))
  func `Template hashes are those of BIP 119`() throws {
    let path = "bips/bip-0119/ctvhash.json"
    var count = 0
    for row in try Vectors.json(path).array {
      guard row.objectValue != nil else { continue }
      count += 1
      let transaction = try Transaction(decoding: Hex.decode(row.required("hex_tx").string))
      let parts = SighashParts(transaction)
      for (index, expected) in zip(try row.required("spend_index").array, try row.required("result").array) {
        let hash = transaction.templateHash(input: UInt32(try index.integer), parts: parts)
        #expect(try hash.hex == expected.string, "index \(index)")
      }
    }
    Vectors.report(path, cases: count)
    #expect(count == 100)
  }

  /// The file's name for the flag is the reference implementation's.
  private func flags(_ text: String) throws -> ScriptFlags {
    try ScriptFlags(parsing: text.replacing("DEFAULT_CHECK_TEMPLATE_VERIFY_HASH", with: "CHECKTEMPLATEVERIFY"))
  }

  @Test(.vectors("bips/bip-0119/tx_valid.json"))
  func `Transactions that keep their template are valid`() throws {
    let path = "bips/bip-0119/tx_valid.json"
    var generator = SeededGenerator(seed: 4)
    var count = 0
    for row in try Vectors.json(path).array {
      guard let vector = try TransactionVector(row) else { continue }
      count += 1
      let flags = ScriptFlags.all.subtracting(try flags(vector.flags))
      let included = try self.flags(row[3]?.stringValue ?? "NONE")
      // Where CTV is not included it is a NOP, and not in force just as valid.
      for proposed in included.isEmpty ? [.none, .checkTemplateVerify] : [included] {
        #expect(vector.verdict(flags: flags.union(proposed)) == "OK", "with \(proposed): \(vector.text)")
        for _ in 0..<10 {
          let fewer = trimmed(flags.subtracting(generator.flags())).union(proposed)
          #expect(vector.verdict(flags: fewer) == "OK", "with \(fewer): \(vector.text)")
        }
      }
      if included.isEmpty {
        let discouraged = vector.verdict(flags: flags.union(.discourageUpgradableNops))
        #expect(discouraged == "DISCOURAGE_UPGRADABLE_NOPS", "\(vector.text)")
      }
    }
    Vectors.report(path, cases: count)
    #expect(count == 19)
  }

  @Test(.vectors("bips/bip-0119/tx_invalid.json"))
  func `Transactions that leave their template are invalid, and only because of it`() throws {
    let path = "bips/bip-0119/tx_invalid.json"
    var count = 0
    for row in try Vectors.json(path).array {
      guard let vector = try TransactionVector(row) else { continue }
      count += 1
      let flags = try flags(vector.flags)
      #expect(vector.verdict(flags: flags) != "OK", "\(vector.text)")
      #expect(vector.verdict(flags: filled(.all.union(flags))) != "OK", "\(vector.text)")
      // A NOP again, unless NOPs are discouraged.
      let without = flags.subtracting([.checkTemplateVerify, .discourageUpgradableNops])
      #expect(vector.verdict(flags: without) == "OK", "\(vector.text)")
    }
    Vectors.report(path, cases: count)
    #expect(count == 11)
  }
}

/// The same operation on a transaction of our own.
@Suite struct InterpreterTemplateTests {
  @Test func `A template binds outputs, sequence and position, and is a NOP where it is not in force`() throws {
    let transaction = Transaction(
      inputs: [TxInput(previousOutput: OutPoint(txid: TxID(Bytes32()), vout: 0), sequence: 5)],
      outputs: [TxOutput(value: Satoshi(9), scriptPubKey: Script([0x51]))])
    let template = transaction.templateHash(input: 0, parts: SighashParts(transaction))
    func result(_ transaction: Transaction, pushing data: [UInt8], _ flags: ScriptFlags) -> String {
      let script = Script {
        $0.append(push: data)
        $0.append(.nop4)
      }
      return verdict { () throws(ScriptError) in
        try ScriptVerifier.verify(
          input: 0, of: transaction, spending: [TxOutput(value: .zero, scriptPubKey: script)], flags: flags)
      }
    }
    #expect(result(transaction, pushing: template.array, .checkTemplateVerify) == "OK")
    #expect(result(transaction, pushing: template.array, [.checkTemplateVerify, .discourageUpgradableNops]) == "OK")
    #expect(result(transaction, pushing: template.array, .discourageUpgradableNops) == "DISCOURAGE_UPGRADABLE_NOPS")
    var changed = transaction
    changed.inputs[0].sequence = 6
    #expect(result(changed, pushing: template.array, .checkTemplateVerify) == "TEMPLATE_MISMATCH")
    #expect(result(changed, pushing: template.array, .consensus) == "OK")
    changed = transaction
    changed.outputs[0].value = Satoshi(8)
    #expect(result(changed, pushing: template.array, .checkTemplateVerify) == "TEMPLATE_MISMATCH")
    changed = transaction
    changed.inputs[0].scriptSig = Script([0x51])
    #expect(result(changed, pushing: template.array, .checkTemplateVerify) == "TEMPLATE_MISMATCH")
    changed = transaction
    // What it spends is not part of the template.
    changed.inputs[0].previousOutput.vout = 1
    #expect(result(changed, pushing: template.array, .checkTemplateVerify) == "OK")
    #expect(result(transaction, pushing: [1], .checkTemplateVerify) == "OK")
    #expect(
      result(transaction, pushing: [1], [.checkTemplateVerify, .discourageUpgradableNops])
        == "DISCOURAGE_UPGRADABLE_NOPS")
    let empty = verdict { () throws(ScriptError) in
      try ScriptVerifier.verifyCredited(scriptSig: Script(), scriptPubKey: Script([0xb3]), flags: .checkTemplateVerify)
    }
    #expect(empty == "INVALID_STACK_OPERATION")
  }
}
