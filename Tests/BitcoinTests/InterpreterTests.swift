import Bitcoin
import Encoding
import Hashing
import Testing
import VectorSupport

/// Scripts of our own, without signatures: each line pins down one rule.
@Suite struct InterpreterTests {
  private typealias Case = (scriptSig: String, scriptPubKey: String, flags: String, expected: String)

  private func check(_ cases: [Case], source: SourceLocation = #_sourceLocation) throws {
    for test in cases {
      let result = verdict { () throws(ScriptError) in
        try ScriptVerifier.verifyCredited(
          scriptSig: (try? ScriptText.parse(test.scriptSig)) ?? Script([0xff]),
          scriptPubKey: (try? ScriptText.parse(test.scriptPubKey)) ?? Script([0xff]),
          flags: (try? ScriptFlags(parsing: test.flags)) ?? .all)
      }
      #expect(result == test.expected, "\(test)", sourceLocation: source)
    }
  }

  @Test func `A script succeeds when it leaves something true on top`() throws {
    try check([
      ("", "1", "", "OK"), ("", "", "", "EVAL_FALSE"), ("1", "", "", "OK"), ("", "0", "", "EVAL_FALSE"),
      ("1 0", "", "", "EVAL_FALSE"), ("0 1", "", "", "OK"),
      // False: nothing but zeros, with or without a sign. A sign elsewhere is a number.
      ("", "0x02 0x0000", "", "EVAL_FALSE"), ("", "0x02 0x0080", "", "EVAL_FALSE"), ("", "0x01 0x80", "", "EVAL_FALSE"),
      ("", "0x02 0x8000", "", "OK"), ("", "0x03 0x800080", "", "OK"),
    ])
  }

  @Test func `The stack operations rearrange as they say`() throws {
    try check([
      ("1 2", "SWAP 1 EQUALVERIFY 2 EQUAL", "", "OK"), ("1 2 3", "ROT 1 EQUALVERIFY 3 EQUALVERIFY 2 EQUAL", "", "OK"),
      ("1 2", "TUCK DEPTH 3 EQUALVERIFY 2 EQUALVERIFY 1 EQUALVERIFY 2 EQUAL", "", "OK"),
      ("1 2", "OVER 1 EQUALVERIFY 2 EQUALVERIFY 1 EQUAL", "", "OK"),
      ("1 2", "NIP DEPTH 1 EQUALVERIFY 2 EQUAL", "", "OK"),
      ("1 2 3 4", "2SWAP 2 EQUALVERIFY 1 EQUALVERIFY 4 EQUALVERIFY 3 EQUAL", "", "OK"),
      ("1 2 3 4 5 6", "2ROT 2 EQUALVERIFY 1 EQUALVERIFY 6 EQUALVERIFY 2DROP DROP 1", "", "OK"),
      ("1 2 3 4", "2OVER 2 EQUALVERIFY 1 EQUALVERIFY 2DROP 2DROP 1", "", "OK"),
      ("1 2 3", "3DUP 3 EQUALVERIFY 2 EQUALVERIFY 1 EQUALVERIFY 2DROP", "", "OK"),
      ("7 8 9", "2 PICK 7 EQUALVERIFY 2 ROLL 7 EQUALVERIFY DEPTH 2 EQUAL", "", "OK"),
      ("7 8", "2 PICK", "", "INVALID_STACK_OPERATION"), ("7 8", "-1 ROLL", "", "INVALID_STACK_OPERATION"),
      ("0", "IFDUP DEPTH 1 EQUAL", "", "OK"), ("2", "IFDUP DEPTH 2 EQUAL", "", "OK"),
      ("5", "TOALTSTACK FROMALTSTACK 5 EQUAL", "", "OK"), ("", "FROMALTSTACK", "", "INVALID_ALTSTACK_OPERATION"),
      // The alternative stack ends with its script.
      ("5 TOALTSTACK", "FROMALTSTACK", "", "INVALID_ALTSTACK_OPERATION"),
      ("'abc'", "SIZE 3 EQUALVERIFY 'abc' EQUAL", "", "OK"), ("", "DUP", "", "INVALID_STACK_OPERATION"),
      ("", "2DROP", "", "INVALID_STACK_OPERATION"), ("1 2", "EQUALVERIFY", "", "EQUALVERIFY"),
      ("0", "VERIFY", "", "VERIFY"), ("1", "RETURN", "", "OP_RETURN"),
    ])
  }

