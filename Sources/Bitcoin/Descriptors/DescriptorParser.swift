internal import Encoding
internal import Secp256k1

/// Reads the expression of a descriptor, without its checksum. Expressions nest three deep at most, apart from script trees and
/// miniscripts, which are read in loops.
enum DescriptorParser {
  typealias Text = ArraySlice<UInt8>

  static func parse(_ text: Text) throws(DescriptorError) -> Descriptor.Expression {
    var rest = text
    let expression = try script(argument(&rest), .top)
    guard rest.isEmpty else { throw .syntax(in: "descriptor") }
    // BIP 389: must have tuples of exactly the same length.
    let counts = Set(expression.keys.map(\.multipathCount)).subtracting([1])
    guard counts.count <= 1 else { throw .multipathLengthsDiffer }
    try checkSanity(expression, choices: counts.first ?? 1)
    var secrets: [PublicKey: SharedSecretKey] = [:]
    for key in expression.keys { key.collectSecrets(into: &secrets) }
    return secrets.isEmpty ? expression : expression.mapKeys { $0.adopting(secrets) }
  }

  // MARK: Text

  /// Takes everything up to the comma, parenthesis or brace that ends the first argument.
  private static func argument(_ text: inout Text) -> Text {
    var depth = 0
    var index = text.startIndex
    scan: while index < text.endIndex {
      switch text[index] {
      case 0x28, 0x7b: depth += 1
      case 0x29, 0x7d:
        if depth == 0 { break scan }
        depth -= 1
      case 0x2c:
        if depth == 0 { break scan }
      default: break
      }
      index += 1
    }
    defer { text = text[index...] }
    return text[..<index]
  }

  private static func take(_ character: UInt8, _ text: inout Text) -> Bool {
    guard text.first == character else { return false }
    text.removeFirst()
    return true
  }

  /// A function's name and what stands between its parentheses; nil when the text is no function.
  private static func function(_ text: Text) -> (name: String, arguments: Text)? {
    guard let open = text.firstIndex(of: 0x28), text.last == 0x29 else { return nil }
    return (String(decoding: text[..<open], as: UTF8.self), text[(open + 1)..<(text.endIndex - 1)])
  }

  /// The only argument of a function.
  private static func only(_ text: Text, in name: String) throws(DescriptorError) -> Text {
    var rest = text
    let argument = argument(&rest)
    guard rest.isEmpty else { throw .syntax(in: name) }
    return argument
  }

  // MARK: Scripts

  private static func script(
    _ text: Text, _ context: DescriptorContext
  ) throws(DescriptorError) -> Descriptor.Expression {
    guard let (name, arguments) = function(text) else {
      return try miniscript(text, context)
    }
    let isBare = context == .top || context == .p2sh
    switch (name, context) {
    case ("pk", _): return .pk(try key(arguments, name, context))
    case ("pkh", .top), ("pkh", .p2sh), ("pkh", .p2wsh): return .pkh(try key(arguments, name, context))
    case ("wpkh", _):
      guard isBare else { throw .notAllowedHere(name) }
      return .wpkh(try key(arguments, name, .p2wpkh))
    case ("combo", _):
      guard context == .top else { throw .notAllowedHere(name) }
      return .combo(try key(arguments, name, context))
    case ("multi", _), ("sortedmulti", _):
      guard context != .p2tr else { throw .notAllowedHere(name) }
      let (required, keys) = try multi(arguments, name, context)
      return .multi(required: required, keys: keys, isSorted: name == "sortedmulti")
    case ("multi_a", _), ("sortedmulti_a", _):
      guard context == .p2tr else { throw .notAllowedHere(name) }
      let (required, keys) = try multi(arguments, name, context)
      return .multiA(required: required, keys: keys, isSorted: name == "sortedmulti_a")
    case ("sh", _):
      guard context == .top else { throw .notAllowedHere(name) }
      return .sh(try script(only(arguments, in: name), .p2sh))
    case ("wsh", _):
      guard isBare else { throw .notAllowedHere(name) }
      return .wsh(try script(only(arguments, in: name), .p2wsh))
    case ("tr", _):
      guard context == .top else { throw .notAllowedHere(name) }
      return try tr(arguments)
    case ("rawtr", _):
      guard context == .top else { throw .notAllowedHere(name) }
      return .rawtr(try key(arguments, name, .p2tr))
    case ("addr", _):
      guard context == .top else { throw .notAllowedHere(name) }
      do {
        return .addr(try Address(String(decoding: arguments, as: UTF8.self)))
      } catch {
        throw .invalidAddress(error)
      }
    case ("raw", _):
      guard context == .top else { throw .notAllowedHere(name) }
      guard !arguments.isEmpty, let bytes = try? Hex.decode(String(decoding: arguments, as: UTF8.self)) else {
        throw .invalidScriptHex
      }
      return .raw(Script(bytes))
    default: return try miniscript(text, context)
    }
  }

