import Bitcoin
import Encoding
import Hashing
import Secp256k1
import Testing
import VectorSupport

/// Taproot and tapscript, on outputs and signatures made here.
@Suite struct InterpreterTapscriptTests {
  private static func keyPair(_ number: UInt8) throws -> KeyPair {
    var bytes = Bytes32()
    bytes[31] = number
    return KeyPair(try SecretKey(bytes))
  }

  private let internalKey: XOnlyPublicKey
  private let leafKey: XOnlyPublicKey

  init() throws {
    internalKey = try Self.keyPair(2).xOnlyPublicKey
    leafKey = try Self.keyPair(3).xOnlyPublicKey
  }

  /// What a script path needs, and the transaction that spends it.
  private struct Spend {
    var transaction: Transaction
    var spent: TxOutput
    var leaf: TapLeaf
    var control: [UInt8]

    func result(_ stack: [[UInt8]], annex: [UInt8]? = nil, flags: ScriptFlags = .consensus) -> String {
      var transaction = transaction
      transaction.inputs[0].witness = Witness(stack + [leaf.script.bytes, control] + (annex.map { [$0] } ?? []))
      return verdict { () throws(ScriptError) in
        try ScriptVerifier.verify(input: 0, of: transaction, spending: [spent], flags: flags)
      }
    }
  }

  private func spend(_ script: Script, version: UInt8 = 0xc0) throws -> Spend {
    let leaf = TapLeaf(script: script, version: version)
    let other = TapLeaf(script: Script([0x51]))
    let output = try TaprootOutput(
      internalKey: internalKey, tree: .branch(.leaf(other), .leaf(leaf)))
    let (transaction, spent) = ScriptVerifier.creditedSpend(scriptSig: Script(), scriptPubKey: output.scriptPubKey)
    return Spend(
      transaction: transaction, spent: spent, leaf: leaf, control: output.controlBlock(for: output.paths[1]).encoded)
  }

  private func sign(
    _ spend: Spend, type: UInt8 = 0, codeSeparator: UInt32 = .max, annex: [UInt8]? = nil
  ) throws -> [UInt8] {
    let sighash = try spend.transaction.taprootSighash(
      input: 0, spentOutputs: [spend.spent], type: SighashType(rawValue: UInt32(type)),
      tapscript: .init(leafHash: spend.leaf.hash, codeSeparatorPosition: codeSeparator), annex: annex,
      parts: SighashParts(spend.transaction, spentOutputs: [spend.spent]))
    return try Self.keyPair(3).signSchnorr(sighash.raw, auxRand: Bytes32()).array + (type == 0 ? [] : [type])
  }

  private var checkSig: Script {
    Script {
      $0.append(push: leafKey)
      $0.append(.checkSig)
    }
  }