  @Test func `Numbers are up to four bytes long, and results may be longer`() throws {
    try check([
      ("2147483647", "1ADD 2147483648 EQUAL", "", "OK"), ("2147483648", "1ADD", "", "SCRIPTNUM"),
      ("-2147483647", "1SUB 0x05 0x0000008080 EQUAL", "", "OK"),
      ("2147483647 2147483647", "ADD 4294967294 EQUAL", "", "OK"),
      ("-5", "ABS 5 EQUAL", "", "OK"), ("5", "NEGATE -5 EQUAL", "", "OK"), ("0", "NOT 1 EQUAL", "", "OK"),
      ("3", "NOT 0 EQUAL", "", "OK"), ("3", "0NOTEQUAL 1 EQUAL", "", "OK"), ("3 4", "SUB -1 EQUAL", "", "OK"),
      ("3 4", "MIN 3 EQUAL", "", "OK"), ("3 4", "MAX 4 EQUAL", "", "OK"), ("3 4", "LESSTHAN", "", "OK"),
      ("4 4", "LESSTHANOREQUAL", "", "OK"), ("4 4", "GREATERTHAN", "", "EVAL_FALSE"), ("3 0", "BOOLOR", "", "OK"),
      ("3 0", "BOOLAND", "", "EVAL_FALSE"), ("3 3 4", "WITHIN", "", "OK"), ("4 3 4", "WITHIN", "", "EVAL_FALSE"),
      ("3 4", "NUMEQUALVERIFY", "", "NUMEQUALVERIFY"),
      // As numbers equal, as bytes not. Zero may have a sign unless the shortest form is asked for.
      ("0x02 0x0100", "1 NUMEQUAL", "", "OK"), ("0x02 0x0100", "1 EQUAL", "", "EVAL_FALSE"),
      ("0x02 0x0100", "1 NUMEQUAL", "MINIMALDATA", "SCRIPTNUM"), ("0x01 0x80", "NOT", "", "OK"),
      ("0x01 0x80", "NOT", "MINIMALDATA", "SCRIPTNUM"), ("0x02 0x8000", "128 EQUAL", "MINIMALDATA", "OK"),
    ])
  }

  @Test func `Pushes are the shortest where MINIMALDATA asks for it, and only where they are executed`() throws {
    try check([
      ("", "0x01 0x01", "MINIMALDATA", "MINIMALDATA"), ("", "0x01 0x81", "MINIMALDATA", "MINIMALDATA"),
      ("", "0x01 0x11", "MINIMALDATA", "OK"), ("", "0x4c 0x01 0x11", "MINIMALDATA", "MINIMALDATA"),
      ("", "0x4d 0x0100 0x11", "MINIMALDATA", "MINIMALDATA"),
      ("", "0x4e 0x01000000 0x11", "MINIMALDATA", "MINIMALDATA"),
      ("", "0x4c 0x00 NOT", "MINIMALDATA", "MINIMALDATA"), ("", "0x4c 0x00 NOT", "", "OK"),
      ("", "0 IF 0x01 0x01 ENDIF 1", "MINIMALDATA", "OK"),
    ])
  }

