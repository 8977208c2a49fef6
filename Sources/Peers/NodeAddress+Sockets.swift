internal import Encoding
internal import NIOCore
internal import Wire

extension NodeAddress {
  /// Host without port, IPv6 without brackets.
  var host: String {
    let text = description
    let host = text[..<(text.lastIndex(of: ":") ?? text.endIndex)]
    return String(host.first == "[" ? host.dropFirst().dropLast() : host)
  }

  /// Nil for what is no address of the Internet Protocol (Unix sockets).
  init?(_ address: SocketAddress?) {
    guard let address, let port = address.port, let text = address.ipAddress else { return nil }
    // Local IPv6 addresses carry an interface behind `%`.
    let host = text.prefix { $0 != "%" }
    guard let own = try? NodeAddress(text: host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)") else {
      return nil
    }
    self = own
  }

  /// Whether it is the machine's own.
  var isLoopback: Bool {
    switch self {
    case .ipv4(let bytes, _): bytes[0] == 127
    case .ipv6(let bytes, _): (0..<15).allSatisfy { bytes[$0] == 0 } && bytes[15] == 1
    default: false
    }
  }

  /// Whether it is an address of the Internet that others can see: IANA's registries of special-purpose addresses, in short.
  var isPublic: Bool {
    switch self {
    case .ipv4(let bytes, _):
      switch (bytes[0], bytes[1], bytes[2]) {
      case (0, _, _), (10, _, _), (127, _, _), (169, 254, _), (192, 168, _), (192, 0, 0), (192, 0, 2): false
      case (198, 18...19, _), (198, 51, 100), (203, 0, 113), (100, 64...127, _), (172, 16...31, _): false
      case (224..., _, _): false
      default: true
      }
    case .ipv6(let bytes, _):
      // 2000::/3 is all that was ever given out; 2001:db8::/32 is for documents.
      bytes[0] & 0xe0 == 0x20 && !(bytes[0] == 0x20 && bytes[1] == 0x01 && bytes[2] == 0x0d && bytes[3] == 0xb8)
    default: false
    }
  }

  /// What counts as one host: an IPv4 address, or an IPv6 /64, of which everybody has all addresses.
  var hostKey: UInt64? {
    switch self {
    case .ipv4(let bytes, _): (0..<4).reduce(0xffff) { $0 << 8 | UInt64(bytes[$1]) }
    case .ipv6(let bytes, _): (0..<8).reduce(0) { $0 << 8 | UInt64(bytes[$1]) }
    default: nil
    }
  }
}
