internal import Encoding
internal import JSON

extension FuzzTarget {
  static let tlv = FuzzTarget(
    "tlv",
    seeds: {
      [
        [], [0x01, 0x00], [0x00, 0x00, 0x01, 0x01, 0x2a, 0x02, 0x03, 1, 2, 3], [0xfd, 0x01, 0x00, 0x01, 0xff],
        [0xfe, 0x00, 0x01, 0x00, 0x00, 0x00], [0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0x02, 7, 7],
        [0x01, 0xfd, 0x01, 0x00] + [UInt8](repeating: 9, count: 256), [0x02, 0x00, 0x02, 0x00],
        [0x01, 0xfd, 0x00, 0x01, 0x00],
      ]
    },
    run: { input throws(Violation) in
      guard let stream = try? TLVStream(decoding: input) else { return .refused }
      try law(stream.encoded.bytes.elementsEqual(input), "a stream has one form")
      var rebuilt = TLVStream()
      for record in stream.records.reversed() {
        try law(stream[record.type] == record.value, "record \(record.type) is found")
        rebuilt[record.type] = record.value
      }
      try law(rebuilt == stream, "records set in another order make the same stream")
      let types = Set(stream.records.map(\.type))
      try law(types.count == stream.records.count, "no type twice")
      for record in stream.records {
        rebuilt[record.type] = nil
        try law(rebuilt[record.type] == nil, "a removed record is gone")
      }
      try law(rebuilt.records.isEmpty, "nothing is left when all is removed")
      let hasEven = stream.records.contains { $0.type % 2 == 0 }
      try law(((try? stream.refuseUnknownEven { _ in false }) == nil) == hasEven, "unknown even types are refused")
      try law((try? stream.refuseUnknownEven { types.contains($0) }) != nil, "known types are not")
      return .accepted
    })

  /// The forms of whole numbers, one after the other until one is refused; the first byte says which form.
  static let integers = FuzzTarget(
    "integers",
    seeds: {
      var seeds: [[UInt8]] = []
      for value: UInt64 in [0, 1, 0xfc, 0xfd, 0xff, 0x100, 0xffff, 0x1_0000, 0xffff_ffff, 0x1_0000_0000, .max] {
        var writer = ByteWriter()
        writer.write(0 as UInt8)
        writer.writeBigSize(value)
        writer.write(1 as UInt8)
        writer.writeCompactSize(value)
        seeds.append(writer.bytes)
        var truncated = ByteWriter()
        truncated.write(4 as UInt8)
        truncated.writeTruncated(value)
        seeds.append(truncated.bytes)
      }
      return seeds
    },
    run: { input throws(Violation) in
      var reader = ByteReader(input)
      var writer = ByteWriter()
      var outcome = Outcome.refused
      func agree(_ start: Int, _ end: Int) throws(Violation) {
        try law(writer.bytes.bytes.elementsEqual(input.extracting(start..<end)), "a number has one form")
        outcome = .accepted
        writer.bytes.removeAll(keepingCapacity: true)
      }
      while let form = try? reader.readUInt8() {
        let start = reader.offset
        switch form % 6 {
        case 0:
          guard let value = try? reader.readBigSize() else { return outcome }
          writer.writeBigSize(value)
        case 1:
          guard let value = try? reader.readCompactSize() else { return outcome }
          writer.writeCompactSize(value)
          if let size = Int(exactly: value) {
            try law(compactSizeLength(size) == writer.count, "the length of \(value) is \(writer.count)")
          }
        case 2:
          guard let value = try? reader.readTU16() else { return outcome }
          writer.writeTruncated(UInt64(value))
        case 3:
          guard let value = try? reader.readTU32() else { return outcome }
          writer.writeTruncated(UInt64(value))
        case 4:
          guard let value = try? reader.readTU64() else { return outcome }
          writer.writeTruncated(value)
        default:
          guard let value = try? reader.readCompactSizedBytes() else { return outcome }
          writer.writeCompactSized(value)
        }
        try agree(start, reader.offset)
      }
      return outcome
    })

  static let bech32 = FuzzTarget(
    "bech32", dictionary: ["bc1", "tb1", "bcrt1", "lnbc", "lno1", "lni1", "q", "p", "1"],
    seeds: {
      var seeds: [[UInt8]] = [Array("A12UEL5L".utf8), Array("a1lqfn3a".utf8), Array("lno1pqpsrp4qpn2".utf8)]
      for (index, length) in [0, 1, 20, 32, 40].enumerated() {
        let data = Bech32.fiveBit(from: [UInt8](repeating: UInt8(length), count: length).bytes)
        let prefix = ["bc", "tb", "lnbc", "bcrt", "x1y"][index]
        for variant in [Bech32.Variant.bech32, .bech32m] {
          seeds.append(Array(Bech32.encode(humanReadablePart: prefix, data: [1] + data, variant: variant).utf8))
        }
      }
      return seeds
    },
    run: { input throws(Violation) in
      try checkRegrouping(input)
      let text = String(decoding: input.array, as: UTF8.self)
      if let plain = try? Bech32.decodeWithoutChecksum(text) {
        let again = Bech32.encodeWithoutChecksum(humanReadablePart: plain.humanReadablePart, data: plain.data)
        try law(again == text.lowercased(), "text without checksum is written as it was read: \(again)")
      }
      guard let decoded = try? Bech32.decode(text) else { return .refused }
      try law(text.utf8.count <= 90, "no more than 90 characters")
      try law(decoded.data.allSatisfy { $0 < 32 }, "values of five bits")
      let again = Bech32.encode(
        humanReadablePart: decoded.humanReadablePart, data: decoded.data, variant: decoded.variant)
      try law(again == text.lowercased(), "text is written as it was read: \(again)")
      try law((try? Bech32.decode(text.uppercased())) == decoded, "upper case means the same")
      // BIP 173: the code finds any error in up to four characters.
      var damaged = Array(again.utf8)
      let position = damaged.count - 1 - Int(damaged[0]) % min(damaged.count, decoded.data.count + 6)
      damaged[position] = damaged[position] == 0x71 ? 0x70 : 0x71
      let other = try? Bech32.decode(String(decoding: damaged, as: UTF8.self))
      try law(other?.variant != decoded.variant, "a wrong character is found")
      return .accepted
    })

