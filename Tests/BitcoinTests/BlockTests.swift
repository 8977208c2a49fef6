import Bitcoin
import Encoding
import Hashing
import JSON
import Testing
import VectorSupport

@Suite struct BlockTests {
  static let genesisHeader =
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c"

  /// Testnet block 2, with the filter, the header of the filter before and its own (BIP 158, testnet-19).
  static let block2 = (
    block:
      "0100000006128e87be8b1b4dea47a7247d5528d2702c96826c7a648497e773b800000000e241352e3bec0a95a6217e10c3abb54adfa05abb12c126695595580fb92e222032e7494dffff001d00d235340101000000010000000000000000000000000000000000000000000000000000000000000000ffffffff0e0432e7494d010e062f503253482fffffffff0100f2052a010000002321038a7f6ef1c8ca0c588aa53fa860128077c9e6c11e6830f4d7ee4e763a56b7718fac00000000",
    previous: "d7bdac13a59d745b1add0d2ce852f1a0442e8945fc1bf3848d3cbffd88c24fe1", filter: "0174a170",
    header: "186afd11ef2b5e7e3504f2e8cbf8df28a1fd251fe53d60dff8b1467d1b386cf0"
  )

  @Test func `the first header has its hash, its work and its proof`() throws {
    let header = try BlockHeader(decoding: Hex.decode(Self.genesisHeader))
    #expect(header.hash == Network.bitcoin.genesisBlockHash)
    #expect(Hex.encode(header.encoded) == Self.genesisHeader)
    #expect(header.time == 1_231_006_505 && header.nonce == 2_083_236_893 && header.bits.rawValue == 0x1d00_ffff)
    #expect(header.hasProofOfWork(limit: Network.bitcoin.proofOfWorkLimit))
    #expect(header.work == UInt256(0x1_0001_0001))
    var other = header
    other.nonce += 1
    #expect(!other.hasProofOfWork(limit: Network.bitcoin.proofOfWorkLimit))
    // A target that the network does not allow is no proof, however easily it is met.
    other = header
    other.bits = CompactTarget(rawValue: 0x207f_ffff)
    #expect(!other.hasProofOfWork(limit: Network.bitcoin.proofOfWorkLimit))
    #expect(throws: DecodingError.truncated) { try BlockHeader(decoding: Array(header.encoded.dropLast())) }
    #expect(throws: DecodingError.trailingBytes(1)) { try BlockHeader(decoding: header.encoded + [0]) }
  }

  /// Compact form, number, and the compact form that is made of the number; after Bitcoin Core's arith_uint256 tests.
  static let compact: [(UInt32, String?, UInt32)] = [
    (0, "0", 0), (0x0012_3456, "0", 0), (0x0100_3456, "0", 0), (0x0200_0056, "0", 0), (0x0300_0000, "0", 0),
    (0x0400_0000, "0", 0), (0x0092_3456, "0", 0), (0x0180_3456, "0", 0), (0x0112_3456, "12", 0x0112_0000),
    (0x0280_0056, "0", 0), (0x0380_0000, "0", 0), (0x0480_0000, "0", 0), (0x01fe_dcba, nil, 0),
    (0x0212_3456, "1234", 0x0212_3400), (0x0312_3456, "123456", 0x0312_3456),
    (0x0412_3456, "12345600", 0x0412_3456), (0x0492_3456, nil, 0), (0x0500_9234, "92340000", 0x0500_9234),
    (0x2012_3456, "1234560000000000000000000000000000000000000000000000000000000000", 0x2012_3456),
    (0xff12_3456, nil, 0), (0x2100_1234, "1234" + String(repeating: "0", count: 60), 0x2012_3400),
    (0x2200_0012, "12" + String(repeating: "0", count: 62), 0x2012_0000), (0x2201_2345, nil, 0),
    (0x207f_ffff, "7fffff" + String(repeating: "0", count: 58), 0x207f_ffff),
  ]

