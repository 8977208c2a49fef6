internal import Encoding
internal import Hashing
internal import Secp256k1

/// An output of a descriptor, and what is needed to spend it.
public struct DescriptorOutput: Sendable, Hashable {
  public let scriptPubKey: Script
  /// Of `sh`.
  public var redeemScript: Script?
  /// Of `wsh`.
  public var witnessScript: Script?
  /// Of `tr`: internal key, tweak and leaves.
  public var taproot: TaprootOutput?

  /// The address; nil for scripts that have none.
  public func address(on network: Network) -> Address? { Address(scriptPubKey: scriptPubKey, on: network) }
}

extension Descriptor {
  /// More indices than that are refused in one call.
  public static let maximumRangeCount = 1_000_000

  /// The scriptPubKeys at an index, which does not matter when the descriptor is not ranged: one, or two or four for `combo`.
  public func scripts(at index: UInt32 = 0) throws(DescriptorError) -> [Script] {
    try outputs(at: index).map(\.scriptPubKey)
  }

  /// The scriptPubKeys of all indices of a range, index by index. A ranged descriptor needs a range, another takes none.
  /// Throws `.rangeMissing`, `.rangeNotAllowed`, `.invalidRange`, `.multipath`, and what derivation throws.
  public func scripts(in range: ClosedRange<UInt32>?) throws(DescriptorError) -> [Script] {
    guard let range else {
      guard !isRanged else { throw .rangeMissing }
      return try scripts(at: 0)
    }
    guard isRanged else { throw .rangeNotAllowed }
    guard range.upperBound < ChildNumber.hardenedOffset, range.count <= Self.maximumRangeCount else {
      throw .invalidRange
    }
    var scripts: [Script] = []
    for index in range { scripts += try self.scripts(at: index) }
    return scripts
  }

  /// The outputs at an index, with what is needed to spend them. Throws `.invalidRange` for an index of 2³¹ or more, `.multipath`, and
  /// what derivation throws.
  public func outputs(at index: UInt32 = 0) throws(DescriptorError) -> [DescriptorOutput] {
    guard index < ChildNumber.hardenedOffset else { throw .invalidRange }
    guard multipathCount == 1 else { throw .multipath }
    guard case .combo(let key) = expression else { return [try expression.output(at: index)] }
    let publicKey = try key.publicKey(at: index)
    var outputs = [
      try Expression.pk(key).output(at: index),
      try Expression.pkh(key).output(at: index),
    ]
    // BIP 384: If the key is/has a compressed public key, then P2WPKH and P2SH-P2WPKH scripts are also produced.
    if key.isCompressed {
      let witness = Script.p2wpkh(publicKey)
      outputs.append(DescriptorOutput(scriptPubKey: witness))
      outputs.append(DescriptorOutput(scriptPubKey: .p2sh(witness), redeemScript: witness))
    }
    return outputs
  }
}

extension Descriptor.Expression {
  fileprivate func output(at index: UInt32) throws(DescriptorError) -> DescriptorOutput {
    switch self {
    case .sh(let inner):
      let below = try inner.output(at: index)
      return DescriptorOutput(
        scriptPubKey: .p2sh(below.scriptPubKey), redeemScript: below.scriptPubKey, witnessScript: below.witnessScript)
    case .wsh(let inner):
      let script = try inner.script(at: index)
      return DescriptorOutput(scriptPubKey: .p2wsh(script), witnessScript: script)
    case .tr(let key, let leaves):
      let internalKey = try key.publicKey(at: index).xOnly.key
      let tree = try Self.tree(leaves, at: index)
      do {
        let output = try TaprootOutput(internalKey: internalKey, tree: tree)
        return DescriptorOutput(scriptPubKey: output.scriptPubKey, taproot: output)
      } catch {
        throw .taproot(error)
      }
    default: return DescriptorOutput(scriptPubKey: try script(at: index))
    }
  }

  /// The script that this expression is, wherever it stands.
  private func script(at index: UInt32) throws(DescriptorError) -> Script {
    switch self {
    case .pk(let key): return try Self.pk(key.legacyBytes(at: index))
    case .pkh(let key): return .p2pkh(hash160(try key.legacyBytes(at: index)))
    case .wpkh(let key): return .p2wpkh(try key.publicKey(at: index))
    case .multi(let required, let keys, let isSorted):
      var bytes: [[UInt8]] = []
      for key in keys { bytes.append(try key.legacyBytes(at: index)) }
      // BIP 67: sorted lexicographically according to their compressed binary form.
      if isSorted { bytes.sort { $0.lexicographicallyPrecedes($1) } }
      return Script {
        $0.append(number: Int64(required))
        for key in bytes { $0.append(push: key) }
        $0.append(number: Int64(keys.count))
        $0.append(.checkMultiSig)
      }
    case .multiA(let required, let keys, let isSorted):
      var xOnly: [XOnlyPublicKey] = []
      for key in keys { xOnly.append(try key.publicKey(at: index).xOnly.key) }
      // BIP 387: the x-only public keys are sorted lexicographically prior to the creation of the output script.
      if isSorted { xOnly.sort() }
      return Script {
        for (position, key) in xOnly.enumerated() {
          $0.append(push: key)
          $0.append(position == 0 ? .checkSig : .checkSigAdd)
        }
        $0.append(number: Int64(required))
        $0.append(.numEqual)
      }
    case .rawtr(let key): return .p2tr(outputKey: try key.publicKey(at: index).xOnly.key)
    case .addr(let address): return address.scriptPubKey
    case .raw(let script): return script
    case .miniscript(let miniscript):
      return try miniscript.mapKeys { key throws(DescriptorError) in try key.publicKey(at: index) }.script
    case .combo, .sh, .wsh, .tr: return try output(at: index).scriptPubKey
    }
  }

  private static func pk(_ key: [UInt8]) -> Script {
    Script {
      $0.append(push: key)
      $0.append(.checkSig)
    }
  }

  /// The tree whose leaves have these depths from left to right; nil without leaves.
  private static func tree(_ leaves: [Descriptor.Leaf], at index: UInt32) throws(DescriptorError) -> TapTree? {
    // Complete subtrees, whose depths increase; two of the same depth are a branch one level up.
    var subtrees: [(depth: Int, tree: TapTree)] = []
    for leaf in leaves {
      var depth = leaf.depth
      var tree = TapTree.leaf(TapLeaf(script: try leaf.script.leafScript(at: index)))
      while let last = subtrees.last, last.depth == depth, depth > 0 {
        tree = .branch(last.tree, tree)
        depth -= 1
        subtrees.removeLast()
      }
      subtrees.append((depth, tree))
    }
    return subtrees.first?.tree
  }

  /// As a leaf, where keys have 32 bytes.
  private func leafScript(at index: UInt32) throws(DescriptorError) -> Script {
    if case .pk(let key) = self { return Self.pk(try key.publicKey(at: index).xOnly.key.array) }
    return try script(at: index)
  }
}
