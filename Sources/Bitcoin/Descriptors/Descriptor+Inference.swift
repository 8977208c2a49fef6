internal import Encoding
internal import Secp256k1

extension Descriptor {
  /// The descriptor that a script by itself gives away, as Bitcoin Core infers it: `pk`, `multi` and `rawtr` with keys that are points,
  /// else `addr`, else `raw`.
  public init(inferredFrom script: Script, on network: Network) {
    self.init(
      unchecked: Self.bare(script) ?? Address(scriptPubKey: script, on: network).map { .addr($0) } ?? .raw(script))
  }

  private static func bare(_ script: Script) -> Expression? {
    switch script.kind {
    case .p2pk(let bytes): return key(bytes).map { .pk($0) }
    case .multisig(let required, let keys) where keys.count <= 3:
      let expressions = keys.compactMap { key($0) }
      guard expressions.count == keys.count else { return nil }
      return .multi(required: required, keys: expressions, isSorted: false)
    case .p2tr(let outputKey):
      return (try? XOnlyPublicKey(copying: outputKey.bytes)).map { .rawtr(KeyExpression($0)) }
    default: return nil
    }
  }

  private static func key(_ bytes: [UInt8]) -> KeyExpression? {
    // Hybrid keys have no expression.
    guard let first = bytes.first, 2...4 ~= first, let key = PublicKey(parsing: bytes.bytes) else { return nil }
    return KeyExpression(
      kind: .publicKey(key, form: first == 4 ? .uncompressed : .compressed), origin: nil, usesApostrophes: false)
  }
}

extension Script {
  /// The script as Bitcoin Core's RPC shows it: like `asm`, but pushes of up to four bytes are numbers, and so are OP_0 to OP_16 and
  /// OP_1NEGATE.
  public var rpcAsm: String {
    var words: [String] = []
    var offset = 0
    while offset < bytes.count {
      guard let instruction = instruction(at: &offset) else {
        words.append("[error]")
        break
      }
      let opcode = instruction.opcode
      switch opcode.rawValue {
      case 0...Opcode.pushData4.rawValue:
        let data = Array(bytes[instruction.data])
        if data.count <= 4, let number = ScriptNumber.decode(data, requireMinimal: false) {
          words.append(String(number))
        } else {
          words.append(Hex.encode(data))
        }
      case Opcode.negativeOne.rawValue: words.append("-1")
      case Opcode.op1.rawValue...Opcode.op16.rawValue: words.append(String(opcode.rawValue - 0x50))
      default: words.append(opcode.name ?? "OP_UNKNOWN")
      }
    }
    return words.joined(separator: " ")
  }
}
