import Bitcoin
import Encoding
import Hashing
import Secp256k1
import Testing
import VectorSupport

/// ECDSA in scripts: encodings, hash types, several signatures. Keys are fixed, so that a failure can be repeated.
@Suite struct InterpreterSignatureTests {
  private static func secret(_ number: UInt8) throws -> SecretKey {
    var bytes = Bytes32()
    bytes[31] = number
    return try SecretKey(bytes)
  }

  private static func key(_ number: UInt8) throws -> [UInt8] { try secret(number).publicKey.array }

  /// Signs the spend of `script` in Bitcoin Core's transactions for scripts.
  private static func signature(
    by number: UInt8, script: Script, scriptCode: Script? = nil, type: UInt8 = 1, segwit: Bool = false,
    encode: (ECDSASignature) -> [UInt8] = { $0.der }
  ) throws -> [UInt8] {
    let (transaction, spent) = ScriptVerifier.creditedSpend(scriptSig: Script(), scriptPubKey: script)
    let type32 = SighashType(rawValue: UInt32(type))
    let sighash =
      if segwit {
        try transaction.segwitV0Sighash(
          input: 0, scriptCode: scriptCode ?? script, amount: spent.value, type: type32,
          parts: SighashParts(transaction))
      } else {
        try transaction.legacySighash(input: 0, scriptCode: scriptCode ?? script, type: type32)
      }
    return encode(try secret(number).signECDSA(sighash.raw)) + [type]
  }

  private func result(_ scriptSig: [[UInt8]], _ script: Script, _ flags: ScriptFlags) -> String {
    verdict { () throws(ScriptError) in
      try ScriptVerifier.verifyCredited(
        scriptSig: Script { for element in scriptSig { $0.append(minimalPush: element) } }, scriptPubKey: script,
        flags: flags)
    }
  }

  private func payTo(_ key: [UInt8]) -> Script {
    Script {
      $0.append(push: key)
      $0.append(.checkSig)
    }
  }

  /// r and s as DER integers with `padding` zeros in front, and lengths in long form when `longLengths`.
  private func lax(
    _ signature: ECDSASignature, padding: Int = 0, longLengths: Bool = false, unpadded: Bool = false,
    sequenceLength: [UInt8]? = nil, trailing: [UInt8] = []
  ) -> [UInt8] {
    let compact = signature.compact.array
    func length(_ count: Int) -> [UInt8] { longLengths ? [0x83, 0, 0, UInt8(count)] : [UInt8(count)] }
    func integer(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
      let body = unpadded ? Array(bytes) : Array(repeating: 0, count: padding) + Array(bytes)
      return [0x02] + length(body.count) + body
    }
    let body = integer(compact[0..<32]) + integer(compact[32..<64])
    return [0x30] + (sequenceLength ?? length(body.count)) + body + trailing
  }

  /// The same signature with n − s.
  private func negated(_ signature: ECDSASignature) -> ECDSASignature {
    let order: [UInt8] = [
      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae, 0xdc,
      0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
    ]
    var compact = signature.compact
    var borrow = 0
    for index in (0..<32).reversed() {
      let difference = Int(order[index]) - Int(compact[32 + index]) - borrow
      compact[32 + index] = UInt8(truncatingIfNeeded: difference)
      borrow = difference < 0 ? 1 : 0
    }
    return (try? ECDSASignature(compact: compact)) ?? signature
  }

