internal import BOLT
internal import Bitcoin
internal import Chain
public import Configuration
internal import Encoding
internal import FoundationEssentials
internal import GLC
internal import Logging
internal import Peers
internal import RPC
internal import Secp256k1
internal import Storage
internal import Synchronization
internal import Wallet
internal import Wire

/// A node as a process runs it: its folder, seed, store, chain and API, put together from a configuration.
public final class NodeProgram: Sendable {
  private let node: Node
  private let server: RPCServer
  private let backend: ChainBackend
  private let recorder: MessageRecorder?
  private let ended: AsyncStream<Void>
  private let end: AsyncStream<Void>.Continuation
  private let stopping = Mutex<Task<Void, Never>?>(nil)

  private init(
    node: Node, server: RPCServer, backend: ChainBackend, recorder: MessageRecorder?, ended: AsyncStream<Void>,
    end: AsyncStream<Void>.Continuation
  ) {
    self.recorder = recorder
    self.node = node
    self.server = server
    self.backend = backend
    self.ended = ended
    self.end = end
  }

  /// Starts everything; returns when the API answers. What it throws is a text for a person.
  public static func start(_ loaded: LoadedConfiguration, _ log: NodeLog) async throws -> NodeProgram {
    let configuration = loaded.configuration
    configuration.developer.warn(log.logger("node"))
    let folder = configuration.networkDirectory
    // First of all, because it locks the folder: nothing else of it may be touched while another node runs in it.
    let store = try SQLiteStore(folder: folder, schema: .node)
    do {
      let seed = SeedKeeper(configuration)
      let keys = try seed.keys(log.logger("node"))
      let backend = try await ChainBackend.open(configuration, log)
      do {
        return try await start(loaded, log, store: store, seed: seed, keys: keys, backend: backend)
      } catch {
        await backend.close()
        throw error
      }
    } catch {
      try? await store.close()
      throw error
    }
  }

  private static func start(
    _ loaded: LoadedConfiguration, _ log: NodeLog, store: SQLiteStore, seed: SeedKeeper, keys: KeyRing,
    backend: ChainBackend
  ) async throws -> NodeProgram {
    let configuration = loaded.configuration
    var launch = Node.Launch(
      settings: try NodeSettings(configuration), keys: keys, store: store, source: backend.source,
      logger: log.logger("node"))
    if configuration.network == .regtest { launch.birth = 0 }
    launch.listen = try configuration.listenAddresses.map { try Self.address($0, "listen") }
    launch.peers.limits.incomingConnections = configuration.peers.maximumPeers
    launch.peers.limits.uninitialisedConnections = configuration.peers.maximumHandshakes
    launch.peers.limits.messagesPerSecond = Double(configuration.peers.maximumMessagesPerSecond)
    if let proxy = configuration.peers.proxy {
      launch.peers.proxy = PeerConfiguration.Proxy(
        address: try Self.address(proxy, "proxy"), isForEverything: configuration.peers.alwaysUsesProxy)
    }
    launch.peers.logger = log.logger("peers")
    var recorder: MessageRecorder?
    if let path = configuration.log.recording {
      let made = try MessageRecorder(path: path, logger: log.logger("peers"))
      launch.peers.recorder = { made.record($0) }
      recorder = made
    }
    let node = try await Node.start(launch)
    let (ended, end) = AsyncStream.makeStream(of: Void.self)
    do {
      var registry = RPCRegistry()
      let surroundings = NodeSurroundings(
        configuration: configuration, control: backend.control, revealSeed: { try seed.words() },
        stop: { end.finish() })
      NodeHandlers.register(in: &registry, node: node, surroundings: surroundings)
      CommonMethods.register(in: &registry, configuration: loaded, log: log)
      let server = try await RPCServer.start(
        path: configuration.rpcSocketPath, registry: registry, logger: log.logger("rpc"))
      return NodeProgram(node: node, server: server, backend: backend, recorder: recorder, ended: ended, end: end)
    } catch {
      await node.stop()
      throw error
    }
  }

  static func address(_ place: HostPort, _ option: String) throws -> NodeAddress {
    guard let address = NodeAddress(place) else {
      throw NodeError.start("\(option): \(place) is no address")
    }
    return address
  }

