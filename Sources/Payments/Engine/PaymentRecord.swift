public import Bitcoin
public import Encoding
public import GLC
public import Secp256k1
internal import Sphinx
internal import Wire

/// A payment of ours: a payment hash, and a number that tells attempts to pay it from each other.
public struct PaymentID: BinaryCodable {
  public var paymentHash: Bytes32
  /// CLN's `groupid`.
  public var group: UInt64

  public init(paymentHash: Bytes32, group: UInt64) {
    self.paymentHash = paymentHash
    self.group = group
  }

  public init(from reader: inout ByteReader) throws(DecodingError) {
    paymentHash = try reader.read()
    group = try reader.readUInt64()
  }

  public func encode(to writer: inout ByteWriter) {
    writer.write(paymentHash)
    writer.write(group)
  }
}

/// One part of a payment of ours.
public struct PartID: BinaryCodable {
  public var payment: PaymentID
  /// CLN's `partid`.
  public var part: UInt64

  public init(payment: PaymentID, part: UInt64) {
    self.payment = payment
    self.part = part
  }

  public init(from reader: inout ByteReader) throws(DecodingError) {
    payment = try PaymentID(from: &reader)
    part = try reader.readUInt64()
  }

  public func encode(to writer: inout ByteWriter) {
    payment.encode(to: &writer)
    writer.write(part)
  }
}

public enum PaymentStatus: UInt8, Hashable, Sendable {
  case pending = 0
  case complete = 1
  case failed = 2
}

/// What is known of a payment of ours as a whole.
public struct PaymentRecord: BinaryCodable {
  public var id: PaymentID
  /// What is paid; nil: the payment hash.
  public var target: PaymentLock?
  public var status: PaymentStatus
  public var destination: PublicKey?
  /// What the payee gets from us.
  public var amount: MilliSatoshi
  /// What leaves our channels, fees included: of the parts that succeeded, or may.
  public var amountSent: MilliSatoshi
  public var bolt11: String?
  public var label: String?
  public var description: String?
  /// The proof of payment, what opens the target: a preimage, or a discrete logarithm.
  public var preimage: Bytes32?
  public var createdAt: PaymentTime
  public var completedAt: PaymentTime?
  /// How many parts it took, those that failed not counted.
  public var parts: UInt32
  /// How many parts were ever sent.
  public var attempts: UInt32
  /// Why it failed.
  public var failure: PaymentFailure?
  /// Counts payments, from 1.
  public var createdIndex: UInt64

  init(
    id: PaymentID, target: PaymentLock? = nil, destination: PublicKey?, amount: MilliSatoshi, bolt11: String?,
    label: String?,
    description: String?, createdAt: PaymentTime, createdIndex: UInt64
  ) {
    self.id = id
    self.target = target
    status = .pending
    self.destination = destination
    self.amount = amount
    amountSent = .zero
    self.bolt11 = bolt11
    self.label = label
    self.description = description
    self.createdAt = createdAt
    parts = 0
    attempts = 0
    self.createdIndex = createdIndex
  }

  public init(from reader: inout ByteReader) throws(DecodingError) {
    let version = try reader.readVersion(upTo: 2)
    id = try PaymentID(from: &reader)
    guard let status = PaymentStatus(rawValue: try reader.readUInt8()) else { throw .malformed("unknown status") }
    self.status = status
    destination = try reader.readFlag() ? try reader.read() : nil
    amount = try reader.readAmount()
    amountSent = try reader.readAmount()
    bolt11 = try reader.readFlag() ? try reader.readText() : nil
    label = try reader.readFlag() ? try reader.readText() : nil
    description = try reader.readFlag() ? try reader.readText() : nil
    preimage = try reader.readFlag() ? try reader.read() : nil
    createdAt = try reader.readTime()
    completedAt = try reader.readFlag() ? try reader.readTime() : nil
    parts = try reader.readUInt32()
    attempts = try reader.readUInt32()
    failure = try reader.readFlag() ? try PaymentFailure(from: &reader) : nil
    createdIndex = try reader.readUInt64()
    if version >= 2 { target = try reader.readFlag() ? try reader.readLock() : nil }
  }

