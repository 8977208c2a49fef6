internal import Encoding

/// Reads the text of a miniscript. What is open is kept on a list, not on the stack of calls.
struct MiniscriptParser<Key> {
  private let text: [UInt8]
  private var position = 0
  private let readKey: (String) -> Key?
  private(set) var tree: MiniscriptTree
  private(set) var keys: [Key] = []
  private var open: [Open] = []

  /// Longer than the text of the largest script that can be spent.
  static var maximumTextLength: Int { 2_000_000 }

  /// What waits for a subexpression to be complete.
  private enum Open {
    /// Letters, to be applied from the last to the first.
    case wrappers([UInt8])
    case function(String, required: Int, arguments: [Int])
  }

  /// `readKey` gives nil for what is no key.
  static func parse(
    _ text: [UInt8], context: MiniscriptContext, readKey: (String) -> Key?
  ) throws(MiniscriptError) -> (tree: MiniscriptTree, keys: [Key]) {
    try withoutActuallyEscaping(readKey) { (readKey) throws(MiniscriptError) in
      var parser = MiniscriptParser(text: text, context: context, readKey: readKey)
      try parser.parse()
      return (parser.tree, parser.keys)
    }
  }

  private init(text: [UInt8], context: MiniscriptContext, readKey: @escaping (String) -> Key?) {
    self.text = text
    self.readKey = readKey
    tree = MiniscriptTree(context: context)
  }

  private mutating func parse() throws(MiniscriptError) {
    guard text.count <= Self.maximumTextLength else { throw .tooLong }
    while true {
      readWrappers()
      guard var complete = try readExpression() else { continue }
      // Close what this expression completes.
      closing: while true {
        switch open.popLast() {
        case nil:
          guard position == text.count else { throw .syntax(at: position) }
          return
        case .wrappers(let letters):
          for letter in letters.reversed() { complete = try wrap(complete, letter) }
        case .function(let name, let required, let arguments):
          let all = arguments + [complete]
          if take(0x2c) {
            guard all.count < Self.maximumArguments(name) else { throw .syntax(at: position - 1) }
            open.append(.function(name, required: required, arguments: all))
            break closing
          }
          guard take(0x29) else { throw .syntax(at: position) }
          complete = try combine(name, required, all)
        }
      }
    }
  }

  private static func maximumArguments(_ name: String) -> Int {
    switch name {
    case "andor": 3
    case "thresh": MiniscriptTree.maximumThreshSubexpressions
    default: 2
    }
  }

  // MARK: Tokens

  private mutating func take(_ character: UInt8) -> Bool {
    guard position < text.count, text[position] == character else { return false }
    position += 1
    return true
  }

  /// Lower-case letters with a colon behind them.
  private mutating func readWrappers() {
    var end = position
    while end < text.count, 0x61...0x7a ~= text[end] { end += 1 }
    guard end > position, end < text.count, text[end] == 0x3a else { return }
    open.append(.wrappers(Array(text[position..<end])))
    position = end + 1
  }

  /// Everything up to the comma or parenthesis that ends this argument; parentheses inside are counted.
  private mutating func readArgument() -> String {
    var depth = 0
    let start = position
    while position < text.count {
      switch text[position] {
      case 0x28: depth += 1
      case 0x29 where depth == 0: return String(decoding: text[start..<position], as: UTF8.self)
      case 0x29: depth -= 1
      case 0x2c where depth == 0: return String(decoding: text[start..<position], as: UTF8.self)
      default: break
      }
      position += 1
    }
    return String(decoding: text[start..<position], as: UTF8.self)
  }

  private mutating func readNumber(_ name: String) throws(MiniscriptError) -> UInt32 {
    guard let number = ChildNumber.number(readArgument().utf8) else { throw .invalidNumber(fragment: name) }
    return number
  }

  private mutating func readKeyArgument() throws(MiniscriptError) -> Int {
    let argument = readArgument()
    guard let key = readKey(argument) else { throw .invalidKey(argument) }
    keys.append(key)
    return tree.newKey()
  }

  private mutating func readHash(_ name: String, _ count: Int) throws(MiniscriptError) -> [UInt8] {
    guard let bytes = try? Hex.decode(readArgument()), bytes.count == count else { throw .invalidHash(fragment: name) }
    return bytes
  }

  // MARK: Expressions

