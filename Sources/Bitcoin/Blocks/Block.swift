public import Encoding
internal import Hashing

/// A header and the transactions that it commits to.
public struct Block: Hashable, Sendable {
  public var header: BlockHeader
  /// The coinbase transaction first.
  public var transactions: [Transaction]

  public init(header: BlockHeader, transactions: [Transaction]) {
    self.header = header
    self.transactions = transactions
  }

  public var hash: BlockHash { header.hash }

  public init(from reader: inout ByteReader) throws(DecodingError) {
    header = try BlockHeader(from: &reader)
    let count = try reader.readCount(minimumSize: 10)
    transactions = []
    transactions.reserveCapacity(count)
    for _ in 0..<count { transactions.append(try Transaction(from: &reader)) }
  }

  /// Reads one block that fills `bytes`.
  public init(decoding bytes: RawSpan) throws(DecodingError) {
    var reader = ByteReader(bytes)
    self = try Block(from: &reader)
    try reader.finish()
  }

  public init(decoding bytes: [UInt8]) throws(DecodingError) { try self.init(decoding: bytes.bytes) }

  public var encoded: [UInt8] {
    var writer = ByteWriter()
    header.encode(to: &writer)
    writer.writeCompactSize(transactions.count)
    for transaction in transactions { transaction.encode(to: &writer) }
    return writer.bytes
  }

  /// The root of the transaction ids; nil without transactions, and when the list could be taken for another with the same root.
  public var merkleRoot: MerkleRoot? {
    guard let (root, isMutated) = MerkleTree.root(of: transactions.map(\.txid.raw)), !isMutated else { return nil }
    return MerkleRoot(root)
  }

  /// The proof that a transaction is in the block; nil when it is not.
  public func merkleBranch(of txid: TxID) -> MerkleBranch? {
    let leaves = transactions.map(\.txid.raw)
    return leaves.firstIndex(of: txid.raw).flatMap { MerkleBranch(of: $0, in: leaves) }
  }

  /// Whether the transactions are those that the header commits to, their witnesses those that the coinbase transaction commits to
  /// (BIP 141), and the first one alone a coinbase.
  public var isConsistent: Bool {
    guard let first = transactions.first, first.isCoinbase, !transactions.dropFirst().contains(where: \.isCoinbase)
    else { return false }
    return merkleRoot == header.merkleRoot && hasWitnessCommitment
  }

  private var hasWitnessCommitment: Bool {
    // BIP 141: If there are more than one scriptPubKey matching the pattern, the one with highest output index is assumed to be the
    // commitment.
    let pattern: [UInt8] = [0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed]
    guard let coinbase = transactions.first else { return false }
    let commitment = coinbase.outputs.last {
      $0.scriptPubKey.count >= 38 && $0.scriptPubKey.bytes.starts(with: pattern)
    }
    guard let commitment else { return !transactions.contains(where: \.hasWitness) }
    // BIP 141: the coinbase's input's witness must consist of a single 32-byte array for the witness reserved value.
    guard let witness = coinbase.inputs.first?.witness, witness.count == 1, witness.elements[0].count == 32,
      // BIP 141: the coinbase transaction's wtxid is assumed to be 0x0000….
      let (root, isMutated) = MerkleTree.root(of: [Bytes32()] + transactions.dropFirst().map(\.witnessTxID.raw)),
      !isMutated
    else { return false }
    var hash = ByteWriter(reservingCapacity: 64)
    hash.write(root)
    hash.write(witness.elements[0])
    return sha256d(hash.bytes).array.elementsEqual(commitment.scriptPubKey.bytes[6..<38])
  }
}