  private static func checkRegrouping(_ input: RawSpan) throws(Violation) {
    let values = Bech32.fiveBit(from: input)
    try law((try? Bech32.bytes(fromFiveBit: values)) == input.array, "regrouping there and back changes nothing")
    let masked = input.array.map { $0 & 31 }
    if let bytes = try? Bech32.bytes(fromFiveBit: masked) {
      try law(Bech32.fiveBit(from: bytes.bytes) == masked, "regrouping back and there changes nothing")
    }
    let text = Bech32.encode(humanReadablePart: "ln", data: values, variant: .bech32m)
    let decoded = try? Bech32.decode(text, maximumLength: nil)
    try law(decoded?.data == values && decoded?.variant == .bech32m, "any data can be written and read")
  }

  static let base58 = FuzzTarget(
    "base58", dictionary: ["1", "z", "11111"],
    seeds: {
      [[], [0], [0, 0, 1], [UInt8](repeating: 0xff, count: 25), Array(0...77)].flatMap { bytes -> [[UInt8]] in
        [bytes, Array(Base58.encode(bytes.bytes).utf8)]
      } + [Array("0OIl".utf8)]
    },
    run: { input throws(Violation) in
      if input.byteCount <= 180 {
        let bytes = input.array
        try law((try? Base58.decode(Base58.encode(input))) == bytes, "any bytes can be written and read")
      }
      let text = String(decoding: input.array, as: UTF8.self)
      guard let bytes = try? Base58.decode(text) else { return .refused }
      try law(Base58.encode(bytes.bytes) == text, "text is written as it was read")
      return .accepted
    })

  /// Base64 and z-base-32.
  static let base64 = FuzzTarget(
    "base64", dictionary: ["=", "==", "A", "/", "+", "y"],
    seeds: {
      [[], [0], [0xff, 0xff], [1, 2, 3], [UInt8](repeating: 0xa5, count: 40)].flatMap { bytes -> [[UInt8]] in
        [Array(Base64.encode(bytes.bytes).utf8), Array(ZBase32.encode(bytes.bytes).utf8)]
      } + [Array("QQ=".utf8), Array("QR==".utf8), Array("Q===".utf8)]
    },
    run: { input throws(Violation) in
      let bytes = input.array
      try law((try? Base64.decode(Base64.encode(input))) == bytes, "any bytes can be written and read as Base64")
      try law((try? ZBase32.decode(ZBase32.encode(input))) == bytes, "any bytes can be written and read as z-base-32")
      let text = String(decoding: bytes, as: UTF8.self)
      var outcome = Outcome.refused
      if let decoded = try? Base64.decode(text) {
        try law(Base64.encode(decoded.bytes) == text, "Base64 has one form")
        outcome = .accepted
      }
      if let decoded = try? ZBase32.decode(text) {
        try law(ZBase32.encode(decoded.bytes) == text, "z-base-32 has one form")
        outcome = .accepted
      }
      return outcome
    })

  static let hex = FuzzTarget(
    "hex",
    seeds: { ["", "00", "deadBEEF", "0", "0g", "0x00"].map { Array($0.utf8) } },
    run: { input throws(Violation) in
      try law((try? Hex.decode(Hex.encode(input))) == input.array, "any bytes can be written and read")
      let text = String(decoding: input.array, as: UTF8.self)
      guard let bytes = try? Hex.decode(text) else { return .refused }
      try law(Hex.encode(bytes) == text.lowercased(), "text is written as it was read")
      try law(((try? Bytes32(hex: text)) != nil) == (bytes.count == 32), "fixed sizes take their size alone")
      return .accepted
    })

  static let json = FuzzTarget(
    "json", dictionary: ["null", "true", "false", "\\u0000", "1e999", "-0", "18446744073709551616", "{\"a\":", "[["],
    seeds: {
      [
        #"{"a":[1,-2,3.5,null,true,false],"b":"x\u00e9\n\"","c":{}}"#, "[]", "\"\"", "18446744073709551615",
        "-9223372036854775808", "1e5", "[[[[[[[[]]]]]]]]", #"{"id":7,"op":"tx.decode","params":{"tx":"00"}}"#,
      ].map { Array($0.utf8) }
    },
    run: { input throws(Violation) in
      guard let value = try? JSONValue(parsing: input.array) else { return .refused }
      for pretty in [false, true] {
        let text = value.text(pretty: pretty)
        guard let again = try? JSONValue(parsing: text) else {
          throw Violation(description: "own text is read: \(text)")
        }
        try law(again == value, "a value survives: \(text)")
        try law(again.text(pretty: pretty) == text, "text is read as it is written: \(text)")
      }
      return .accepted
    })
}
