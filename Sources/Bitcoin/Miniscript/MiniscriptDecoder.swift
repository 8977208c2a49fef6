public import Encoding
public import Secp256k1

/// Finds the miniscript that a script is. Some scripts are several, as `c:and_v(X,pk_k(K))` and `and_v(X,c:pk_k(K))`: they mean the same, and
/// wrappers are put around as little as possible.
struct MiniscriptDecoder {
  /// An operation, or a push with its data. Operations with VERIFY are two.
  private enum Token: Equatable {
    case opcode(Opcode)
    case push([UInt8])
    case number(Int64)
  }

  /// What has been read so far of one block.
  private struct Frame {
    enum Kind {
      case whole
      /// OP_SWAP: ends where its sum, conjunction or disjunction is made.
      case swap
      /// OP_TOALTSTACK … OP_FROMALTSTACK.
      case alt
      /// OP_IF … OP_ELSE, and OP_ELSE … OP_ENDIF behind it.
      case ifBranch
      case elseBranch(first: Int)
      /// OP_NOTIF … of the expression in front, and OP_ELSE … OP_ENDIF behind it.
      case notIf(condition: Int, duplicates: Bool)
      case notIfElse(condition: Int, otherwise: Int)
      /// OP_DUP OP_IF … and OP_SIZE OP_0NOTEQUAL OP_IF … OP_ENDIF.
      case dupIf
      case sizeIf
    }

    var kind: Kind
    var items: [Item] = []
  }

  private enum Item {
    case node(Int)
    /// The beginning of a `thresh`.
    case sum([Int])
  }

  private let tokens: [Token]
  private var position = 0
  private var frames = [Frame(kind: .whole)]
  private(set) var tree: MiniscriptTree
  private(set) var keys: [PublicKey] = []
  private let keyOfHash: (Bytes20) -> PublicKey?

  /// Nil for a script that is no miniscript of this context, written in its shortest way.
  static func decode(
    _ script: Script, context: MiniscriptContext, keyOfHash: (Bytes20) -> PublicKey?
  ) -> Miniscript<PublicKey>? {
    withoutActuallyEscaping(keyOfHash) { keyOfHash in
      guard var decoder = MiniscriptDecoder(script, context, keyOfHash), (try? decoder.run()) == true else {
        return nil
      }
      let miniscript = Miniscript(tree: decoder.tree, keys: decoder.keys)
      // Whatever was not written as miniscript writes it shows here.
      return miniscript.script == script ? miniscript : nil
    }
  }

  private init?(
    _ script: Script, _ context: MiniscriptContext, _ keyOfHash: @escaping (Bytes20) -> PublicKey?
  ) {
    let limit =
      context == .p2wsh ? MiniscriptResources.maximumP2WSHScriptSize : MiniscriptResources.maximumTapscriptSize
    guard script.count <= limit, let instructions = script.instructions else { return nil }
    var tokens: [Token] = []
    for instruction in instructions {
      switch instruction.opcode {
      case .op0: tokens.append(.number(0))
      case .equalVerify: tokens += [.opcode(.equal), .opcode(.verify)]
      case .checkSigVerify: tokens += [.opcode(.checkSig), .opcode(.verify)]
      case .checkMultiSigVerify: tokens += [.opcode(.checkMultiSig), .opcode(.verify)]
      case .numEqualVerify: tokens += [.opcode(.numEqual), .opcode(.verify)]
      case let opcode where Opcode.op1.rawValue...Opcode.op16.rawValue ~= opcode.rawValue:
        tokens.append(.number(Int64(opcode.rawValue - 0x50)))
      case _ where instruction.isPush:
        let data = Array(script.bytes[instruction.data])
        if data.count <= 5, let number = ScriptNumber.decode(data, maximumSize: 5) {
          tokens.append(.number(number))
        } else {
          tokens.append(.push(data))
        }
      case let opcode: tokens.append(.opcode(opcode))
      }
    }
    self.tokens = tokens
    self.keyOfHash = keyOfHash
    tree = MiniscriptTree(context: context)
  }

  // MARK: Reading

  private func token(_ ahead: Int) -> Token? {
    position + ahead < tokens.count ? tokens[position + ahead] : nil
  }

  /// Takes these operations when they come next.
  private mutating func take(_ opcodes: Opcode...) -> Bool {
    for (ahead, opcode) in opcodes.enumerated() where token(ahead) != .opcode(opcode) { return false }
    position += opcodes.count
    return true
  }

  private mutating func run() throws(MiniscriptError) -> Bool {
    while position < tokens.count {
      guard try step() else { return false }
    }
    guard frames.count == 1, let root = try closeFrame() else { return false }
    return root == tree.root
  }

