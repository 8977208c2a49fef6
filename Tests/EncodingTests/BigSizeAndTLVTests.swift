import Encoding
import Testing

/// The figures of BOLT 1, appendices A and B.
@Suite struct BigSizeAndTLVTests {
  @Test(
    "BigSize: BOLT 1, appendix A",
    arguments: [
      ("00", 0), ("fc", 252), ("fd00fd", 253), ("fdffff", 65535), ("fe00010000", 65536), ("feffffffff", 4_294_967_295),
      ("ff0000000100000000", 4_294_967_296), ("ffffffffffffffffff", UInt64.max),
    ])
  func bigSize(text: String, value: UInt64) throws {
    let bytes = try Hex.decode(text)
    var reader = ByteReader(bytes.bytes)
    #expect(try reader.readBigSize() == value)
    try reader.finish()
    var writer = ByteWriter()
    writer.writeBigSize(value)
    #expect(writer.bytes == bytes)
    // CompactSize is the same but for the order of the bytes.
    writer = ByteWriter()
    writer.writeCompactSize(value)
    #expect(writer.bytes == bytes.prefix(1) + bytes.dropFirst().reversed())
    reader = ByteReader(writer.bytes.bytes)
    #expect(try reader.readCompactSize() == value)
    #expect(compactSizeLength(Int(clamping: value)) == bytes.count)
  }

