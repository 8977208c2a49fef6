internal import Bitcoin
internal import Encoding

extension FuzzTarget {
  /// Blocks, and the partial merkle trees that prove single transactions.
  static let block = FuzzTarget(
    "block",
    seeds: {
      Sample.blocks.flatMap { block -> [[UInt8]] in
        let leaves = block.transactions.map(\.txid.raw)
        var writer = ByteWriter()
        PartialMerkleTree(leaves: leaves, matches: leaves.indices.map { $0 % 2 == 1 }).encode(to: &writer)
        return [block.encoded, writer.bytes]
      }
    },
    run: { input throws(Violation) in
      try checkPartialTree(input)
      guard let block = try? Block(decoding: input) else { return .refused }
      try law(block.encoded.bytes.elementsEqual(input), "a block has one form")
      try law(block.hash == block.header.hash, "a block's hash is its header's")
      _ = block.header.work
      _ = block.header.hasProofOfWork(limit: Network.bitcoin.proofOfWorkLimit)
      if let root = block.merkleRoot {
        for transaction in block.transactions.prefix(3) {
          let proves = block.merkleBranch(of: transaction.txid)?.proves(transaction.txid, in: root)
          try law(proves == true, "a branch proves its transaction")
        }
      }
      _ = block.isConsistent
      return .accepted
    })

  private static func checkPartialTree(_ input: RawSpan) throws(Violation) {
    var reader = ByteReader(input)
    guard let tree = try? PartialMerkleTree(from: &reader) else { return }
    var writer = ByteWriter()
    tree.encode(to: &writer)
    var again = ByteReader(writer.bytes.bytes)
    try law((try? PartialMerkleTree(from: &again)) == tree, "a partial tree is read as it is written")
    guard let (_, matches) = tree.extract() else { return }
    try law(matches.count <= tree.hashes.count, "no more leaves than hashes")
    try law(matches.allSatisfy { $0.index < tree.leafCount }, "leaves are within the tree")
  }

  /// Compact block filters (BIP 158).
  static let filter = FuzzTarget(
    "filter",
    seeds: {
      Sample.blocks.map { BlockFilter(of: $0, spentScripts: Sample.scripts).encoded } + [
        [0], [1, 0xff], [0xfd, 0, 1],
      ]
    },
    run: { input throws(Violation) in
      guard let filter = try? BlockFilter(blockHash: BlockHash(Sample.hash(1)), encoded: input.array) else {
        return .refused
      }
      try law(filter.encoded.bytes.elementsEqual(input), "a filter is kept as it is")
      let scripts = Sample.scripts
      let each = scripts.map { filter.matches($0) }
      try law(filter.matchesAny(scripts) == each.contains(true), "any matches when one does")
      try law(!filter.matchesAny([]), "nothing matches nothing")
      return .accepted
    })
}
