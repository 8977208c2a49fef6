public import Encoding

/// Where a channel's funding output is in the chain: 8 bytes (BOLT 7 §Definition of `short_channel_id`).
public struct ShortChannelID: Hashable, Comparable, Sendable, RawRepresentable {
  public let rawValue: UInt64

  public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// Nil when the height or the index does not fit into 3 bytes.
  public init?(blockHeight: UInt32, transactionIndex: UInt32, outputIndex: UInt16) {
    guard blockHeight < 1 << 24, transactionIndex < 1 << 24 else { return nil }
    rawValue = UInt64(blockHeight) << 40 | UInt64(transactionIndex) << 16 | UInt64(outputIndex)
  }

  /// BOLT 7: the most significant 3 bytes: indicating the block height.
  public var blockHeight: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 40) }
  /// BOLT 7: the next 3 bytes: indicating the transaction index within the block.
  public var transactionIndex: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 16) & 0xff_ffff }
  /// BOLT 7: the least significant 2 bytes: indicating the output index that pays to the channel.
  public var outputIndex: UInt16 { UInt16(truncatingIfNeeded: rawValue) }

  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) { rawValue = try reader.readUInt64() }
  public func encode(to writer: inout ByteWriter) { writer.write(rawValue) }
}

extension ShortChannelID: CustomStringConvertible {
  /// As in `539268x845x1`.
  public var description: String { "\(blockHeight)x\(transactionIndex)x\(outputIndex)" }

  /// Reads exactly what `description` writes: three decimal numbers without signs or leading zeros, separated by `x`.
  public init(text: String) throws(DecodingError) {
    let parts = text.utf8.split(separator: UInt8(ascii: "x"), omittingEmptySubsequences: false)
    guard parts.count == 3 else { throw .malformed("a short_channel_id is three numbers separated by x") }
    var numbers: [UInt32] = []
    for part in parts {
      guard !part.isEmpty, part.count <= 8, part.allSatisfy({ 0x30...0x39 ~= $0 }) else {
        throw .malformed("not a decimal number")
      }
      guard part.count == 1 || part.first != 0x30 else { throw .notMinimal }
      numbers.append(part.reduce(0) { $0 * 10 + UInt32($1 - 0x30) })
    }
    guard let outputIndex = UInt16(exactly: numbers[2]),
      let id = Self(blockHeight: numbers[0], transactionIndex: numbers[1], outputIndex: outputIndex)
    else { throw .tooLarge }
    self = id
  }
}
