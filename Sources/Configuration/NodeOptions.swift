/// All options, in the order of help and sample file.
public enum NodeOptions {
  public static let all: [ConfigurationOption] = node + peers + chain + forwarding + channels + log + developer

  /// Says where the file is, so it cannot stand in it.
  static let configuration = ConfigurationOption.one(
    "config", .node, .path("~/.glc/glc.toml"), default: "DATA-DIR/glc.toml, where there is one",
    example: "~/.glc/glc.toml",
    "The file with settings. An option on the command line is stronger than an environment variable, "
      + "and that is stronger than the file.", set: { _, _ in })

  static let dataDirectory = ConfigurationOption.one(
    "data-dir", .node, .path("~/.glc"), default: "~/.glc",
    "The folder with everything the node keeps, in a folder for each network. A file that is found in this folder cannot set it.",
    set: { $0.dataDirectory = $1 })

  private static let node: [ConfigurationOption] = [
    configuration,
    dataDirectory,
    .one(
      "network", .node, .network, default: "regtest", "mainnet, testnet4, signet or regtest.", set: { $0.network = $1 }),
    .one(
      "rpc-socket", .node, .path("~/.glc/regtest/lightning-rpc"), default: "DATA-DIR/NETWORK/lightning-rpc",
      example: "~/.glc/regtest/lightning-rpc", "The Unix socket on which the API answers.", set: { $0.rpcSocket = $1 }),
    .one(
      "alias", .node, .alias, default: "made from the node id", example: "my node", "The node's name in announcements.",
      set: { $0.alias = $1 }),
    .one(
      "color", .node, .color, default: "made from the node id", example: "3399ff",
      "The node's colour in announcements.",
      set: { $0.color = $1 }),
    .one(
      "daemon", .node, .flag, default: "false", "Go to the background once the API answers.", set: { $0.isDaemon = $1 }),
    .one(
      "passphrase-file", .node, .path("~/.glc-passphrase"),
      "The file whose first line encrypts the seed. Needed at every start once the seed was made with it.",
      set: { $0.passphraseFile = $1 }),
  ]

  private static let peers: [ConfigurationOption] = [
    .list(
      "listen", .peers, .hostPort, default: "the network's port, on regtest for this machine alone",
      example: "0.0.0.0:9735",
      "Where peers can connect to. May be given several times; an empty list is for a node that only connects to others.",
      set: { $0.peers.listen = $1 }),
    .list(
      "announce-addr", .peers, .hostPort, example: "node.example:9735",
      "An address to announce, for others to connect to. May be given several times; may be an .onion address.",
      set: { $0.peers.announcedAddresses = $1 }),
    .one(
      "proxy", .peers, .hostPort, example: "127.0.0.1:9050",
      "Tor's SOCKS5 proxy, through which .onion addresses are reached.",
      set: { $0.peers.proxy = $1 }),
    .one(
      "always-use-proxy", .peers, .flag, default: "false", "Connect through the proxy to all addresses.",
      set: { $0.peers.alwaysUsesProxy = $1 }),
    .one(
      "max-peers", .peers, .integer(1...100_000), default: "500", "How many peers may be connected at the same time.",
      set: { $0.peers.maximumPeers = $1 }),
    .one(
      "max-handshakes", .peers, .integer(1...100_000), default: "100",
      "How many incoming connections may be open that have not said who they are.",
      set: { $0.peers.maximumHandshakes = $1 }),
    .one(
      "max-messages-per-second", .peers, .integer(10...1_000_000), default: "2000",
      "How many messages a peer may send in a second before it is slowed down.",
      set: { $0.peers.maximumMessagesPerSecond = $1 }),
  ]