  public func encode(to writer: inout ByteWriter) {
    writer.write(2 as UInt8)
    id.encode(to: &writer)
    writer.write(status.rawValue)
    writer.writeOptional(destination) { $0.write($1) }
    writer.write(amount)
    writer.write(amountSent)
    writer.writeOptional(bolt11) { $0.writeSized($1) }
    writer.writeOptional(label) { $0.writeSized($1) }
    writer.writeOptional(description) { $0.writeSized($1) }
    writer.writeOptional(preimage) { $0.write($1) }
    writer.write(createdAt)
    writer.writeOptional(completedAt) { $0.write($1) }
    writer.write(parts)
    writer.write(attempts)
    writer.writeOptional(failure) { $1.encode(to: &$0) }
    writer.write(createdIndex)
    writer.writeOptional(target) { $0.writeSized($1.encoded) }
  }
}

/// What is known of one part of a payment of ours. Stored before it is offered.
public struct PartRecord: BinaryCodable {
  public var id: PartID
  public var status: PaymentStatus
  /// What arrives at the payee.
  public var amount: MilliSatoshi
  /// What the first channel carries.
  public var amountSent: MilliSatoshi
  public var route: PaymentRoute
  /// The height that expiries were counted from.
  public var height: UInt32
  /// The onion's, one for each hop: what failures are read with.
  var sharedSecrets: [SharedSecret]
  /// What makes the payment's secret of a witness for the first lock.
  var lockSecret: [UInt8]
  public var outgoing: PaymentKey?
  public var createdAt: PaymentTime
  public var completedAt: PaymentTime?
  public var preimage: Bytes32?
  public var failure: PaymentFailure?
  /// Counts parts, from 1.
  public var createdIndex: UInt64

  init(
    id: PartID, amount: MilliSatoshi, amountSent: MilliSatoshi, route: PaymentRoute, height: UInt32,
    sharedSecrets: [SharedSecret], lockSecret: [UInt8], createdAt: PaymentTime, createdIndex: UInt64
  ) {
    self.id = id
    status = .pending
    self.amount = amount
    self.amountSent = amountSent
    self.route = route
    self.height = height
    self.sharedSecrets = sharedSecrets
    self.lockSecret = lockSecret
    self.createdAt = createdAt
    self.createdIndex = createdIndex
  }

  public var destination: PublicKey? { route.hops.last?.nodeID }

  public init(from reader: inout ByteReader) throws(DecodingError) {
    let version = try reader.readVersion(upTo: 2)
    id = try PartID(from: &reader)
    guard let status = PaymentStatus(rawValue: try reader.readUInt8()) else { throw .malformed("unknown status") }
    self.status = status
    amount = try reader.readAmount()
    amountSent = try reader.readAmount()
    route = try PaymentRoute(from: &reader)
    height = try reader.readUInt32()
    sharedSecrets = []
    for _ in 0..<(try reader.readCount(of: 32)) { sharedSecrets.append(SharedSecret(try reader.read())) }
    outgoing = try reader.readFlag() ? try PaymentKey(from: &reader) : nil
    createdAt = try reader.readTime()
    completedAt = try reader.readFlag() ? try reader.readTime() : nil
    preimage = try reader.readFlag() ? try reader.read() : nil
    failure = try reader.readFlag() ? try PaymentFailure(from: &reader) : nil
    createdIndex = try reader.readUInt64()
    lockSecret = version >= 2 ? try reader.readSizedBytes() : []
  }