  @Test func `Conditions nest, toggle and must be closed`() throws {
    try check([
      ("1", "IF 2 ELSE 3 ENDIF 2 EQUAL", "", "OK"), ("0", "IF 2 ELSE 3 ENDIF 3 EQUAL", "", "OK"),
      ("0", "NOTIF 2 ELSE 3 ENDIF 2 EQUAL", "", "OK"),
      ("1", "IF 2 ELSE 3 ELSE 4 ENDIF 4 EQUALVERIFY 2 EQUAL", "", "OK"),
      ("0", "IF 1 IF RETURN ELSE RETURN ENDIF ELSE 1 ENDIF", "", "OK"),
      ("0 1", "IF IF RETURN ELSE 1 ENDIF ELSE RETURN ENDIF", "", "OK"),
      ("1", "IF 1", "", "UNBALANCED_CONDITIONAL"), ("1", "ENDIF", "", "UNBALANCED_CONDITIONAL"),
      ("1", "ELSE 1", "", "UNBALANCED_CONDITIONAL"), ("", "IF ENDIF 1", "", "INVALID_STACK_OPERATION"),
      // A condition cannot begin in one script and end in another.
      ("1 IF 1", "ENDIF", "", "UNBALANCED_CONDITIONAL"),
      // Not executed: RESERVED and VER do no harm; VERIF, disabled operations and too long pushes do.
      ("0", "IF RESERVED VER 0xba ENDIF 1", "", "OK"), ("0", "IF VERIF ENDIF 1", "", "BAD_OPCODE"),
      ("0", "IF VERNOTIF ENDIF 1", "", "BAD_OPCODE"), ("0", "IF CAT ENDIF 1", "", "DISABLED_OPCODE"),
      ("0", "IF 2MUL ENDIF 1", "", "DISABLED_OPCODE"), ("1", "RESERVED", "", "BAD_OPCODE"),
      ("1", "VER", "", "BAD_OPCODE"),
      ("1", "0xba", "", "BAD_OPCODE"), ("1", "0xff", "", "BAD_OPCODE"), ("", "0x02 0x01", "", "BAD_OPCODE"),
      ("", "1 0x4d 0x01", "", "BAD_OPCODE"), ("", "1 0x4e 0xffffffff", "", "BAD_OPCODE"),
    ])
  }

  @Test func `Limits hold at their boundary`() throws {
    func repeated(_ word: String, _ count: Int) -> String {
      Array(repeating: word, count: count).joined(separator: " ")
    }
    try check([
      ("1", repeated("NOP", 201), "", "OK"), ("1", repeated("NOP", 202), "", "OP_COUNT"),
      // Keys of a CHECKMULTISIG count, whether there are signatures or not.
      ("0 0", repeated("0", 20) + " 20 CHECKMULTISIG " + repeated("NOP", 180), "", "OK"),
      ("0 0", repeated("0", 20) + " 20 CHECKMULTISIG " + repeated("NOP", 181), "", "OP_COUNT"),
      ("0 0", repeated("0", 21) + " 21 CHECKMULTISIG", "", "PUBKEY_COUNT"),
      ("0 0", "-1 CHECKMULTISIG", "", "PUBKEY_COUNT"),
      ("0 2", "0 1 CHECKMULTISIG", "", "SIG_COUNT"), ("0 -1", "0 1 CHECKMULTISIG", "", "SIG_COUNT"),
      (repeated("1", 1000), "", "", "OK"), (repeated("1", 1000), "1", "", "STACK_SIZE"),
      (repeated("1", 998), "1 TOALTSTACK 1", "", "OK"), (repeated("1", 998), "1 TOALTSTACK 1 1", "", "STACK_SIZE"),
      ("", "0x4d 0x0802 0x" + String(repeating: "42", count: 520), "", "OK"),
      ("", "0x4d 0x0902 0x" + String(repeating: "42", count: 521), "", "PUSH_SIZE"),
      ("0", "IF 0x4d 0x0902 0x" + String(repeating: "42", count: 521) + " ENDIF 1", "", "PUSH_SIZE"),
      ("1", "0x" + String(repeating: "51", count: 900) + String(repeating: "00", count: 99), "", "EVAL_FALSE"),
      (
        "",
        repeated("0x4d 0x0802 0x" + String(repeating: "42", count: 520), 19) + " 0x4c 0x60 0x"
          + String(repeating: "42", count: 96) + " 0x16 0x" + String(repeating: "42", count: 22) + " 1 NOP NOP NOP", "",
        "SCRIPT_SIZE"
      ),
    ])
  }

  @Test func `NOPs do nothing, and those for soft forks are discouraged`() throws {
    for name in ["NOP1", "NOP4", "NOP5", "NOP6", "NOP7", "NOP8", "NOP9", "NOP10"] {
      try check([
        ("1", name, "", "OK"), ("1", name, "DISCOURAGE_UPGRADABLE_NOPS", "DISCOURAGE_UPGRADABLE_NOPS"),
        ("1", "0 IF \(name) ENDIF", "DISCOURAGE_UPGRADABLE_NOPS", "OK"),
      ])
    }
    try check([("1", "NOP", "DISCOURAGE_UPGRADABLE_NOPS", "OK")])
  }

