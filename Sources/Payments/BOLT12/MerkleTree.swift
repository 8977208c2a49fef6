public import Encoding
internal import Hashing
internal import Secp256k1

/// The tree whose root is signed (BOLT 12 §Signature Calculation).
public enum Bolt12Merkle {
  /// BOLT 12: *signature TLV elements*: TLV types 240 through 1000 (inclusive). They are no leaves.
  public static let signatureTypes: ClosedRange<UInt64> = 240...1000

  /// One record of the tree.
  public struct Leaf: Hashable, Sendable {
    public let record: TLVRecord
    /// H("LnLeaf", tlv).
    public let hash: Bytes32
    /// H("LnNonce"||first-tlv, tlv-type): who knows the other leaves cannot guess this one.
    public let nonce: Bytes32
    /// What stands in the tree: the branch of both.
    public let node: Bytes32
  }

  /// The leaves: all records but signatures, in their order.
  public static func leaves(of stream: TLVStream) -> [Leaf] {
    let records = stream.records.filter { !signatureTypes.contains($0.type) }
    guard let first = records.first else { return [] }
    let leafTag = taggedHash("LnLeaf")
    // BOLT 12: H("LnNonce"||first-tlv,tlv-type) where first-tlv is the numerically-first TLV entry in the stream.
    let nonceTagHash = sha256(Array("LnNonce".utf8) + encoded(first))
    var nonceTag = SHA256()
    nonceTag.update(nonceTagHash)
    nonceTag.update(nonceTagHash)
    return records.map { record in
      var leaf = leafTag
      leaf.update(encoded(record))
      var type = ByteWriter()
      type.writeBigSize(record.type)
      var nonce = nonceTag
      nonce.update(type.bytes)
      let hashes = (leaf: leaf.finish(), nonce: nonce.finish())
      return Leaf(
        record: record, hash: hashes.leaf, nonce: hashes.nonce, node: branch(hashes.leaf, hashes.nonce))
    }
  }

  /// H("LnBranch", lesser-SHA256||greater-SHA256).
  public static func branch(_ a: Bytes32, _ b: Bytes32) -> Bytes32 {
    var state = taggedHash("LnBranch")
    state.update(min(a, b))
    state.update(max(a, b))
    return state.finish()
  }

  /// The levels above the leaves, from the lowest one to the root alone; none for one leaf.
  public static func levels(above leaves: [Leaf]) -> [[Bytes32]] {
    var levels: [[Bytes32]] = []
    var level = leaves.map(\.node)
    // BOLT 12: If there is not exactly a power of 2 leaves, then the tree depth will be uneven, with the deepest tree on the lowest-order
    // leaves: whoever is left over at the end of a level moves up alone.
    while level.count > 1 {
      level = stride(from: 0, to: level.count, by: 2).map { index in
        index + 1 < level.count ? branch(level[index], level[index + 1]) : level[index]
      }
      levels.append(level)
    }
    return levels
  }

  /// The root over all records but signatures; nil when there are none.
  public static func root(of stream: TLVStream) -> Bytes32? {
    let leaves = leaves(of: stream)
    return levels(above: leaves).last?.first ?? leaves.first?.node
  }

  private static func encoded(_ record: TLVRecord) -> [UInt8] {
    var writer = ByteWriter(reservingCapacity: record.value.count + 18)
    writer.writeBigSize(record.type)
    writer.writeBigSize(UInt64(record.value.count))
    writer.write(record.value)
    return writer.bytes
  }

  /// BOLT 12: the tag is "lightning" || `messagename` || `fieldname`.
  static func signedHash(of stream: TLVStream, kind: Bolt12Text.Kind) -> Bytes32? {
    guard let root = root(of: stream) else { return nil }
    var state: SHA256
    switch kind {
    case .offer: return nil
    case .invoiceRequest: state = taggedHash("lightninginvoice_requestsignature")
    case .invoice: state = taggedHash("lightninginvoicesignature")
    }
    state.update(root)
    return state.finish()
  }

  /// Whether record 240 is the signature of this key.
  static func isSigned(_ stream: TLVStream, kind: Bolt12Text.Kind, by key: PublicKey) -> Bool {
    guard let value = stream[Bolt12Fields.signature], let signature = try? SchnorrSignature(copying: value.bytes),
      let hash = signedHash(of: stream, kind: kind)
    else { return false }
    return key.xOnly.key.isValidSchnorr(signature, for: hash)
  }

  /// The stream with its signature in record 240. An offer has none, nor has an empty stream.
  static func sign(
    _ stream: TLVStream, kind: Bolt12Text.Kind, with key: borrowing KeyPair, auxRand: Bytes32
  ) -> TLVStream {
    var stream = stream
    if let hash = signedHash(of: stream, kind: kind) {
      stream[Bolt12Fields.signature] = key.signSchnorr(hash, auxRand: auxRand).array
    }
    return stream
  }
}
