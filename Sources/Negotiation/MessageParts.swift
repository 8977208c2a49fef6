public import Encoding

// Messages that are too large for one Lightning message go in parts: type 45082, the message's number (4), index (2), count (2), bytes. The
// parts of a message come one behind the other, in order; put together they are the message with its type.

/// Why parts do not make a message.
public enum PartsFault: Error, Hashable, Sendable, CustomStringConvertible {
  case malformed(DecodingError)
  /// More than 1,048,576 bytes, or more parts than they take.
  case tooLarge
  /// Another part was due.
  case outOfOrder
  /// All parts but the last are as large as can be.
  case uneven
  /// It would have fitted into one message, or is not one of ours.
  case notNeeded

  public var description: String {
    switch self {
    case .malformed(let error): "a part that cannot be read: \(error)"
    case .tooLarge: "a message of more than \(NegotiationLimits.whole) bytes"
    case .outOfOrder: "a part that was not due"
    case .uneven: "a part that is smaller than it has to be"
    case .notNeeded: "parts that are no message which needs them"
    }
  }
}

extension NegotiationMessage {
  /// The message as the connection takes it: in one piece where it fits. Empty when it is too large for parts as well.
  /// - Parameter number: of messages in parts on this connection.
  public func frames(number: inout UInt32) -> [[UInt8]] {
    let whole = encoded
    if whole.count <= NegotiationLimits.message { return [whole] }
    guard whole.count <= NegotiationLimits.whole else { return [] }
    let count = (whole.count + NegotiationLimits.part - 1) / NegotiationLimits.part
    number &+= 1
    return (0..<count).map { index in
      let start = index * NegotiationLimits.part
      let bytes = whole[start..<min(start + NegotiationLimits.part, whole.count)]
      var writer = ByteWriter(reservingCapacity: bytes.count + 10)
      writer.write(Self.partType)
      writer.write(number)
      writer.write(UInt16(clamping: index))
      writer.write(UInt16(clamping: count))
      writer.write(Array(bytes))
      return writer.bytes
    }
  }
}

/// Puts the parts of one peer together: one message at a time, and never more than it may have.
public struct MessageAssembler: Sendable {
  private var number: UInt32?
  private var count: UInt16 = 0
  private var next: UInt16 = 0
  private var bytes: [UInt8] = []

  public init() {}

  /// How much is held.
  public var byteCount: Int { bytes.count }

  /// Takes a part with its type. The whole message, with its type, once the last one is there. What throws has forgotten what came before.
  public mutating func take(_ part: RawSpan) throws(PartsFault) -> [UInt8]? {
    do throws(PartsFault) { return try add(part) } catch {
      self = MessageAssembler()
      throw error
    }
  }

  private mutating func add(_ part: RawSpan) throws(PartsFault) -> [UInt8]? {
    var reader = ByteReader(part)
    let (number, index, count): (UInt32, UInt16, UInt16)
    do throws(DecodingError) {
      try reader.skip(2)
      (number, index, count) = (try reader.readUInt32(), try reader.readUInt16(), try reader.readUInt16())
    } catch {
      throw .malformed(error)
    }
    guard count > 1, Int(count) <= NegotiationLimits.parts else { throw count > 1 ? .tooLarge : .notNeeded }
    if self.number == nil {
      guard index == 0 else { throw .outOfOrder }
      (self.number, self.count, next, bytes) = (number, count, 0, [])
    }
    guard number == self.number, count == self.count, index == next else { throw .outOfOrder }
    let isLast = index + 1 == count
    guard isLast ? (1...NegotiationLimits.part).contains(reader.remaining) : reader.remaining == NegotiationLimits.part
    else { throw .uneven }
    guard bytes.count + reader.remaining <= NegotiationLimits.whole else { throw .tooLarge }
    bytes += reader.readRest()
    next += 1
    guard isLast else { return nil }
    let whole = bytes
    self = MessageAssembler()
    guard whole.count > NegotiationLimits.message, whole[0] == 0xb0,
      whole[1] != UInt8(NegotiationMessage.partType & 0xff)
    else { throw .notNeeded }
    return whole
  }
}
