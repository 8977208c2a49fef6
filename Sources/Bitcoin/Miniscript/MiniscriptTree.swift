internal import Encoding

/// The nodes of a miniscript, children before parents, the root last: whatever is asked of a miniscript is a loop over them, so that no
/// depth of nesting can exhaust the stack. Keys are numbers.
struct MiniscriptTree: Hashable, Sendable {
  let context: MiniscriptContext
  private(set) var nodes: [MiniscriptFragment] = []
  private(set) var types: [MiniscriptType] = []
  private(set) var resources: [MiniscriptResources] = []
  private(set) var keyCount = 0

  static let maximumMultiKeys = 20
  static let maximumMultiAKeys = 999
  /// BIP 379 sets no limit; this one is beyond what any script holds that can be spent.
  static let maximumThreshSubexpressions = 10_000

  init(context: MiniscriptContext) { self.context = context }

  var root: Int { nodes.count - 1 }
  var rootType: MiniscriptType { types.last ?? [] }
  var rootResources: MiniscriptResources? { resources.last }

  mutating func newKey() -> Int {
    keyCount += 1
    return keyCount - 1
  }

  /// Adds a node whose subexpressions were added before, and returns its place. Throws when its parts do not fit.
  mutating func add(_ node: MiniscriptFragment) throws(MiniscriptError) -> Int {
    try checkArguments(node)
    let type = node.type(of: { types[$0] }, in: context)
    guard !type.isEmpty else { throw .typeMismatch(fragment: node.name) }
    nodes.append(node)
    let cost = node.resources(of: { resources[$0] }, types: { types[$0] }, in: context)
    let limit =
      context == .p2wsh
      ? MiniscriptResources.maximumP2WSHScriptSize : MiniscriptResources.maximumTapscriptSize
    guard cost.scriptSize <= limit else { throw .scriptTooLarge(cost.scriptSize) }
    types.append(type)
    resources.append(cost)
    return root
  }

  private func checkArguments(_ node: MiniscriptFragment) throws(MiniscriptError) {
    switch node {
    case .older(let number), .after(let number):
      // BIP 379: 1 ≤ n < 2^31.
      guard 1..<0x8000_0000 ~= number else { throw .invalidNumber(fragment: node.name) }
    case .thresh(let required, let subs):
      guard 1...Self.maximumThreshSubexpressions ~= subs.count, 1...subs.count ~= required else {
        throw .invalidNumber(fragment: node.name)
      }
    case .multi(let required, let keys):
      guard context == .p2wsh else { throw .wrongContext(fragment: node.name) }
      guard 1...Self.maximumMultiKeys ~= keys.count else { throw .tooManyKeys(keys.count) }
      guard 1...keys.count ~= required else { throw .invalidNumber(fragment: node.name) }
    case .multiA(let required, let keys):
      guard context == .tapscript else { throw .wrongContext(fragment: node.name) }
      guard 1...Self.maximumMultiAKeys ~= keys.count else { throw .tooManyKeys(keys.count) }
      guard 1...keys.count ~= required else { throw .invalidNumber(fragment: node.name) }
    default: break
    }
  }

  // MARK: Script

  /// `keyBytes` holds each key as it stands in the script, `keyHashes` the HASH160 of those bytes.
  func script(keyBytes: [[UInt8]], keyHash: (Int) -> [UInt8]) -> Script {
    enum Step {
      case node(Int)
      case opcode(Opcode)
      case number(Int64)
      /// Turns the operation just written into its VERIFY form, or adds OP_VERIFY.
      case verify(isExpensive: Bool)
    }
    var script = Script()
    var steps: [Step] = nodes.isEmpty ? [] : [.node(root)]
    while let step = steps.popLast() {
      switch step {
      case .opcode(let opcode): script.append(opcode)
      case .number(let number): script.append(number: number)
      case .verify(let isExpensive):
        // OP_EQUAL, OP_CHECKSIG, OP_CHECKMULTISIG and OP_NUMEQUAL have their VERIFY forms right behind them.
        if isExpensive {
          script.append(.verify)
        } else if let last = script.bytes.popLast() {
          script.bytes.append(last + 1)
        }
      case .node(let index):
        var parts: [Step] = []
        switch nodes[index] {
        case .zero: script.append(.op0)
        case .one: script.append(.op1)
        case .pkK(let key): script.append(push: keyBytes[key])
        case .pkH(let key):
          script.append(.dup)
          script.append(.hash160)
          script.append(push: keyHash(key))
          script.append(.equalVerify)
        case .older(let number):
          script.append(number: Int64(number))
          script.append(.checkSequenceVerify)
        case .after(let number):
          script.append(number: Int64(number))
          script.append(.checkLockTimeVerify)
        case .sha256(let hash): script.appendHashLock(.sha256, hash.array)
        case .hash256(let hash): script.appendHashLock(.hash256, hash.array)
        case .ripemd160(let hash): script.appendHashLock(.ripemd160, hash.array)
        case .hash160(let hash): script.appendHashLock(.hash160, hash.array)
        case .multi(let required, let keys):
          script.append(number: Int64(required))
          for key in keys { script.append(push: keyBytes[key]) }
          script.append(number: Int64(keys.count))
          script.append(.checkMultiSig)
        case .multiA(let required, let keys):
          for (position, key) in keys.enumerated() {
            script.append(push: keyBytes[key])
            script.append(position == 0 ? .checkSig : .checkSigAdd)
          }
          script.append(number: Int64(required))
          script.append(.numEqual)
        case .andor(let x, let y, let z):
          parts = [
            .node(x), .opcode(.notIf), .node(z), .opcode(.else), .node(y), .opcode(.endIf),
          ]
        case .andV(let x, let y): parts = [.node(x), .node(y)]
        case .andB(let x, let y): parts = [.node(x), .node(y), .opcode(.boolAnd)]
        case .orB(let x, let z): parts = [.node(x), .node(z), .opcode(.boolOr)]
        case .orC(let x, let z): parts = [.node(x), .opcode(.notIf), .node(z), .opcode(.endIf)]
        case .orD(let x, let z):
          parts = [.node(x), .opcode(.ifDup), .opcode(.notIf), .node(z), .opcode(.endIf)]
        case .orI(let x, let z):
          parts = [.opcode(.if), .node(x), .opcode(.else), .node(z), .opcode(.endIf)]
        case .thresh(let required, let subs):
          for (position, sub) in subs.enumerated() {
            parts.append(.node(sub))
            if position > 0 { parts.append(.opcode(.add)) }
          }
          parts += [.number(Int64(required)), .opcode(.equal)]
        case .wrapA(let x): parts = [.opcode(.toAltStack), .node(x), .opcode(.fromAltStack)]
        case .wrapS(let x): parts = [.opcode(.swap), .node(x)]
        case .wrapC(let x): parts = [.node(x), .opcode(.checkSig)]
        case .wrapD(let x): parts = [.opcode(.dup), .opcode(.if), .node(x), .opcode(.endIf)]
        case .wrapV(let x): parts = [.node(x), .verify(isExpensive: types[x].has(.expensiveVerify))]
        case .wrapJ(let x):
          parts = [.opcode(.size), .opcode(.zeroNotEqual), .opcode(.if), .node(x), .opcode(.endIf)]
        case .wrapN(let x): parts = [.node(x), .opcode(.zeroNotEqual)]
        }
        steps.append(contentsOf: parts.reversed())
      }
    }
    return script
  }

