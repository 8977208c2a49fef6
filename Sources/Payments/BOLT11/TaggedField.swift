internal import Encoding

/// A field of an invoice (BOLT 11 §Tagged Fields): a type of 5 bits and up to 1,023 values of 5 bits.
public struct TaggedField: Hashable, Sendable {
  public var tag: Tag
  /// Each below 32.
  public var data: [UInt8]

  public init(_ tag: Tag, data: [UInt8]) {
    self.tag = tag
    self.data = data
  }

  /// Bytes, padded with zeros to a multiple of 5 bits.
  init(_ tag: Tag, bytes: RawSpan) { self.init(tag, data: Bech32.fiveBit(from: bytes)) }

  /// An integer without leading zeros.
  init(_ tag: Tag, integer: UInt64) {
    var data: [UInt8] = []
    var rest = integer
    while rest > 0 {
      data.append(UInt8(truncatingIfNeeded: rest & 31))
      rest >>= 5
    }
    self.init(tag, data: data.reversed())
  }

  /// `data_length` is 10 bits.
  static let maximumLength = 1023

  /// The type, 0 to 31.
  public struct Tag: Hashable, Sendable, RawRepresentable {
    public let rawValue: UInt8

    /// Higher bits than the five are dropped.
    public init(rawValue: UInt8) { self.rawValue = rawValue & 31 }

    /// `p`
    public static let paymentHash = Tag(rawValue: 1)
    /// `z`, ours: the payment point.
    public static let paymentPoint = Tag(rawValue: 2)
    /// `r`
    public static let routeHint = Tag(rawValue: 3)
    /// `9`
    public static let features = Tag(rawValue: 5)
    /// `x`
    public static let expiry = Tag(rawValue: 6)
    /// `f`
    public static let fallback = Tag(rawValue: 9)
    /// `d`
    public static let description = Tag(rawValue: 13)
    /// `s`
    public static let paymentSecret = Tag(rawValue: 16)
    /// `n`
    public static let payee = Tag(rawValue: 19)
    /// `h`
    public static let descriptionHash = Tag(rawValue: 23)
    /// `c`
    public static let minFinalCLTVExpiryDelta = Tag(rawValue: 24)
    /// `m`
    public static let metadata = Tag(rawValue: 27)

    /// The `data_length` of the types that have only one.
    var fixedLength: Int? {
      switch self {
      case .paymentHash, .paymentSecret, .descriptionHash: 52
      case .payee, .paymentPoint: 53
      default: nil
      }
    }
  }
}

extension TaggedField.Tag: CustomStringConvertible {
  /// Its letter.
  public var description: String {
    String(decoding: [Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)[Int(rawValue)]], as: UTF8.self)
  }
}

extension TaggedField {
  /// The whole bytes in the data. Throws when what is left are not fewer than five zero bits.
  func bytes() throws(Bolt11Error) -> [UInt8] {
    do throws(DecodingError) {
      return try Bech32.bytes(fromFiveBit: data)
    } catch {
      throw .malformedField(tag, error)
    }
  }

  func fixed<T: FixedSizeBytes>(_ type: T.Type = T.self) throws(Bolt11Error) -> T {
    let bytes = try bytes()
    do throws(DecodingError) {
      return try T(copying: bytes.bytes)
    } catch {
      throw .malformedField(tag, error)
    }
  }

  /// BOLT 11: if a `c`, `x`, or `9` field is provided which has a non-minimal `data_length` (i.e. begins with 0 field elements):
  /// SHOULD treat the invoice as invalid.
  func requireMinimal() throws(Bolt11Error) {
    if data.first == 0 { throw .malformedField(tag, .notMinimal) }
  }

  func integer() throws(Bolt11Error) -> UInt64 {
    try requireMinimal()
    var result: UInt64 = 0
    for value in data {
      guard result >> 59 == 0 else { throw .malformedField(tag, .tooLarge) }
      result = result << 5 | UInt64(value & 31)
    }
    return result
  }
}
