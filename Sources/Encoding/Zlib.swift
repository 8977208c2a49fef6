/// Reads what zlib has compressed (RFC 1950 and 1951). Nothing is ever written in this form: BOLT 7 gave it up, and nodes from before that
/// still ask in it.
public enum Zlib {
  /// - Parameter limit: the most bytes that may come out: a few bytes can claim to be millions.
  /// - Throws: `DecodingError` for everything that is not exactly one zlib stream.
  public static func decompress(_ bytes: RawSpan, limit: Int) throws(DecodingError) -> [UInt8] {
    var reader = ByteReader(bytes)
    let method = try reader.readUInt8()
    let flags = try reader.readUInt8()
    // RFC 1950 §2.2: CM = 8 denotes the "deflate" compression method with a window size up to 32K. CMF*256 + FLG is a multiple of 31.
    guard method & 0x0f == 8, method >> 4 <= 7, (UInt16(method) << 8 | UInt16(flags)).isMultiple(of: 31) else {
      throw .malformed("not a zlib stream")
    }
    guard flags & 0x20 == 0 else { throw .malformed("zlib with a preset dictionary") }
    guard reader.remaining >= 4 else { throw .truncated }
    let compressed = try reader.read(count: reader.remaining - 4)
    var inflater = Inflater(compressed, limit: limit)
    try inflater.run()
    guard try reader.readUInt32() == adler32(inflater.output) else { throw .badChecksum }
    return inflater.output
  }

  static func adler32(_ bytes: [UInt8]) -> UInt32 {
    var (a, b) = (1 as UInt32, 0 as UInt32)
    for byte in bytes {
      a = (a + UInt32(byte)) % 65_521
      b = (b + a) % 65_521
    }
    return b << 16 | a
  }
}

/// RFC 1951.
private struct Inflater: ~Escapable {
  private var reader: ByteReader
  private let limit: Int
  private(set) var output: [UInt8] = []
  /// Bits that were read and not used, the next one lowest.
  private var bits: UInt32 = 0
  private var bitCount = 0

  @_lifetime(copy bytes) init(_ bytes: RawSpan, limit: Int) {
    reader = ByteReader(bytes)
    self.limit = limit
  }

  @_lifetime(self: copy self)
  mutating func run() throws(DecodingError) {
    while true {
      let isLast = try read(1) == 1
      switch try read(2) {
      case 0: try stored()
      case 1: try block(Self.fixedLengths, Self.fixedDistances)
      case 2:
        let (lengths, distances) = try readCodes()
        try block(lengths, distances)
      default: throw .malformed("an unknown kind of deflate block")
      }
      if isLast { break }
    }
    try reader.finish()
  }

  @_lifetime(self: copy self)
  private mutating func read(_ count: Int) throws(DecodingError) -> Int {
    while bitCount < count {
      bits |= UInt32(try reader.readUInt8()) << UInt32(bitCount)
      bitCount += 8
    }
    let value = bits & (1 << UInt32(count) - 1)
    bits >>= UInt32(count)
    bitCount -= count
    return Int(value)
  }

  private mutating func append(_ byte: UInt8) throws(DecodingError) {
    guard output.count < limit else { throw .tooLarge }
    output.append(byte)
  }

  /// RFC 1951 §3.2.4: any bits of input up to the next byte boundary are ignored.
  @_lifetime(self: copy self)
  private mutating func stored() throws(DecodingError) {
    (bits, bitCount) = (0, 0)
    let count = try reader.readUInt16LE()
    guard try reader.readUInt16LE() == ~count else { throw .malformed("a stored deflate block of another length") }
    for byte in try reader.readArray(count: Int(count)) { try append(byte) }
  }

  /// A Huffman code: how many codes there are of each length, and the symbols in the order of their codes.
  struct Code {
    var counts = [UInt16](repeating: 0, count: 16)
    var symbols: [UInt16] = []

