internal import Encoding
internal import Secp256k1

/// An output descriptor (BIPs 380 to 390): a script, or one for every index, and what is needed to spend it.
public struct Descriptor: Sendable, CustomStringConvertible {
  public indirect enum Expression: Sendable {
    case pk(KeyExpression)
    case pkh(KeyExpression)
    case wpkh(KeyExpression)
    /// pk, pkh and, for a compressed key, wpkh and sh(wpkh) (BIP 384).
    case combo(KeyExpression)
    case multi(required: Int, keys: [KeyExpression], isSorted: Bool)
    /// In tapscript (BIP 387).
    case multiA(required: Int, keys: [KeyExpression], isSorted: Bool)
    case sh(Expression)
    case wsh(Expression)
    case tr(KeyExpression, leaves: [Leaf])
    /// The output key itself, which nothing is added to.
    case rawtr(KeyExpression)
    case addr(Address)
    case raw(Script)
    /// In `wsh` and `tr` (BIP 379).
    case miniscript(Miniscript<KeyExpression>)
  }

  /// A leaf of a script tree, from left to right.
  public struct Leaf: Sendable {
    /// How many braces are around it, 0 to 128.
    public let depth: Int
    public let script: Expression
  }

  public let expression: Expression

  init(unchecked expression: Expression) { self.expression = expression }

  /// Longer than the text of the largest tree that can be spent.
  public static let maximumTextLength = 4_000_000

  /// Reads a descriptor. The checksum is checked when there is one, and missed when it is required.
  public init(_ text: String, requireChecksum: Bool = false) throws(DescriptorError) {
    guard text.utf8.count <= Self.maximumTextLength else { throw .tooLong }
    let expression = try DescriptorChecksum.strip(Array(text.utf8), isRequired: requireChecksum)
    try self.init(unchecked: DescriptorParser.parse(expression))
  }

  /// The checksum of an expression without one.
  public static func checksum(of text: String) throws(DescriptorError) -> String {
    try DescriptorChecksum.of(Array(text.utf8))
  }

  // MARK: Keys

  /// All keys, in the order in which the text names them.
  public var keys: [KeyExpression] { expression.keys }

  /// Whether there is another script for every index.
  public var isRanged: Bool { keys.contains(where: \.isRanged) }

  /// How many descriptors this one stands for (BIP 389).
  public var multipathCount: Int { keys.reduce(1) { max($0, $1.multipathCount) } }

  /// The descriptors that this one stands for; itself without `<…>`. BIP 389: wallets should use the first descriptor for producing
  /// receiving addresses, and the second descriptor for producing change addresses.
  public var expandingMultipath: [Descriptor] {
    let count = multipathCount
    guard count > 1 else { return [self] }
    return (0..<count).map { choice in
      Descriptor(unchecked: expression.mapKeys { $0.selecting(choice) })
    }
  }

  // MARK: Text

  /// The text without secrets, with its checksum.
  public var description: String { text() }

  /// The text with its checksum. With secrets, keys are written as `xprv` and WIF where they are known.
  public func text(withSecrets: Bool = false) -> String { Self.addingChecksum(to: expression.text(withSecrets)) }

  /// The public text from which all scripts can be derived without a secret (BIP 380 §Normalization of Key Expressions with Hardened
  /// Derivation). Throws `.hardenedDerivationNeedsSecretKey`, `.multipath`.
  public func normalizedText() throws(DescriptorError) -> String {
    Self.addingChecksum(to: try expression.mapKeys { key throws(DescriptorError) in try key.normalized() }.text(false))
  }

  private static func addingChecksum(to text: String) -> String {
    // Every character that we write is in BIP 380's set.
    (try? DescriptorChecksum.of(Array(text.utf8))).map { "\(text)#\($0)" } ?? text
  }
}