  public func encode(to writer: inout ByteWriter) {
    writer.write(2 as UInt8)
    id.encode(to: &writer)
    writer.write(status.rawValue)
    writer.write(amount)
    writer.write(amountSent)
    route.encode(to: &writer)
    writer.write(height)
    writer.writeList(sharedSecrets) { $0.write($1) }
    writer.writeOptional(outgoing) { $1.encode(to: &$0) }
    writer.write(createdAt)
    writer.writeOptional(completedAt) { $0.write($1) }
    writer.writeOptional(preimage) { $0.write($1) }
    writer.writeOptional(failure) { $1.encode(to: &$0) }
    writer.write(createdIndex)
    writer.writeSized(lockSecret)
  }
}

/// Why a payment or one of its parts has failed, as CLN would say it.
public struct PaymentFailure: BinaryCodable, CustomStringConvertible {
  /// CLN's error codes for payments.
  public enum Code: UInt16, Hashable, Sendable, CaseIterable {
    /// 200: another attempt for the same payment hash is under way.
    case inProgress = 200
    /// 201: the payment hash is paid already, but not this.
    case alreadyUsed = 201
    /// 202: what came back cannot be read.
    case unparseableOnion = 202
    /// 203: the payee refuses it, for good.
    case destinationFailed = 203
    /// 204: somebody on the way refuses it; another route may do.
    case tryOtherRoute = 204
    case routeNotFound = 205
    case routeTooExpensive = 206
    case invoiceExpired = 207
    case noSuchPayment = 208
    case unspecified = 209
    /// 210: no time or no attempts left.
    case stoppedRetrying = 210
    case statusUnexpected = 211
    case invalidInvoice = 212
    /// Ours: a channel that would be needed does not carry payments with such locks, or this node knows none.
    case lockNotCarried = 4440
  }

  public var code: Code
  /// For people.
  public var message: String
  /// BOLT 4's code of the failure that decided.
  public var failureCode: UInt16?
  /// Which node of the route it came from: 0 is ourselves, 1 the first hop.
  public var erringIndex: UInt32?
  public var erringNode: PublicKey?
  /// The channel that failed, and its direction.
  public var erringChannel: ChannelDirection?
  /// The `failuremsg`.
  public var raw: [UInt8]?

  public init(
    _ code: Code, _ message: String, failureCode: UInt16? = nil, erringIndex: UInt32? = nil,
    erringNode: PublicKey? = nil, erringChannel: ChannelDirection? = nil, raw: [UInt8]? = nil
  ) {
    self.code = code
    self.message = message
    self.failureCode = failureCode
    self.erringIndex = erringIndex
    self.erringNode = erringNode
    self.erringChannel = erringChannel
    self.raw = raw
  }

  public var description: String { "\(code.rawValue): \(message)" }
  /// BOLT 4's name of the failure.
  public var failureName: String? { failureCode.flatMap { FailureCode(rawValue: $0).name } }

  public init(from reader: inout ByteReader) throws(DecodingError) {
    guard let code = Code(rawValue: try reader.readUInt16()) else { throw .malformed("unknown error code") }
    self.code = code
    message = try reader.readText()
    failureCode = try reader.readFlag() ? try reader.readUInt16() : nil
    erringIndex = try reader.readFlag() ? try reader.readUInt32() : nil
    erringNode = try reader.readFlag() ? try reader.read() : nil
    erringChannel = try reader.readFlag() ? try ChannelDirection(from: &reader) : nil
    raw = try reader.readFlag() ? try reader.readSizedBytes() : nil
  }

  public func encode(to writer: inout ByteWriter) {
    writer.write(code.rawValue)
    writer.writeSized(message)
    writer.writeOptional(failureCode) { $0.write($1) }
    writer.writeOptional(erringIndex) { $0.write($1) }
    writer.writeOptional(erringNode) { $0.write($1) }
    writer.writeOptional(erringChannel) { $1.encode(to: &$0) }
    writer.writeOptional(raw) { $0.writeSized($1) }
  }
}

extension PaymentFailure: Error {}