  private static let chain: [ConfigurationOption] = [
    .one(
      "chain", .chain, .chain, default: "embedded on regtest, bitcoind elsewhere", example: "bitcoind",
      "Where blocks come from: a regtest chain inside this process, or bitcoind (or `glcnode chain`).",
      set: { $0.chain.source = $1 }),
    .one(
      "block-interval", .chain, .integer(0...86_400, unit: "SECONDS"), default: "0",
      "How often the embedded chain makes a block; 0 for on demand.",
      set: { $0.chain.blockInterval = $1 == 0 ? nil : .seconds($1) }),
    .one(
      "bitcoind-url", .chain, .url, default: "the network's port on this machine", example: "http://127.0.0.1:18443",
      "Where bitcoind's RPC answers.", set: { $0.chain.bitcoind.url = $1 }),
    .one(
      "bitcoind-cookie", .chain, .path("~/.bitcoin/regtest/.cookie"), default: "where bitcoind leaves it",
      example: "~/.bitcoin/regtest/.cookie", "The file with user and password that bitcoind writes.",
      set: { $0.chain.bitcoind.cookieFile = $1 }),
    .one(
      "bitcoind-user", .chain, .text, example: "user", "The user of bitcoind's RPC, instead of the cookie.",
      set: { $0.chain.bitcoind.user = $1 }),
    .one(
      "bitcoind-password", .chain, .text, example: "password", isSecret: true,
      "The user's password. Better in the file or the environment: others can see command lines.",
      set: { $0.chain.bitcoind.password = $1 }),
    .one(
      "zmq-block", .chain, .zmq, example: "tcp://127.0.0.1:28332",
      "Where bitcoind publishes blocks (its zmqpubrawblock or zmqpubhashblock). Without it, it is asked every few seconds.",
      set: { $0.chain.bitcoind.zmqBlock = $1 }),
    .one(
      "zmq-tx", .chain, .zmq, example: "tcp://127.0.0.1:28333",
      "Where bitcoind publishes transactions (its zmqpubrawtx).",
      set: { $0.chain.bitcoind.zmqTransaction = $1 }),
  ]

  private static let forwarding: [ConfigurationOption] = [
    .one(
      "fee-base-msat", .forwarding, .msat, default: "1000", "The fixed fee for a forwarded payment.",
      set: { $0.forwarding.feeBase = $1 }),
    .one(
      "fee-ppm", .forwarding, .integer(0...1_000_000, unit: "PPM"), default: "10",
      "The fee for a forwarded payment in millionths of its amount.",
      set: { $0.forwarding.feeProportionalMillionths = $1 }),
    .one(
      "cltv-delta", .forwarding, .integer(6...2016, unit: "BLOCKS"), default: "40",
      "How many blocks lie between the time-out of what we forward and the time-out of what we got for it.",
      set: { $0.forwarding.cltvExpiryDelta = $1 }),
    .one(
      "htlc-minimum-msat", .forwarding, .msat, default: "1", "The smallest payment that is forwarded.",
      set: { $0.forwarding.htlcMinimum = $1 }),
    .one(
      "htlc-maximum-msat", .forwarding, .msat, default: "what the channel can carry", example: "1000000000",
      "The largest payment that is forwarded.", set: { $0.forwarding.htlcMaximum = $1 }),
    .one(
      "max-dust-exposure-msat", .forwarding, .msat, default: "50000000",
      "What all payments too small for an output may come to on one channel: it would be lost to fees in a force close.",
      set: { $0.forwarding.maximumDustExposure = $1 }),
  ]

