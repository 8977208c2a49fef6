import Encoding
import Testing

@Suite struct ZlibTests {
  /// 40 short channel ids from block 100 on, as Python's zlib compresses them: a block with codes of its own.
  static let dynamic =
    "789c2dc8d91681001885d19f670d092165ce3c7b6965ed7371beb5764412cd3a11bdf69bf623ba6d073ce5439ef1111ff309cff994cff89c177cc14b5ef1255ff135dff02ddff13daff9811ff9899ff9855ff98ddff9833ff98bbff9877ffffe035cba12fc"

  /// In arrays that have names: the compiler ends in an error of its own on spans of temporaries inside of `#expect`.
  private func decompress(_ bytes: [UInt8], limit: Int) throws(DecodingError) -> [UInt8] {
    try Zlib.decompress(bytes.bytes, limit: limit)
  }

  @Test("What zlib compresses comes back, in each of its three kinds of blocks")
  func blocks() throws {
    var writer = ByteWriter(reservingCapacity: 320)
    for index in 0..<40 as Range<UInt64> { writer.write((100 + index) << 40 | (index % 3) << 16 | 1 as UInt64) }
    let raw = writer.bytes
    #expect(try decompress(Hex.decode(Self.dynamic), limit: 320) == raw)
    #expect(try decompress(Hex.decode("789c636048610002460002610066"), limit: 8) == Array(raw.prefix(8)))
    let stored = try Hex.decode("7801011800e7ff00006400000000010000650000010001000066000002000110c60136")
    #expect(try decompress(stored, limit: 24) == Array(raw.prefix(24)))
  }

  @Test("More than was allowed does not come out")
  func limit() throws {
    #expect(throws: DecodingError.tooLarge) { try decompress(Hex.decode(Self.dynamic), limit: 319) }
    // A thousand zeros in 17 bytes.
    let zeros = try Hex.decode("789c63601805a360140c77000003e80001")
    #expect(throws: DecodingError.tooLarge) { try decompress(zeros, limit: 10) }
  }

  @Test("Cut off, with something behind it, or changed in a bit, it is refused and never more")
  func damage() throws {
    let good = try Hex.decode(Self.dynamic)
    let content = try decompress(good, limit: 10_000)
    for count in 0..<good.count {
      #expect(throws: DecodingError.self) { try decompress(Array(good.prefix(count)), limit: 10_000) }
    }
    #expect(throws: DecodingError.self) { try decompress(good + [0], limit: 10_000) }
    for bit in 0..<good.count * 8 {
      var bad = good
      bad[bit / 8] ^= 1 << (bit % 8)
      // Bits between the last block and the next whole byte say nothing; every other one shows.
      if let result = try? decompress(bad, limit: 10_000) { #expect(result == content, "bit \(bit)") }
    }
  }
}
