public import Encoding
internal import Hashing
public import Secp256k1

/// A script that may spend a taproot output, and its leaf version (0xc0 for tapscript, BIP 342).
public struct TapLeaf: Hashable, Sendable {
  public static let tapscriptVersion: UInt8 = 0xc0

  public var script: Script
  public var version: UInt8

  public init(script: Script, version: UInt8 = tapscriptVersion) {
    self.script = script
    self.version = version
  }

  /// BIP 341: hash_TapLeaf(version ‖ compact_size(script) ‖ script).
  public var hash: Bytes32 { Self.hash(of: script.bytes.bytes, version: version) }

  /// The same of a script's bytes: takes no memory.
  public static func hash(of script: RawSpan, version: UInt8 = tapscriptVersion) -> Bytes32 {
    var head = FixedByteWriter<10>()
    head.write(version)
    head.writeCompactSize(script.byteCount)
    var hash = tag
    hash.update(head.bytes)
    hash.update(script)
    return hash.finish()
  }

  private static let tag = taggedHash("TapLeaf")
}

public enum TaprootError: Error, Hashable, Sendable {
  /// BIP 341 allows 128 levels below the root.
  case treeTooDeep
  /// The tweak is not below n, or leads to infinity: happens by chance never.
  case invalidTweak
  /// A control block that is not 33 + 32·k bytes with k from 0 to 128, or whose key is no point.
  case invalidControlBlock
}

/// A tree of scripts.
public indirect enum TapTree: Hashable, Sendable {
  case leaf(TapLeaf)
  case branch(TapTree, TapTree)

  /// BIP 341: at most 128 hashes in a control block.
  public static let maximumDepth = 128

  /// A leaf and the hashes that lead from it up to the root, nearest first.
  public struct Path: Hashable, Sendable {
    public var leaf: TapLeaf
    public var hashes: [Bytes32]
  }

  /// The root's hash, and the path of every leaf from left to right. Throws `.treeTooDeep`.
  public func resolve() throws(TaprootError) -> (root: Bytes32, paths: [Path]) { try resolve(depth: 0) }

  private func resolve(depth: Int) throws(TaprootError) -> (root: Bytes32, paths: [Path]) {
    guard depth <= Self.maximumDepth else { throw .treeTooDeep }
    switch self {
    case .leaf(let leaf): return (leaf.hash, [Path(leaf: leaf, hashes: [])])
    case .branch(let left, let right):
      var (leftRoot, leftPaths) = try left.resolve(depth: depth + 1)
      var (rightRoot, rightPaths) = try right.resolve(depth: depth + 1)
      for index in leftPaths.indices { leftPaths[index].hashes.append(rightRoot) }
      for index in rightPaths.indices { rightPaths[index].hashes.append(leftRoot) }
      return (Self.branchHash(leftRoot, rightRoot), leftPaths + rightPaths)
    }
  }

  /// BIP 341: hash_TapBranch of both children, the smaller first.
  public static func branchHash(_ a: Bytes32, _ b: Bytes32) -> Bytes32 {
    var hash = branchTag
    hash.update(min(a, b))
    hash.update(max(a, b))
    return hash.finish()
  }

  private static let branchTag = taggedHash("TapBranch")
}

/// Everything behind a taproot output: the internal key, the scripts, and what BIP 341 makes of them.
public struct TaprootOutput: Hashable, Sendable {
  public let internalKey: XOnlyPublicKey
  /// Nil when there are no scripts.
  public let merkleRoot: Bytes32?
  /// hash_TapTweak(internal key ‖ root).
  public let tweak: Bytes32
  public let outputKey: XOnlyPublicKey
  public let outputKeyYIsOdd: Bool
  /// The leaves from left to right.
  public let paths: [TapTree.Path]

