internal import Encoding
internal import Hashing
public import Secp256k1

/// A miniscript (BIP 379): a script that can be analysed, composed and satisfied. `Key` is whatever stands for a key: a `PublicKey`, or a
/// key expression of a descriptor.
///
/// Any value is well typed. Whether it should hold money is another question: see `checkSanity`.
public struct Miniscript<Key: Sendable>: Sendable {
  let tree: MiniscriptTree
  /// In the order in which the text, or the script that was decoded, names them.
  public let keys: [Key]

  init(tree: MiniscriptTree, keys: [Key]) {
    self.tree = tree
    self.keys = keys
  }

  /// Reads an expression of any type that fits. `readKey` gives nil for what is no key.
  public init(
    _ text: String, context: MiniscriptContext, readKey: (String) -> Key?
  ) throws(MiniscriptError) {
    (tree, keys) = try MiniscriptParser.parse(Array(text.utf8), context: context, readKey: readKey)
  }

  public var context: MiniscriptContext { tree.context }
  public var type: MiniscriptType { tree.rootType }
  /// The nodes, children before parents, the root last.
  public var fragments: [MiniscriptFragment] { tree.nodes }

  /// The same expression with other keys.
  public func mapKeys<Other, Failure: Error>(
    _ transform: (Key) throws(Failure) -> Other
  ) throws(Failure) -> Miniscript<Other> {
    var other: [Other] = []
    other.reserveCapacity(keys.count)
    for key in keys { other.append(try transform(key)) }
    return Miniscript<Other>(tree: tree, keys: other)
  }

  /// The text, with all sugar that applies.
  public func text(key: (Key) -> String) -> String { tree.text { key(keys[$0]) } }

  // MARK: Analysis

  /// Bytes of the script.
  public var scriptSize: Int { tree.rootResources?.scriptSize ?? 0 }

  /// The most operations that a satisfaction executes: non-push operations and the keys of OP_CHECKMULTISIG. Nil when there is no
  /// satisfaction.
  public var maximumOperations: Int? {
    guard let resources = tree.rootResources, let keys = resources.checkedKeys.sat else { return nil }
    return resources.operations + keys
  }

  /// The most elements that a satisfaction puts on the stack, without the script. Nil when there is no satisfaction.
  public var maximumStackItems: Int? {
    guard let use = tree.rootResources?.stack.sat else { return nil }
    return use.difference + (type.has(.verify) ? 0 : 1)
  }

  /// The highest that the stack stands while the script runs. Nil when there is no satisfaction.
  public var maximumExecutionStack: Int? {
    guard let use = tree.rootResources?.stack.sat else { return nil }
    return use.peak + (type.has(.verify) ? 0 : 1)
  }

  /// The most bytes of witness elements, each with one byte for its length, without script and control block: in weight units what they
  /// cost. Nil when there is no satisfaction.
  public var maximumSatisfactionSize: Int? { tree.rootResources?.witnessSize.sat }

  public var isNonMalleable: Bool { type.has(.nonMalleable) }
  public var needsSignature: Bool { type.has(.signed) }
  public var mixesTimelocks: Bool { !type.has(.noTimelockMix) }

  /// Throws what is wrong with an expression that is to be a whole script: its type, malleability, a path without signature, mixed
  /// timelocks, repeated keys, or limits that some satisfaction exceeds. `identity` tells keys apart; nil for one that cannot be told.
  public func checkSanity<Identity: Hashable>(identity: (Key) -> Identity?) throws(MiniscriptError) {
    guard type.has(.base) else { throw .notOfTypeB }
    if let operations = maximumOperations, context == .p2wsh, operations > MiniscriptResources.maximumOperations {
      throw .tooManyOperations(operations)
    }
    if context == .p2wsh, let items = maximumStackItems, items > MiniscriptResources.maximumP2WSHStackItems {
      throw .stackTooLarge(items)
    }
    if context == .tapscript, let peak = maximumExecutionStack, peak > MiniscriptResources.maximumStackSize {
      throw .stackTooLarge(peak)
    }
    guard isNonMalleable else { throw .malleable }
    guard !mixesTimelocks else { throw .mixesTimelocks }
    var seen: Set<Identity> = []
    for key in keys {
      if let identity = identity(key), !seen.insert(identity).inserted { throw .duplicateKeys }
    }
    guard needsSignature else { throw .needsNoSignature }
    guard maximumStackItems != nil else { throw .unsatisfiable }
  }
}

extension Miniscript where Key == PublicKey {
  /// Reads an expression with keys in hex: 33 bytes compressed, in tapscript also 32 bytes.
  public init(_ text: String, context: MiniscriptContext) throws(MiniscriptError) {
    try self.init(text, context: context) { text -> PublicKey? in
      if text.utf8.count == 64 { return context == .tapscript ? (try? XOnlyPublicKey(hex: text))?.evenPoint : nil }
      return try? PublicKey(hex: text)
    }
  }

  public var script: Script {
    let bytes = keys.map { context.keyBytes($0) }
    return tree.script(keyBytes: bytes) { hash160(bytes[$0]).array }
  }

  public func checkSanity() throws(MiniscriptError) { try checkSanity { self.context.keyBytes($0) } }

  /// The text with keys as they stand in the script.
  public var text: String { text { Hex.encode(context.keyBytes($0)) } }
}

extension MiniscriptContext {
  /// A key as it stands in a script: 33 bytes compressed, 32 bytes in tapscript.
  func keyBytes(_ key: PublicKey) -> [UInt8] {
    switch self {
    case .p2wsh: key.array
    case .tapscript: key.xOnly.key.array
    }
  }
}
