/// A script operation, by its byte. Bytes 0x01 to 0x4b push that many bytes and have no name.
public struct Opcode: RawRepresentable, Hashable, Sendable {
  public let rawValue: UInt8

  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  // Names as in Bitcoin Core, without the prefix OP_ where it is not needed to start with a letter.

  public static let op0 = Opcode(rawValue: 0x00)
  public static let pushData1 = Opcode(rawValue: 0x4c)
  public static let pushData2 = Opcode(rawValue: 0x4d)
  public static let pushData4 = Opcode(rawValue: 0x4e)
  public static let negativeOne = Opcode(rawValue: 0x4f)
  public static let reserved = Opcode(rawValue: 0x50)
  public static let op1 = Opcode(rawValue: 0x51)
  public static let op2 = Opcode(rawValue: 0x52)
  public static let op3 = Opcode(rawValue: 0x53)
  public static let op4 = Opcode(rawValue: 0x54)
  public static let op5 = Opcode(rawValue: 0x55)
  public static let op6 = Opcode(rawValue: 0x56)
  public static let op7 = Opcode(rawValue: 0x57)
  public static let op8 = Opcode(rawValue: 0x58)
  public static let op9 = Opcode(rawValue: 0x59)
  public static let op10 = Opcode(rawValue: 0x5a)
  public static let op11 = Opcode(rawValue: 0x5b)
  public static let op12 = Opcode(rawValue: 0x5c)
  public static let op13 = Opcode(rawValue: 0x5d)
  public static let op14 = Opcode(rawValue: 0x5e)
  public static let op15 = Opcode(rawValue: 0x5f)
  public static let op16 = Opcode(rawValue: 0x60)
  public static let nop = Opcode(rawValue: 0x61)
  public static let ver = Opcode(rawValue: 0x62)
  public static let `if` = Opcode(rawValue: 0x63)
  public static let notIf = Opcode(rawValue: 0x64)
  public static let verIf = Opcode(rawValue: 0x65)
  public static let verNotIf = Opcode(rawValue: 0x66)
  public static let `else` = Opcode(rawValue: 0x67)
  public static let endIf = Opcode(rawValue: 0x68)
  public static let verify = Opcode(rawValue: 0x69)
  public static let `return` = Opcode(rawValue: 0x6a)
  public static let toAltStack = Opcode(rawValue: 0x6b)
  public static let fromAltStack = Opcode(rawValue: 0x6c)
  public static let twoDrop = Opcode(rawValue: 0x6d)
  public static let twoDup = Opcode(rawValue: 0x6e)
  public static let threeDup = Opcode(rawValue: 0x6f)
  public static let twoOver = Opcode(rawValue: 0x70)
  public static let twoRot = Opcode(rawValue: 0x71)
  public static let twoSwap = Opcode(rawValue: 0x72)
  public static let ifDup = Opcode(rawValue: 0x73)
  public static let depth = Opcode(rawValue: 0x74)
  public static let drop = Opcode(rawValue: 0x75)
  public static let dup = Opcode(rawValue: 0x76)
  public static let nip = Opcode(rawValue: 0x77)
  public static let over = Opcode(rawValue: 0x78)
  public static let pick = Opcode(rawValue: 0x79)
  public static let roll = Opcode(rawValue: 0x7a)
  public static let rot = Opcode(rawValue: 0x7b)
  public static let swap = Opcode(rawValue: 0x7c)
  public static let tuck = Opcode(rawValue: 0x7d)
  public static let cat = Opcode(rawValue: 0x7e)
  public static let substr = Opcode(rawValue: 0x7f)
  public static let left = Opcode(rawValue: 0x80)
  public static let right = Opcode(rawValue: 0x81)
  public static let size = Opcode(rawValue: 0x82)
  public static let invert = Opcode(rawValue: 0x83)
  public static let and = Opcode(rawValue: 0x84)
  public static let or = Opcode(rawValue: 0x85)
  public static let xor = Opcode(rawValue: 0x86)
  public static let equal = Opcode(rawValue: 0x87)
  public static let equalVerify = Opcode(rawValue: 0x88)
  public static let reserved1 = Opcode(rawValue: 0x89)
  public static let reserved2 = Opcode(rawValue: 0x8a)
  public static let oneAdd = Opcode(rawValue: 0x8b)
  public static let oneSub = Opcode(rawValue: 0x8c)
  public static let twoMul = Opcode(rawValue: 0x8d)
  public static let twoDiv = Opcode(rawValue: 0x8e)
  public static let negate = Opcode(rawValue: 0x8f)
  public static let abs = Opcode(rawValue: 0x90)
  public static let not = Opcode(rawValue: 0x91)
  public static let zeroNotEqual = Opcode(rawValue: 0x92)
  public static let add = Opcode(rawValue: 0x93)
  public static let sub = Opcode(rawValue: 0x94)
  public static let mul = Opcode(rawValue: 0x95)
  public static let div = Opcode(rawValue: 0x96)
  public static let mod = Opcode(rawValue: 0x97)
  public static let lShift = Opcode(rawValue: 0x98)
  public static let rShift = Opcode(rawValue: 0x99)
  public static let boolAnd = Opcode(rawValue: 0x9a)
  public static let boolOr = Opcode(rawValue: 0x9b)
  public static let numEqual = Opcode(rawValue: 0x9c)
  public static let numEqualVerify = Opcode(rawValue: 0x9d)
  public static let numNotEqual = Opcode(rawValue: 0x9e)
  public static let lessThan = Opcode(rawValue: 0x9f)
  public static let greaterThan = Opcode(rawValue: 0xa0)
  public static let lessThanOrEqual = Opcode(rawValue: 0xa1)
  public static let greaterThanOrEqual = Opcode(rawValue: 0xa2)
  public static let min = Opcode(rawValue: 0xa3)
  public static let max = Opcode(rawValue: 0xa4)
  public static let within = Opcode(rawValue: 0xa5)
  public static let ripemd160 = Opcode(rawValue: 0xa6)
  public static let sha1 = Opcode(rawValue: 0xa7)
  public static let sha256 = Opcode(rawValue: 0xa8)
  public static let hash160 = Opcode(rawValue: 0xa9)
  public static let hash256 = Opcode(rawValue: 0xaa)
  public static let codeSeparator = Opcode(rawValue: 0xab)
  public static let checkSig = Opcode(rawValue: 0xac)
  public static let checkSigVerify = Opcode(rawValue: 0xad)
  public static let checkMultiSig = Opcode(rawValue: 0xae)
  public static let checkMultiSigVerify = Opcode(rawValue: 0xaf)
  public static let nop1 = Opcode(rawValue: 0xb0)
  public static let checkLockTimeVerify = Opcode(rawValue: 0xb1)
  public static let checkSequenceVerify = Opcode(rawValue: 0xb2)
  public static let nop4 = Opcode(rawValue: 0xb3)
  public static let nop5 = Opcode(rawValue: 0xb4)
  public static let nop6 = Opcode(rawValue: 0xb5)
  public static let nop7 = Opcode(rawValue: 0xb6)
  public static let nop8 = Opcode(rawValue: 0xb7)
  public static let nop9 = Opcode(rawValue: 0xb8)
  public static let nop10 = Opcode(rawValue: 0xb9)
  public static let checkSigAdd = Opcode(rawValue: 0xba)