    /// Throws when there are more codes of some length than are free. One that leaves codes free is complete enough for what it is used for.
    init(_ lengths: [UInt8]) throws(DecodingError) {
      for length in lengths { counts[Int(min(length, 15))] += 1 }
      counts[0] = 0
      var free = 1
      for length in 1...15 {
        free = free * 2 - Int(counts[length])
        guard free >= 0 else { throw .malformed("an impossible Huffman code") }
      }
      for length in 1...15 as ClosedRange<UInt8> {
        for (symbol, own) in lengths.enumerated() where own == length { symbols.append(UInt16(symbol)) }
      }
    }

    /// For codes that are known to be good.
    init(symbols: [UInt16], counts: [UInt16]) {
      self.symbols = symbols
      self.counts = counts
    }
  }

  // RFC 1951 §3.2.6.
  private static let fixedLengths = Code(
    symbols: Array(256...279) + Array(0...143) + Array(280...287) + Array(144...255),
    counts: [0, 0, 0, 0, 0, 0, 0, 24, 152, 112, 0, 0, 0, 0, 0, 0])
  private static let fixedDistances = Code(
    symbols: Array(0...29), counts: [0, 0, 0, 0, 0, 30, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])

  @_lifetime(self: copy self)
  private mutating func symbol(_ code: borrowing Code) throws(DecodingError) -> Int {
    // Codes of one length are consecutive numbers, and begin where those of the length before have ended.
    var (value, first, index) = (0, 0, 0)
    for length in 1...15 {
      value |= try read(1)
      let count = Int(code.counts[length])
      if value - first < count { return Int(code.symbols[index + value - first]) }
      index += count
      first = (first + count) << 1
      value <<= 1
    }
    throw .malformed("a Huffman code that means nothing")
  }

  // RFC 1951 §3.2.5: the least length or distance of each code, and the extra bits.
  private static let lengthBases: [Int] = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
  ]
  private static let lengthBits: [Int] = [
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
  ]
  private static let distanceBases: [Int] = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
    8193,
    12_289, 16_385, 24_577,
  ]

  @_lifetime(self: copy self)
  private mutating func block(_ lengths: Code, _ distances: Code) throws(DecodingError) {
    while true {
      let symbol = try symbol(lengths)
      if symbol < 256 {
        try append(UInt8(truncatingIfNeeded: symbol))
        continue
      }
      if symbol == 256 { return }
      guard symbol - 257 < Self.lengthBases.count else { throw .malformed("a length that deflate does not have") }
      let length = Self.lengthBases[symbol - 257] + (try read(Self.lengthBits[symbol - 257]))
      let code = try self.symbol(distances)
      guard code < Self.distanceBases.count else { throw .malformed("a distance that deflate does not have") }
      let distance = Self.distanceBases[code] + (try read(code < 4 ? 0 : code / 2 - 1))
      guard distance <= output.count else { throw .malformed("a distance to before the beginning") }
      for _ in 0..<length { try append(output[output.count - distance]) }
    }
  }

  /// RFC 1951 §3.2.7: the codes of a block, themselves in a Huffman code.
  @_lifetime(self: copy self)
  private mutating func readCodes() throws(DecodingError) -> (lengths: Code, distances: Code) {
    let literals = try read(5) + 257
    let distances = try read(5) + 1
    let codes = try read(4) + 4
    guard literals <= 286, distances <= 30 else { throw .malformed("more codes than deflate has") }
    let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
    var own = [UInt8](repeating: 0, count: 19)
    for place in order.prefix(codes) { own[place] = UInt8(try read(3)) }
    let code = try Code(own)
    var all: [UInt8] = []
    while all.count < literals + distances {
      let symbol = try symbol(code)
      let (length, count): (UInt8, Int)
      switch symbol {
      case 16:
        guard let last = all.last else { throw .malformed("a repetition of nothing") }
        (length, count) = (last, try read(2) + 3)
      case 17: (length, count) = (0, try read(3) + 3)
      case 18: (length, count) = (0, try read(7) + 11)
      default: (length, count) = (UInt8(symbol), 1)
      }
      guard all.count + count <= literals + distances else { throw .malformed("more code lengths than codes") }
      all += [UInt8](repeating: length, count: count)
    }
    guard all[256] != 0 else { throw .malformed("a block without an end") }
    return (try Code(Array(all.prefix(literals))), try Code(Array(all.dropFirst(literals))))
  }
}
