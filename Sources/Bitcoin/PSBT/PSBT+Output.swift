internal import Encoding
public import Secp256k1

extension PSBT {
  /// What is known of one output.
  public struct Output: Hashable, Sendable {
    /// PSBT_OUT_AMOUNT; in version 0 part of the unsigned transaction.
    public var amount: Satoshi
    /// PSBT_OUT_SCRIPT, the scriptPubKey; in version 0 part of the unsigned transaction.
    public var script: Script

    public var redeemScript: Script?
    public var witnessScript: Script?
    public var bip32Derivations = Records<ScriptKey, KeyOrigin>()
    public var tapInternalKey: XOnlyPublicKey?
    public var tapTree: TapTreeLeaves?
    public var tapBIP32Derivations = Records<XOnlyPublicKey, TapKeyOrigin>()
    /// Under the aggregate key, the participants in the order of aggregation.
    public var musig2ParticipantPubkeys = Records<PublicKey, [PublicKey]>()
    public var proprietary = Records<ProprietaryKey, [UInt8]>()
    public var unknown = Records<UnknownKey, [UInt8]>()

    public init(amount: Satoshi, script: Script) {
      self.amount = amount
      self.script = script
    }

    public init(_ output: TxOutput) { self.init(amount: output.value, script: output.scriptPubKey) }

    public var transactionOutput: TxOutput { TxOutput(value: amount, scriptPubKey: script) }
  }

  /// A taproot tree as PSBT_OUT_TAP_TREE lists it: the leaves in depth first order, each with its depth.
  public struct TapTreeLeaves: Hashable, Sendable {
    public struct Leaf: Hashable, Sendable {
      /// From 0 (a tree of one leaf) to 128.
      public var depth: UInt8
      public var leaf: TapLeaf

      public init(depth: UInt8, leaf: TapLeaf) {
        self.depth = depth
        self.leaf = leaf
      }
    }

    public let leaves: [Leaf]

    /// Nil unless the leaves make up one whole tree of at most 128 levels, with even leaf versions.
    public init?(_ leaves: [Leaf]) {
      // Two neighbours of the same depth become their parent; in the end the root alone may be left.
      var open: [UInt8] = []
      for leaf in leaves {
        guard leaf.depth <= TapTree.maximumDepth, leaf.leaf.version & 1 == 0 else { return nil }
        if let last = open.last, leaf.depth < last { return nil }
        var depth = leaf.depth
        while depth > 0, open.last == depth {
          open.removeLast()
          depth -= 1
        }
        open.append(depth)
      }
      guard open == [0] else { return nil }
      self.leaves = leaves
    }

    /// Throws `.treeTooDeep` above 128 levels.
    public init(_ tree: TapTree) throws(TaprootError) {
      var leaves: [Leaf] = []
      try Self.collect(tree, depth: 0, into: &leaves)
      self.leaves = leaves
    }

    private static func collect(_ tree: TapTree, depth: UInt8, into leaves: inout [Leaf]) throws(TaprootError) {
      guard depth <= TapTree.maximumDepth else { throw .treeTooDeep }
      switch tree {
      case .leaf(let leaf): leaves.append(Leaf(depth: depth, leaf: leaf))
      case .branch(let left, let right):
        try collect(left, depth: depth + 1, into: &leaves)
        try collect(right, depth: depth + 1, into: &leaves)
      }
    }

    public var tree: TapTree {
      var open: [(depth: UInt8, tree: TapTree)] = []
      for leaf in leaves {
        var depth = leaf.depth
        var tree = TapTree.leaf(leaf.leaf)
        while depth > 0, let last = open.last, last.depth == depth {
          tree = .branch(last.tree, tree)
          open.removeLast()
          depth -= 1
        }
        open.append((depth, tree))
      }
      // `init` made sure that the root alone is left.
      return open[0].tree
    }
  }
}
