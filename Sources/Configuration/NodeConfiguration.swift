public import Bitcoin
public import Encoding
public import Secp256k1

/// A host and a port: `127.0.0.1:9735`, `[::1]:9735`, `node.example:9735`, `….onion:9735`.
public struct HostPort: Hashable, Sendable, CustomStringConvertible {
  public var host: String
  public var port: UInt16

  public init(host: String, port: UInt16) {
    self.host = host
    self.port = port
  }

  /// Nil when the text is no host with a port. Without a port, `defaultPort` is taken.
  public init?(_ text: some StringProtocol, defaultPort: UInt16? = nil) {
    var host = String(text)
    var port: UInt16?
    if host.hasPrefix("[") {
      guard let end = host.firstIndex(of: "]") else { return nil }
      let rest = host[host.index(after: end)...]
      guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
      if !rest.isEmpty {
        guard let number = Self.port(rest.dropFirst()) else { return nil }
        port = number
      }
      host = String(host[host.index(after: host.startIndex)..<end])
      guard host.contains(":"), host.utf8.allSatisfy(Self.isAddressCharacter) else { return nil }
    } else if host.filter({ $0 == ":" }).count > 1 {
      // Only an IPv6 address has more than one colon: it has no port then.
      guard host.utf8.allSatisfy(Self.isAddressCharacter) else { return nil }
    } else if let colon = host.firstIndex(of: ":") {
      guard let number = Self.port(host[host.index(after: colon)...]) else { return nil }
      port = number
      host = String(host[..<colon])
    }
    guard !host.isEmpty, host.utf8.count <= 253, let port = port ?? defaultPort,
      host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "@") })
    else { return nil }
    self.init(host: host, port: port)
  }

  private static func isAddressCharacter(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x46, 0x61...0x66, UInt8(ascii: ":"), UInt8(ascii: "."), UInt8(ascii: "%"): true
    default: false
    }
  }

  private static func port(_ text: Substring) -> UInt16? {
    text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? UInt16(text) : nil
  }

  public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// Everything that can be set for a node, with the defaults of a regtest node on a chain of its own.
public struct NodeConfiguration: Hashable, Sendable {
  /// Holds a folder for each network.
  public var dataDirectory = ""
  public var network = Network.regtest
  /// Where the API answers when not at its usual place.
  public var rpcSocket: String?
  /// The name in announcements, at most 32 bytes of UTF-8; nil for one made from the node id.
  public var alias: String?
  /// Red, green and blue in announcements; nil for one made from the node id.
  public var color: [UInt8]?
  public var isDaemon = false
  /// The file whose first line encrypts the seed.
  public var passphraseFile: String?

  public var peers = PeerSettings()
  public var chain = ChainSettings()
  public var forwarding = ForwardingSettings()
  public var channels = ChannelSettings()
  public var log = LogSettings()
  public var developer = DeveloperSettings()

  public init() {}

  /// `mainnet`, `testnet4`, `signet`, `regtest`: as users write it, and the name of the folder.
  public var networkName: String { Self.name(of: network) }

  /// What belongs to the network: `DATA-DIR/NETWORK`.
  public var networkDirectory: String { "\(dataDirectory)/\(networkName)" }

  /// `DATA-DIR/NETWORK/lightning-rpc`, or what was set.
  public var rpcSocketPath: String { rpcSocket ?? "\(networkDirectory)/lightning-rpc" }

  /// Where to listen: what was set, or the network's port, on regtest for this machine alone.
  public var listenAddresses: [HostPort] {
    if let listen = peers.listen { return listen }
    let port = Self.defaultPort(network)
    if network == .regtest { return [HostPort(host: "127.0.0.1", port: port)] }
    return [HostPort(host: "0.0.0.0", port: port), HostPort(host: "::", port: port)]
  }

  public static let networks: [Network] = [.bitcoin, .testnet4, .signet, .regtest]

  public static func name(of network: Network) -> String { network == .bitcoin ? "mainnet" : network.chainName }

  /// The port that Core Lightning listens on.
  public static func defaultPort(_ network: Network) -> UInt16 {
    switch network {
    case .bitcoin: 9735
    case .testnet: 19735
    case .testnet4: 49735
    case .signet: 39735
    case .regtest: 19846
    }
  }
}

public struct PeerSettings: Hashable, Sendable {
  /// Nil for the default; none for a node that only connects to others.
  public var listen: [HostPort]?
  public var announcedAddresses: [HostPort] = []
  /// Tor's SOCKS5 proxy.
  public var proxy: HostPort?
  /// Everything goes through the proxy, not .onion addresses alone.
  public var alwaysUsesProxy = false
  /// Peers that are connected at the same time.
  public var maximumPeers = 500
  /// Incoming connections that have not said who they are.
  public var maximumHandshakes = 100
  /// From one peer, before it is slowed down.
  public var maximumMessagesPerSecond = 2000
}

public struct ChainSettings: Hashable, Sendable {
  public enum Source: String, Hashable, Sendable, CaseIterable {
    case embedded
    case bitcoind
  }

