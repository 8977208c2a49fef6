import Bitcoin
import BitcoindSupport
import Encoding
import FoundationEssentials
import Hashing
import JSON

@testable import Chain

/// Anything that speaks bitcoind's RPC.
struct RPCChain: ChainUnderTest {
  let bitcoind: BitcoindSource
  var source: any ChainSource { bitcoind }

  /// Another one each time: a block that was invalidated must not be found again.
  private var address: String {
    var generator = SystemRandomNumberGenerator()
    let hash = sha256((0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) })
    return Address(scriptPubKey: .p2wsh(hash), on: .regtest)!.description
  }

  func mine(_ count: Int) async throws -> BlockPosition {
    _ = try await bitcoind.call("generatetoaddress", [.int(count), .string(address)])
    return try await bitcoind.tip()
  }

  func mine(_ transactions: [Transaction]) async throws {
    _ = try await bitcoind.call(
      "generateblock", [.string(address), .array(transactions.map { .hex($0.encoded) })])
  }

  func send(_ amount: Satoshi, to script: Script) async throws -> OutPoint {
    let address = Address(scriptPubKey: script, on: .regtest)!.description
    let txid = try await bitcoind.call("sendtoaddress", [.string(address), .bitcoins(amount.rawValue)])
    let transaction = try await bitcoind.transaction(try TxID(display: txid.stringValue!))!.transaction
    let vout = transaction.outputs.firstIndex { $0.scriptPubKey == script }!
    return OutPoint(txid: transaction.txid, vout: UInt32(vout))
  }

  func invalidate(_ hash: BlockHash) async throws { _ = try await bitcoind.call("invalidateblock", [.text(hash)]) }
  func reconsider(_ hash: BlockHash) async throws { _ = try await bitcoind.call("reconsiderblock", [.text(hash)]) }
}

/// The embedded chain, served over loopback to a client of its own.
func withServedChain<R>(
  _ chain: RegtestChain? = nil, _ body: (RegtestChain, ChainServer, BitcoindSource) async throws -> R
) async throws -> R {
  try await withTemporaryFolder { folder in
    let chain = try chain ?? RegtestChain()
    let cookie = folder + "/.cookie"
    let server = try await ChainServer.start(chain, ChainServer.Options(cookiePath: cookie))
    var options = BitcoindSource.Options(network: .regtest, port: server.port, credentials: .cookie(path: cookie))
    options.pollInterval = .milliseconds(20)
    let source = BitcoindSource(options)
    do {
      let result = try await body(chain, server, source)
      await source.close()
      await server.stop()
      return result
    } catch {
      await source.close()
      await server.stop()
      throw error
    }
  }
}

private let turns = Turns(2)

/// A bitcoind, with a wallet and 110 blocks.
func withBitcoind<R: Sendable>(_ body: (RunningBitcoind, RPCChain) async throws -> R) async throws -> R {
  try await turns.take {
    let chain = try await BitcoindChain.start()
    do {
      let result = try await body(chain.running, RPCChain(bitcoind: chain.bitcoind))
      await chain.stop()
      return result
    } catch {
      await chain.stop()
      throw error
    }
  }
}