  /// False when the next token makes no sense.
  private mutating func step() throws(MiniscriptError) -> Bool {
    switch token(0) {
    case .push(let data): return try readKey(data)
    case .number(let number): return try readNumber(number)
    case .opcode(let opcode): return try readOperation(opcode)
    case nil: return false
    }
  }

  private mutating func push(_ node: MiniscriptFragment) throws(MiniscriptError) -> Bool {
    frames[frames.count - 1].items.append(.node(try tree.add(node)))
    return true
  }

  private mutating func popNode() -> Int? {
    guard case .node(let node)? = frames[frames.count - 1].items.popLast() else { return nil }
    return node
  }

  private mutating func newKey(_ key: PublicKey) -> Int {
    keys.append(key)
    return tree.newKey()
  }

  private func parseKey(_ data: [UInt8]) -> PublicKey? {
    switch tree.context {
    case .p2wsh: try? PublicKey(copying: data.bytes)
    case .tapscript: (try? XOnlyPublicKey(copying: data.bytes))?.evenPoint
    }
  }

  private mutating func readKey(_ data: [UInt8]) throws(MiniscriptError) -> Bool {
    guard let key = parseKey(data) else { return false }
    if tree.context == .tapscript, let count = multiALength() { return try readMultiA(count) }
    position += 1
    return try push(.pkK(key: newKey(key)))
  }

  /// How many keys a `multi_a` that starts here has: ⟨key⟩ OP_CHECKSIG, ⟨key⟩ OP_CHECKSIGADD …, a number and OP_NUMEQUAL.
  private func multiALength() -> Int? {
    var count = 0
    while case .push? = token(2 * count), token(2 * count + 1) == .opcode(count == 0 ? .checkSig : .checkSigAdd) {
      count += 1
    }
    guard count > 0, case .number? = token(2 * count), token(2 * count + 1) == .opcode(.numEqual) else { return nil }
    return count
  }

  private mutating func readMultiA(_ count: Int) throws(MiniscriptError) -> Bool {
    guard count <= MiniscriptTree.maximumMultiAKeys, case .number(let required)? = token(2 * count) else {
      return false
    }
    var numbers: [Int] = []
    for index in 0..<count {
      guard case .push(let data)? = token(2 * index), let key = parseKey(data) else { return false }
      numbers.append(newKey(key))
    }
    position += 2 * count + 2
    return try push(.multiA(required: Int(required), keys: numbers))
  }

  private mutating func readNumber(_ number: Int64) throws(MiniscriptError) -> Bool {
    switch token(1) {
    case .opcode(.checkSequenceVerify), .opcode(.checkLockTimeVerify):
      guard let value = UInt32(exactly: number) else { return false }
      let isRelative = token(1) == .opcode(.checkSequenceVerify)
      position += 2
      return try push(isRelative ? .older(value) : .after(value))
    case .opcode(.equal):
      position += 2
      switch frames[frames.count - 1].items.popLast() {
      case .sum(let subs): return try push(.thresh(required: Int(number), subs))
      case .node(let node): return try push(.thresh(required: Int(number), [node]))
      case nil: return false
      }
    case .push where tree.context == .p2wsh: return try readMulti(required: Int(number))
    default:
      guard number == 0 || number == 1 else { return false }
      position += 1
      return try push(number == 0 ? .zero : .one)
    }
  }

  private mutating func readMulti(required: Int) throws(MiniscriptError) -> Bool {
    position += 1
    var numbers: [Int] = []
    while case .push(let data)? = token(0) {
      guard numbers.count < MiniscriptTree.maximumMultiKeys, let key = parseKey(data) else { return false }
      numbers.append(newKey(key))
      position += 1
    }
    guard token(0) == .number(Int64(numbers.count)), token(1) == .opcode(.checkMultiSig) else { return false }
    position += 2
    return try push(.multi(required: required, keys: numbers))
  }

  private mutating func readOperation(_ opcode: Opcode) throws(MiniscriptError) -> Bool {
    switch opcode {
    case .dup:
      if take(.dup, .if) {
        frames.append(Frame(kind: .dupIf))
        return true
      }
      guard take(.dup, .hash160), case .push(let data)? = token(0), let hash = try? Bytes20(data),
        let key = keyOfHash(hash)
      else { return false }
      position += 1
      guard take(.equal, .verify) else { return false }
      return try push(.pkH(key: newKey(key)))
    case .size:
      if take(.size, .zeroNotEqual, .if) {
        frames.append(Frame(kind: .sizeIf))
        return true
      }
      position += 1
      return try readHashLock()
    case .if: frames.append(Frame(kind: .ifBranch))
    case .toAltStack: frames.append(Frame(kind: .alt))
    case .swap: frames.append(Frame(kind: .swap))
    case .ifDup, .notIf:
      let duplicates = opcode == .ifDup
      guard let condition = popNode(), take(.ifDup, .notIf) || take(.notIf) else { return false }
      frames.append(Frame(kind: .notIf(condition: condition, duplicates: duplicates)))
      return true
    case .else: return try readElse()
    case .endIf: return try readEndIf()
    case .fromAltStack:
      guard case .alt = frames[frames.count - 1].kind, let inner = try closeFrame() else { return false }
      position += 1
      return try push(.wrapA(inner))
    case .add, .boolAnd, .boolOr: return try readJoin(opcode)
    case .checkSig: return try wrapLast { .wrapC($0) }
    case .verify: return try wrapLast { .wrapV($0) }
    case .zeroNotEqual: return try wrapLast { .wrapN($0) }
    default: return false
    }
    position += 1
    return true
  }