  // MARK: Text

  /// As BIP 379 writes it, with all sugar that applies.
  func text(key: (Int) -> String) -> String {
    enum Step {
      /// `afterWrapper` says that a colon has to come before anything that is not a wrapper.
      case node(Int, afterWrapper: Bool)
      case text(String)
    }
    var text = ""
    var steps: [Step] = nodes.isEmpty ? [] : [.node(root, afterWrapper: false)]
    while let step = steps.popLast() {
      guard case .node(let index, let afterWrapper) = step else {
        if case .text(let part) = step { text += part }
        continue
      }
      if let (letter, inner) = wrapper(index) {
        text += letter
        steps.append(.node(inner, afterWrapper: true))
        continue
      }
      if afterWrapper { text += ":" }
      var arguments: [Step] = []
      var name = nodes[index].name
      func subexpressions(_ subs: [Int]) -> [Step] { subs.map { .node($0, afterWrapper: false) } }
      switch nodes[index] {
      case .zero, .one:
        text += name
        continue
      case .pkK(let one), .pkH(let one): arguments = [.text(key(one))]
      case .wrapC(let x):
        // Only `pk` and `pkh` come here: see `wrapper`.
        if case .pkK(let one) = nodes[x] { (name, arguments) = ("pk", [.text(key(one))]) }
        if case .pkH(let one) = nodes[x] { (name, arguments) = ("pkh", [.text(key(one))]) }
      case .older(let number), .after(let number): arguments = [.text(String(number))]
      case .sha256(let hash), .hash256(let hash): arguments = [.text(hash.hex)]
      case .ripemd160(let hash), .hash160(let hash): arguments = [.text(hash.hex)]
      case .multi(let required, let keys), .multiA(let required, let keys):
        arguments = [.text(String(required))] + keys.map { .text(key($0)) }
      case .thresh(let required, let subs): arguments = [.text(String(required))] + subexpressions(subs)
      case .andor(let x, let y, let z) where nodes[z] == .zero: (name, arguments) = ("and_n", subexpressions([x, y]))
      default: arguments = subexpressions(nodes[index].subexpressions)
      }
      text += name + "("
      steps.append(.text(")"))
      for (position, argument) in arguments.enumerated().reversed() {
        steps.append(argument)
        if position > 0 { steps.append(.text(",")) }
      }
    }
    return text
  }

  /// The letter of a wrapper, written or sugar, and what it wraps.
  private func wrapper(_ index: Int) -> (letter: String, inner: Int)? {
    switch nodes[index] {
    case .wrapA(let x): return ("a", x)
    case .wrapS(let x): return ("s", x)
    case .wrapC(let x):
      switch nodes[x] {
      case .pkK, .pkH: return nil
      default: return ("c", x)
      }
    case .wrapD(let x): return ("d", x)
    case .wrapV(let x): return ("v", x)
    case .wrapJ(let x): return ("j", x)
    case .wrapN(let x): return ("n", x)
    case .andV(let x, let y) where nodes[y] == .one: return ("t", x)
    case .orI(let x, let z) where nodes[x] == .zero: return ("l", z)
    case .orI(let x, let z) where nodes[z] == .zero: return ("u", x)
    default: return nil
    }
  }
}

extension Script {
  /// OP_SIZE ⟨32⟩ OP_EQUALVERIFY, the hash operation, ⟨hash⟩ OP_EQUAL.
  fileprivate mutating func appendHashLock(_ opcode: Opcode, _ hash: [UInt8]) {
    append(.size)
    append(number: 32)
    append(.equalVerify)
    append(opcode)
    append(push: hash)
    append(.equal)
  }
}