  private static func key(
    _ arguments: Text, _ name: String, _ context: DescriptorContext
  ) throws(DescriptorError) -> KeyExpression {
    try KeyExpression(parsing: only(arguments, in: name), in: context)
  }

  private static func multi(
    _ arguments: Text, _ name: String, _ context: DescriptorContext
  ) throws(DescriptorError) -> (required: Int, keys: [KeyExpression]) {
    var rest = arguments
    guard let required = ChildNumber.number(argument(&rest)) else { throw .invalidThreshold }
    let limit =
      switch context {
      case .p2tr: MiniscriptTree.maximumMultiAKeys
      // BIP 383: When used at the top level, there can only be at most 3 keys.
      case .top: 3
      default: MiniscriptTree.maximumMultiKeys
      }
    var keys: [KeyExpression] = []
    var size = 3
    while !rest.isEmpty {
      guard take(0x2c, &rest) else { throw .syntax(in: name) }
      guard keys.count < limit else { throw .tooManyKeys(limit: limit) }
      let key = try KeyExpression(parsing: argument(&rest), in: context)
      size += key.isCompressed ? 34 : 66
      keys.append(key)
    }
    guard 1...max(keys.count, 1) ~= Int(required), !keys.isEmpty else { throw .invalidThreshold }
    // BIP 383: which is pushed as a single element in the spending scriptSig and must therefore not exceed the 520 byte limit.
    if context == .p2sh { guard size <= 520 else { throw .scriptTooLarge } }
    return (Int(required), keys)
  }

  private static func tr(_ arguments: Text) throws(DescriptorError) -> Descriptor.Expression {
    var rest = arguments
    let internalKey = try KeyExpression(parsing: argument(&rest), in: .p2tr)
    guard !rest.isEmpty else { return .tr(internalKey, leaves: []) }
    guard take(0x2c, &rest) else { throw .syntax(in: "tr") }
    var leaves: [Descriptor.Leaf] = []
    // For each open brace whether its right side is being read.
    var path: [Bool] = []
    repeat {
      while take(0x7b, &rest) {
        path.append(false)
        guard path.count <= TapTree.maximumDepth else { throw .treeTooDeep }
      }
      leaves.append(Descriptor.Leaf(depth: path.count, script: try script(argument(&rest), .p2tr)))
      while path.last == true {
        guard take(0x7d, &rest) else { throw .syntax(in: "tr") }
        path.removeLast()
      }
      if !path.isEmpty {
        guard take(0x2c, &rest) else { throw .syntax(in: "tr") }
        path[path.count - 1] = true
      }
    } while !path.isEmpty
    guard rest.isEmpty else { throw .syntax(in: "tr") }
    return .tr(internalKey, leaves: leaves)
  }

  // MARK: Miniscript

  private static func miniscript(
    _ text: Text, _ context: DescriptorContext
  ) throws(DescriptorError) -> Descriptor.Expression {
    guard context == .p2wsh || context == .p2tr else {
      throw .unknownFunction(String(decoding: text.prefix { $0 != 0x28 }.prefix(32), as: UTF8.self))
    }
    var keyError: DescriptorError?
    do {
      let miniscript = try Miniscript<KeyExpression>(
        String(decoding: text, as: UTF8.self), context: context == .p2tr ? .tapscript : .p2wsh
      ) { text in
        do throws(DescriptorError) {
          return try KeyExpression(parsing: Array(text.utf8)[...], in: context)
        } catch {
          keyError = error
          return nil
        }
      }
      return .miniscript(miniscript)
    } catch {
      throw keyError ?? .miniscript(error)
    }
  }

  /// BIP 379's conditions, for every descriptor that the expression stands for: with one choice of a path two keys may be the same, with
  /// another not.
  private static func checkSanity(_ expression: Descriptor.Expression, choices: Int) throws(DescriptorError) {
    switch expression {
    case .sh(let inner), .wsh(let inner): try checkSanity(inner, choices: choices)
    case .tr(_, let leaves): for leaf in leaves { try checkSanity(leaf.script, choices: choices) }
    case .miniscript(let miniscript):
      do {
        for choice in 0..<choices { try miniscript.checkSanity { $0.selecting(choice).identity(miniscript.context) } }
      } catch {
        throw .miniscript(error)
      }
    default: break
    }
  }
}

extension KeyExpression {
  /// What tells this key from others of its script: its bytes at index 0. Keys behind hardened steps are not told apart, so that there can
  /// be only one: whether two are the same does not show in the public text. Bitcoin Core refuses a second one as well.
  fileprivate func identity(_ context: MiniscriptContext) -> [UInt8] {
    guard !needsSecretToDerive, let key = try? publicKey(at: 0) else { return [] }
    return context.keyBytes(key)
  }
}
