public import Bitcoin
public import Encoding
internal import Hashing
public import Secp256k1

/// What identifies a channel between two peers, 32 bytes (BOLT 2 §Definition of `channel_id`).
public struct ChannelID: TypedBytes, WireField, WireListElement {
  public let raw: Bytes32
  public var bytes: RawSpan { @_addressableSelf @_lifetime(borrow self) get { raw.bytes } }
  public init(_ raw: Bytes32) { self.raw = raw }

  /// All zeros: in `error` and `warning`, every channel with the peer.
  public static let all = ChannelID(Bytes32())

  /// BOLT 2: It's derived from the funding transaction by combining the `funding_txid` and the `funding_output_index`, using
  /// big-endian exclusive-OR (i.e. `funding_output_index` alters the last 2 bytes). Nil for an index beyond 65,535.
  public init?(fundingOutpoint: OutPoint) {
    guard let index = UInt16(exactly: fundingOutpoint.vout) else { return nil }
    var id = fundingOutpoint.txid.raw
    id[30] ^= UInt8(truncatingIfNeeded: index >> 8)
    id[31] ^= UInt8(truncatingIfNeeded: index)
    self.init(id)
  }

  /// BOLT 2 §`channel_id`, v2: SHA256(lesser-revocation-basepoint || greater-revocation-basepoint), as used with `open_channel2`.
  /// The order of the arguments does not matter.
  public init(revocationBasepoint a: PublicKey, _ b: PublicKey) {
    var hash = SHA256()
    hash.update(min(a, b))
    hash.update(max(a, b))
    self.init(hash.finish())
  }

  /// BOLT 2 §`channel_id`, v2: the `temporary_channel_id` of `open_channel2`, for which the peer's basepoint, not yet known, is zero.
  public init(temporaryFor revocationBasepoint: PublicKey) {
    var hash = SHA256()
    hash.update(Bytes33())
    hash.update(revocationBasepoint)
    self.init(hash.finish())
  }
}

/// The hash of a chain's genesis block in the order of its bytes, 32 bytes (BOLT 0).
public struct ChainHash: TypedBytes, WireField, WireListElement {
  public let raw: Bytes32
  public var bytes: RawSpan { @_addressableSelf @_lifetime(borrow self) get { raw.bytes } }
  public init(_ raw: Bytes32) { self.raw = raw }
  public init(_ genesis: BlockHash) { raw = genesis.raw }

  /// BOLT 7 gives this one.
  public static let bitcoin = ChainHash(
    words: 0x6fe2_8c0a_b6f1_b372, 0xc1a6_a246_ae63_f74f, 0x931e_8365_e15a_089c, 0x68d6_1900_0000_0000)
  public static let testnet = ChainHash(
    words: 0x4349_7fd7_f826_9571, 0x08f4_a30f_d9ce_c3ae, 0xba79_9720_84e9_0ead, 0x01ea_3309_0000_0000)
  /// BIP 94.
  public static let testnet4 = ChainHash(
    words: 0x43f0_8bda_b050_e35b, 0x567c_864b_91f4_7f50, 0xae72_5ae2_de53_bcfb, 0xbaf2_84da_0000_0000)
  public static let signet = ChainHash(
    words: 0xf61e_ee3b_63a3_80a4, 0x77a0_63af_32b2_bbc9, 0x7c9f_f9f0_1f2c_4225, 0xe973_9881_0800_0000)
  public static let regtest = ChainHash(
    words: 0x0622_6e46_111a_0b59, 0xcaaf_1260_43eb_5bbf, 0x28c3_4f3a_5e33_2a1f, 0xc7b2_b73c_f188_910f)

  private init(words: UInt64...) {
    var bytes = Bytes32()
    for index in 0..<32 { bytes[index] = UInt8(truncatingIfNeeded: words[index / 8] >> UInt64(56 - index % 8 * 8)) }
    raw = bytes
  }
}

/// A node's identity: a point, 33 bytes.
public struct NodeID: Hashable, Comparable, Sendable, CustomStringConvertible, WireField, WireListElement {
  public let publicKey: PublicKey

  public init(_ publicKey: PublicKey) { self.publicKey = publicKey }

  public static var minimumByteCount: Int { 33 }
  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) { publicKey = try reader.read(PublicKey.self) }
  public func encode(to writer: inout ByteWriter) { writer.write(publicKey) }

  public static func < (a: Self, b: Self) -> Bool { a.publicKey < b.publicKey }
  public var description: String { publicKey.description }
}

/// A `signature` as it stands in messages: r and s, 64 bytes (BOLT 1 §Fundamental Types). Any bytes can be one; whether they are in
/// range is found out by checking them.
public struct CompactSignature: TypedBytes, WireField, WireListElement {
  public let raw: Bytes64
  public var bytes: RawSpan { @_addressableSelf @_lifetime(borrow self) get { raw.bytes } }
  public init(_ raw: Bytes64) { self.raw = raw }
  public init(_ signature: ECDSASignature) { raw = signature.compact }

  /// Whether this is a valid ECDSA signature of the hash by the key. One with a high s is not: everybody could make it from another's
  /// valid signature.
  public func isValid(for hash: Bytes32, by key: PublicKey) -> Bool {
    guard let signature = try? ECDSASignature(compact: raw) else { return false }
    return key.isValidECDSA(signature, for: hash)
  }
}