extension Descriptor.Expression {
  var keys: [KeyExpression] {
    switch self {
    case .pk(let key), .pkh(let key), .wpkh(let key), .combo(let key), .rawtr(let key): [key]
    case .multi(_, let keys, _), .multiA(_, let keys, _): keys
    case .sh(let inner), .wsh(let inner): inner.keys
    case .tr(let key, let leaves): [key] + leaves.flatMap(\.script.keys)
    case .addr, .raw: []
    case .miniscript(let miniscript): miniscript.keys
    }
  }

  func mapKeys<Failure: Error>(
    _ transform: (KeyExpression) throws(Failure) -> KeyExpression
  ) throws(Failure) -> Descriptor.Expression {
    func all(_ keys: [KeyExpression]) throws(Failure) -> [KeyExpression] {
      var result: [KeyExpression] = []
      for key in keys { result.append(try transform(key)) }
      return result
    }
    switch self {
    case .pk(let key): return .pk(try transform(key))
    case .pkh(let key): return .pkh(try transform(key))
    case .wpkh(let key): return .wpkh(try transform(key))
    case .combo(let key): return .combo(try transform(key))
    case .rawtr(let key): return .rawtr(try transform(key))
    case .multi(let required, let keys, let isSorted):
      return .multi(required: required, keys: try all(keys), isSorted: isSorted)
    case .multiA(let required, let keys, let isSorted):
      return .multiA(required: required, keys: try all(keys), isSorted: isSorted)
    case .sh(let inner): return .sh(try inner.mapKeys(transform))
    case .wsh(let inner): return .wsh(try inner.mapKeys(transform))
    case .tr(let key, let leaves):
      let key = try transform(key)
      var mapped: [Descriptor.Leaf] = []
      for leaf in leaves {
        mapped.append(Descriptor.Leaf(depth: leaf.depth, script: try leaf.script.mapKeys(transform)))
      }
      return .tr(key, leaves: mapped)
    case .addr, .raw: return self
    case .miniscript(let miniscript): return .miniscript(try miniscript.mapKeys(transform))
    }
  }

  func text(_ withSecrets: Bool) -> String {
    func write(_ key: KeyExpression) -> String { key.text(withSecrets: withSecrets) }
    func multi(_ name: String, _ required: Int, _ keys: [KeyExpression], _ isSorted: Bool) -> String {
      let arguments = [String(required)] + keys.map(write)
      return (isSorted ? "sorted" : "") + name + "(" + arguments.joined(separator: ",") + ")"
    }
    switch self {
    case .pk(let key): return "pk(\(write(key)))"
    case .pkh(let key): return "pkh(\(write(key)))"
    case .wpkh(let key): return "wpkh(\(write(key)))"
    case .combo(let key): return "combo(\(write(key)))"
    case .rawtr(let key): return "rawtr(\(write(key)))"
    case .multi(let required, let keys, let isSorted): return multi("multi", required, keys, isSorted)
    case .multiA(let required, let keys, let isSorted): return multi("multi_a", required, keys, isSorted)
    case .sh(let inner): return "sh(\(inner.text(withSecrets)))"
    case .wsh(let inner): return "wsh(\(inner.text(withSecrets)))"
    case .tr(let key, let leaves):
      return leaves.isEmpty ? "tr(\(write(key)))" : "tr(\(write(key)),\(Self.tree(leaves, withSecrets)))"
    case .addr(let address): return "addr(\(address))"
    case .raw(let script): return "raw(\(script.hex))"
    case .miniscript(let miniscript): return miniscript.text(key: write)
    }
  }

  /// Braces follow from the depths: `path` holds, for each open brace, whether its right side is being written.
  private static func tree(_ leaves: [Descriptor.Leaf], _ withSecrets: Bool) -> String {
    var text = ""
    var path: [Bool] = []
    for leaf in leaves {
      while path.count < leaf.depth {
        text += "{"
        path.append(false)
      }
      text += leaf.script.text(withSecrets)
      while path.last == true {
        text += "}"
        path.removeLast()
      }
      if !path.isEmpty {
        text += ","
        path[path.count - 1] = true
      }
    }
    return text
  }
}