  /// The operation that pushes a number from 0 to 16; nil for any other.
  public static func small(_ number: Int) -> Opcode? {
    switch number {
    case 0: .op0
    case 1...16: Opcode(rawValue: 0x50 + UInt8(number))
    default: nil
    }
  }

  /// Bitcoin Core's name, `OP_` first; nil for plain pushes and bytes without meaning.
  public var name: String? {
    switch rawValue {
    case 0: "OP_0"
    case 0x4c...0xba: Self.names[Int(rawValue) - 0x4c]
    default: nil
    }
  }

  /// The operation of that name, with or without `OP_`.
  public init?(name: some StringProtocol) {
    let bare = name.hasPrefix("OP_") ? String(name.dropFirst(3)) : String(name)
    switch bare {
    case "0", "FALSE": self = .op0
    case "TRUE": self = .op1
    case "CLTV", "NOP2": self = .checkLockTimeVerify
    case "CSV", "NOP3": self = .checkSequenceVerify
    default:
      guard let index = Self.names.firstIndex(of: "OP_" + bare) else { return nil }
      self.init(rawValue: 0x4c + UInt8(index))
    }
  }

  private static let names: [String] = [
    "OP_PUSHDATA1", "OP_PUSHDATA2", "OP_PUSHDATA4", "OP_1NEGATE", "OP_RESERVED", "OP_1", "OP_2", "OP_3", "OP_4",
    "OP_5", "OP_6", "OP_7", "OP_8", "OP_9", "OP_10", "OP_11", "OP_12", "OP_13", "OP_14", "OP_15", "OP_16", "OP_NOP",
    "OP_VER", "OP_IF", "OP_NOTIF", "OP_VERIF", "OP_VERNOTIF", "OP_ELSE", "OP_ENDIF", "OP_VERIFY", "OP_RETURN",
    "OP_TOALTSTACK", "OP_FROMALTSTACK", "OP_2DROP", "OP_2DUP", "OP_3DUP", "OP_2OVER", "OP_2ROT", "OP_2SWAP",
    "OP_IFDUP", "OP_DEPTH", "OP_DROP", "OP_DUP", "OP_NIP", "OP_OVER", "OP_PICK", "OP_ROLL", "OP_ROT", "OP_SWAP",
    "OP_TUCK", "OP_CAT", "OP_SUBSTR", "OP_LEFT", "OP_RIGHT", "OP_SIZE", "OP_INVERT", "OP_AND", "OP_OR", "OP_XOR",
    "OP_EQUAL", "OP_EQUALVERIFY", "OP_RESERVED1", "OP_RESERVED2", "OP_1ADD", "OP_1SUB", "OP_2MUL", "OP_2DIV",
    "OP_NEGATE", "OP_ABS", "OP_NOT", "OP_0NOTEQUAL", "OP_ADD", "OP_SUB", "OP_MUL", "OP_DIV", "OP_MOD", "OP_LSHIFT",
    "OP_RSHIFT", "OP_BOOLAND", "OP_BOOLOR", "OP_NUMEQUAL", "OP_NUMEQUALVERIFY", "OP_NUMNOTEQUAL", "OP_LESSTHAN",
    "OP_GREATERTHAN", "OP_LESSTHANOREQUAL", "OP_GREATERTHANOREQUAL", "OP_MIN", "OP_MAX", "OP_WITHIN", "OP_RIPEMD160",
    "OP_SHA1", "OP_SHA256", "OP_HASH160", "OP_HASH256", "OP_CODESEPARATOR", "OP_CHECKSIG", "OP_CHECKSIGVERIFY",
    "OP_CHECKMULTISIG", "OP_CHECKMULTISIGVERIFY", "OP_NOP1", "OP_CHECKLOCKTIMEVERIFY", "OP_CHECKSEQUENCEVERIFY",
    "OP_NOP4", "OP_NOP5", "OP_NOP6", "OP_NOP7", "OP_NOP8", "OP_NOP9", "OP_NOP10", "OP_CHECKSIGADD",
  ]
}
