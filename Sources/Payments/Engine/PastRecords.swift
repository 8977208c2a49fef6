public import Encoding
public import GLC
internal import Hashing

// What is over. It is stored once, by the order in which it began, and found by what it is called; the engine keeps nothing of it.

/// A record that leaves the engine when nothing happens to it any more.
public protocol PastRecord: BinaryCodable {
  /// Counts records of this kind, from 1.
  var createdIndex: UInt64 { get }
  /// Where it is as long as something may happen to it.
  static var live: RecordCollection { get }
  /// Where it is afterwards, by created index.
  static var past: RecordCollection { get }
  var liveKey: [UInt8] { get }
  /// What it is found by when it is over: keys of `RecordCollection.pastIndex`.
  var indexKeys: [[UInt8]] { get }
}

extension PastRecord {
  /// Something may happen to it yet.
  var liveChange: RecordChange { RecordChange(Self.live, key: liveKey, value: encoded) }

  /// It is over.
  public var pastChanges: [RecordChange] {
    [
      RecordChange(Self.live, key: liveKey, value: nil),
      RecordChange(Self.past, key: createdIndex.stored, value: encoded),
    ] + indexKeys.map { RecordChange(.pastIndex, key: $0, value: createdIndex.stored) }
  }

  /// What takes it out of what is over.
  public var removals: [RecordChange] {
    [RecordChange(Self.past, key: createdIndex.stored, value: nil)]
      + indexKeys.map { RecordChange(.pastIndex, key: $0, value: nil) }
  }
}

/// The keys by which what is over is found. Each leads to a created index, of 8 bytes.
public enum PastIndex {
  private static func key(_ tag: UInt8, _ body: (inout ByteWriter) -> Void) -> [UInt8] {
    var writer = ByteWriter(reservingCapacity: 64)
    writer.write(tag)
    body(&writer)
    return writer.bytes
  }

  public static func invoice(hash: Bytes32) -> [UInt8] { key(1) { $0.write(hash) } }

  /// Long labels are hashed: keys are short.
  public static func invoice(label: String) -> [UInt8] {
    let bytes = Array(label.utf8)
    return bytes.count < 256 ? key(2) { $0.write(bytes) } : key(3) { $0.write(sha256(bytes)) }
  }

  /// With 0: where those begin that were paid.
  public static func invoice(payIndex: UInt64) -> [UInt8] { key(4) { $0.write(payIndex) } }
  public static func invoice(updatedIndex: UInt64) -> [UInt8] { key(5) { $0.write(updatedIndex) } }
  /// What the keys of all payments with a hash begin with.
  public static func payments(hash: Bytes32) -> [UInt8] { key(6) { $0.write(hash) } }
  public static func payment(_ id: PaymentID) -> [UInt8] { key(6) { id.encode(to: &$0) } }
  /// What the keys of all parts with a hash begin with.
  public static func parts(hash: Bytes32) -> [UInt8] { key(7) { $0.write(hash) } }

  /// A part may be tried again under its name: each attempt is a record.
  public static func part(_ id: PartID, createdIndex: UInt64) -> [UInt8] {
    key(7) {
      id.encode(to: &$0)
      $0.write(createdIndex)
    }
  }
}

/// Where an onion is kept that was stored without its period, by the hash of its secrets alone. Nil: it is not such a record.
public func currentKey(ofOnion key: [UInt8], value: [UInt8]) throws(DecodingError) -> [UInt8]? {
  guard let identity = try? Bytes32(key) else { return nil }
  return SeenOnions.key(expiry: try SeenOnion(decoding: value.bytes).expiry, identity: identity)
}

extension UInt64 {
  /// As a key that sorts as the number does.
  public var stored: [UInt8] {
    var writer = ByteWriter(reservingCapacity: 8)
    writer.write(self)
    return writer.bytes
  }
}

extension InvoiceRecord: PastRecord {
  public static var live: RecordCollection { .invoices }
  public static var past: RecordCollection { .pastInvoices }
  public var liveKey: [UInt8] { paymentHash.array }

  public var indexKeys: [[UInt8]] {
    var keys = [PastIndex.invoice(hash: paymentHash), PastIndex.invoice(label: label)]
    if let payIndex { keys.append(PastIndex.invoice(payIndex: payIndex)) }
    if let updatedIndex { keys.append(PastIndex.invoice(updatedIndex: updatedIndex)) }
    return keys
  }

  /// Whether nothing happens to it any more: it cannot be paid, and the offers that paid it are gone.
  public var isOver: Bool { status != .unpaid && accepted.isEmpty }
}

extension PaymentRecord: PastRecord {
  public static var live: RecordCollection { .payments }
  public static var past: RecordCollection { .pastPayments }
  public var liveKey: [UInt8] { id.encoded }
  public var indexKeys: [[UInt8]] { [PastIndex.payment(id)] }
}

extension PartRecord: PastRecord {
  public static var live: RecordCollection { .parts }
  public static var past: RecordCollection { .pastParts }
  public var liveKey: [UInt8] { id.encoded }
  public var indexKeys: [[UInt8]] { [PastIndex.part(id, createdIndex: createdIndex)] }

  /// While it is on its way it is live, afterwards it is over.
  var change: [RecordChange] { status == .pending ? [liveChange] : pastChanges }
}

extension ForwardRecord: PastRecord {
  public static var live: RecordCollection { .pendingForwards }
  public static var past: RecordCollection { .forwards }
  public var liveKey: [UInt8] { incoming.encoded }
  public var indexKeys: [[UInt8]] { [] }
}