  @Test func `Before BIP 66 almost any encoding of a signature is taken`() throws {
    let script = payTo(try Self.key(1))
    let encodings: [(name: String, encode: (ECDSASignature) -> [UInt8])] = [
      ("padded", { self.lax($0, padding: 5) }),
      ("long lengths", { self.lax($0, longLengths: true) }),
      // A high s in 32 bytes, so that it would be negative.
      ("negative", { self.lax(self.negated($0), unpadded: true) }),
      ("a wrong length of the whole", { self.lax($0, sequenceLength: [0x7f]) }),
      ("a length of the whole with 5 bytes", { self.lax($0, sequenceLength: [0x85, 1, 2, 3, 4, 5]) }),
      ("bytes behind", { self.lax($0, trailing: [1, 2, 3]) }),
    ]
    for (name, encode) in encodings {
      let signature = try Self.signature(by: 1, script: script, encode: encode)
      #expect(result([signature], script, .none) == "OK", "\(name)")
      for flag: ScriptFlags in [.derSig, .lowS, .strictEnc] {
        #expect(
          result([signature], script, flag) == "SIG_DER", "\(name)")
      }
    }
  }

  @Test func `What is no signature even in the laxest reading is only false`() throws {
    let script = payTo(try Self.key(1))
    let good = try Self.signature(by: 1, script: script)
    let bad: [[UInt8]] = [
      [1], [0x30, 1], [0x31] + good.dropFirst(), [0x30, 0x80, 1], [0x30, 0xff] + good.dropFirst(2),
      Array(good[0..<10]) + [1], Array(good[0..<4]) + [1], [0x30, 2, 2, 0x80, 1], [0x30, 4, 2, 0x84, 1, 1, 1, 1, 1],
      [0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00, 0x01], [0x30, 0x44, 0x03] + good.dropFirst(3),
      // r too large: 33 bytes, or more than the order.
      [0x30, 0, 2, 33] + Array(repeating: 1, count: 33) + [2, 1, 1, 1],
      [0x30, 0, 2, 32] + Array(repeating: 0xff, count: 32) + [2, 1, 1, 1],
    ]
    for signature in bad {
      #expect(result([signature], script, .none) == "EVAL_FALSE", "\(Hex.encode(signature))")
      #expect(result([signature], script, .nullFail) == "NULLFAIL", "\(Hex.encode(signature))")
    }
    #expect(result([[]], script, .standard.subtracting(.cleanStack)) == "EVAL_FALSE")
  }

  @Test func `A high s is valid, and not standard`() throws {
    let script = payTo(try Self.key(1))
    let signature = try Self.signature(by: 1, script: script) { self.negated($0).der }
    #expect(result([signature], script, .none) == "OK")
    #expect(result([signature], script, [.derSig, .strictEnc]) == "OK")
    #expect(result([signature], script, .lowS) == "SIG_HIGH_S")
  }

  @Test func `Hash types that are not defined are signed as they are, and not standard`() throws {
    let script = payTo(try Self.key(1))
    for type: UInt8 in 0...255 {
      let signature = try Self.signature(by: 1, script: script, type: type)
      #expect(result([signature], script, .consensus) == "OK", "type \(type)")
      let isDefined = [1, 2, 3, 0x81, 0x82, 0x83].contains(type)
      #expect(result([signature], script, .strictEnc) == (isDefined ? "OK" : "SIG_HASHTYPE"), "type \(type)")
    }
  }

  @Test func `Keys may be compressed, uncompressed or hybrid, as the flags say`() throws {
    let point = try Self.secret(1).publicKey
    let uncompressed = point.uncompressed.array
    // y of the generator is even.
    let hybrid = [6] + uncompressed.dropFirst()
    for (key, strict, segwit) in [
      (point.array, "OK", "OK"), (uncompressed, "OK", "WITNESS_PUBKEYTYPE"),
      (hybrid, "PUBKEYTYPE", "WITNESS_PUBKEYTYPE"),
    ] {
      let script = payTo(key)
      let signature = try Self.signature(by: 1, script: script)
      #expect(result([signature], script, .consensus) == "OK")
      #expect(result([signature], script, .strictEnc) == strict)

      let program = Script {
        $0.append(.op0)
        $0.append(push: sha256(script.bytes))
      }
      let segwitSignature = try Self.signature(by: 1, script: program, scriptCode: script, segwit: true)
      for (flags, expected) in [
        (ScriptFlags.consensus, "OK"), (.consensus.union(.witnessPubkeyType), segwit),
      ] {
        let spent = verdict { () throws(ScriptError) in
          try ScriptVerifier.verifyCredited(
            scriptSig: Script(), scriptPubKey: program, witness: [segwitSignature, script.bytes], flags: flags)
        }
        #expect(spent == expected)
      }
    }
    // A hybrid key whose first byte lies about y, a short key, an unknown kind, no point.
    let invalid: [[UInt8]] = [
      [7] + uncompressed.dropFirst(), Array(point.array.dropLast()), [5] + point.array.dropFirst(), [],
      [2] + Array(repeating: 0xff, count: 32),
    ]
    for key in invalid {
      let script = payTo(key)
      #expect(result([try Self.signature(by: 1, script: script)], script, .none) == "EVAL_FALSE")
    }
  }

  @Test func `A public key hash is spent with the key and its signature`() throws {
    let key = try Self.key(7)
    let script = Script {
      $0.append(.dup)
      $0.append(.hash160)
      $0.append(push: hash160(key))
      $0.append(.equalVerify)
      $0.append(.checkSig)
    }
    let signature = try Self.signature(by: 7, script: script)
    #expect(result([signature, key], script, .standard) == "OK")
    #expect(result([signature, try Self.key(8)], script, .standard) == "EQUALVERIFY")
    #expect(result([try Self.signature(by: 8, script: script), key], script, .consensus) == "EVAL_FALSE")
    #expect(result([try Self.signature(by: 8, script: script), key], script, .standard) == "NULLFAIL")
    #expect(result([signature, key, [1]], script, .consensus) == "EQUALVERIFY")
    #expect(result([[1], signature, key], script, .standard) == "CLEANSTACK")
  }

  @Test func `Two of three signatures must come in the order of the keys`() throws {
    let keys = try (1...3).map { try Self.key($0) }
    let script = Script {
      $0.append(.op2)
      for key in keys { $0.append(push: key) }
      $0.append(.op3)
      $0.append(.checkMultiSig)
    }
    func signed(_ number: UInt8) throws -> [UInt8] { try Self.signature(by: number, script: script) }
    for (first, second, expected) in [
      (UInt8(1), UInt8(2), "OK"), (1, 3, "OK"), (2, 3, "OK"), (2, 1, "EVAL_FALSE"), (3, 1, "EVAL_FALSE"),
      (1, 1, "EVAL_FALSE"), (1, 4, "EVAL_FALSE"),
    ] {
      let signatures = try [signed(first), signed(second)]
      #expect(result([[]] + signatures, script, .consensus) == expected, "\(first) and \(second)")
      if expected != "OK" { #expect(result([[]] + signatures, script, .standard) == "NULLFAIL") }
    }
    let good = try [signed(1), signed(3)]
    #expect(result([[1]] + good, script, .none) == "OK")
    #expect(result([[1]] + good, script, .nullDummy) == "SIG_NULLDUMMY")
    #expect(result(good, script, .none) == "INVALID_STACK_OPERATION")
    // All empty: false, and no fault.
    #expect(result([[], [], []], script, .standard) == "EVAL_FALSE")
    // What is not looked at may be anything: the last signature and key come first.
    #expect(result([[], [1], good[1]], script, [.derSig]) == "SIG_DER")
    #expect(result([[], good[0], [1]], script, [.derSig]) == "SIG_DER")
  }

  @Test func `A signature in its own script is deleted from it before segwit`() throws {
    // The script holds a push of the very signature that it is spent with.
    let key = try Self.key(1)
    let plain = Script {
      $0.append(.drop)
      $0.append(push: key)
      $0.append(.checkSig)
    }
    // Signed is the script without the push; the credited transaction depends on the script, so take a hash that does not.
    let one = try Self.secret(1).signECDSA(Bytes32(hex: "01" + String(repeating: "0", count: 62))).der + [3]
    let script = Script {
      $0.append(push: one)
      $0.bytes += plain.bytes
    }
    // SINGLE without a matching output signs the number one, whatever the script is.
    let transaction = Transaction(
      version: 1,
      inputs: [TxInput(previousOutput: .null), TxInput(previousOutput: OutPoint(txid: TxID(Bytes32()), vout: 0))],
      outputs: [TxOutput(value: .zero, scriptPubKey: Script())])
    var spend = transaction
    spend.inputs[1].scriptSig = Script { $0.append(push: one) }
    let spent = [
      TxOutput(value: .zero, scriptPubKey: Script()), TxOutput(value: .zero, scriptPubKey: script),
    ]
    func result(_ flags: ScriptFlags) -> String {
      verdict { () throws(ScriptError) in
        try ScriptVerifier.verify(input: 1, of: spend, spending: spent, flags: flags)
      }
    }
    #expect(result(.consensus) == "OK")
    #expect(result(.constScriptCode) == "SIG_FINDANDDELETE")
  }

  @Test func `OP_CODESEPARATOR cuts off what was before it`() throws {
    let key = try Self.key(1)
    let tail = payTo(key)
    let script = Script {
      $0.append(.codeSeparator)
      $0.bytes += tail.bytes
    }
    let signature = try Self.signature(by: 1, script: script, scriptCode: tail)
    #expect(result([signature], script, .consensus) == "OK")
    #expect(result([signature], script, .constScriptCode) == "OP_CODESEPARATOR")
    // Not executed, it is left out before segwit all the same.
    let unexecuted = Script {
      $0.append(.op0)
      $0.append(.if)
      $0.append(.codeSeparator)
      $0.append(.endIf)
      $0.bytes += tail.bytes
    }
    let whole = try Self.signature(by: 1, script: unexecuted)
    #expect(result([whole], unexecuted, .consensus) == "OK")
    #expect(result([whole], unexecuted, .constScriptCode) == "OP_CODESEPARATOR")
  }

  @Test func `CHECKSIGADD is for tapscript alone`() throws {
    let script = try ScriptText.parse("0 0 0 CHECKSIGADD")
    #expect(result([], script, .consensus) == "BAD_OPCODE")
  }
}
