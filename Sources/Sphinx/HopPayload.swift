public import Bitcoin
public import Encoding
public import Secp256k1

/// What one hop of a payment is told: the TLV stream `payload` (BOLT 4 §`payload` format).
public struct HopPayload: Hashable, Sendable {
  /// Type 2.
  public var amtToForward: MilliSatoshi?
  /// Type 4.
  public var outgoingCLTVValue: UInt32?
  /// Type 6. The outgoing channel.
  public var shortChannelID: ShortChannelID?
  /// Type 8.
  public var paymentData: PaymentData?
  /// Type 10.
  public var encryptedRecipientData: [UInt8]?
  /// Type 12.
  public var currentPathKey: PublicKey?
  /// Type 16.
  public var paymentMetadata: [UInt8]?
  /// Type 18.
  public var totalAmountMsat: MilliSatoshi?

  /// Type 14 of the trampoline proposal (BOLTs pull request 836): the next trampoline node.
  public var outgoingNodeID: PublicKey?
  /// Type 20 of the trampoline proposal: an onion inside the onion.
  public var trampolineOnionPacket: OnionPacket?
  /// Type 21 of the trampoline proposal, a feature bit field as in BOLT 9.
  public var recipientFeatures: [UInt8]?
  /// Type 22 of the trampoline proposal.
  public var recipientBlindedPaths: [PaymentBlindedPath]?

  /// Type 5482373484 (bLIP 3): the preimage of a payment without an invoice.
  public var keysendPreimage: Bytes32?

  /// All other records, odd and even.
  public var unknown: [TLVRecord] = []

  public init() {}

  public struct PaymentData: Hashable, Sendable {
    public var paymentSecret: Bytes32
    public var totalMsat: MilliSatoshi

    public init(paymentSecret: Bytes32, totalMsat: MilliSatoshi) {
      self.paymentSecret = paymentSecret
      self.totalMsat = totalMsat
    }
  }

  /// `payment_blinded_path` of the trampoline proposal.
  public struct PaymentBlindedPath: Hashable, Sendable {
    public var path: BlindedPath
    public var paymentInfo: BlindedPayInfo

    public init(path: BlindedPath, paymentInfo: BlindedPayInfo) {
      self.path = path
      self.paymentInfo = paymentInfo
    }
  }

  static let keysendType: UInt64 = 5_482_373_484

  /// Reads a payload that `Onion.peel` has released. Throws which record is at fault. Whether the records are those that a hop's role
  /// asks for says `validate`, even types that nobody knows included.
  public init(decoding stream: RawSpan) throws(InvalidPayload) {
    var reader = PayloadReader(stream)
    while try reader.advance() {
      switch reader.type {
      case 2: amtToForward = MilliSatoshi(try reader.decode(decodeTU64))
      case 4: outgoingCLTVValue = try reader.decode(decodeTU32)
      case 6: shortChannelID = try reader.decode(decodeShortChannelID)
      case 8: paymentData = try reader.decode(PaymentData.init(decoding:))
      case 10: encryptedRecipientData = try reader.decode(decodeBytes)
      case 12: currentPathKey = try reader.decode(PublicKey.init(copying:))
      case 14: outgoingNodeID = try reader.decode(PublicKey.init(copying:))
      case 16: paymentMetadata = try reader.decode(decodeBytes)
      case 18: totalAmountMsat = MilliSatoshi(try reader.decode(decodeTU64))
      case 20: trampolineOnionPacket = try reader.decode(OnionPacket.init(decoding:))
      case 21: recipientFeatures = try reader.decode(decodeBytes)
      case 22: recipientBlindedPaths = try reader.decode(PaymentBlindedPath.list)
      case Self.keysendType: keysendPreimage = try reader.decode(Bytes32.init(copying:))
      default: unknown.append(try reader.unknown(refusingEven: false))
      }
    }
  }

  public init(decoding stream: [UInt8]) throws(InvalidPayload) { try self.init(decoding: stream.bytes) }

  /// The stream, without its length. Blinded paths that have no encoding are left out.
  public var encoded: [UInt8] {
    var writer = ByteWriter()
    writer.writeRecord(2, truncated: amtToForward?.rawValue)
    writer.writeRecord(4, truncated: outgoingCLTVValue.map(UInt64.init))
    writer.writeRecord(6, shortChannelID)
    writer.writeRecord(8, paymentData?.encoded)
    writer.writeRecord(10, encryptedRecipientData)
    writer.writeRecord(12, currentPathKey)
    writer.writeRecord(14, outgoingNodeID)
    writer.writeRecord(16, paymentMetadata)
    writer.writeRecord(18, truncated: totalAmountMsat?.rawValue)
    writer.writeRecord(20, trampolineOnionPacket?.bytes)
    writer.writeRecord(21, recipientFeatures)
    writer.writeRecord(22, recipientBlindedPaths?.flatMap { $0.encoded ?? [] })
    writer.writeRecord(Self.keysendType, keysendPreimage)
    return ByteWriter(mergingRecords: writer.bytes, with: unknown).bytes
  }

  /// The types of the records that are there, in increasing order.
  public var types: [UInt64] {
    var types: [UInt64] = []
    if amtToForward != nil { types.append(2) }
    if outgoingCLTVValue != nil { types.append(4) }
    if shortChannelID != nil { types.append(6) }
    if paymentData != nil { types.append(8) }
    if encryptedRecipientData != nil { types.append(10) }
    if currentPathKey != nil { types.append(12) }
    if outgoingNodeID != nil { types.append(14) }
    if paymentMetadata != nil { types.append(16) }
    if totalAmountMsat != nil { types.append(18) }
    if trampolineOnionPacket != nil { types.append(20) }
    if recipientFeatures != nil { types.append(21) }
    if recipientBlindedPaths != nil { types.append(22) }
    if keysendPreimage != nil { types.append(Self.keysendType) }
    types.append(contentsOf: unknown.map(\.type))
    return types.sorted()
  }
}

extension HopPayload.PaymentData {
  init(decoding value: RawSpan) throws(DecodingError) {
    var reader = ByteReader(value)
    self.init(paymentSecret: try reader.read(), totalMsat: MilliSatoshi(try reader.readTU64()))
  }

  var encoded: [UInt8] {
    var writer = ByteWriter()
    writer.write(paymentSecret)
    writer.writeTruncated(totalMsat.rawValue)
    return writer.bytes
  }
}

extension HopPayload.PaymentBlindedPath {
  static func list(_ value: RawSpan) throws(DecodingError) -> [Self] {
    var reader = ByteReader(value)
    var paths: [Self] = []
    while !reader.isAtEnd {
      paths.append(Self(path: try BlindedPath(from: &reader), paymentInfo: try BlindedPayInfo(from: &reader)))
    }
    return paths
  }

  var encoded: [UInt8]? {
    guard let path = path.encoded else { return nil }
    var writer = ByteWriter()
    writer.write(path)
    paymentInfo.encode(to: &writer)
    return writer.bytes
  }
}