  @Test func `A key path needs one signature of the right size and kind`() throws {
    let output = try TaprootOutput(internalKey: internalKey)
    let (transaction, spent) = ScriptVerifier.creditedSpend(scriptSig: Script(), scriptPubKey: output.scriptPubKey)
    let keyPair = try Self.keyPair(2).taprootTweaked(merkleRoot: nil)
    let parts = SighashParts(transaction, spentOutputs: [spent])
    func signature(_ type: UInt8, annex: [UInt8]? = nil) throws -> [UInt8] {
      let sighash = try transaction.taprootSighash(
        input: 0, spentOutputs: [spent], type: SighashType(rawValue: UInt32(type)), annex: annex, parts: parts)
      return keyPair.signSchnorr(sighash.raw, auxRand: Bytes32()).array + (type == 0 ? [] : [type])
    }
    func result(_ witness: Witness, _ flags: ScriptFlags = .consensus) -> String {
      var transaction = transaction
      transaction.inputs[0].witness = witness
      return verdict { () throws(ScriptError) in
        try ScriptVerifier.verify(input: 0, of: transaction, spending: [spent], flags: flags, parts: parts)
      }
    }
    for type: UInt8 in [0, 1, 2, 3, 0x81, 0x82, 0x83] { #expect(try result([signature(type)]) == "OK", "type \(type)") }
    let good = try signature(0)
    #expect(result([good + [0]]) == "SCHNORR_SIG_HASHTYPE")
    #expect(result([good + [4]]) == "SCHNORR_SIG_HASHTYPE")
    #expect(result([good + [1]]) == "SCHNORR_SIG")
    #expect(result([good + [1, 1]]) == "SCHNORR_SIG_SIZE")
    #expect(result([Array(good.dropLast())]) == "SCHNORR_SIG_SIZE")
    #expect(result([[]]) == "SCHNORR_SIG_SIZE")
    #expect(result([]) == "WITNESS_PROGRAM_WITNESS_EMPTY")
    #expect(result([[]], [.p2sh, .witness]) == "OK")
    // BIP 341: the annex is signed.
    #expect(try result([signature(0, annex: [0x50]), [0x50]]) == "OK")
    #expect(try result([signature(0, annex: [0x50, 1]), [0x50]]) == "SCHNORR_SIG")
    #expect(result([good, [0x50]]) == "SCHNORR_SIG")
    // Alone, it is no annex.
    #expect(result([[0x50]]) == "SCHNORR_SIG_SIZE")
  }

  @Test func `A script path proves its leaf`() throws {
    let spend = try spend(checkSig)
    let good = try sign(spend)
    #expect(spend.result([good]) == "OK")
    #expect(spend.result([good], flags: .standard) == "OK")
    #expect(spend.result([]) == "INVALID_STACK_OPERATION")
    #expect(spend.result([[]]) == "EVAL_FALSE")
    #expect(spend.result([good.dropLast() + [good[63] ^ 1]]) == "SCHNORR_SIG")
    #expect(spend.result([Array(good.dropLast())]) == "SCHNORR_SIG_SIZE")
    #expect(spend.result([[1], good]) == "CLEANSTACK")
    #expect(spend.result([try sign(spend, annex: [0x50, 7])], annex: [0x50, 7]) == "OK")
    #expect(spend.result([good], annex: [0x50, 7]) == "SCHNORR_SIG")

    for size in [0, 1, 32, 34, 64, 66, 96, 98, 33 + 32 * 129] {
      var changed = spend
      changed.control = Array((spend.control + Array(repeating: 0, count: 5000)).prefix(size))
      #expect(changed.result([good]) == "TAPROOT_WRONG_CONTROL_SIZE", "\(size) bytes")
    }
    for position in [0, 1, 33, 64] {
      var changed = spend
      changed.control[position] ^= 1
      #expect(changed.result([good]) == "WITNESS_PROGRAM_MISMATCH", "byte \(position)")
    }
    var longest = spend
    longest.control += Array(repeating: 0, count: 32 * 127)
    #expect(longest.result([good]) == "WITNESS_PROGRAM_MISMATCH")
    // An internal key that is no point.
    var noPoint = spend
    for index in 1...32 { noPoint.control[index] = 0xff }
    #expect(noPoint.result([good]) == "WITNESS_PROGRAM_MISMATCH")
  }

  @Test func `Unknown leaf versions, key types and OP_SUCCESS succeed, if they are not discouraged`() throws {
    let version = try spend(Script([0x6a]), version: 0xc2)
    #expect(version.result([]) == "OK")
    #expect(
      version.result([], flags: .consensus.union(.discourageUpgradableTaprootVersion))
        == "DISCOURAGE_UPGRADABLE_TAPROOT_VERSION")

    let keyType = try spend(try ScriptText.parse("0x01 0x07 CHECKSIG"))
    #expect(keyType.result([[1]]) == "OK")
    #expect(keyType.result([[]]) == "EVAL_FALSE")
    #expect(
      keyType.result([[1]], flags: .consensus.union(.discourageUpgradablePubkeyType))
        == "DISCOURAGE_UPGRADABLE_PUBKEYTYPE")