  @Test(
    "BigSize that is cut off or longer than needed is refused",
    arguments: [
      ("fd00fc", DecodingError.notMinimal), ("fe0000ffff", .notMinimal), ("ff00000000ffffffff", .notMinimal),
      ("fd00", .truncated), ("feffff", .truncated), ("ffffffffff", .truncated), ("", .truncated), ("fd", .truncated),
      ("fe", .truncated), ("ff", .truncated),
    ])
  func invalidBigSize(text: String, error: DecodingError) throws {
    let bytes = try Hex.decode(text)
    #expect(throws: error) {
      var reader = ByteReader(bytes.bytes)
      _ = try reader.readBigSize()
    }
    let reversed = bytes.prefix(1) + bytes.dropFirst().reversed()
    #expect(throws: error) {
      var reader = ByteReader(reversed.bytes)
      _ = try reader.readCompactSize()
    }
  }

  // MARK: Appendix B

  /// Namespace n1: types 1, 2, 3 and 254.
  static func readN1(_ bytes: [UInt8]) throws(DecodingError) -> [UInt64: [UInt64]] {
    let stream = try TLVStream(decoding: bytes.bytes)
    try stream.refuseUnknownEven { [1, 2, 3, 254].contains($0) }
    var values: [UInt64: [UInt64]] = [:]
    for record in stream.records {
      var reader = ByteReader(record.value.bytes)
      switch record.type {
      case 1: values[1] = [try reader.readTU64()]
      case 2: values[2] = [try reader.readUInt64()]
      case 3:
        // Whether the point is one is for the curve to say; the prefix stands for it here.
        guard let prefix = reader.peekUInt8(), prefix == 2 || prefix == 3 else { throw .malformed("not a point") }
        try reader.skip(33)
        values[3] = [try reader.readUInt64(), try reader.readUInt64()]
      case 254: values[254] = [UInt64(try reader.readUInt16())]
      default: continue
      }
      try reader.finish()
    }
    return values
  }

  /// Namespace n2: types 0 and 11.
  static func readN2(_ bytes: [UInt8]) throws(DecodingError) {
    let stream = try TLVStream(decoding: bytes.bytes)
    try stream.refuseUnknownEven { [0, 11].contains($0) }
    for record in stream.records {
      var reader = ByteReader(record.value.bytes)
      switch record.type {
      case 0: _ = try reader.readTU64()
      case 11: _ = try reader.readTU32()
      default: break
      }
    }
  }

  static let nodeID = "023da092f6980e58d2c037173180e9a465476026ee50f96695963e8efe436f54eb"

  static let invalidAnywhere = [
    "fd", "fd01", "fd000100", "fd0101", "0ffd", "0ffd26", "0ffd2602", "0ffd000100",
    "0ffd0201" + String(repeating: "00", count: 256), "1200", "fd010200", "fe0100000200", "ff010000000000000200",
  ]

  static let invalidN1 = [
    "0109ffffffffffffffffff", "010100", "01020001", "0103000100", "010400010000", "01050001000000", "0106000100000000",
    "010700010000000000", "01080001000000000000", "020701010101010101", "0209010101010101010101",
    "0321" + nodeID, "0329" + nodeID + "0000000000000001", "0330" + nodeID + "000000000000000100000000000001",
    "033104" + nodeID.dropFirst(2) + "00000000000000010000000000000002",
    "0332" + nodeID + "0000000000000001000000000000000001", "fd00fe00", "fd00fe0101", "fd00fe03010101", "0000",
    // Order and repetition.
    "0208000000000000022601012a", "1f000f012a", "1f001f012a",
  ]

  static let ignored = ["", "2100", "fd020100", "fd00fd00", "fd00ff00", "fe0200000100", "ff020000000000000100"]

  static let validN1: [(String, UInt64, [UInt64])] = [
    ("0100", 1, [0]), ("010101", 1, [1]), ("01020100", 1, [256]), ("0103010000", 1, [65536]),
    ("010401000000", 1, [16_777_216]), ("01050100000000", 1, [4_294_967_296]),
    ("0106010000000000", 1, [1_099_511_627_776]), ("010701000000000000", 1, [281_474_976_710_656]),
    ("01080100000000000000", 1, [72_057_594_037_927_936]), ("02080000000000000226", 2, [550]),
    ("0331" + nodeID + "00000000000000010000000000000002", 3, [1, 2]), ("fd00fe020226", 254, [550]),
  ]

  @Test("TLV streams that must not decode: BOLT 1, appendix B")
  func invalidStreams() throws {
    for text in Self.invalidAnywhere {
      let bytes = try Hex.decode(text)
      #expect(throws: DecodingError.self, "\(text)") { try Self.readN1(bytes) }
      #expect(throws: DecodingError.self, "\(text)") { try Self.readN2(bytes) }
    }
    for text in Self.invalidN1 {
      let bytes = try Hex.decode(text)
      #expect(throws: DecodingError.self, "\(text)") { try Self.readN1(bytes) }
    }
    let duplicate = try Hex.decode("0208000000000000023102080000000000000451")
    #expect(throws: DecodingError.tlvOutOfOrder(type: 2)) { try Self.readN1(duplicate) }
    let wrapping = try Hex.decode("ffffffffffffffffff000000")
    #expect(throws: DecodingError.tlvOutOfOrder(type: 0)) { try Self.readN2(wrapping) }
  }

  @Test("TLV streams that must decode, and do so to what was written: BOLT 1, appendix B")
  func validStreams() throws {
    for text in Self.ignored {
      let bytes = try Hex.decode(text)
      #expect(try Self.readN1(bytes).isEmpty, "\(text)")
      try Self.readN2(bytes)
      #expect(try TLVStream(decoding: bytes.bytes).encoded == bytes)
    }
    for (text, type, values) in Self.validN1 {
      let bytes = try Hex.decode(text)
      #expect(try Self.readN1(bytes) == [type: values], "\(text)")
      #expect(try TLVStream(decoding: bytes.bytes).encoded == bytes)
      if type == 1 {
        var writer = ByteWriter()
        writer.writeTruncated(values[0])
        #expect(writer.bytes == Array(bytes.dropFirst(2)))
      }
    }
  }

  @Test("appending: BOLT 1, appendix B")
  func appending() throws {
    // "Any appending of an invalid stream to a valid stream should trigger a decoding failure."
    for (valid, _, _) in Self.validN1 {
      for invalid in Self.invalidAnywhere {
        let bytes = try Hex.decode(valid + invalid)
        #expect(throws: DecodingError.self, "\(valid) \(invalid)") { try Self.readN1(bytes) }
      }
    }
    // "Any appending of a higher-numbered valid stream to a lower-numbered valid stream should not trigger a decoding
    // failure."
    for (lower, lowerType, lowerValues) in Self.validN1 {
      for (higher, higherType, higherValues) in Self.validN1 where higherType > lowerType {
        let bytes = try Hex.decode(lower + higher)
        #expect(try Self.readN1(bytes) == [lowerType: lowerValues, higherType: higherValues])
      }
    }
  }

  @Test("records are found, replaced, added in order and removed by type")
  func records() throws {
    var stream = TLVStream()
    for type in [5, 1, 9, 3] as [UInt64] { stream[type] = [UInt8(type)] }
    #expect(stream.records.map(\.type) == [1, 3, 5, 9])
    stream[3] = [33]
    stream[5] = nil
    stream[7] = nil
    #expect(stream.records == [.init(type: 1, value: [1]), .init(type: 3, value: [33]), .init(type: 9, value: [9])])
    #expect(stream[3] == [33])
    #expect(stream[5] == nil)
    #expect(try TLVStream(decoding: stream.encoded.bytes) == stream)
  }

  @Test("truncated integers are refused when too long or with leading zeros")
  func truncated() throws {
    func read16(_ bytes: [UInt8]) throws(DecodingError) -> UInt16 {
      var reader = ByteReader(bytes.bytes)
      return try reader.readTU16()
    }
    func read32(_ bytes: [UInt8]) throws(DecodingError) -> UInt32 {
      var reader = ByteReader(bytes.bytes)
      return try reader.readTU32()
    }
    #expect(try read16([]) == 0)
    #expect(try read16([0xff, 0xff]) == 0xffff)
    #expect(throws: DecodingError.tooLarge) { try read16([1, 0, 0]) }
    #expect(throws: DecodingError.notMinimal) { try read16([0]) }
    #expect(try read32([1, 0, 0, 0]) == 1 << 24)
    #expect(throws: DecodingError.tooLarge) { try read32([1, 0, 0, 0, 0]) }
    #expect(throws: DecodingError.notMinimal) { try read32([0, 1]) }
  }

  @Test("a count from outside never asks for more than the bytes that are there")
  func counts() {
    let bytes: [UInt8] = [0xfe, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0]
    #expect(throws: DecodingError.truncated) {
      var reader = ByteReader(bytes.bytes)
      _ = try reader.readCount()
    }
    #expect(throws: DecodingError.truncated) {
      var reader = ByteReader(([2] + [UInt8](repeating: 0, count: 63)).bytes)
      _ = try reader.readCount(minimumSize: 32)
    }
    #expect(throws: DecodingError.truncated) {
      var reader = ByteReader(([0xff] + [UInt8](repeating: 0xff, count: 8)).bytes)
      _ = try reader.readCompactSizedBytes()
    }
    #expect(throws: DecodingError.truncated) {
      var reader = ByteReader(bytes.bytes)
      _ = try reader.read(count: -1)
    }
    #expect(throws: DecodingError.trailingBytes(8)) { try ByteReader(bytes.bytes).finish() }
  }
}