  private static let channels: [ConfigurationOption] = [
    .one(
      "min-funding-sat", .channels, .sat, default: "10000", "The smallest channel that a peer may open.",
      set: { $0.channels.minimumFunding = $1 }),
    .one(
      "max-funding-sat", .channels, .sat, default: "no limit", example: "100000000",
      "The largest channel that a peer may open.",
      set: { $0.channels.maximumFunding = $1 }),
    .one(
      "max-contribution-sat", .channels, .sat, default: "0", example: "1000000",
      "What this node puts into a channel that a peer proposes and asks it to fund with it, at most.",
      set: { $0.channels.maximumContribution = $1 }),
    .list(
      "zeroconf-peer", .channels, .nodeID,
      "A peer whose channels can be used before they are in a block: it can take back what it sent through them. "
        + "May be given several times.", set: { $0.channels.zeroconfPeers = $1 }),
    .one(
      "minimum-depth", .channels, .integer(0...144, unit: "BLOCKS"), default: "3, on regtest 1", example: "3",
      "How many blocks it takes until a channel is used.", set: { $0.channels.minimumDepth = $1 }),
    .one(
      "reserve-ppm", .channels, .integer(0...200_000, unit: "PPM"), default: "10000",
      "What the other side must always keep, in millionths of the channel, so that it has something to lose.",
      set: { $0.channels.reserveMillionths = $1 }),
    .one(
      "dust-limit-sat", .channels, .sat, default: "546", "The smallest output of our commitments, at least 354.",
      set: { $0.channels.dustLimit = $1 }),
    .one(
      "max-in-flight-msat", .channels, .msat, default: "no limit", example: "1000000000",
      "What may be in pending payments towards us at a time, for each channel.",
      set: { $0.channels.maximumInFlight = $1 }),
    .one(
      "max-accepted-htlcs", .channels, .integer(1...483), default: "483",
      "How many payments towards us may be pending at a time, for each channel.",
      set: { $0.channels.maximumAcceptedHTLCs = $1 }),
    .one(
      "to-self-delay", .channels, .integer(1...2016, unit: "BLOCKS"), default: "144",
      "How many blocks the other side waits for its money after it force-closed; the time in which it can be punished.",
      set: { $0.channels.toSelfDelay = $1 }),
    .one(
      "announce", .channels, .flag, default: "true",
      "Whether channels are announced when they are opened without saying so.",
      set: { $0.channels.announces = $1 }),
    .one(
      "max-feerate-factor", .channels, .integer(0...1000), default: "10, on regtest no limit", example: "10",
      "How many times our own estimate a peer may ask for as fee rate; 0 for no limit.",
      set: { $0.channels.maximumFeeRateFactor = $1 }),
  ]

  private static let log: [ConfigurationOption] = [
    .list(
      "log-level", .log, .logLevel, default: "info", example: "info",
      "trace, debug, info, notice, warning, error or critical; SUBSYSTEM=LEVEL for one subsystem, for example peers=debug. "
        + "May be given several times.",
      set: { configuration, settings in
        configuration.log = LogSettings(file: configuration.log.file, recording: configuration.log.recording)
        for setting in settings {
          if let subsystem = setting.subsystem {
            configuration.log.levels[subsystem] = setting.level
          } else {
            configuration.log.level = setting.level
          }
        }
      }),
    .one(
      "log-file", .log, .path("~/.glc/regtest/log"),
      default: "the standard error stream, for a daemon DATA-DIR/NETWORK/log",
      example: "~/.glc/regtest/log", "The file to append the log to. It is opened anew at SIGHUP.",
      set: { $0.log.file = $1 }),
    .one(
      "record", .log, .path("~/.glc/regtest/messages"), example: "~/.glc/regtest/messages",
      "Append every message to and from peers, decrypted, to this file: lines for `glcnode tool batch` and `glcnode glc-replay`.",
      set: { $0.log.recording = $1 }),
  ]

  private static let developer: [ConfigurationOption] = [
    .one(
      "dev-node-key", .developer, .secret, isSecret: true, "The node's secret key.", set: { $0.developer.nodeKey = $1 }),
    .one(
      "dev-channel-secrets", .developer, .channelSecrets, isSecret: true,
      "The secrets of every channel: funding, revocation, payment, delayed payment, HTLC.",
      set: { $0.developer.channelSecrets = $1 }),
    .one(
      "dev-shachain-seed", .developer, .secret, isSecret: true, "The seed of every channel's per-commitment secrets.",
      set: { $0.developer.shachainSeed = $1 }),
    .one(
      "dev-fast-gossip", .developer, .flag, default: "false", "Send gossip at once instead of once a minute.",
      set: { $0.developer.hasFastGossip = $1 }),
    .one(
      "dev-fast-polling", .developer, .flag, default: "false", "Ask for blocks several times a second.",
      set: { $0.developer.hasFastPolling = $1 }),
    .one(
      "dev-no-htlc-timeouts", .developer, .flag, default: "false",
      "Fail no payment and close no channel because of a time-out.", set: { $0.developer.hasNoHTLCTimeouts = $1 }),
    .one(
      "dev-methods", .developer, .flag, default: "false",
      "Answer the methods glc-dev-…, which set fee rates at will and publish commitments that were revoked.",
      set: { $0.developer.hasMethods = $1 }),
  ]
}
