import Bitcoin
import Encoding
import Secp256k1
import Testing
import Wire

// The figures printed in BOLT 1 (lightning/bolts@a3772650, CC-BY-4.0).

private func bytes(_ hex: String) -> [UInt8] {
  do {
    return try Hex.decode(hex.filter { $0 != " " })
  } catch {
    preconditionFailure("\(hex): \(error)")
  }
}

/// A number at the end of a record, without leading zeros, as in BOLT 1's test namespaces.
private struct Truncated<Size: FixedWidthInteger & UnsignedInteger & Sendable>: WireField, Equatable {
  var value: Size
  init(_ value: Size) { self.value = value }
  @_lifetime(reader: copy reader)
  init(from reader: inout ByteReader) throws(DecodingError) {
    let number = Size.bitWidth == 32 ? UInt64(try reader.readTU32()) : try reader.readTU64()
    value = Size(truncatingIfNeeded: number)
  }
  func encode(to writer: inout ByteWriter) { writer.writeTruncated(UInt64(value)) }
}

private struct TLV3: WireField, Equatable {
  var nodeID: PublicKey
  var amountMsat1: UInt64
  var amountMsat2: UInt64

  init(nodeID: PublicKey, amountMsat1: UInt64, amountMsat2: UInt64) {
    self.nodeID = nodeID
    self.amountMsat1 = amountMsat1
    self.amountMsat2 = amountMsat2
  }
  @_lifetime(reader: copy reader)
  init(from reader: inout ByteReader) throws(DecodingError) {
    nodeID = try reader.read()
    amountMsat1 = try reader.readUInt64()
    amountMsat2 = try reader.readUInt64()
  }
  func encode(to writer: inout ByteWriter) {
    writer.write(nodeID)
    writer.write(amountMsat1)
    writer.write(amountMsat2)
  }
}

/// A message that is nothing but BOLT 1's stream `n1`.
private struct N1: WireMessage {
  static let type: UInt16 = 40_001
  static let name: FieldName = "n1"

  var tlv1: Truncated<UInt64>?
  var tlv2: ShortChannelID?
  var tlv3: TLV3?
  var tlv4: UInt16?
  var otherRecords = TLVStream()

  init() {}
  @_lifetime(source: copy source)
  init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    tlv1 = try source.record(1, as: Truncated<UInt64>.self)
    tlv2 = try source.record(2, as: ShortChannelID.self)
    tlv3 = try source.record(3, as: TLV3.self)
    tlv4 = try source.record(254, as: UInt16.self)
    otherRecords = try source.otherRecords()
  }
  func encode<S: FieldSink>(to sink: inout S) {
    sink.otherRecords(otherRecords)
    sink.record(1, tlv1)
    sink.record(2, tlv2)
    sink.record(3, tlv3)
    sink.record(254, tlv4)
  }
  static func == (a: Self, b: Self) -> Bool { a.named == b.named }
  func hash(into hasher: inout Hasher) { hasher.combine(named) }
}

/// The same for `n2`.
private struct N2: WireMessage {
  static let type: UInt16 = 40_003
  static let name: FieldName = "n2"

  var tlv1: Truncated<UInt64>?
  var tlv2: Truncated<UInt32>?
  var otherRecords = TLVStream()

  @_lifetime(source: copy source)
  init<S: FieldSource & ~Escapable>(from source: inout S) throws(WireError) {
    tlv1 = try source.record(0, as: Truncated<UInt64>.self)
    tlv2 = try source.record(11, as: Truncated<UInt32>.self)
    otherRecords = try source.otherRecords()
  }
  func encode<S: FieldSink>(to sink: inout S) {
    sink.otherRecords(otherRecords)
    sink.record(0, tlv1)
    sink.record(11, tlv2)
  }
  static func == (a: Self, b: Self) -> Bool { a.named == b.named }
  func hash(into hasher: inout Hasher) { hasher.combine(named) }
}

extension WireMessage {
  fileprivate init(stream: String) throws(WireError) {
    try self.init(decoding: [UInt8(Self.type >> 8), UInt8(Self.type & 255)] + bytes(stream))
  }
}

@Suite("BOLT 1, appendix B: TLV streams")
struct TLVVectorTests {
  static let node = "023da092f6980e58d2c037173180e9a465476026ee50f96695963e8efe436f54eb"

  /// Streams that fail in any namespace.
  static let invalidAnywhere = [
    "fd", "fd01", "fd0001 00", "fd0101", "0f fd", "0f fd26", "0f fd2602", "0f fd0001 00",
    "0f fd0201 " + String(repeating: "00", count: 256), "12 00", "fd0102 00", "fe01000002 00", "ff0100000000000002 00",
  ]

