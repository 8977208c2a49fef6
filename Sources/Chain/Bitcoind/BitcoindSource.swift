public import Bitcoin
internal import Encoding
package import JSON
public import Logging
public import NIOCore
public import NIOPosix

/// A bitcoind (Bitcoin Core 25 or later, or one of its relatives) over its JSON-RPC.
///
/// Nothing is asked before the first call; `check()` asks all that can be wrong with a configuration. Connections are kept, opened
/// anew when they break, and the cookie is read again when bitcoind has written a new one.
public final class BitcoindSource: ChainSource {
  public struct Options: Sendable {
    public var network: Network
    public var host: String
    public var port: Int
    public var credentials: BitcoindCredentials
    /// Where bitcoind publishes what happens, if it does.
    public var zmq = ZMQEndpoints()
    /// How often the tip (and, if wished, the mempool) is asked for where bitcoind cannot be told to wait for a block
    /// and publishes nothing.
    public var pollInterval: Duration
    /// Whether `notifications()` tells transactions: a list of the whole mempool at each poll, too much on mainnet.
    /// What is heard over ZMQ is told in any case.
    public var watchesMempool: Bool
    /// Where bitcoind has no estimate: rates for targets up to so many blocks, ascending.
    public var fallbackRates: [FallbackRate]
    /// Connections at the same time.
    public var maximumConnections = 8

    public init(
      network: Network, host: String = "127.0.0.1", port: Int? = nil, credentials: BitcoindCredentials
    ) {
      self.network = network
      self.host = host
      self.port = port ?? network.defaultRPCPort
      self.credentials = credentials
      pollInterval = network == .regtest ? .milliseconds(250) : .seconds(1)
      watchesMempool = network != .bitcoin
      fallbackRates = network == .bitcoin ? FallbackRate.mainnet : []
    }
  }

  public struct FallbackRate: Hashable, Sendable {
    public var target: Int
    public var rate: FeeRate

    public init(target: Int, rate: FeeRate) {
      self.target = target
      self.rate = rate
    }

    /// 20, 10, 5 and 2 sat/vbyte for 2, 6, 25 and 144 blocks.
    static let mainnet = [
      FallbackRate(target: 2, rate: FeeRate(satPerKiloWeight: 5000)),
      FallbackRate(target: 6, rate: FeeRate(satPerKiloWeight: 2500)),
      FallbackRate(target: 25, rate: FeeRate(satPerKiloWeight: 1250)),
      FallbackRate(target: 144, rate: FeeRate(satPerKiloWeight: 500)),
    ]
  }

  /// An estimate above this is taken for nonsense: 1000 sat/vbyte.
  static let maximumEstimate = FeeRate(satPerKiloWeight: 250_000)

  public let options: Options
  public var network: Network { options.network }
  let client: RPCClient
  let watcher: TipWatcher
  private let logger: Logger

  public init(
    _ options: Options, group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
    logger: Logger = Logger(label: "glc.chain")
  ) {
    self.options = options
    self.logger = logger
    client = RPCClient(
      host: options.host, port: options.port, credentials: options.credentials,
      maximumConnections: max(options.maximumConnections, 2), group: group)
    watcher = TipWatcher(client, options, logger: logger)
  }

  /// Ends the streams and closes the connections.
  public func close() async {
    await watcher.close()
    await client.close()
  }

  /// One call of bitcoind's own.
  package func call(
    _ method: String, _ parameters: [JSONValue] = [], isRepeatable: Bool = false, timeout: Duration = .seconds(60)
  ) async throws(ChainError) -> JSONValue {
    try await client.call(method, parameters, isRepeatable: isRepeatable, timeout: timeout)
  }

  // MARK: Setting up

  /// What bitcoind says of itself.
  public struct Info: Hashable, Sendable {
    /// Such as 290000.
    public var version: Int
    public var subversion: String
    public var tip: BlockPosition
    /// The lowest block that is still there; nil when none has been deleted.
    public var lowestBlock: UInt32?
  }

