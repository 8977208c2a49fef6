public import Bitcoin
public import Encoding
public import GLC
internal import Sphinx
internal import Wire

/// A payment that we pass on, from the moment when we decide to.
public struct ForwardRecord: BinaryCodable {
  public enum Status: UInt8, Hashable, Sendable {
    case offered = 0
    case settled = 1
    /// Somebody behind us refused it.
    case failed = 2
    /// We refused it.
    case localFailed = 3
  }

  public var incoming: PaymentKey
  public var outgoing: PaymentKey?
  public var amountIn: MilliSatoshi
  /// Zero where it is not known.
  public var amountOut: MilliSatoshi
  public var expiryIn: UInt32
  public var expiryOut: UInt32
  /// What the lock is made of.
  public var lock: [UInt8]
  public var status: Status
  /// BOLT 4's code, where we know it: of our own refusals.
  public var failureCode: UInt16?
  public var receivedAt: PaymentTime
  public var resolvedAt: PaymentTime?
  /// Counts forwards, from 1.
  public var createdIndex: UInt64

  /// What stays with us.
  public var fee: MilliSatoshi { amountIn.subtracting(amountOut) ?? .zero }

  init(
    incoming: PaymentKey, amountIn: MilliSatoshi, amountOut: MilliSatoshi, expiryIn: UInt32, expiryOut: UInt32,
    lock: [UInt8], status: Status, failureCode: UInt16? = nil, receivedAt: PaymentTime, createdIndex: UInt64
  ) {
    self.incoming = incoming
    self.amountIn = amountIn
    self.amountOut = amountOut
    self.expiryIn = expiryIn
    self.expiryOut = expiryOut
    self.lock = lock
    self.status = status
    self.failureCode = failureCode
    self.receivedAt = receivedAt
    self.createdIndex = createdIndex
  }

  public init(from reader: inout ByteReader) throws(DecodingError) {
    try reader.readVersion(1)
    incoming = try PaymentKey(from: &reader)
    outgoing = try reader.readFlag() ? try PaymentKey(from: &reader) : nil
    amountIn = try reader.readAmount()
    amountOut = try reader.readAmount()
    expiryIn = try reader.readUInt32()
    expiryOut = try reader.readUInt32()
    lock = try reader.readSizedBytes()
    guard let status = Status(rawValue: try reader.readUInt8()) else { throw .malformed("unknown status") }
    self.status = status
    failureCode = try reader.readFlag() ? try reader.readUInt16() : nil
    receivedAt = try reader.readTime()
    resolvedAt = try reader.readFlag() ? try reader.readTime() : nil
    createdIndex = try reader.readUInt64()
  }

  public func encode(to writer: inout ByteWriter) {
    writer.write(1 as UInt8)
    incoming.encode(to: &writer)
    writer.writeOptional(outgoing) { $1.encode(to: &$0) }
    writer.write(amountIn)
    writer.write(amountOut)
    writer.write(expiryIn)
    writer.write(expiryOut)
    writer.writeSized(lock)
    writer.write(status.rawValue)
    writer.writeOptional(failureCode) { $0.write($1) }
    writer.write(receivedAt)
    writer.writeOptional(resolvedAt) { $0.write($1) }
    writer.write(createdIndex)
  }
}

/// How failures of a payment may be told, which depends on where in a blinded route we are.
enum FailureManner: UInt8, Hashable, Sendable {
  /// In an onion, by its own name.
  case plain = 0
  /// In an onion, as `invalid_onion_blinding`: we are the introduction point.
  case introduction = 1
  /// As a malformed onion, with `invalid_onion_blinding`.
  case blinded = 2
}

/// What an outgoing offer is for: all that is needed to deal with its outcome, should everything else be lost.
enum OfferOrigin: BinaryCodable {
  case forward(Forward)
  /// `attempt` is the part's created index: a part's number can be used again once it has failed.
  case part(PartID, attempt: UInt64)

  /// What we must know of the incoming side.
  struct Forward: Hashable, Sendable {
    var incoming: PaymentKey
    var sharedSecret: SharedSecret
    var manner: FailureManner
    var onionHash: Bytes32
    var receivedAt: PaymentTime
    /// What a scheme needs to make a witness for the incoming lock of one of the outgoing lock.
    var lockSecret: [UInt8]
  }

  init(from reader: inout ByteReader) throws(DecodingError) {
    try reader.readVersion(1)
    switch try reader.readUInt8() {
    case 0:
      let incoming = try PaymentKey(from: &reader)
      let sharedSecret = SharedSecret(try reader.read())
      guard let manner = FailureManner(rawValue: try reader.readUInt8()) else { throw .malformed("unknown manner") }
      self = .forward(
        Forward(
          incoming: incoming, sharedSecret: sharedSecret, manner: manner, onionHash: try reader.read(),
          receivedAt: try reader.readTime(), lockSecret: try reader.readSizedBytes()))
    case 1: self = .part(try PartID(from: &reader), attempt: try reader.readUInt64())
    default: throw .malformed("unknown origin")
    }
  }

  func encode(to writer: inout ByteWriter) {
    writer.write(1 as UInt8)
    switch self {
    case .forward(let forward):
      writer.write(0 as UInt8)
      forward.incoming.encode(to: &writer)
      writer.write(forward.sharedSecret)
      writer.write(forward.manner.rawValue)
      writer.write(forward.onionHash)
      writer.write(forward.receivedAt)
      writer.writeSized(forward.lockSecret)
    case .part(let id, let attempt):
      writer.write(1 as UInt8)
      id.encode(to: &writer)
      writer.write(attempt)
    }
  }
}