  /// Ends everything in good order and returns when nothing runs any more. May be called again.
  public func stop() async {
    end.finish()
    let task = stopping.withLock { stopping in
      if let stopping { return stopping }
      let task = Task {
        // Those who ask come first, so that nobody gets half an answer; then the node, then the chain below it.
        await server.stop()
        await node.stop()
        recorder?.close()
        await backend.close()
      }
      stopping = task
      return task
    }
    await task.value
  }

  /// Returns when the node has ended, by `stop()` or because somebody asked it to over the API.
  public func waitUntilStopped() async {
    for await _ in ended {}
    await stop()
  }
}

/// The file with the seed.
struct SeedKeeper: Sendable {
  private let path: String
  private let passphraseFile: String?
  private let network: Network
  /// Of the developer's choice.
  private let nodeSecret: Bytes32?

  init(_ configuration: NodeConfiguration) {
    nodeSecret = configuration.developer.nodeKey
    path = configuration.networkDirectory + "/seed"
    passphraseFile = configuration.passphraseFile
    network = configuration.network
  }

  private func passphrase() throws -> String? {
    guard let passphraseFile else { return nil }
    guard let data = try? Data(contentsOf: URL(filePath: passphraseFile)) else {
      throw NodeError.start("\(passphraseFile): the file with the passphrase cannot be read")
    }
    let line = data.prefix { $0 != 0x0a && $0 != 0x0d }
    guard !line.isEmpty, let text = String(validating: line, as: UTF8.self) else {
      throw NodeError.start("\(passphraseFile): the first line should be the passphrase, in UTF-8")
    }
    return text
  }

  /// Makes the seed at the first start.
  func keys(_ logger: Logger) throws -> KeyRing {
    if !SeedFile.exists(at: path) {
      try SeedFile.create(at: path, MasterSeed.random(), passphrase: try passphrase())
      logger.notice("a new seed was made; `glcnode glc-seed show` tells its words", metadata: ["file": "\(path)"])
    }
    return try KeyRing(try read(), networkKind: network.kind, nodeSecret: nodeSecret)
  }

  private func read() throws -> MasterSeed {
    let bytes = try SeedFile.read(at: path)
    guard try SeedFile.isEncrypted(bytes) else { return try SeedFile.decode(bytes) }
    return try SeedFile.decode(bytes, passphrase: try passphrase())
  }

  func words() throws -> String { try read().revealPhrase() }
}

/// The chain that a node follows, and what has to be closed with it.
struct ChainBackend: Sendable {
  let source: any ChainSource
  let control: (any ChainControl)?
  private let bitcoind: BitcoindSource?
  private let embedded: RegtestChain?

  static func open(_ configuration: NodeConfiguration, _ log: NodeLog) async throws -> ChainBackend {
    let settings = configuration.chain
    switch settings.source ?? (configuration.network == .regtest ? .embedded : .bitcoind) {
    case .embedded:
      guard configuration.network == .regtest else {
        throw NodeError.start("chain: the embedded chain is for regtest alone; give --chain bitcoind")
      }
      let chain = try RegtestChain(RegtestChain.Options(path: configuration.networkDirectory + "/chain"))
      await chain.mineBlocks(every: settings.blockInterval)
      return ChainBackend(source: chain, control: chain, bitcoind: nil, embedded: chain)
    case .bitcoind:
      let source = BitcoindSource(try options(configuration), logger: log.logger("chain"))
      do {
        try await check(source, log.logger("chain"))
      } catch {
        await source.close()
        throw error
      }
      let control = configuration.network == .regtest ? RemoteRegtest(source) : nil
      return ChainBackend(source: source, control: control, bitcoind: source, embedded: nil)
    }
  }