  static let invalidN1 = [
    "01 09 ffffffffffffffffff", "01 01 00", "01 02 0001", "01 03 000100", "01 04 00010000", "01 05 0001000000",
    "01 06 000100000000", "01 07 00010000000000", "01 08 0001000000000000", "02 07 01010101010101",
    "02 09 010101010101010101", "03 21 " + node, "03 29 " + node + "0000000000000001",
    "03 30 " + node + "000000000000000100000000000001",
    "03 31 04" + node.dropFirst(2) + "00000000000000010000000000000002",
    "03 32 " + node + "0000000000000001000000000000000001", "fd00fe 00", "fd00fe 01 01", "fd00fe 03 010101", "00 00",
    "02 08 0000000000000226 01 01 2a", "02 08 0000000000000231 02 08 0000000000000451", "1f 00 0f 01 2a",
    "1f 00 1f 01 2a",
  ]

  static let invalidN2 = ["ffffffffffffffffff 00 00 00"]

  /// Streams that are read and ignored in either namespace.
  static let ignored = [
    "", "21 00", "fd0201 00", "fd00fd 00", "fd00ff 00", "fe02000001 00", "ff0200000000000001 00",
  ]

  @Test("Streams that fail do so in the namespaces that they are for")
  func invalid() {
    for stream in Self.invalidAnywhere {
      #expect(throws: WireError.self, "\(stream)") { try N1(stream: stream) }
      #expect(throws: WireError.self, "\(stream)") { try N2(stream: stream) }
    }
    for stream in Self.invalidN1 { #expect(throws: WireError.self, "\(stream)") { try N1(stream: stream) } }
    for stream in Self.invalidN2 { #expect(throws: WireError.self, "\(stream)") { try N2(stream: stream) } }
  }

  @Test("Unknown odd records are kept and written again")
  func unknownOdd() throws {
    for stream in Self.ignored {
      #expect(try N1(stream: stream).encoded().dropFirst(2) == bytes(stream)[...], "\(stream)")
      #expect(try N2(stream: stream).encoded().dropFirst(2) == bytes(stream)[...], "\(stream)")
    }
  }

  /// The streams of n1 with their values.
  static let validN1: [(stream: String, value: @Sendable (inout N1Values) -> Void)] = [
    ("01 00", { $0.amount = 0 }), ("01 01 01", { $0.amount = 1 }), ("01 02 0100", { $0.amount = 256 }),
    ("01 03 010000", { $0.amount = 65_536 }), ("01 04 01000000", { $0.amount = 16_777_216 }),
    ("01 05 0100000000", { $0.amount = 4_294_967_296 }), ("01 06 010000000000", { $0.amount = 1_099_511_627_776 }),
    ("01 07 01000000000000", { $0.amount = 281_474_976_710_656 }),
    ("01 08 0100000000000000", { $0.amount = 72_057_594_037_927_936 }),
    ("02 08 0000000000000226", { $0.scid = "0x0x550" }),
    ("03 31 " + node + "00000000000000010000000000000002", { $0.node = node + " 1 2" }),
    ("fd00fe 02 0226", { $0.delta = 550 }),
  ]

  struct N1Values: Equatable {
    var amount: UInt64?
    var scid: String?
    var node: String?
    var delta: UInt16?
  }

  @Test("Known records have the values given")
  func valid() throws {
    for (stream, setValue) in Self.validN1 {
      let message = try N1(stream: stream)
      var expected = N1Values()
      setValue(&expected)
      let found = N1Values(
        amount: message.tlv1?.value, scid: message.tlv2?.description,
        node: message.tlv3.map { "\($0.nodeID) \($0.amountMsat1) \($0.amountMsat2)" }, delta: message.tlv4)
      #expect(found == expected, "\(stream)")
      #expect(try message.encoded().dropFirst(2) == bytes(stream)[...], "\(stream)")
    }
  }

  @Test("An invalid stream after a valid one fails; a higher-numbered valid one does not")
  func appended() throws {
    for (first, _) in Self.validN1 {
      for second in Self.invalidAnywhere + Self.invalidN1 {
        #expect(throws: WireError.self, "\(first) + \(second)") { try N1(stream: first + second) }
      }
    }
    let streams = Self.validN1.map(\.stream) + Self.ignored.filter { !$0.isEmpty }
    func type(_ stream: String) throws -> UInt64 {
      let bytes = bytes(stream)
      var reader = ByteReader(bytes.bytes)
      return try reader.readBigSize()
    }
    for first in streams {
      for second in streams {
        if try type(first) < type(second) {
          #expect(try N1(stream: first + second).encoded().dropFirst(2) == bytes(first + second)[...])
        } else {
          #expect(throws: WireError.self, "\(first) + \(second)") { try N1(stream: first + second) }
        }
      }
    }
  }
}

@Suite("BOLT 1, appendices A, C and D")
struct BOLT1Tests {
  @Test("BigSize is read and written as given, and refused when longer than needed or cut off")
  func bigSize() throws {
    let valid: [(UInt64, String)] = [
      (0, "00"), (252, "fc"), (253, "fd00fd"), (65_535, "fdffff"), (65_536, "fe00010000"),
      (4_294_967_295, "feffffffff"), (4_294_967_296, "ff0000000100000000"), (.max, "ffffffffffffffffff"),
    ]
    for (value, hex) in valid {
      let input = bytes(hex)
      var reader = ByteReader(input.bytes)
      #expect(try reader.readBigSize() == value)
      let left = reader.remaining
      #expect(left == 0)
      var writer = ByteWriter()
      writer.writeBigSize(value)
      #expect(writer.bytes == input)
    }
    let invalid: [(String, DecodingError)] = [
      ("fd00fc", .notMinimal), ("fe0000ffff", .notMinimal), ("ff00000000ffffffff", .notMinimal), ("fd00", .truncated),
      ("feffff", .truncated), ("ffffffffff", .truncated), ("", .truncated), ("fd", .truncated), ("fe", .truncated),
      ("ff", .truncated),
    ]
    for (hex, expected) in invalid {
      let input = bytes(hex)
      #expect(throws: expected, "\(hex)") {
        var reader = ByteReader(input.bytes)
        _ = try reader.readBigSize()
      }
    }
  }

  @Test("init messages with extensions are read or refused as given")
  func messageExtension() throws {
    for hex in ["001000000000", "001000000000c9012acb0104"] {
      let message = try Message(decoding: bytes(hex))
      #expect(try message.encoded() == bytes(hex))
    }
    let message = try Init(decoding: bytes("001000000000c9012acb0104"))
    #expect(message.otherRecords.records == [TLVRecord(type: 0xc9, value: [0x2a]), TLVRecord(type: 0xcb, value: [4])])
    #expect(message.features.isEmpty && message.networks == nil)

    #expect(throws: WireError.invalidExtension(type: 16, reason: .truncated)) {
      try Message(decoding: bytes("00100000000001"))
    }
    #expect(throws: WireError.invalidExtension(type: 16, reason: .unknownEvenType(0xca))) {
      try Message(decoding: bytes("001000000000ca012a"))
    }
    #expect(throws: WireError.invalidExtension(type: 16, reason: .tlvOutOfOrder(type: 0xc9))) {
      try Message(decoding: bytes("001000000000c90101c90102"))
    }
  }

  @Test("Signed integers are two's complement, big-endian")
  func signedIntegers() throws {
    let vectors: [(Int64, String)] = [
      (0, "00"), (42, "2a"), (-42, "d6"), (127, "7f"), (-128, "80"), (128, "0080"), (-129, "ff7f"), (15_000, "3a98"),
      (-15_000, "c568"), (32_767, "7fff"), (-32_768, "8000"), (32_768, "00008000"), (-32_769, "ffff7fff"),
      (21_000_000, "01406f40"), (-21_000_000, "febf90c0"), (2_147_483_647, "7fffffff"), (-2_147_483_648, "80000000"),
      (2_147_483_648, "0000000080000000"), (-2_147_483_649, "ffffffff7fffffff"),
      (500_000_000_000, "000000746a528800"), (-500_000_000_000, "ffffff8b95ad7800"), (.max, "7fffffffffffffff"),
      (.min, "8000000000000000"),
    ]
    func check<T: WireField & FixedWidthInteger>(_: T.Type, _ value: Int64, _ input: [UInt8]) throws {
      var reader = ByteReader(input.bytes)
      #expect(try Int64(T(from: &reader)) == value)
      let left = reader.remaining
      #expect(left == 0)
      var writer = ByteWriter()
      T(truncatingIfNeeded: value).encode(to: &writer)
      #expect(writer.bytes == input)
    }
    for (value, hex) in vectors {
      let input = bytes(hex)
      switch input.count {
      case 1: try check(Int8.self, value, input)
      case 2: try check(Int16.self, value, input)
      case 4: try check(Int32.self, value, input)
      default: try check(Int64.self, value, input)
      }
    }
  }
}
