package import Bitcoin
package import Chain
import Encoding
import FoundationEssentials
import Hashing
import JSON
import Synchronization

/// A bitcoind on regtest with coins of its own, and what tests tell it to do.
package final class BitcoindChain: Sendable {
  package let bitcoind: BitcoindSource
  package let folder: String
  package let port: Int
  private let process: Mutex<RunningBitcoind>
  private let arguments: [String]
  private let ownsFolder: Bool

  private init(_ running: RunningBitcoind, _ options: BitcoindSource.Options, _ arguments: [String], ownsFolder: Bool) {
    process = Mutex(running)
    folder = running.folder
    port = running.port
    self.arguments = arguments
    self.ownsFolder = ownsFolder
    bitcoind = BitcoindSource(options)
  }

  /// The process of the moment.
  package var running: RunningBitcoind { process.withLock { $0 } }

  deinit {
    running.kill()
    if ownsFolder { try? FileManager.default.removeItem(atPath: folder) }
  }

  /// A new chain of 110 blocks, with the coins of the first ten to spend.
  package static func start(
    in folder: String? = nil, _ arguments: [String] = [], _ adjust: (inout BitcoindSource.Options) -> Void = { _ in }
  ) async throws -> BitcoindChain {
    let place = try folder ?? makeTemporaryFolder()
    let running = try await RunningBitcoind.start(in: place, port: RunningBitcoind.freePort(), arguments)
    var options = running.options
    adjust(&options)
    let chain = BitcoindChain(running, options, arguments, ownsFolder: folder == nil)
    try await running.waitUntilReady(chain.bitcoind)
    _ = try await chain.bitcoind.call("createwallet", ["test", false, false, "", false, true, true])
    guard let address = try await chain.bitcoind.call("getnewaddress").stringValue
    else { throw ChainError.badAnswer("getnewaddress") }
    _ = try await chain.bitcoind.call("generatetoaddress", [110, .string(address)])
    return chain
  }

  package func stop() async {
    await bitcoind.close()
    await running.stop()
  }

  // MARK: Trouble

  /// Starts it again after `running.stop()` or `running.kill()`: here, or where those who know this place do not find it.
  package func startAgain(port: Int? = nil, _ others: [String]? = nil) async throws {
    let again = try await RunningBitcoind.start(in: folder, port: port ?? self.port, others ?? arguments)
    process.withLock { $0 = again }
    let source = BitcoindSource(again.options)
    do { try await again.waitUntilReady(source) } catch {
      await source.close()
      throw error
    }
    await source.close()
  }

  /// Lets time pass for those who know this place alone: bitcoind is away for them, and so many blocks have come when it is back.
  package func mineUnseen(_ count: Int, _ transactions: [Transaction] = []) async throws {
    await running.stop()
    try await startAgain(port: RunningBitcoind.freePort())
    let source = BitcoindSource(running.options)
    do {
      if !transactions.isEmpty {
        let list = transactions.map { JSONValue.string(Hex.encode($0.encoded)) }
        _ = try await source.call("generateblock", [.string(Self.anybody()), .array(list)])
      }
      _ = try await source.call("generatetoaddress", [.int(count), .string(Self.anybody())], timeout: .seconds(300))
    } catch {
      await source.close()
      throw error
    }
    await source.close()
    await running.stop()
    try await startAgain()
  }

  // MARK: What the embedded chain can do too

  package func tip() async throws -> BlockPosition { try await bitcoind.tip() }
  package func blockHash(at height: UInt32) async throws -> BlockHash? { try await bitcoind.blockHash(at: height) }
  package func block(_ hash: BlockHash) async throws -> Block { try await bitcoind.block(hash) }

  @discardableResult package func mine(_ count: Int = 1) async throws -> [BlockPosition] {
    let hashes = try await bitcoind.call(
      "generatetoaddress", [.int(count), .string(Self.anybody())], timeout: .seconds(300))
    return try await positions(hashes)
  }

  /// A block with these transactions and nothing else.
  @discardableResult package func mine(_ transactions: [Transaction]) async throws -> BlockPosition {
    let list = transactions.map { JSONValue.string(Hex.encode($0.encoded)) }
    let answer = try await bitcoind.call("generateblock", [.string(Self.anybody()), .array(list)])
    guard let position = try await positions(.array([answer["hash"] ?? .null])).first
    else { throw ChainError.badAnswer("generateblock") }
    return position
  }

  /// Whether its scripts keep it out of every block, whatever it pays.
  package func isRefusedInABlock(_ transaction: Transaction) async throws -> Bool {
    do {
      let list = JSONValue.array([.string(Hex.encode(transaction.encoded))])
      _ = try await bitcoind.call("generateblock", [.string(Self.anybody()), list, false])
      return false
    } catch ChainError.rpc(_, let message) where message.contains("script-verify-flag-failed") {
      return true
    }
  }

  /// Pays from the wallet of bitcoind's; unconfirmed when this returns.
  @discardableResult package func send(_ amount: Satoshi, to script: Script) async throws -> OutPoint {
    guard let address = Address(scriptPubKey: script, on: .regtest) else { throw ChainError.badAnswer("no address") }
    let answer = try await bitcoind.call(
      "sendtoaddress", [.string(address.description), .decimal(Self.bitcoins(amount))])
    guard let txid = answer.stringValue.flatMap({ try? TxID(display: $0) }),
      let transaction = try await bitcoind.transaction(txid)?.transaction,
      let vout = transaction.outputs.firstIndex(where: { $0.scriptPubKey == script })
    else { throw ChainError.badAnswer("sendtoaddress") }
    return OutPoint(txid: txid, vout: UInt32(vout))
  }

  package func mempoolTransactions() async throws -> [Transaction] {
    var found: [Transaction] = []
    for entry in try await bitcoind.call("getrawmempool").arrayValue ?? [] {
      guard let txid = entry.stringValue.flatMap({ try? TxID(display: $0) }) else { continue }
      if let located = try await bitcoind.transaction(txid), located.block == nil { found.append(located.transaction) }
    }
    return found
  }

  /// Replaces the last blocks by empty ones; what they held goes back to the mempool.
  @discardableResult package func reorganise(depth: Int, count: Int? = nil) async throws -> [BlockPosition] {
    let tip = try await tip()
    guard let first = try await blockHash(at: tip.height + 1 - UInt32(depth)) else { throw ChainError.closed }
    _ = try await bitcoind.call("invalidateblock", [.string(first.description)])
    var mined: [BlockPosition] = []
    for _ in 0..<(count ?? depth + 1) { mined.append(try await mine([])) }
    return mined
  }

  private func positions(_ hashes: JSONValue) async throws -> [BlockPosition] {
    var positions: [BlockPosition] = []
    for hash in hashes.arrayValue ?? [] {
      guard let text = hash.stringValue, let hash = try? BlockHash(display: text),
        let height = try await bitcoind.call("getblockheader", [.string(text)])["height"]?.unsignedValue
      else { throw ChainError.badAnswer("generate") }
      positions.append(BlockPosition(height: UInt32(height), hash: hash))
    }
    return positions
  }

  /// Another address each time: a block that was invalidated must not be found again.
  private static func anybody() -> String {
    let hash = sha256((0..<32).map { _ in UInt8.random(in: 0...255) })
    return Address(scriptPubKey: .p2wsh(hash), on: .regtest)?.description ?? ""
  }

  private static func bitcoins(_ amount: Satoshi) -> String {
    let fraction = String(amount.rawValue % 100_000_000)
    return "\(amount.rawValue / 100_000_000).\(String(repeating: "0", count: 8 - fraction.count))\(fraction)"
  }
}
