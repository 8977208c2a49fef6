public import Encoding

/// Some leaves of a merkle tree, and the hashes that prove them all (BIP 37 §Partial Merkle branch format).
public struct PartialMerkleTree: Hashable, Sendable {
  /// How many leaves the whole tree has.
  public let leafCount: UInt32
  /// In depth-first order.
  public let hashes: [Bytes32]
  /// Whether a node is a parent of a matched leaf, or one itself, in depth-first order.
  public let flags: [Bool]

  /// A block has at most 4,000,000 / 240 transactions: no weight is smaller.
  static let maximumLeafCount: UInt32 = 16_666

  public init(leafCount: UInt32, hashes: [Bytes32], flags: [Bool]) {
    self.leafCount = leafCount
    self.hashes = hashes
    self.flags = flags
  }

  /// Proves the leaves for which `matches` is true; of another number than of leaves, the missing ones count as not matched.
  public init(leaves: [Bytes32], matches: [Bool]) {
    var rows = [leaves]
    var matched = [leaves.indices.map { $0 < matches.count && matches[$0] }]
    while let row = rows.last, row.count > 1, let below = matched.last {
      rows.append(
        stride(from: 0, to: row.count, by: 2).map { MerkleTree.parent(row[$0], row[min($0 + 1, row.count - 1)]) })
      matched.append(stride(from: 0, to: row.count, by: 2).map { below[$0] || ($0 + 1 < row.count && below[$0 + 1]) })
    }
    var hashes: [Bytes32] = []
    var flags: [Bool] = []
    var open: [(level: Int, position: Int)] = leaves.isEmpty ? [] : [(rows.count - 1, 0)]
    while let (level, position) = open.popLast() {
      let isParentOfMatch = matched[level][position]
      flags.append(isParentOfMatch)
      if level == 0 || !isParentOfMatch {
        hashes.append(rows[level][position])
      } else {
        if 2 * position + 1 < rows[level - 1].count { open.append((level - 1, 2 * position + 1)) }
        open.append((level - 1, 2 * position))
      }
    }
    self.init(leafCount: UInt32(clamping: leaves.count), hashes: hashes, flags: flags)
  }

  /// The root, and the matched leaves with their places. Nil when the tree is malformed: hashes or flags left over or missing, or two
  /// equal neighbours (CVE-2012-2459).
  public func extract() -> (root: Bytes32, matches: [(index: UInt32, leaf: Bytes32)])? {
    guard 1...Self.maximumLeafCount ~= leafCount, hashes.count <= Int(leafCount), flags.count >= hashes.count else {
      return nil
    }
    func width(_ level: Int) -> Int { (Int(leafCount) + 1 << level - 1) >> level }
    var height = 0
    while width(height) > 1 { height += 1 }
    var matches: [(index: UInt32, leaf: Bytes32)] = []
    var usedFlags = 0
    var usedHashes = 0
    // Nodes to visit, and nodes whose children are on `done`.
    enum Step {
      case visit(level: Int, position: Int)
      case join(hasRight: Bool)
    }
    var steps: [Step] = [.visit(level: height, position: 0)]
    var done: [Bytes32] = []
    while let step = steps.popLast() {
      switch step {
      case .visit(let level, let position):
        guard usedFlags < flags.count else { return nil }
        let isParentOfMatch = flags[usedFlags]
        usedFlags += 1
        if level == 0 || !isParentOfMatch {
          guard usedHashes < hashes.count else { return nil }
          if level == 0 && isParentOfMatch { matches.append((UInt32(position), hashes[usedHashes])) }
          done.append(hashes[usedHashes])
          usedHashes += 1
        } else {
          let hasRight = 2 * position + 1 < width(level - 1)
          steps.append(.join(hasRight: hasRight))
          if hasRight { steps.append(.visit(level: level - 1, position: 2 * position + 1)) }
          steps.append(.visit(level: level - 1, position: 2 * position))
        }
      case .join(let hasRight):
        guard let last = done.popLast() else { return nil }
        guard hasRight else {
          done.append(MerkleTree.parent(last, last))
          continue
        }
        guard let left = done.popLast(), left != last else { return nil }
        done.append(MerkleTree.parent(left, last))
      }
    }
    guard let root = done.first, usedHashes == hashes.count, (usedFlags + 7) / 8 == (flags.count + 7) / 8,
      flags[usedFlags...].allSatisfy({ !$0 })
    else { return nil }
    return (root, matches)
  }

  // MARK: Coding

  public init(from reader: inout ByteReader) throws(DecodingError) {
    leafCount = try reader.readUInt32LE()
    let count = try reader.readCount(minimumSize: 32)
    var hashes: [Bytes32] = []
    hashes.reserveCapacity(count)
    for _ in 0..<count { hashes.append(try reader.read()) }
    self.hashes = hashes
    flags = try reader.readCompactSizedBytes().array.flatMap { byte in (0..<8).map { byte >> $0 & 1 == 1 } }
  }

  public func encode(to writer: inout ByteWriter) {
    writer.writeLE(leafCount)
    writer.writeCompactSize(hashes.count)
    for hash in hashes { writer.write(hash) }
    var packed = [UInt8](repeating: 0, count: (flags.count + 7) / 8)
    for (index, flag) in flags.enumerated() where flag { packed[index / 8] |= 1 << UInt8(index % 8) }
    writer.writeCompactSized(packed)
  }
}
