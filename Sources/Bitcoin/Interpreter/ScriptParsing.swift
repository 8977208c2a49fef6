internal import Encoding

// Scripts read where they lie, with the very boundaries of Bitcoin Core's `GetScriptOp`.

extension RawSpan {
  /// Reads the instruction at `offset` and moves behind it. Nil at the end, and when a push runs past the end; `offset` then lies
  /// behind what could be read, the opcode and its length, for the sake of `CodeSeparatorFreeScript`.
  func scriptInstruction(at offset: inout Int) -> ScriptInstruction? {
    guard offset < byteCount else { return nil }
    let opcode = Opcode(rawValue: self[offset])
    offset += 1
    guard opcode.rawValue <= Opcode.pushData4.rawValue else {
      return ScriptInstruction(opcode: opcode, data: offset..<offset)
    }
    var length = Int(opcode.rawValue)
    let lengthSize =
      switch opcode {
      case .pushData1: 1
      case .pushData2: 2
      case .pushData4: 4
      default: 0
      }
    if lengthSize > 0 {
      guard byteCount - offset >= lengthSize else { return nil }
      length = 0
      for index in 0..<lengthSize { length |= Int(self[offset + index]) << (8 * index) }
      offset += lengthSize
    }
    guard length <= byteCount - offset else { return nil }
    let start = offset
    offset += length
    return ScriptInstruction(opcode: opcode, data: start..<offset)
  }

  /// BIP 16: nothing but pushes; OP_1NEGATE, OP_RESERVED and OP_1 to OP_16 count as such.
  var isPushOnlyScript: Bool {
    var offset = 0
    while offset < byteCount {
      guard let instruction = scriptInstruction(at: &offset), instruction.opcode.rawValue <= Opcode.op16.rawValue
      else { return false }
    }
    return true
  }

  /// BIP 16: HASH160, a push of 20 bytes, EQUAL.
  var isPayToScriptHash: Bool {
    byteCount == 23 && self[0] == Opcode.hash160.rawValue && self[1] == 20 && self[22] == Opcode.equal.rawValue
  }

  /// BIP 141: "A scriptPubKey (or redeemScript as defined in BIP16/P2SH) that consists of a 1-byte push opcode (one of
  /// OP_0,OP_1,OP_2,...,OP_16) followed by a direct data push between 2 and 40 bytes gets a new special meaning."
  /// The version, and the program as the bytes from the third on.
  var witnessProgramVersion: Int? {
    guard 4...42 ~= byteCount, Int(self[1]) + 2 == byteCount else { return nil }
    switch self[0] {
    case 0: return 0
    case 0x51...0x60: return Int(self[0]) - 0x50
    default: return nil
    }
  }

  /// Whether this data could not have been pushed by a shorter instruction than `opcode` (BIP 62 rule 3).
  func isMinimallyPushed(by opcode: Opcode) -> Bool {
    switch byteCount {
    case 0: return opcode == .op0
    case 1 where 1...16 ~= self[0] || self[0] == 0x81: return false
    case ...75: return Int(opcode.rawValue) == byteCount
    case ...0xff: return opcode == .pushData1
    case ...0xffff: return opcode == .pushData2
    default: return true
    }
  }

  /// The script number in these bytes. Throws `SCRIPTNUM` when there are more than `maximumSize`, at most 8, or when the shortest
  /// form is required and this is not it.
  func scriptNumber(maximumSize: Int = 4, requireMinimal: Bool) throws(ScriptError) -> Int64 {
    guard byteCount <= maximumSize else { throw .scriptNumber }
    guard byteCount > 0 else { return 0 }
    let last = self[byteCount - 1]
    if requireMinimal && last & 0x7f == 0 {
      // The last byte holds nothing but a sign: it must be there because the byte before uses all its bits.
      guard byteCount > 1, self[byteCount - 2] & 0x80 != 0 else { throw .scriptNumber }
    }
    var magnitude = Int64(last & 0x7f)
    for offset in stride(from: byteCount - 2, through: 0, by: -1) { magnitude = magnitude << 8 | Int64(self[offset]) }
    return last & 0x80 != 0 ? -magnitude : magnitude
  }

  /// Consensus before segwit: a copy of this script without the instructions that start like a push of `signature`, wherever an
  /// instruction can start; nil when there are none (Bitcoin Core's `FindAndDelete`).
  func deleting(pushOf signature: RawSpan) -> [UInt8]? {
    let pattern = Script { $0.append(push: signature) }.bytes
    var kept: ByteWriter?
    var keptEnd = 0
    var offset = 0
    repeat {
      let start = offset
      while byteCount - offset >= pattern.count,
        extracting(offset..<offset + pattern.count).elementsEqual(pattern.bytes)
      {
        offset += pattern.count
      }
      if offset > start {
        if kept == nil { kept = ByteWriter(reservingCapacity: byteCount) }
        kept?.write(extracting(keptEnd..<start))
        keptEnd = offset
      }
    } while scriptInstruction(at: &offset) != nil
    kept?.write(extracting(keptEnd..<byteCount))
    return kept?.bytes
  }
}

extension Opcode {
  /// CVE-2010-5137: not to be found in a script before tapscript, executed or not.
  var isDisabled: Bool {
    switch self {
    case .cat, .substr, .left, .right, .invert, .and, .or, .xor, .twoMul, .twoDiv, .mul, .div, .mod, .lShift, .rShift:
      true
    default: false
    }
  }

  /// BIP 342: "If any opcode numbered 80, 98, 126-129, 131-134, 137-138, 141-142, 149-153, 187-254 is encountered, validation
  /// succeeds".
  var isSuccess: Bool {
    switch rawValue {
    case 80, 98, 126...129, 131...134, 137...138, 141...142, 149...153, 187...254: true
    default: false
    }
  }
}