  @Test(arguments: compact) func `compact targets are read and written as Bitcoin Core does`(
    form: UInt32, number: String?, written: UInt32
  ) {
    let target = CompactTarget(rawValue: form).target
    guard let number else {
      #expect(target == nil)
      return
    }
    #expect(target?.description == String(repeating: "0", count: 64 - number.count) + number)
    if let target { #expect(CompactTarget(target).rawValue == written) }
  }

  @Test func `the work of a target is how many hashes it takes`() {
    var header = BlockHeader(
      version: 1, previousBlock: BlockHash(Bytes32()), merkleRoot: MerkleRoot(Bytes32()), time: 0,
      bits: CompactTarget(rawValue: 0), nonce: 0)
    for (bits, work) in [
      (UInt32(0x207f_ffff), UInt64(2)), (0x1d00_ffff, 0x1_0001_0001), (0x1b04_04cb, 70_040_908_352_512),
      (0x0300_0000, 0), (0x0492_3456, 0),
    ] {
      header.bits = CompactTarget(rawValue: bits)
      #expect(header.work == UInt256(work), "\(String(bits, radix: 16))")
    }
  }

  // MARK: Merkle trees

  private func leaves(_ count: Int) -> [Bytes32] { (0..<count).map { sha256([UInt8($0 & 255), UInt8($0 >> 8)]) } }

  @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 33, 100]) func `every leaf has a branch that proves it`(
    count: Int
  ) throws {
    let leaves = leaves(count)
    let (root, isMutated) = try #require(MerkleTree.root(of: leaves))
    #expect(!isMutated)
    for index in leaves.indices {
      let branch = try #require(MerkleBranch(of: index, in: leaves))
      #expect(branch.root(leaf: leaves[index]) == root)
      #expect(branch.proves(TxID(leaves[index]), in: MerkleRoot(root)))
      #expect(branch.root(leaf: sha256(leaves[index].bytes)) != root)
      var beyond = branch
      beyond.index |= 1 << 20
      #expect(beyond.root(leaf: leaves[index]) == nil)
    }
    #expect(MerkleBranch(of: count, in: leaves) == nil)
    #expect(MerkleBranch(of: -1, in: leaves) == nil)
    #expect(MerkleBranch(index: 0, hashes: [Bytes32](repeating: root, count: 33)).root(leaf: root) == nil)
  }

  @Test func `a list that repeats its end has the same root, and is found out`() throws {
    #expect(MerkleTree.root(of: []) == nil)
    for count in [3, 5, 6, 7, 11] {
      let leaves = leaves(count)
      let half = count.isMultiple(of: 2) ? 2 : 1
      let repeated = leaves + leaves.suffix(half)
      let honest = try #require(MerkleTree.root(of: leaves))
      let forged = try #require(MerkleTree.root(of: repeated))
      #expect(honest.root == forged.root)
      #expect(!honest.isMutated && forged.isMutated)
    }
  }

  @Test(arguments: [1, 2, 3, 5, 8, 13, 40]) func `partial trees prove exactly the leaves that were asked for`(
    count: Int
  ) throws {
    let leaves = leaves(count)
    let root = try #require(MerkleTree.root(of: leaves)).root
    for pattern in 0..<min(1 << count, 64) {
      let matches = leaves.indices.map { pattern >> ($0 % 6) & 1 == 1 }
      let tree = PartialMerkleTree(leaves: leaves, matches: matches)
      var writer = ByteWriter()
      tree.encode(to: &writer)
      var reader = ByteReader(writer.bytes.bytes)
      let decoded = try PartialMerkleTree(from: &reader)
      try reader.finish()
      let (found, proven) = try #require(decoded.extract())
      #expect(found == root)
      #expect(proven.map { Int($0.index) } == leaves.indices.filter { matches[$0] })
      #expect(proven.map(\.leaf) == leaves.indices.filter { matches[$0] }.map { leaves[$0] })
      // A hash less, a hash more, another number of leaves: malformed, or another root.
      #expect(
        PartialMerkleTree(leafCount: tree.leafCount, hashes: Array(tree.hashes.dropLast()), flags: tree.flags).extract()
          == nil)
      #expect(
        PartialMerkleTree(leafCount: tree.leafCount, hashes: tree.hashes + [root], flags: tree.flags).extract() == nil)
      #expect(PartialMerkleTree(leafCount: 0, hashes: tree.hashes, flags: tree.flags).extract() == nil)
      #expect(PartialMerkleTree(leafCount: .max, hashes: tree.hashes, flags: tree.flags).extract() == nil)
    }
  }

  // MARK: Blocks and filters

  @Test func `a block is read whole and its filter made`() throws {
    let bytes = try Hex.decode(Self.block2.block)
    let block = try Block(decoding: bytes)
    #expect(block.encoded == bytes)
    #expect(block.isConsistent)
    let filter = BlockFilter(of: block, spentScripts: [])
    #expect(Hex.encode(filter.encoded) == Self.block2.filter)
    let header = try filter.header(previous: FilterHeader(display: Self.block2.previous))
    #expect(header.description == Self.block2.header)
    let paid = block.transactions[0].outputs[0].scriptPubKey
    #expect(filter.matches(paid))
    #expect(!filter.matches(Script([0x51])) && !filter.matches(Script()) && !filter.matchesAny([]))
    #expect(filter.matchesAny([Script([0x51]), paid, Script([0x52])]))
    var forged = block
    forged.transactions.append(forged.transactions[0])
    #expect(!forged.isConsistent && forged.merkleRoot == nil)
    for length in [0, 79, 80, 81, bytes.count - 1] {
      #expect(throws: DecodingError.self) { try Block(decoding: Array(bytes.prefix(length))) }
    }
    // A number of transactions that the bytes cannot hold takes no memory.
    #expect(throws: DecodingError.truncated) {
      try Block(decoding: Array(bytes.prefix(80)) + [0xfe, 0xff, 0xff, 0xff, 0x7f])
    }
  }

  @Test func `a filter that lies about its size is refused, and a broken one matches nothing`() throws {
    let hash = Network.testnet.genesisBlockHash
    #expect(throws: DecodingError.truncated) { try BlockFilter(blockHash: hash, encoded: []) }
    #expect(throws: DecodingError.truncated) { try BlockFilter(blockHash: hash, encoded: [2, 0, 0, 0]) }
    #expect(throws: DecodingError.truncated) {
      try BlockFilter(blockHash: hash, encoded: [0xfe, 0xff, 0xff, 0xff, 0xff])
    }
    #expect(throws: DecodingError.tooLarge) {
      try BlockFilter(blockHash: hash, encoded: [0xff, 0, 0, 0, 0, 1, 0, 0, 0])
    }
    let ones = try BlockFilter(blockHash: hash, encoded: [1, 0xff, 0xff, 0xff])
    #expect(!ones.matches(Script([0x51])))
    let empty = try BlockFilter(blockHash: hash, encoded: [0])
    #expect(!empty.matches(Script([0x51])))
  }

  @Test(.vectors("bitcoin-core/blockfilters.json")) func `the filters of BIP 158`() throws {
    let path = "bitcoin-core/blockfilters.json"
    var count = 0
    for row in try Vectors.json(path).array.dropFirst() {
      let block = try Block(decoding: Hex.decode(row.required(2).string))
      #expect(try block.hash == BlockHash(display: row.required(1).string))
      #expect(block.isConsistent)
      #expect(block.header.hasProofOfWork(limit: Network.testnet.proofOfWorkLimit))
      let spent = try row.required(3).array.map { try Script(hex: $0.string) }
      let filter = BlockFilter(of: block, spentScripts: spent)
      #expect(try Hex.encode(filter.encoded) == row.required(5).string, "\(block.hash)")
      let previous = try FilterHeader(display: row.required(4).string)
      #expect(try filter.header(previous: previous).description == row.required(6).string)
      let read = try BlockFilter(blockHash: block.hash, encoded: filter.encoded)
      #expect(read == filter)
      for output in block.transactions.flatMap(\.outputs) where output.scriptPubKey.bytes.first != 0x6a {
        #expect(read.matches(output.scriptPubKey) == !output.scriptPubKey.isEmpty)
      }
      for script in spent where !script.isEmpty { #expect(read.matches(script)) }
      for transaction in block.transactions {
        let branch = try #require(block.merkleBranch(of: transaction.txid))
        #expect(branch.proves(transaction.txid, in: block.header.merkleRoot))
      }
      count += 1
    }
    Vectors.report(path, cases: count)
  }
}
