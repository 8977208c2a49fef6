public import Encoding

extension NodeAddress: CustomStringConvertible {
  /// Host and port: `192.0.2.1:9735`, `[2001:db8::1]:9735`, `….onion:9735`, `example.com:9735`.
  public var description: String {
    switch self {
    case .ipv4(let bytes, let port): "\((0..<4).map { String(bytes[$0]) }.joined(separator: ".")):\(port)"
    case .ipv6(let bytes, let port): "[\(Self.ipv6Text(bytes))]:\(port)"
    case .torV2(let bytes): "\(Base32.encode(Array(bytes.array[..<10]))).onion:\(port)"
    case .torV3(let bytes, let port): "\(Base32.encode(bytes.array)).onion:\(port)"
    case .hostname(let name, let port): "\(name):\(port)"
    }
  }

  /// Reads host and port. What is an IPv4 address or ends in `.onion` is no host name.
  public init(text: String) throws(DecodingError) {
    let characters = Array(text.utf8)
    guard let colon = characters.lastIndex(of: UInt8(ascii: ":")) else { throw .malformed("no port") }
    let port = try Self.decimal(characters[(colon + 1)...], maximum: 65535)
    let host = characters[..<colon]
    if host.first == UInt8(ascii: "["), host.last == UInt8(ascii: "]"), host.count >= 2 {
      self = .ipv6(try Self.ipv6(host.dropFirst().dropLast()), port: UInt16(port))
      return
    }
    let onion = Array(".onion".utf8)
    if host.count >= onion.count, host.suffix(onion.count).map(Self.lowercased) == onion {
      let bytes = try Base32.decode(host.dropLast(onion.count).map(Self.lowercased))
      switch bytes.count {
      case 35: self = .torV3(try FixedBytes<35>(bytes), port: UInt16(port))
      case 10: self = .torV2(try FixedBytes<12>(bytes + [UInt8(port >> 8), UInt8(port & 255)]))
      default: throw .malformed("an onion address has 16 or 56 characters")
      }
      return
    }
    if let address = try? Self.ipv4(host) {
      self = .ipv4(address, port: UInt16(port))
      return
    }
    guard !host.isEmpty else { throw .malformed("no host") }
    self = .hostname(try Hostname(Array(host)), port: UInt16(port))
  }

  private static func lowercased(_ byte: UInt8) -> UInt8 { 0x41...0x5a ~= byte ? byte + 32 : byte }

  private static func decimal(_ digits: ArraySlice<UInt8>, maximum: Int) throws(DecodingError) -> Int {
    guard 1...5 ~= digits.count, digits.allSatisfy({ 0x30...0x39 ~= $0 }) else {
      throw .malformed("not a decimal number")
    }
    guard digits.count == 1 || digits.first != 0x30 else { throw .notMinimal }
    let value = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    guard value <= maximum else { throw .tooLarge }
    return value
  }

  private static func ipv4(_ text: ArraySlice<UInt8>) throws(DecodingError) -> FixedBytes<4> {
    let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 4 else { throw .malformed("an IPv4 address is four numbers separated by dots") }
    var bytes = FixedBytes<4>()
    for (index, part) in parts.enumerated() {
      bytes[index] = UInt8(truncatingIfNeeded: try decimal(part, maximum: 255))
    }
    return bytes
  }

  /// RFC 5952: lower case, no leading zeros, the longest run of two or more zero groups (the first of several) as `::`.
  private static func ipv6Text(_ bytes: FixedBytes<16>) -> String {
    let groups = (0..<8).map { UInt16(bytes[2 * $0]) << 8 | UInt16(bytes[2 * $0 + 1]) }
    var best = 0..<0
    var start = 0
    while start < 8 {
      var end = start
      while end < 8, groups[end] == 0 { end += 1 }
      if end - start > max(best.count, 1) { best = start..<end }
      start = end + 1
    }
    func text(_ part: Range<Int>) -> String { groups[part].map { String($0, radix: 16) }.joined(separator: ":") }
    return best.isEmpty ? text(0..<8) : "\(text(0..<best.lowerBound))::\(text(best.upperBound..<8))"
  }

  /// RFC 4291 §2.2, without the form that ends in an IPv4 address.
  private static func ipv6(_ text: ArraySlice<UInt8>) throws(DecodingError) -> FixedBytes<16> {
    let colon = UInt8(ascii: ":")
    let gap = text.indices.dropLast().first { text[$0] == colon && text[$0 + 1] == colon }
    var front: [UInt16] = []
    var back: [UInt16] = []
    if let gap {
      front = try ipv6Groups(text[..<gap])
      back = try ipv6Groups(text[(gap + 2)...])
      guard front.count + back.count < 8 else { throw .malformed("not an IPv6 address") }
    } else {
      front = try ipv6Groups(text)
      guard front.count == 8 else { throw .malformed("not an IPv6 address") }
    }
    var bytes = FixedBytes<16>()
    let groups = front + Array(repeating: 0, count: 8 - front.count - back.count) + back
    for (index, group) in groups.enumerated() {
      bytes[2 * index] = UInt8(group >> 8)
      bytes[2 * index + 1] = UInt8(truncatingIfNeeded: group)
    }
    return bytes
  }

  /// Hexadecimal groups separated by colons; none in an empty text.
  private static func ipv6Groups(_ text: ArraySlice<UInt8>) throws(DecodingError) -> [UInt16] {
    if text.isEmpty { return [] }
    var groups: [UInt16] = []
    for part in text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false) {
      guard 1...4 ~= part.count, part.first != UInt8(ascii: "+"),
        let group = UInt16(String(decoding: part, as: UTF8.self), radix: 16)
      else { throw .malformed("not an IPv6 address") }
      groups.append(group)
    }
    return groups
  }
}

/// RFC 4648 base 32 without padding, in lower case: the names of onion services.
private enum Base32 {
  private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)

  static func encode(_ bytes: [UInt8]) -> String {
    String(decoding: Bech32.fiveBit(from: bytes.bytes).map { alphabet[Int($0)] }, as: UTF8.self)
  }

  static func decode(_ text: [UInt8]) throws(DecodingError) -> [UInt8] {
    var values: [UInt8] = []
    for (offset, character) in text.enumerated() {
      guard let value = alphabet.firstIndex(of: character) else { throw .invalidCharacter(at: offset) }
      values.append(UInt8(value))
    }
    return try Bech32.bytes(fromFiveBit: values)
  }
}