  @Test func `Lock times are compared with the transaction's`() throws {
    try check([
      // The transaction has lock time 0, version 1 and a final input.
      ("", "0 CLTV", "", "EVAL_FALSE"), ("", "0 CLTV", "CHECKLOCKTIMEVERIFY", "UNSATISFIED_LOCKTIME"),
      ("", "-1 CLTV", "CHECKLOCKTIMEVERIFY", "NEGATIVE_LOCKTIME"),
      ("", "CLTV", "CHECKLOCKTIMEVERIFY", "INVALID_STACK_OPERATION"),
      ("", "0x06 0x000000000001 CLTV", "CHECKLOCKTIMEVERIFY", "SCRIPTNUM"),
      ("", "0 CSV", "CHECKSEQUENCEVERIFY", "UNSATISFIED_LOCKTIME"),
      ("", "-1 CSV", "CHECKSEQUENCEVERIFY", "NEGATIVE_LOCKTIME"),
      // Bit 31 makes it a NOP.
      ("", "2147483648 CSV", "CHECKSEQUENCEVERIFY", "OK"),
    ])
  }

  @Test func `A script hash asks for its script and nothing but pushes`() throws {
    // HASH160 of the script `1`.
    let hash = "HASH160 0x14 0xda1745e9b549bd0bfa1a569971c77eba30cd5a4b EQUAL"
    try check([
      ("0x01 0x51", hash, "P2SH", "OK"), ("0x01 0x51", hash, "", "OK"), ("0x01 0x52", hash, "P2SH", "EVAL_FALSE"),
      ("NOP 0x01 0x51", hash, "P2SH", "SIG_PUSHONLY"), ("NOP 0x01 0x51", hash, "", "OK"),
      ("NOP 1", "", "SIGPUSHONLY", "SIG_PUSHONLY"), ("RESERVED 1", "", "SIGPUSHONLY", "BAD_OPCODE"),
      ("1 0x01 0x51", hash, "P2SH,WITNESS,CLEANSTACK", "CLEANSTACK"),
      ("0x01 0x51", hash, "P2SH,WITNESS,CLEANSTACK", "OK"),
      // HASH160 of nothing: the redeem script is empty, and so is what it leaves.
      ("0", "HASH160 0x14 0xb472a266d0bd89c13706a4132ccfb16f7c3b9fcb EQUAL", "P2SH", "EVAL_FALSE"),
      ("1 0", "HASH160 0x14 0xb472a266d0bd89c13706a4132ccfb16f7c3b9fcb EQUAL", "P2SH", "OK"),
    ])
  }

  @Test func `Witness programs of unknown versions are for anyone, if they are not discouraged`() throws {
    try check([
      ("", "2 0x02 0x0001", "P2SH,WITNESS", "OK"),
      (
        "", "2 0x02 0x0001", "P2SH,WITNESS,DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM",
        "DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM"
      ),
      ("1", "2 0x02 0x0001", "P2SH,WITNESS", "WITNESS_MALLEATED"),
      ("", "0 0x02 0x0001", "P2SH,WITNESS", "WITNESS_PROGRAM_WRONG_LENGTH"), ("", "0 0x02 0x0001", "P2SH", "OK"),
      // Pay to anchor is standard; anything like it is not.
      ("", "1 0x02 0x4e73", "P2SH,WITNESS,TAPROOT,DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM", "OK"),
      ("1", "1 0x02 0x4e73", "P2SH,WITNESS,TAPROOT", "WITNESS_MALLEATED"),
      (
        "", "1 0x02 0x4e74", "P2SH,WITNESS,TAPROOT,DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM",
        "DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM"
      ),
      (
        "", "2 0x02 0x4e73", "P2SH,WITNESS,TAPROOT,DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM",
        "DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM"
      ),
      (
        "0x04 0x51024e73", "HASH160 0x14 0x3b68dd0468ddab9d6b7d341e721ec1b386aa29b9 EQUAL",
        "P2SH,WITNESS,TAPROOT,DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM", "DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM"
      ),
      // One byte and 41 bytes are no programs.
      ("", "1 0x01 0x4e", "P2SH,WITNESS,DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM", "OK"),
      (
        "", "1 0x29 0x" + String(repeating: "01", count: 41), "P2SH,WITNESS,DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM", "OK"
      ),
    ])
  }