  /// A bitcoind that is loading its blocks is waited for, two minutes at most; everything else that is wrong is said at once.
  private static func check(_ source: BitcoindSource, _ logger: Logger) async throws(ChainError) {
    let end = ContinuousClock.now + .seconds(120)
    var info: BitcoindSource.Info?
    while info == nil {
      do throws(ChainError) {
        info = try await source.check()
      } catch {
        guard case .syncing(nil, _, _) = error, ContinuousClock.now < end else { throw error }
        logger.notice("\(error)")
        do { try await Task.sleep(for: .seconds(1)) } catch { throw .closed }
      }
    }
    guard let info else { return }
    logger.info(
      "bitcoind", metadata: ["version": "\(info.subversion)", "blockheight": "\(info.tip.height)"])
    if let lowest = info.lowestBlock {
      logger.notice(
        "bitcoind is pruned: the node must not be off for longer than it keeps blocks",
        metadata: ["lowest block": "\(lowest)"])
    }
    for problem in await source.publishingProblems() { logger.warning("\(problem)") }
  }

  private static func options(_ configuration: NodeConfiguration) throws -> BitcoindSource.Options {
    let settings = configuration.chain.bitcoind
    let text = settings.url ?? BitcoindSettings.defaultURL(configuration.network)
    var place = Substring(text)
    if place.hasPrefix("http://") { place = place.dropFirst(7) }
    while place.hasSuffix("/") { place.removeLast() }
    guard !text.hasPrefix("https://"), let address = HostPort(String(place), defaultPort: nil) else {
      throw NodeError.start("bitcoind-url: expected http://HOST:PORT, got \(text)")
    }
    let credentials: BitcoindCredentials
    if let user = settings.user, let password = settings.password {
      credentials = .password(user: user, password: password)
    } else {
      let home = ProcessInfo.processInfo.environment["HOME"] ?? FileManager.default.homeDirectoryForCurrentUser.path
      credentials = .cookie(
        path: settings.cookieFile ?? BitcoindSettings.defaultCookieFile(configuration.network, home: home))
    }
    var options = BitcoindSource.Options(
      network: configuration.network, host: address.host, port: Int(address.port), credentials: credentials)
    options.zmq = ZMQEndpoints(blocks: settings.zmqBlock, transactions: settings.zmqTransaction)
    if configuration.developer.hasFastPolling { options.pollInterval = .milliseconds(50) }
    return options
  }

  func close() async {
    await embedded?.mineBlocks(every: nil)
    await bitcoind?.close()
  }
}

extension NodeSettings {
  /// As a configuration says.
  init(_ configuration: NodeConfiguration) throws {
    self.init(network: configuration.network)
    alias = configuration.alias
    color = configuration.color
    announcedAddresses = try configuration.peers.announcedAddresses.map {
      try NodeProgram.address($0, "announce-addr")
    }
    let forwarding = configuration.forwarding
    guard let base = UInt32(exactly: forwarding.feeBase.rawValue) else {
      throw NodeError.start("fee-base: should be less than 2^32 millisatoshi")
    }
    feeBaseMsat = base
    feeProportionalMillionths = forwarding.feeProportionalMillionths
    cltvExpiryDelta = forwarding.cltvExpiryDelta
    htlcMinimum = forwarding.htlcMinimum
    htlcMaximum = forwarding.htlcMaximum
    let own = configuration.channels
    channels.minimumFunding = own.minimumFunding
    channels.maximumFunding = own.maximumFunding
    maximumContribution = own.maximumContribution
    zeroconfPeers = Set(own.zeroconfPeers.map { NodeID($0) })
    if let depth = own.minimumDepth { channels.minimumDepth = depth }
    channels.reserveMillionths = UInt64(own.reserveMillionths)
    channels.dustLimit = own.dustLimit
    channels.maximumInFlight = own.maximumInFlight
    channels.maximumAccepted = own.maximumAcceptedHTLCs
    channels.contestDelay = own.toSelfDelay
    channels.htlcMinimum = forwarding.htlcMinimum
    announcesChannels = own.announces
    channels.maximumDustExposure = forwarding.maximumDustExposure
    // Without a limit on regtest, where there are no rates to speak of.
    maximumFeeRateFactor = configuration.maximumFeeRateFactor
    if maximumFeeRateFactor == nil { channels.maximumFeeRate = FeeRate(satPerKiloWeight: .max) }
    configuration.developer.apply(to: &self)
  }
}
