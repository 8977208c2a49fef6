internal import BOLT
internal import Bitcoin
internal import Chain
internal import Configuration
internal import Encoding
internal import Foundation
internal import Hashing
internal import JSON
internal import Logging
internal import Node
internal import RPC
internal import Storage
internal import Wallet
internal import Wire

struct DemoFailure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// Three nodes and their chain.
final class DemoWorld {
  static let names = ["Alice", "Bob", "Carol"]
  let chain: RegtestChain
  let folder: String
  private(set) var nodes: [Node?] = [nil, nil, nil]
  private let isVerbose: Bool
  /// What came out of the faucet, and where: everything else is counted from here.
  private(set) var given: [OutPoint: Satoshi] = [:]

  init(folder: String, isVerbose: Bool) throws {
    chain = try RegtestChain()
    self.folder = folder
    self.isVerbose = isVerbose
  }

  func node(_ index: Int) throws -> Node {
    guard let node = nodes[index] else { throw DemoFailure("\(Self.names[index]) is not running") }
    return node
  }

  /// Starts a node, for the first time or from what it had stored.
  func start(_ index: Int) async throws {
    var settings = NodeSettings(network: .regtest)
    settings.alias = Self.names[index]
    settings.irrevocableDepth = 6
    settings.channels.contestDelay = 24
    settings.announcesChannels = false
    settings.feeBaseMsat = 1_000
    settings.feeProportionalMillionths = 100
    let place = "\(folder)/\(Self.names[index].lowercased())"
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    let seedFile = "\(place)/seed"
    if !SeedFile.exists(at: seedFile) { try SeedFile.create(at: seedFile, MasterSeed.random()) }
    let seed = try SeedFile.decode(try SeedFile.read(at: seedFile))
    var logger = Logger(label: Self.names[index], factory: { StreamLogHandler.standardError(label: $0) })
    logger.logLevel = isVerbose ? .debug : .critical
    var launch = Node.Launch(
      settings: settings, keys: try KeyRing(seed, networkKind: .test),
      store: try SQLiteStore(folder: place, schema: .node), source: chain, logger: logger)
    launch.birth = 0
    launch.listen = [try NodeAddress(text: "127.0.0.1:0")]
    nodes[index] = try await Node.start(launch)
  }

  func stop(_ index: Int) async {
    await nodes[index]?.stop()
    nodes[index] = nil
  }

  func mine(_ count: Int = 1) async throws {
    guard let tip = try await chain.mine(count).last else { return }
    for node in nodes { await node?.reach(tip.height) }
  }

  func give(_ index: Int, _ amount: Satoshi) async throws {
    let address = try await node(index).newAddress()
    given[try await chain.send(amount, to: address.scriptPubKey)] = amount
  }

  func connect(_ a: Int, _ b: Int) async throws {
    try await node(a).connect(to: try node(b).nodeID, at: try node(b).addresses)
  }

  func wait(_ what: String, seconds: Int = 15, _ condition: () async throws -> Bool) async throws {
    for _ in 0..<(seconds * 100) {
      if try await condition() { return }
      try await Task.sleep(for: .milliseconds(10))
    }
    throw DemoFailure("\(what): not within \(seconds) seconds")
  }

  /// What the API of a node answers, without its socket.
  func call(_ index: Int, _ method: String, _ params: JSONValue) async throws -> JSONValue {
    var registry = RPCRegistry()
    var configuration = NodeConfiguration()
    configuration.network = .regtest
    NodeHandlers.register(
      in: &registry, node: try node(index), surroundings: NodeSurroundings(configuration: configuration))
    return try await registry.call(method, params: params, context: RPCContext(logger: Self.silent))
  }

  private static let silent = Logger(label: "rpc") { _ in SwiftLogNoOpLogHandler() }

  /// Serves the nodes' API until somebody stops one of them.
  func serve() async throws {
    let (ended, end) = AsyncStream.makeStream(of: Void.self)
    var servers: [RPCServer] = []
    for index in 0..<3 {
      var configuration = NodeConfiguration()
      configuration.dataDirectory = "\(folder)/\(Self.names[index].lowercased())"
      configuration.network = .regtest
      try FileManager.default.createDirectory(atPath: configuration.networkDirectory, withIntermediateDirectories: true)
      var registry = RPCRegistry()
      NodeHandlers.register(
        in: &registry, node: try node(index),
        surroundings: NodeSurroundings(
          configuration: configuration, control: chain, stop: { end.finish() }))
      servers.append(
        try await RPCServer.start(
          path: configuration.rpcSocketPath, registry: registry,
          logger: Self.silent))
    }
    for await _ in ended {}
    for server in servers { await server.stop() }
  }

  /// Where everything that the faucet gave is now.
  struct Ledger {
    var wallets: [Satoshi] = []
    /// Outputs that nobody bothered to take: anchors.
    var left: UInt64 = 0
    var fees: UInt64 = 0
    var given: UInt64 = 0
    var sum: UInt64 { wallets.reduce(0) { $0 + $1.rawValue } + left + fees }
  }

  /// Follows every satoshi through the blocks.
  func ledger() async throws -> Ledger {
    var ledger = Ledger()
    ledger.given = given.values.reduce(0) { $0 + $1.rawValue }
    var ours = given
    let tip = try await chain.tip()
    for height in 0...tip.height {
      guard let hash = try await chain.blockHash(at: height) else { continue }
      for transaction in try await chain.block(hash).transactions {
        let taken = transaction.inputs.compactMap { ours.removeValue(forKey: $0.previousOutput) }
        if taken.isEmpty { continue }
        guard taken.count == transaction.inputs.count else { throw DemoFailure("coins of others are mixed in") }
        let spent = taken.reduce(0) { $0 + $1.rawValue }
        let paid = transaction.outputs.reduce(0) { $0 + $1.value.rawValue }
        guard paid <= spent else { throw DemoFailure("transaction \(transaction.txid) makes coins") }
        ledger.fees += spent - paid
        let txid = transaction.txid
        for (index, output) in transaction.outputs.enumerated() {
          ours[OutPoint(txid: txid, vout: UInt32(index))] = output.value
        }
      }
    }
    let everything = ours.values.reduce(0) { $0 + $1.rawValue }
    for index in 0..<3 { ledger.wallets.append(try await node(index).walletBalance().confirmed) }
    let inWallets = ledger.wallets.reduce(0) { $0 + $1.rawValue }
    guard inWallets <= everything else { throw DemoFailure("the wallets have more than there is") }
    ledger.left = everything - inWallets
    return ledger
  }
}
