internal import Bitcoin
internal import Encoding
internal import Secp256k1

extension FuzzTarget {
  static let controlBlock = FuzzTarget(
    "controlblock",
    seeds: { Sample.controlBlocks.map(\.encoded) },
    run: { input throws(Violation) in
      guard let block = try? ControlBlock(decoding: input) else { return .refused }
      try law(block.encoded.bytes.elementsEqual(input), "a control block has one form")
      try law(block.path.count <= TapTree.maximumDepth, "at most 128 hashes")
      let leaf = TapLeaf(script: Script(input.array), version: block.leafVersion)
      let root = block.merkleRoot(leafHash: leaf.hash)
      guard let output = try? TweakedKey(internalKey: block.internalKey, merkleRoot: root) else { return .accepted }
      try law(
        block.commits(leafHash: leaf.hash, to: output.key) == (block.outputKeyYIsOdd == output.yIsOdd),
        "a control block commits to the key that its leaf makes, with that parity alone")
      return .accepted
    })

  private struct TweakedKey {
    let key: XOnlyPublicKey
    let yIsOdd: Bool

    init(internalKey: XOnlyPublicKey, merkleRoot: Bytes32) throws(Secp256k1Error) {
      (key, yIsOdd) = try internalKey.tweaked(by: TaprootOutput.tweak(internalKey: internalKey, merkleRoot: merkleRoot))
    }
  }
}
