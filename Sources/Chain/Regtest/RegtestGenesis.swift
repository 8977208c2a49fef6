internal import Bitcoin
internal import Encoding

/// The rules of regtest that are numbers.
enum Regtest {
  static let bits = CompactTarget(rawValue: 0x207f_ffff)
  static let halvingInterval: UInt32 = 150
  static let coinbaseMaturity: UInt32 = 100
  static let maximumSigopCost = 80_000

  static func subsidy(at height: UInt32) -> UInt64 {
    let halvings = height / halvingInterval
    return halvings >= 64 ? 0 : 5_000_000_000 >> UInt64(halvings)
  }

  /// The first block, the same everywhere but for the nonce and the target.
  static let genesis: Block = {
    let message = "The Times 03/Jan/2009 Chancellor on brink of second bailout for banks"
    let signatureScript = Script {
      $0.append(push: [0xff, 0xff, 0x00, 0x1d])
      $0.append(push: [4])
      $0.append(push: Array(message.utf8))
    }
    let key =
      "04678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5f"
    let output = Script {
      $0.append(push: (try? Hex.decode(key)) ?? [])
      $0.append(.checkSig)
    }
    let coinbase = Transaction(
      version: 1, inputs: [TxInput(previousOutput: .null, scriptSig: signatureScript)],
      outputs: [TxOutput(value: Satoshi(5_000_000_000), scriptPubKey: output)])
    var block = Block(
      header: BlockHeader(
        version: 1, previousBlock: BlockHash(Bytes32()), merkleRoot: MerkleRoot(coinbase.txid.raw), time: 1_296_688_602,
        bits: bits, nonce: 2),
      transactions: [coinbase])
    block.header.merkleRoot = block.merkleRoot ?? block.header.merkleRoot
    return block
  }()
}