    for opcode in [80, 98] + Array(126...129) + Array(131...134) + [137, 138, 141, 142] + Array(149...153)
      + Array(187...254)
    {
      // Behind a RETURN, and before what cannot be read.
      let success = try spend(Script([0x6a, UInt8(opcode), 0x4c]))
      #expect(success.result([Array(repeating: 0, count: 600)]) == "OK", "opcode \(opcode)")
      #expect(
        success.result([], flags: .consensus.union(.discourageOpSuccess)) == "DISCOURAGE_OP_SUCCESS", "opcode \(opcode)"
      )
    }
    // What cannot be read in front of it is fatal; in pushed data it is nothing.
    #expect(try spend(Script([0x02, 80])).result([]) == "BAD_OPCODE")
    #expect(try spend(Script([0x01, 80])).result([]) == "OK")
    #expect(try spend(Script([0x51, 255])).result([]) == "BAD_OPCODE")
  }

  @Test func `Tapscript's own rules about operations`() throws {
    #expect(try spend(ScriptText.parse("0 0 0 CHECKMULTISIG")).result([]) == "TAPSCRIPT_CHECKMULTISIG")
    #expect(try spend(ScriptText.parse("0 0 0 CHECKMULTISIGVERIFY")).result([]) == "TAPSCRIPT_CHECKMULTISIG")
    #expect(try spend(ScriptText.parse("0 CHECKSIG")).result([[]]) == "TAPSCRIPT_EMPTY_PUBKEY")
    #expect(try spend(ScriptText.parse("IF 1 ELSE 1 ENDIF")).result([[2]]) == "TAPSCRIPT_MINIMALIF")
    #expect(try spend(ScriptText.parse("IF 1 ELSE 1 ENDIF")).result([[0]]) == "TAPSCRIPT_MINIMALIF")
    #expect(try spend(ScriptText.parse("NOTIF 1 ELSE 1 ENDIF")).result([[1]]) == "OK")
    // No limit on the script's length or its operations, but on the stack.
    #expect(try spend(Script(Array(repeating: 0x61, count: 20_000) + [0x51])).result([]) == "OK")
    let many = Array(repeating: [UInt8](), count: 1000)
    #expect(try spend(Script(Array(repeating: 0x75, count: 999) + [0x51, 0x87, 0x91])).result(many) == "OK")
    #expect(try spend(Script(Array(repeating: 0x75, count: 1000) + [0x51])).result(many + [[]]) == "STACK_SIZE")
    #expect(try spend(ScriptText.parse("DROP 1")).result([Array(repeating: 0, count: 520)]) == "OK")
    #expect(try spend(ScriptText.parse("DROP 1")).result([Array(repeating: 0, count: 521)]) == "PUSH_SIZE")
  }

  @Test func `CHECKSIGADD counts valid signatures`() throws {
    let script = Script {
      $0.append(.op5)
      $0.append(push: leafKey)
      $0.append(.checkSigAdd)
      $0.append(.op6)
      $0.append(.numEqual)
    }
    let spend = try spend(script)
    #expect(spend.result([try sign(spend)]) == "OK")
    #expect(spend.result([[]]) == "EVAL_FALSE")
    #expect(try self.spend(ScriptText.parse("CHECKSIGADD")).result([[], []]) == "INVALID_STACK_OPERATION")
    #expect(try self.spend(ScriptText.parse("0x05 0x0000000001 0 CHECKSIGADD")).result([[]]) == "SCRIPTNUM")
  }

  @Test func `The position of the last OP_CODESEPARATOR is signed`() throws {
    // Opcodes are counted, not bytes: the second one of the script.
    let script = Script {
      $0.append(push: Array(repeating: 0, count: 30))
      $0.append(.drop)
      $0.append(.codeSeparator)
      $0.bytes += checkSig.bytes
    }
    let spend = try spend(script)
    #expect(spend.result([try sign(spend, codeSeparator: 2)]) == "OK")
    #expect(spend.result([try sign(spend)]) == "SCHNORR_SIG")
    #expect(spend.result([try sign(spend, codeSeparator: 3)]) == "SCHNORR_SIG")
  }

  @Test func `Signatures cost 50 of a budget of 50 plus the size of the witness`() throws {
    // Each check of an unknown key with a signature of one byte passes and counts.
    func spend(checks: Int, padding: Int) throws -> (Spend, [[UInt8]]) {
      let script = try ScriptText.parse(
        "DROP " + Array(repeating: "0x51 0x01 0x07 CHECKSIGVERIFY", count: checks).joined(separator: " ") + " 1")
      return (try self.spend(script), [Array(repeating: 0, count: padding)])
    }
    for checks in [1, 5, 10, 40] {
      // The witness without padding: count, empty padding, script and control block with their lengths.
      let (probe, _) = try spend(checks: checks, padding: 0)
      let base = Witness([[], probe.leaf.script.bytes, probe.control]).encodedSize
      let needed = checks * 50 - 50 - base
      guard needed > 0, needed < 253 else {
        // The script alone pays for its checks.
        #expect(probe.result([[]]) == (needed <= 0 ? "OK" : "TAPSCRIPT_VALIDATION_WEIGHT"))
        continue
      }
      let (enough, padding) = try spend(checks: checks, padding: needed)
      #expect(enough.result(padding) == "OK", "\(checks) checks")
      #expect(enough.result([Array(padding[0].dropLast())]) == "TAPSCRIPT_VALIDATION_WEIGHT", "\(checks) checks")
    }
  }

  @Test func `Empty signatures cost nothing`() throws {
    let spend = try spend(
      ScriptText.parse(
        Array(repeating: "0 0x01 0x07 CHECKSIG DROP", count: 100).joined(separator: " ") + " 1"))
    #expect(spend.result([]) == "OK")
  }

  @Test func `A script that turns the stack over and over stays within its memory`() throws {
    // 999 elements of 520 bytes, rolled, duplicated and hashed a hundred thousand times: ranges move, bytes do not, and what is
    // left behind is thrown out.
    var script = Script()
    for _ in 0..<100_000 {
      script.append(number: 900)
      script.append(.roll)
    }
    for _ in 0..<40_000 {
      script.append(.dup)
      script.append(.sha256)
      script.append(.drop)
    }
    // The upper 901 elements, from number 98 on, have turned by 100,000 mod 901 = 890: number 98 + 889 is on top, filled with 987 mod 251 = 234.
    script.append(push: [UInt8](repeating: 234, count: 520))
    script.append(.equalVerify)
    for _ in 0..<997 { script.append(.drop) }
    script.append(push: [UInt8](repeating: 3, count: 520))
    script.append(.equal)
    let spend = try spend(script)
    var stack = (0..<999).map { [UInt8](repeating: UInt8($0 % 251), count: 520) }
    stack[0] = [UInt8](repeating: 3, count: 520)
    #expect(spend.result(stack) == "OK")
  }
}
