public import Bitcoin
public import Encoding

/// A MuSig2 public nonce in a message: 66 bytes (BOLT simple taproot channels §New TLV Types). Whether they are two points is found
/// out where they are used: there the channel fails, not the connection.
public struct PublicNonceBytes: TypedBytes, WireField {
  public let raw: FixedBytes<66>
  public var bytes: RawSpan { @_addressableSelf @_lifetime(borrow self) get { raw.bytes } }
  public init(_ raw: FixedBytes<66>) { self.raw = raw }
}

/// A MuSig2 partial signature in a message: 32 bytes.
public struct PartialSignatureBytes: TypedBytes, WireField {
  public let raw: Bytes32
  public var bytes: RawSpan { @_addressableSelf @_lifetime(borrow self) get { raw.bytes } }
  public init(_ raw: Bytes32) { self.raw = raw }
}

/// `partial_signature_with_nonce`: 98 bytes, the signature and the nonce that its signer used.
public struct PartialSignatureWithNonce: Hashable, Sendable, WireField {
  public var partialSignature: PartialSignatureBytes
  public var publicNonce: PublicNonceBytes

  public init(partialSignature: PartialSignatureBytes, publicNonce: PublicNonceBytes) {
    self.partialSignature = partialSignature
    self.publicNonce = publicNonce
  }

  public static var minimumByteCount: Int { 98 }
  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) {
    partialSignature = try reader.read()
    publicNonce = try reader.read()
  }
  public func encode(to writer: inout ByteWriter) {
    writer.write(partialSignature)
    writer.write(publicNonce)
  }
}

/// `nonce_entry`: 98 bytes, the nonce for the commitment that spends this funding transaction.
public struct NonceEntry: Hashable, Sendable, WireListElement {
  public var fundingTxid: TxID
  public var publicNonce: PublicNonceBytes

  public init(fundingTxid: TxID, publicNonce: PublicNonceBytes) {
    self.fundingTxid = fundingTxid
    self.publicNonce = publicNonce
  }

  public static var minimumByteCount: Int { 98 }
  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) {
    fundingTxid = try reader.read()
    publicNonce = try reader.read()
  }
  public func encode(to writer: inout ByteWriter) {
    writer.write(fundingTxid)
    writer.write(publicNonce)
  }
}

/// `commit_nonces` of `tx_complete`: 132 bytes (taproot splicing).
public struct CommitNonces: Hashable, Sendable, WireField {
  public var current: PublicNonceBytes
  public var next: PublicNonceBytes

  public init(current: PublicNonceBytes, next: PublicNonceBytes) {
    self.current = current
    self.next = next
  }

  public static var minimumByteCount: Int { 132 }
  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) {
    current = try reader.read()
    next = try reader.read()
  }
  public func encode(to writer: inout ByteWriter) {
    writer.write(current)
    writer.write(next)
  }
}
