public import Encoding

/// Where a node can be reached: an `address descriptor` (BOLT 7 §The `node_announcement` Message).
public enum NodeAddress: Hashable, Sendable {
  case ipv4(FixedBytes<4>, port: UInt16)
  case ipv6(FixedBytes<16>, port: UInt16)
  /// 12 bytes. BOLT 7: SHOULD ignore Tor v2 onion services.
  case torV2(FixedBytes<12>)
  /// 35 bytes: ed25519 public key, checksum, version.
  case torV3(FixedBytes<35>, port: UInt16)
  /// ASCII, up to 255 bytes.
  case hostname(Hostname, port: UInt16)

  /// The name of a host: 0 to 255 bytes of ASCII. BOLT 7: Non-ASCII characters MUST be encoded using Punycode.
  public struct Hostname: Hashable, Sendable, CustomStringConvertible {
    public let bytes: [UInt8]

    public init(_ bytes: [UInt8]) throws(DecodingError) {
      guard bytes.count <= 255 else { throw .tooLarge }
      // Of ASCII, only what can stand in the name of a host: what comes from outside ends up in logs and in resolvers.
      if let offset = bytes.firstIndex(where: { !Self.isAllowed($0) }) { throw .invalidCharacter(at: offset) }
      self.bytes = bytes
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f: true
      default: false
      }
    }

    public var description: String { String(decoding: bytes, as: UTF8.self) }
  }

  /// The descriptor's first byte.
  public var descriptorType: UInt8 {
    switch self {
    case .ipv4: 1
    case .ipv6: 2
    case .torV2: 3
    case .torV3: 4
    case .hostname: 5
    }
  }

  public var port: UInt16 {
    switch self {
    case .ipv4(_, let port), .ipv6(_, let port), .torV3(_, let port), .hostname(_, let port): port
    case .torV2(let bytes): UInt16(bytes[10]) << 8 | UInt16(bytes[11])
    }
  }

  /// Whether to try it. BOLT 7: if `port` is equal to 0: SHOULD ignore `ipv6_addr` OR `ipv4_addr` OR `hostname`. (…) SHOULD ignore
  /// Tor v2 onion services.
  public var isUsable: Bool {
    switch self {
    case .ipv4, .ipv6, .torV3: port != 0
    case .hostname(let name, _): port != 0 && !name.bytes.isEmpty
    case .torV2: false
    }
  }
}

extension NodeAddress: WireField {
  public static var minimumByteCount: Int { 4 }

  /// Reads one descriptor. Throws `.malformed` for a type that BOLT 7 does not define.
  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) {
    switch try reader.readUInt8() {
    case 1: self = .ipv4(try reader.read(), port: try reader.readUInt16())
    case 2: self = .ipv6(try reader.read(), port: try reader.readUInt16())
    case 3: self = .torV2(try reader.read())
    case 4: self = .torV3(try reader.read(), port: try reader.readUInt16())
    case 5:
      let count = Int(try reader.readUInt8())
      let name = try Hostname(try reader.readArray(count: count))
      self = .hostname(name, port: try reader.readUInt16())
    default: throw .malformed("unknown type of address")
    }
  }

  public func encode(to writer: inout ByteWriter) {
    writer.write(descriptorType)
    switch self {
    case .ipv4(let bytes, let port):
      writer.write(bytes)
      writer.write(port)
    case .ipv6(let bytes, let port):
      writer.write(bytes)
      writer.write(port)
    case .torV2(let bytes): writer.write(bytes)
    case .torV3(let bytes, let port):
      writer.write(bytes)
      writer.write(port)
    case .hostname(let name, let port):
      writer.write(UInt8(truncatingIfNeeded: name.bytes.count))
      writer.write(name.bytes)
      writer.write(port)
    }
  }
}

/// The `addresses` of a node, kept byte for byte because a signature covers them.
public struct NodeAddresses: Hashable, Sendable, WireField {
  public let bytes: [UInt8]

  public init(bytes: [UInt8]) { self.bytes = bytes }

  /// BOLT 7: MUST place address descriptors in ascending order.
  public init(_ addresses: [NodeAddress]) {
    let sorted = addresses.sorted { $0.descriptorType < $1.descriptorType }
    var writer = ByteWriter()
    for address in sorted { address.encode(to: &writer) }
    bytes = writer.bytes
  }

  @_lifetime(reader: copy reader)
  public init(from reader: inout ByteReader) throws(DecodingError) { bytes = reader.readRest() }
  public func encode(to writer: inout ByteWriter) { writer.write(bytes) }

  /// What a node's `addresses` say.
  public struct List: Hashable, Sendable {
    /// Those of known types, in their order, and of several host names only the first: BOLT 7: if more than one `type 5` address is
    /// announced: SHOULD ignore the additional data.
    public internal(set) var addresses: [NodeAddress] = []
    /// BOLT 7: if more than one `type 5` address is announced: (…) MUST not forward the `node_announcement`.
    public internal(set) var mayBeForwarded = true
  }

  /// Reads the descriptors up to the first of an unknown type. BOLT 7: SHOULD ignore the first `address descriptor` that does NOT match
  /// the types defined above. Throws when one of a known type is cut off, and for a host name that cannot be one: BOLT 7: if `addrlen`
  /// is insufficient to hold the address descriptors of the known types: SHOULD send a `warning`.
  public func list() throws(DecodingError) -> List {
    var list = List()
    var reader = ByteReader(bytes.bytes)
    var hasHostname = false
    while let type = reader.peekUInt8(), 1...5 ~= type {
      let address = try NodeAddress(from: &reader)
      if case .hostname = address {
        if hasHostname {
          list.mayBeForwarded = false
          continue
        }
        hasHostname = true
      }
      list.addresses.append(address)
    }
    return list
  }
}