  /// A leaf that is complete, or nil when a function with subexpressions was opened.
  private mutating func readExpression() throws(MiniscriptError) -> Int? {
    let start = position
    while position < text.count, Self.isNameCharacter(text[position]) { position += 1 }
    let name = String(decoding: text[start..<position], as: UTF8.self)
    if name == "0" { return try tree.add(.zero) }
    if name == "1" { return try tree.add(.one) }
    guard take(0x28) else {
      if name.isEmpty || position >= text.count { throw .syntax(at: position) }
      throw .unknownFragment(name)
    }
    switch name {
    case "andor", "and_v", "and_b", "and_n", "or_b", "or_c", "or_d", "or_i":
      open.append(.function(name, required: 0, arguments: []))
      return nil
    case "thresh":
      let required = try readNumber(name)
      guard take(0x2c) else { throw .syntax(at: position) }
      open.append(.function(name, required: Int(required), arguments: []))
      return nil
    default:
      let leaf = try readLeaf(name)
      guard take(0x29) else { throw .syntax(at: position) }
      return leaf
    }
  }

  private static func isNameCharacter(_ character: UInt8) -> Bool {
    0x61...0x7a ~= character || 0x30...0x39 ~= character || character == 0x5f
  }

  private mutating func readLeaf(_ name: String) throws(MiniscriptError) -> Int {
    switch name {
    case "pk_k": return try tree.add(.pkK(key: readKeyArgument()))
    case "pk_h": return try tree.add(.pkH(key: readKeyArgument()))
    case "pk":
      let key = try tree.add(.pkK(key: readKeyArgument()))
      return try tree.add(.wrapC(key))
    case "pkh":
      let key = try tree.add(.pkH(key: readKeyArgument()))
      return try tree.add(.wrapC(key))
    case "older": return try tree.add(.older(readNumber(name)))
    case "after": return try tree.add(.after(readNumber(name)))
    case "sha256": return try tree.add(.sha256(readHash(name)))
    case "hash256": return try tree.add(.hash256(readHash(name)))
    case "ripemd160": return try tree.add(.ripemd160(readHash(name)))
    case "hash160": return try tree.add(.hash160(readHash(name)))
    case "multi", "multi_a":
      let required = Int(try readNumber(name))
      let limit = name == "multi" ? MiniscriptTree.maximumMultiKeys : MiniscriptTree.maximumMultiAKeys
      var keys: [Int] = []
      while take(0x2c) {
        guard keys.count < limit else { throw .tooManyKeys(limit + 1) }
        keys.append(try readKeyArgument())
      }
      return try tree.add(
        name == "multi" ? .multi(required: required, keys: keys) : .multiA(required: required, keys: keys))
    default: throw .unknownFragment(name)
    }
  }

  private mutating func readHash<Hash: FixedSizeBytes>(_ name: String) throws(MiniscriptError) -> Hash {
    do {
      return try Hash(hex: readArgument())
    } catch {
      throw .invalidHash(fragment: name)
    }
  }

  private mutating func combine(
    _ name: String, _ required: Int, _ arguments: [Int]
  ) throws(MiniscriptError) -> Int {
    if name == "thresh" { return try tree.add(.thresh(required: required, arguments)) }
    guard arguments.count == Self.maximumArguments(name) else { throw .syntax(at: position - 1) }
    let (x, y) = (arguments[0], arguments[1])
    switch name {
    case "andor": return try tree.add(.andor(x, y, arguments[2]))
    case "and_v": return try tree.add(.andV(x, y))
    case "and_b": return try tree.add(.andB(x, y))
    case "and_n":
      let zero = try tree.add(.zero)
      return try tree.add(.andor(x, y, zero))
    case "or_b": return try tree.add(.orB(x, y))
    case "or_c": return try tree.add(.orC(x, y))
    case "or_d": return try tree.add(.orD(x, y))
    default: return try tree.add(.orI(x, y))
    }
  }

  private mutating func wrap(_ inner: Int, _ letter: UInt8) throws(MiniscriptError) -> Int {
    switch letter {
    case 0x61: return try tree.add(.wrapA(inner))
    case 0x73: return try tree.add(.wrapS(inner))
    case 0x63: return try tree.add(.wrapC(inner))
    case 0x64: return try tree.add(.wrapD(inner))
    case 0x76: return try tree.add(.wrapV(inner))
    case 0x6a: return try tree.add(.wrapJ(inner))
    case 0x6e: return try tree.add(.wrapN(inner))
    case 0x74:
      let one = try tree.add(.one)
      return try tree.add(.andV(inner, one))
    case 0x6c:
      let zero = try tree.add(.zero)
      return try tree.add(.orI(zero, inner))
    case 0x75:
      let zero = try tree.add(.zero)
      return try tree.add(.orI(inner, zero))
    default: throw .unknownWrapper(String(decoding: [letter], as: UTF8.self))
    }
  }
}