  private mutating func wrapLast(
    _ wrap: (Int) -> MiniscriptFragment
  ) throws(MiniscriptError) -> Bool {
    guard let node = popNode() else { return false }
    position += 1
    return try push(wrap(node))
  }

  /// Behind OP_SIZE: 32 OP_EQUALVERIFY, the hash operation, the hash, OP_EQUAL.
  private mutating func readHashLock() throws(MiniscriptError) -> Bool {
    guard token(0) == .number(32) else { return false }
    position += 1
    guard take(.equal, .verify), case .opcode(let opcode)? = token(0), case .push(let data)? = token(1),
      token(2) == .opcode(.equal)
    else { return false }
    position += 3
    switch opcode {
    case .sha256, .hash256:
      guard let hash = try? Bytes32(data) else { return false }
      return try push(opcode == .sha256 ? .sha256(hash) : .hash256(hash))
    case .ripemd160, .hash160:
      guard let hash = try? Bytes20(data) else { return false }
      return try push(opcode == .ripemd160 ? .ripemd160(hash) : .hash160(hash))
    default: return false
    }
  }

  // MARK: Blocks

  /// Removes the innermost frame and joins what it holds: all but the last are conditions that abort.
  private mutating func closeFrame() throws(MiniscriptError) -> Int? {
    guard let frame = frames.popLast() else { return nil }
    var result: Int?
    for item in frame.items.reversed() {
      guard case .node(let node) = item else { return nil }
      if let rest = result { result = try tree.add(.andV(node, rest)) } else { result = node }
    }
    return result
  }

  private mutating func readJoin(_ opcode: Opcode) throws(MiniscriptError) -> Bool {
    if case .swap = frames[frames.count - 1].kind {
      guard let inner = try closeFrame(), try push(.wrapS(inner)) else { return false }
    }
    guard let second = popNode() else { return false }
    position += 1
    let first = frames[frames.count - 1].items.popLast()
    switch (opcode, first) {
    case (.add, .sum(let subs)):
      guard subs.count < MiniscriptTree.maximumThreshSubexpressions else { return false }
      frames[frames.count - 1].items.append(.sum(subs + [second]))
    case (.add, .node(let node)): frames[frames.count - 1].items.append(.sum([node, second]))
    case (.boolAnd, .node(let node)): return try push(.andB(node, second))
    case (.boolOr, .node(let node)): return try push(.orB(node, second))
    default: return false
    }
    return true
  }

  private mutating func readElse() throws(MiniscriptError) -> Bool {
    let kind = frames[frames.count - 1].kind
    guard let inner = try closeFrame() else { return false }
    position += 1
    switch kind {
    case .ifBranch: frames.append(Frame(kind: .elseBranch(first: inner)))
    case .notIf(let condition, duplicates: false):
      frames.append(Frame(kind: .notIfElse(condition: condition, otherwise: inner)))
    default: return false
    }
    return true
  }

  private mutating func readEndIf() throws(MiniscriptError) -> Bool {
    let kind = frames[frames.count - 1].kind
    guard let inner = try closeFrame() else { return false }
    position += 1
    switch kind {
    case .elseBranch(let first): return try push(.orI(first, inner))
    case .notIf(let condition, let duplicates):
      return try push(duplicates ? .orD(condition, inner) : .orC(condition, inner))
    case .notIfElse(let condition, let otherwise): return try push(.andor(condition, inner, otherwise))
    case .dupIf: return try push(.wrapD(inner))
    case .sizeIf: return try push(.wrapJ(inner))
    default: return false
    }
  }
}

extension Miniscript where Key == PublicKey {
  /// The miniscript that a script is; nil when it is none. `keyOfHash` finds the key of a HASH160, without which `pk_h` cannot be read: of
  /// 33 bytes in P2WSH, of the 32 bytes of the x coordinate in tapscript.
  public init?(
    decoding script: Script, context: MiniscriptContext, keyOfHash: (Bytes20) -> PublicKey? = { _ in nil }
  ) {
    guard let decoded = MiniscriptDecoder.decode(script, context: context, keyOfHash: keyOfHash) else { return nil }
    self = decoded
  }
}
