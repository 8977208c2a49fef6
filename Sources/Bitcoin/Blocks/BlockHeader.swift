public import Encoding
internal import Hashing

/// The root of a tree of transaction ids.
public struct MerkleRoot: ReversedHash {
  public let raw: Bytes32
  public var bytes: RawSpan { @_addressableSelf @_lifetime(borrow self) get { raw.bytes } }
  public init(_ raw: Bytes32) { self.raw = raw }
}

/// The 80 bytes that are hashed to make a block.
public struct BlockHeader: Hashable, Sendable {
  public static let byteCount = 80

  public var version: Int32
  public var previousBlock: BlockHash
  public var merkleRoot: MerkleRoot
  /// Seconds since 1970.
  public var time: UInt32
  public var bits: CompactTarget
  public var nonce: UInt32

  public init(
    version: Int32, previousBlock: BlockHash, merkleRoot: MerkleRoot, time: UInt32, bits: CompactTarget, nonce: UInt32
  ) {
    self.version = version
    self.previousBlock = previousBlock
    self.merkleRoot = merkleRoot
    self.time = time
    self.bits = bits
    self.nonce = nonce
  }

  public init(from reader: inout ByteReader) throws(DecodingError) {
    version = Int32(bitPattern: try reader.readUInt32LE())
    previousBlock = BlockHash(try reader.read())
    merkleRoot = MerkleRoot(try reader.read())
    time = try reader.readUInt32LE()
    bits = CompactTarget(rawValue: try reader.readUInt32LE())
    nonce = try reader.readUInt32LE()
  }

  /// Reads exactly 80 bytes.
  public init(decoding bytes: RawSpan) throws(DecodingError) {
    var reader = ByteReader(bytes)
    self = try BlockHeader(from: &reader)
    try reader.finish()
  }

  public init(decoding bytes: [UInt8]) throws(DecodingError) { try self.init(decoding: bytes.bytes) }

  public func encode(to writer: inout ByteWriter) {
    writer.writeLE(UInt32(bitPattern: version))
    writer.write(previousBlock)
    writer.write(merkleRoot)
    writer.writeLE(time)
    writer.writeLE(bits.rawValue)
    writer.writeLE(nonce)
  }

  public var encoded: [UInt8] {
    var writer = ByteWriter(reservingCapacity: Self.byteCount)
    encode(to: &writer)
    return writer.bytes
  }

  public var hash: BlockHash { BlockHash(sha256d(encoded.bytes)) }

  /// Whether the hash, as a number, is at most the target that the header itself names, and that target at most `limit` (the easiest that
  /// the network allows).
  public func hasProofOfWork(limit: UInt256) -> Bool {
    guard let target = bits.target, !target.isZero, target <= limit else { return false }
    return UInt256(littleEndian: hash.raw) <= target
  }

  /// How many hashes it takes on average to meet the target: 2²⁵⁶ / (target + 1). Zero for a target that is none.
  public var work: UInt256 {
    guard let target = bits.target, !target.isZero else { return UInt256() }
    // 2²⁵⁶ does not fit: it is (2²⁵⁶ − target − 1) / (target + 1) + 1.
    return (~target).divided(by: target &+ UInt256(1)).map { $0 &+ UInt256(1) } ?? UInt256(1)
  }
}

extension Network {
  /// The easiest target that the network allows.
  public var proofOfWorkLimit: UInt256 {
    switch self {
    case .bitcoin, .testnet, .testnet4: ~UInt256() >> 32
    case .signet: UInt256(0x377ae) << 216
    case .regtest: ~UInt256() >> 1
    }
  }
}