  /// Whether all is as configured. Throws `.unreachable`, `.unauthorised`, `.wrongNetwork`, `.syncing`.
  public func check() async throws(ChainError) -> Info {
    let status = try await chainStatus()
    guard try await blockHash(at: 0) == network.genesisBlockHash
    else { throw .wrongNetwork(expected: network, actual: "\(network.chainName) with another first block") }
    let info = try await client.call("getnetworkinfo")
    let version = info["version"]?.integerValue.map { Int($0) } ?? 0
    guard version >= 250_000 else {
      throw .badAnswer("version \(version): Bitcoin Core 25 or later is needed")
    }
    return Info(
      version: version, subversion: info["subversion"]?.stringValue ?? "", tip: status.tip,
      lowestBlock: status.lowestBlock)
  }

  /// What bitcoind does not publish although we are to listen to it, for people. Empty when it cannot be asked.
  public func publishingProblems() async -> [String] {
    guard let list = try? await client.call("getzmqnotifications").arrayValue else { return [] }
    let published = Set(list.compactMap { $0["type"]?.stringValue })
    var problems: [String] = []
    if let place = options.zmq.blocks, published.isDisjoint(with: ["pubrawblock", "pubhashblock"]) {
      problems.append("bitcoind publishes no blocks over ZMQ: zmqpubrawblock=\(place) in bitcoin.conf is missing")
    }
    if let place = options.zmq.transactions, !published.contains("pubrawtx") {
      problems.append("bitcoind publishes no transactions over ZMQ: zmqpubrawtx=\(place) in bitcoin.conf is missing")
    }
    return problems
  }

  private func chainStatus() async throws(ChainError) -> (tip: BlockPosition, lowestBlock: UInt32?) {
    let info = try await client.call("getblockchaininfo")
    guard let chain = info["chain"]?.stringValue, let height = info.height("blocks"),
      let hash = info["bestblockhash"]?.blockHashValue
    else { throw .badAnswer("getblockchaininfo") }
    guard chain == network.chainName else { throw .wrongNetwork(expected: network, actual: chain) }
    let headers = max(info.height("headers") ?? height, height)
    // A regtest without recent blocks thinks of itself as starting up for ever.
    let isStarting = network != .regtest && info["initialblockdownload"]?.boolValue == true
    guard !isStarting, headers - height <= 10 else {
      let tenths = Int(max(0, min(info["verificationprogress"]?.doubleValue ?? 0, 1)) * 1000)
      throw .syncing(height: height, of: headers, reason: "\(tenths / 10).\(tenths % 10) %")
    }
    let isPruned = info["pruned"]?.boolValue == true
    return (BlockPosition(height: height, hash: hash), isPruned ? info.height("pruneheight") : nil)
  }

  // MARK: Blocks

  public func tip() async throws(ChainError) -> BlockPosition { try await chainStatus().tip }

  public func tip(otherThan hash: BlockHash, timeout: Duration) async throws(ChainError) -> BlockPosition {
    try await watcher.wait(otherThan: hash, timeout: timeout)
    return try await tip()
  }

  public func blockHash(at height: UInt32) async throws(ChainError) -> BlockHash? {
    let reply: JSONValue
    do {
      reply = try await client.call("getblockhash", [.int(height)])
    } catch {
      guard error.rpcCode == RPCFault.invalidParameter else { throw error }
      return nil
    }
    guard let hash = reply.blockHashValue else { throw .badAnswer("getblockhash") }
    return hash
  }

  public func header(of hash: BlockHash) async throws(ChainError) -> BlockHeader {
    let reply: JSONValue
    do {
      reply = try await client.call("getblockheader", [.text(hash), false])
    } catch {
      throw error.rpcCode == RPCFault.invalidAddressOrKey ? .unknownBlock(hash) : error
    }
    guard let bytes = reply.bytesValue, let header = try? BlockHeader(decoding: bytes), header.hash == hash
    else { throw .badAnswer("getblockheader \(hash)") }
    return header
  }

  public func block(_ hash: BlockHash) async throws(ChainError) -> Block {
    let reply: JSONValue
    do {
      reply = try await client.call("getblock", [.text(hash), 0], timeout: .seconds(120))
    } catch {
      guard case .rpc(let code, let message) = error else { throw error }
      if code == RPCFault.invalidAddressOrKey { throw .unknownBlock(hash) }
      if message.contains("pruned") { throw .pruned(hash) }
      if message.contains("not fully downloaded") || message.contains("not available") {
        throw .syncing(height: nil, of: nil, reason: message)
      }
      throw error
    }
    // bitcoind has checked all this; what stands between it and us has not.
    guard let bytes = reply.bytesValue, let block = try? Block(decoding: bytes), block.hash == hash, block.isConsistent
    else { throw .badAnswer("getblock \(hash)") }
    return block
  }