  @Test func `A witness that nothing asks for is refused`() throws {
    let result = verdict { () throws(ScriptError) in
      try ScriptVerifier.verifyCredited(
        scriptSig: Script(), scriptPubKey: Script([0x51]), witness: [[]], flags: .consensus)
    }
    #expect(result == "WITNESS_UNEXPECTED")
  }

  @Test func `A pay-to-witness-script-hash output runs the script it commits to`() throws {
    let script = try ScriptText.parse("IF 1 ELSE 0 ENDIF")
    let output = Script {
      $0.append(.op0); $0.append(push: Hashing.sha256(script.bytes))
    }
    func result(_ witness: Witness, _ flags: ScriptFlags = .consensus) -> String {
      verdict { () throws(ScriptError) in
        try ScriptVerifier.verifyCredited(scriptSig: Script(), scriptPubKey: output, witness: witness, flags: flags)
      }
    }
    #expect(result([[1], script.bytes]) == "OK")
    #expect(result([[2], script.bytes]) == "OK")
    #expect(result([[2], script.bytes], [.p2sh, .witness, .minimalIf]) == "MINIMALIF")
    #expect(result([[0], script.bytes], [.p2sh, .witness, .minimalIf]) == "MINIMALIF")
    #expect(result([[], script.bytes]) == "EVAL_FALSE")
    #expect(result([[1], [1], script.bytes]) == "CLEANSTACK")
    #expect(result([]) == "WITNESS_PROGRAM_WITNESS_EMPTY")
    #expect(result([[1], script.bytes + [0x61]]) == "WITNESS_PROGRAM_MISMATCH")
    #expect(result([Array(repeating: 1, count: 521), script.bytes]) == "PUSH_SIZE")
    #expect(result([[1], script.bytes], [.p2sh]) == "OK")
  }

  @Test func `Operations outside of any flag set have their names`() throws {
    #expect(try ScriptFlags(parsing: "P2SH,WITNESS") == [.p2sh, .witness])
    #expect(try ScriptFlags(parsing: "") == .none)
    #expect(try ScriptFlags(names: ["NONE"]) == .none)
    #expect(throws: UnknownScriptFlag.self) { try ScriptFlags(parsing: "P2SH,WITNES") }
    #expect(throws: UnknownScriptFlag.self) { try ScriptFlags(names: ["p2sh"]) }
    for (name, flag) in ScriptFlags.named {
      #expect(try ScriptFlags(name: name) == flag)
      #expect(flag.names == [name])
    }
    #expect(try ScriptFlags(names: ScriptFlags.standard.names) == .standard)
    #expect(ScriptFlags.all.subtracting(.standard) == .sigPushOnly)
    #expect(ScriptFlags.none.description == "NONE")
  }

  @Test func `Questions that make no sense have no script error of their own`() throws {
    let transaction = Transaction(inputs: [TxInput(previousOutput: .null)], outputs: [])
    for (index, spent) in [(1, 1), (-1, 1), (0, 0), (0, 2)] {
      let outputs = Array(repeating: TxOutput(value: .zero, scriptPubKey: Script([0x51])), count: spent)
      #expect(throws: ScriptError.unknownError) {
        try ScriptVerifier.verify(input: index, of: transaction, spending: outputs, flags: .consensus)
      }
      let bytes: [UInt8] = [1]
      // A checker made so refuses everything, and does not trap.
      let checker = TransactionSignatureChecker(transaction, input: index, spending: outputs)
      #expect(!checker.satisfies(lockTime: 0) && !checker.satisfies(sequence: 0))
      let isValid = checker.isValidECDSA(
        signature: bytes.bytes, publicKey: bytes.bytes, scriptCode: bytes.bytes, version: .base)
      #expect(!isValid)
    }
  }
}