  public init(internalKey: XOnlyPublicKey, tree: TapTree? = nil) throws(TaprootError) {
    self.internalKey = internalKey
    if let tree {
      let resolved = try tree.resolve()
      merkleRoot = resolved.root
      paths = resolved.paths
    } else {
      merkleRoot = nil
      paths = []
    }
    tweak = Self.tweak(internalKey: internalKey, merkleRoot: merkleRoot)
    do {
      (outputKey, outputKeyYIsOdd) = try internalKey.tweaked(by: tweak)
    } catch {
      throw .invalidTweak
    }
  }

  /// BIP 341: hash_TapTweak(internal key ‖ root), without root when there are no scripts.
  public static func tweak(internalKey: XOnlyPublicKey, merkleRoot: Bytes32?) -> Bytes32 {
    var hash = tweakTag
    hash.update(internalKey)
    if let merkleRoot { hash.update(merkleRoot) }
    return hash.finish()
  }

  private static let tweakTag = taggedHash("TapTweak")

  /// OP_1 and the output key, 34 bytes.
  public var scriptPubKey: Script {
    Script {
      $0.append(.op1)
      $0.append(push: outputKey)
    }
  }

  /// What proves a leaf when it is spent.
  public func controlBlock(for path: TapTree.Path) -> ControlBlock {
    ControlBlock(
      leafVersion: path.leaf.version, outputKeyYIsOdd: outputKeyYIsOdd, internalKey: internalKey, path: path.hashes)
  }
}

/// The last element of a script path witness (BIP 341): 33 + 32·k bytes.
public struct ControlBlock: Hashable, Sendable {
  /// Even; the lowest bit of the first byte is the parity.
  public var leafVersion: UInt8
  public var outputKeyYIsOdd: Bool
  public var internalKey: XOnlyPublicKey
  /// From the leaf's sibling up to the root's child; at most 128.
  public var path: [Bytes32]

  public init(leafVersion: UInt8, outputKeyYIsOdd: Bool, internalKey: XOnlyPublicKey, path: [Bytes32]) {
    self.leafVersion = leafVersion
    self.outputKeyYIsOdd = outputKeyYIsOdd
    self.internalKey = internalKey
    self.path = path
  }

  public init(decoding bytes: RawSpan) throws(TaprootError) {
    guard bytes.byteCount >= 33, (bytes.byteCount - 33) % 32 == 0, bytes.byteCount <= 33 + 32 * TapTree.maximumDepth
    else { throw .invalidControlBlock }
    var reader = ByteReader(bytes)
    do {
      let first = try reader.readUInt8()
      leafVersion = first & 0xfe
      outputKeyYIsOdd = first & 1 == 1
      internalKey = try reader.read()
      path = []
      path.reserveCapacity(reader.remaining / 32)
      while !reader.isAtEnd { path.append(try reader.read()) }
    } catch {
      throw .invalidControlBlock
    }
  }

  public var encoded: [UInt8] {
    var writer = ByteWriter(reservingCapacity: 33 + 32 * path.count)
    writer.write(leafVersion | (outputKeyYIsOdd ? 1 : 0))
    writer.write(internalKey)
    for hash in path { writer.write(hash) }
    return writer.bytes
  }

  /// The root that a leaf with this hash leads to.
  public func merkleRoot(leafHash: Bytes32) -> Bytes32 {
    var node = leafHash
    for sibling in path { node = TapTree.branchHash(node, sibling) }
    return node
  }

  /// Whether the leaf with this hash belongs to the output key.
  public func commits(leafHash: Bytes32, to outputKey: XOnlyPublicKey) -> Bool {
    let tweak = TaprootOutput.tweak(internalKey: internalKey, merkleRoot: merkleRoot(leafHash: leafHash))
    return outputKey.isTweak(of: internalKey, by: tweak, yIsOdd: outputKeyYIsOdd)
  }
}

extension KeyPair {
  /// The key pair that signs for the key path of a taproot output with this internal key (BIP 341 §Constructing and spending).
  public func taprootTweaked(merkleRoot: Bytes32?) throws(Secp256k1Error) -> KeyPair {
    try xOnlyTweaked(by: TaprootOutput.tweak(internalKey: xOnlyPublicKey, merkleRoot: merkleRoot))
  }
}