  private func height(of hash: BlockHash) async throws(ChainError) -> UInt32 {
    let header: JSONValue
    do {
      header = try await client.call("getblockheader", [.text(hash), true])
    } catch {
      throw error.rpcCode == RPCFault.invalidAddressOrKey ? .unknownBlock(hash) : error
    }
    guard let height = header.height("height") else { throw .badAnswer("getblockheader \(hash)") }
    return height
  }

  // MARK: Outputs and transactions

  public func unspentOutput(_ outPoint: OutPoint, includingMempool: Bool) async throws(ChainError) -> UnspentOutput? {
    let reply = try await client.call(
      "gettxout", [.text(outPoint.txid), .int(outPoint.vout), .bool(includingMempool)])
    if reply.isNull { return nil }
    guard let value = Satoshi(bitcoins: reply["value"]), let script = reply["scriptPubKey"]?["hex"]?.bytesValue,
      let confirmations = reply.height("confirmations"), let best = reply["bestblock"]?.blockHashValue
    else { throw .badAnswer("gettxout \(outPoint)") }
    var output = UnspentOutput(
      output: TxOutput(value: value, scriptPubKey: Script(script)), confirmationHeight: nil,
      isCoinbase: reply["coinbase"]?.boolValue == true)
    if confirmations > 0 {
      let tip = try await height(of: best)
      guard confirmations <= tip + 1 else { throw .badAnswer("gettxout \(outPoint)") }
      output.confirmationHeight = tip + 1 - confirmations
    }
    return output
  }

  public func transaction(_ txid: TxID, in block: BlockHash?) async throws(ChainError) -> LocatedTransaction? {
    var parameters: [JSONValue] = [.text(txid), 1]
    if let block { parameters.append(.text(block)) }
    let reply: JSONValue
    do {
      reply = try await client.call("getrawtransaction", parameters)
    } catch {
      guard case .rpc(let code, let message) = error,
        code == RPCFault.invalidAddressOrKey || code == RPCFault.miscellaneous
      else { throw error }
      if let block, message.contains("Block hash not found") { throw .unknownBlock(block) }
      if let block, code == RPCFault.miscellaneous {
        // "Block not available", for whatever reason.
        throw message.contains("not available") ? .pruned(block) : error
      }
      return nil
    }
    guard let transaction = reply["hex"]?.transactionValue, transaction.txid == txid
    else { throw .badAnswer("getrawtransaction \(txid)") }
    if reply["in_active_chain"]?.boolValue == false { return nil }
    guard let hash = reply["blockhash"]?.blockHashValue else {
      return LocatedTransaction(transaction: transaction, block: nil)
    }
    // In a block of another branch, and not in the mempool.
    guard let confirmations = reply["confirmations"]?.integerValue, confirmations > 0 else { return nil }
    return LocatedTransaction(
      transaction: transaction, block: BlockPosition(height: try await height(of: hash), hash: hash))
  }

  // MARK: Notifications

  public func notifications() async -> AsyncStream<ChainNotification> { await watcher.stream() }

  public var tellsTransactions: Bool {
    get async { if options.watchesMempool { true } else { await watcher.hearsTransactions } }
  }
}

extension Network {
  /// Where bitcoind listens for RPC unless told otherwise.
  public var defaultRPCPort: Int {
    switch self {
    case .bitcoin: 8332
    case .testnet: 18332
    case .testnet4: 48332
    case .signet: 38332
    case .regtest: 18443
    }
  }
}

extension ChainError {
  /// bitcoind's number, for errors that were not understood further.
  var rpcCode: Int? { if case .rpc(let code, _) = self { code } else { nil } }
}

extension JSONValue {
  func height(_ name: String) -> UInt32? { self[name]?.unsignedValue.flatMap { UInt32(exactly: $0) } }
}
