public import Encoding
internal import Hashing

/// Bitcoin's merkle trees: pairs are hashed with double SHA-256, the last of an odd number with itself.
public enum MerkleTree {
  static func parent(_ left: Bytes32, _ right: Bytes32) -> Bytes32 {
    var writer = ByteWriter(reservingCapacity: 64)
    writer.write(left)
    writer.write(right)
    return sha256d(writer.bytes.bytes)
  }

  /// The root of one or more leaves; nil for none. `isMutated` says that two neighbours are equal, so that another list of leaves has the
  /// same root (CVE-2012-2459): such a block is invalid, but its hash must not be remembered as that of an invalid one.
  public static func root(of leaves: [Bytes32]) -> (root: Bytes32, isMutated: Bool)? {
    guard !leaves.isEmpty else { return nil }
    var row = leaves
    var isMutated = false
    while row.count > 1 {
      var next: [Bytes32] = []
      next.reserveCapacity((row.count + 1) / 2)
      for index in stride(from: 0, to: row.count, by: 2) {
        if index + 1 < row.count, row[index] == row[index + 1] { isMutated = true }
        next.append(parent(row[index], row[min(index + 1, row.count - 1)]))
      }
      row = next
    }
    return (row[0], isMutated)
  }
}

/// What proves that a leaf is in a tree: its place and the hashes beside its way up, nearest first.
public struct MerkleBranch: Hashable, Sendable {
  public var index: UInt32
  public var hashes: [Bytes32]

  public init(index: UInt32, hashes: [Bytes32]) {
    self.index = index
    self.hashes = hashes
  }

  /// The branch of one of the leaves; nil when there is no such leaf.
  public init?(of index: Int, in leaves: [Bytes32]) {
    guard leaves.indices.contains(index), let number = UInt32(exactly: index) else { return nil }
    self.index = number
    hashes = []
    var position = index
    var row = leaves
    while row.count > 1 {
      hashes.append(row[min(position ^ 1, row.count - 1)])
      row = stride(from: 0, to: row.count, by: 2).map {
        MerkleTree.parent(row[$0], row[min($0 + 1, row.count - 1)])
      }
      position /= 2
    }
  }

  /// The root that the leaf leads to; nil when the index has more bits than there are hashes, or more than 32 hashes are given.
  public func root(leaf: Bytes32) -> Bytes32? {
    guard hashes.count <= 32, hashes.count == 32 || index >> UInt32(hashes.count) == 0 else { return nil }
    var node = leaf
    for (level, hash) in hashes.enumerated() {
      node = index >> UInt32(level) & 1 == 0 ? MerkleTree.parent(node, hash) : MerkleTree.parent(hash, node)
    }
    return node
  }

  /// Whether the transaction is the one at this place of the block with this root. A 64-byte transaction can be taken for an inner node of
  /// the tree: who has to be sure compares the depth with that of the coinbase transaction.
  public func proves(_ txid: TxID, in root: MerkleRoot) -> Bool { self.root(leaf: txid.raw) == root.raw }
}
