public import Encoding

/// Bytes that a peer sent as text for people: the `data` of `error`, `warning` and `tx_abort`. Kept as they are, shown safely.
public struct PeerText: Hashable, Sendable, WireField {
  public var bytes: [UInt8]

  public init(bytes: [UInt8] = []) { self.bytes = bytes }
  public init(_ text: String) { bytes = Array(text.utf8) }

  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) { bytes = reader.readRest() }
  public func encode(to writer: inout ByteWriter) { writer.write(bytes) }

  /// For logs and screens, at most `limit` characters and a note of what was left out. BOLT 1: if `data` is not composed solely of
  /// printable ASCII characters (…) (byte values 32 through 126, inclusive): SHOULD NOT print out `data` verbatim. Other bytes appear
  /// as `\xNN`, and a backslash as two, so that nobody can pass one thing off as another.
  public func safeText(limit: Int = 512) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for (index, byte) in bytes.enumerated() {
      let shown: [UInt8] =
        switch byte {
        case 0x5c: [0x5c, 0x5c]
        case 0x20...0x7e: [byte]
        default: [0x5c, 0x78, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
      if text.count + shown.count > limit {
        return String(decoding: text, as: UTF8.self) + "… (\(bytes.count - index) more bytes)"
      }
      text.append(contentsOf: shown)
    }
    return String(decoding: text, as: UTF8.self)
  }
}

extension PeerText: CustomStringConvertible {
  public var description: String { safeText() }
}

/// What a node calls itself: 32 bytes, UTF-8 followed by zeros (BOLT 7 §The `node_announcement` Message). Nobody vouches for it.
public struct Alias: TypedBytes, WireField {
  public let raw: Bytes32
  public var bytes: RawSpan { @_addressableSelf @_lifetime(borrow self) get { raw.bytes } }
  public init(_ raw: Bytes32) { self.raw = raw }

  /// Nil for a text of more than 32 bytes.
  public init?(_ text: String) {
    var raw = Bytes32()
    var count = 0
    for byte in text.utf8 {
      guard count < 32 else { return nil }
      raw[count] = byte
      count += 1
    }
    self.init(raw)
  }

  /// For screens and logs: without the zeros at the end, bytes that are no UTF-8 as replacement characters, and everything without a
  /// shape of its own (control characters, changes of direction, line ends) as well.
  public var safeText: String {
    var bytes = raw.array
    while bytes.last == 0 { bytes.removeLast() }
    var text = ""
    for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned:
        text.unicodeScalars.append("\u{fffd}")
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}

/// A colour for maps and graphs: red, green, blue.
public struct RGBColor: Hashable, Sendable, WireField {
  public var red: UInt8
  public var green: UInt8
  public var blue: UInt8

  public init(red: UInt8, green: UInt8, blue: UInt8) {
    self.red = red
    self.green = green
    self.blue = blue
  }

  public static var minimumByteCount: Int { 3 }

  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) {
    red = try reader.readUInt8()
    green = try reader.readUInt8()
    blue = try reader.readUInt8()
  }

  public func encode(to writer: inout ByteWriter) {
    writer.write(red)
    writer.write(green)
    writer.write(blue)
  }
}