  /// Nil for the default: embedded on regtest, bitcoind elsewhere.
  public var source: Source?
  /// Between blocks of the embedded chain; nil when they are made on demand.
  public var blockInterval: Duration?
  public var bitcoind = BitcoindSettings()
}

public struct BitcoindSettings: Hashable, Sendable {
  /// Nil for the network's port on this machine.
  public var url: String?
  /// The file with user and password that bitcoind writes; nil for its usual place, unless there is a user.
  public var cookieFile: String?
  public var user: String?
  public var password: String?
  /// `zmqpubrawblock` or `zmqpubhashblock` of bitcoind.
  public var zmqBlock: String?
  /// `zmqpubrawtx` of bitcoind.
  public var zmqTransaction: String?

  /// The address of bitcoind's RPC on this machine.
  public static func defaultURL(_ network: Network) -> String {
    let port =
      switch network {
      case .bitcoin: 8332
      case .testnet: 18332
      case .testnet4: 48332
      case .signet: 38332
      case .regtest: 18443
      }
    return "http://127.0.0.1:\(port)"
  }

  /// Where bitcoind leaves its cookie.
  public static func defaultCookieFile(_ network: Network, home: String) -> String {
    let folder =
      switch network {
      case .bitcoin: ""
      case .testnet: "testnet3/"
      case .testnet4, .signet, .regtest: network.chainName + "/"
      }
    return "\(home)/.bitcoin/\(folder).cookie"
  }
}

/// What forwarding costs here and what is forwarded (BOLT 7 `channel_update`). Each channel can be set apart with `setchannel`.
public struct ForwardingSettings: Hashable, Sendable {
  public var feeBase = MilliSatoshi(1000)
  public var feeProportionalMillionths: UInt32 = 10
  /// BOLT 2 §`cltv_expiry_delta` Selection thinks 34 blocks reasonable.
  public var cltvExpiryDelta: UInt16 = 40
  public var htlcMinimum = MilliSatoshi(1)
  /// Nil for what the channel can carry.
  public var htlcMaximum: MilliSatoshi?
  /// What all contracts too small for an output may come to on a channel.
  public var maximumDustExposure = MilliSatoshi(50_000_000)
}

/// Which channels are accepted, and what is asked for in them.
public struct ChannelSettings: Hashable, Sendable {
  public var minimumFunding = Satoshi(10_000)
  /// Nil for no limit.
  public var maximumFunding: Satoshi?
  /// What this node puts into channels that peers propose, at most.
  public var maximumContribution = Satoshi.zero
  /// Peers whose channels can be used before they are in a block.
  public var zeroconfPeers: [PublicKey] = []
  /// Blocks until a channel is used; nil for 3, on regtest 1.
  public var minimumDepth: UInt32?
  /// The reserve asked of the other side, of the channel's size.
  public var reserveMillionths: UInt32 = 10_000
  public var dustLimit = Satoshi(546)
  /// Of what the other side may have in contracts at a time; nil for no limit.
  public var maximumInFlight: MilliSatoshi?
  public var maximumAcceptedHTLCs: UInt16 = 483
  /// Blocks that the other side waits for its money after a force close.
  public var toSelfDelay: UInt16 = 144
  /// Whether channels that are opened without saying so are announced.
  public var announces = true
  /// How many times our own estimate a peer may ask for as a fee rate; nil for 10, on regtest without limit. Zero is no limit.
  public var maximumFeeRateFactor: UInt32?
}

public enum LogLevel: String, Hashable, Sendable, CaseIterable {
  case trace, debug, info, notice, warning, error, critical
}

public struct LogSettings: Hashable, Sendable {
  /// Of all subsystems that `levels` does not name.
  public var level = LogLevel.info
  /// By subsystem, for example `peers`.
  public var levels: [String: LogLevel] = [:]
  /// Nil for the standard error stream, or `NETWORK/log` for a daemon.
  public var file: String?
  /// Where all messages to and from peers are recorded; nil for nowhere.
  public var recording: String?
}

/// Switches for tests, refused on mainnet.
public struct DeveloperSettings: Hashable, Sendable {
  public var nodeKey: Bytes32?
  /// Funding, revocation, payment, delayed payment, HTLC.
  public var channelSecrets: [Bytes32]?
  public var shachainSeed: Bytes32?
  public var hasFastGossip = false
  public var hasFastPolling = false
  /// HTLCs are never failed, nor channels closed, because of time.
  public var hasNoHTLCTimeouts = false
  /// The methods `glc-dev-…` answer.
  public var hasMethods = false

  public init(
    nodeKey: Bytes32? = nil, channelSecrets: [Bytes32]? = nil, shachainSeed: Bytes32? = nil,
    hasFastGossip: Bool = false,
    hasFastPolling: Bool = false, hasNoHTLCTimeouts: Bool = false, hasMethods: Bool = false
  ) {
    self.nodeKey = nodeKey
    self.channelSecrets = channelSecrets
    self.shachainSeed = shachainSeed
    self.hasFastGossip = hasFastGossip
    self.hasFastPolling = hasFastPolling
    self.hasNoHTLCTimeouts = hasNoHTLCTimeouts
    self.hasMethods = hasMethods
  }
}
