public import Bitcoin
public import Chain
internal import Encoding
internal import JSON

/// A chain that can be told what to do: regtest, in this process or behind RPC.
public protocol ChainControl: Sendable {
  /// Makes blocks; nil pays their coins to nobody.
  func generate(_ count: Int, payingTo script: Script?) async throws -> [BlockPosition]
  /// Sends coins out of nowhere, into a block.
  func give(_ amount: Satoshi, to address: Address) async throws -> TxID
  /// Replaces the last blocks. Without `keepingTransactions`, what the old ones held does not come back.
  func reorganise(depth: Int, count: Int?, keepingTransactions: Bool) async throws -> [BlockPosition]
  /// What waits for a block, with its fee.
  func waiting() async throws -> [WaitingTransaction]
}

public struct WaitingTransaction: Sendable {
  public var transaction: Transaction
  public var fee: Satoshi?
}

extension RegtestChain: ChainControl {
  public func generate(_ count: Int, payingTo script: Script?) async throws -> [BlockPosition] {
    try mine(count, payingTo: script)
  }

  public func give(_ amount: Satoshi, to address: Address) async throws -> TxID {
    do {
      return try send(amount, to: address.scriptPubKey, mining: true).txid
    } catch ChainError.faucetEmpty {
      // Coins of new blocks can be spent a hundred blocks later.
      try mine(100)
      return try send(amount, to: address.scriptPubKey, mining: true).txid
    }
  }

  public func reorganise(depth: Int, count: Int?, keepingTransactions: Bool) async throws -> [BlockPosition] {
    guard !keepingTransactions else { return try reorganise(depth: depth, count: count) }
    throw ChainError.storage("a reorganisation that loses transactions is not supported yet")
  }

  public func waiting() async throws -> [WaitingTransaction] {
    var found: [WaitingTransaction] = []
    let transactions = mempoolTransactions()
    let byID = Dictionary(transactions.map { ($0.txid, $0) }) { first, _ in first }
    for transaction in transactions {
      var sum: UInt64? = 0
      for input in transaction.inputs {
        let point = input.previousOutput
        let parent: Transaction?
        if let waiting = byID[point.txid] {
          parent = waiting
        } else {
          parent = try? self.transaction(point.txid, in: nil)?.transaction
        }
        guard let parent, parent.outputs.indices.contains(Int(point.vout)) else {
          sum = nil
          break
        }
        sum = sum.map { $0 &+ parent.outputs[Int(point.vout)].value.rawValue }
      }
      let paid = transaction.outputs.reduce(0 as UInt64) { $0 &+ $1.value.rawValue }
      found.append(WaitingTransaction(transaction: transaction, fee: sum.map { Satoshi($0 &- paid) }))
    }
    return found
  }
}

/// `glcnode chain`, or a bitcoind on regtest that has coins of its own.
public struct RemoteRegtest: ChainControl {
  private let source: BitcoindSource

  public init(_ source: BitcoindSource) { self.source = source }

  /// A script that everybody can spend: who mines for nobody mines for it.
  private static let nobody = Address(.p2wsh(Script([Opcode.op1.rawValue])), on: .regtest)

  public func generate(_ count: Int, payingTo script: Script?) async throws -> [BlockPosition] {
    let address = script.flatMap { Address(scriptPubKey: $0, on: .regtest) } ?? Self.nobody
    let hashes = try await source.call("generatetoaddress", [.int(count), .string(address.description)])
    let tip = try await source.tip()
    let made = (hashes.arrayValue ?? []).compactMap { $0.stringValue.flatMap { try? BlockHash(display: $0) } }
    return made.enumerated().map { index, hash in
      BlockPosition(height: tip.height - UInt32(made.count - 1 - index), hash: hash)
    }
  }

  public func give(_ amount: Satoshi, to address: Address) async throws -> TxID {
    let rest = String(amount.rawValue % 100_000_000)
    let coins = "\(amount.rawValue / 100_000_000).\(String(repeating: "0", count: 8 - rest.count))\(rest)"
    let reply = try await source.call("sendtoaddress", [.string(address.description), .decimal(coins)])
    guard let txid = reply.stringValue.flatMap({ try? TxID(display: $0) }) else {
      throw ChainError.badAnswer("sendtoaddress")
    }
    _ = try await generate(1, payingTo: nil)
    return txid
  }

  public func reorganise(depth: Int, count: Int?, keepingTransactions: Bool) async throws -> [BlockPosition] {
    guard keepingTransactions else {
      throw ChainError.storage("a reorganisation that loses transactions is not supported yet")
    }
    let tip = try await source.tip()
    guard let first = UInt32(exactly: depth), first <= tip.height,
      let hash = try await source.blockHash(at: tip.height + 1 - first)
    else { throw ChainError.storage("the chain has \(tip.height) blocks only") }
    _ = try await source.call("invalidateblock", [.string(hash.description)])
    // Other coins than before, so that the blocks are others too.
    let script = Script.p2wsh(Script([Opcode.op1.rawValue, UInt8(clamping: 0x61)]))
    return try await generate(count ?? depth + 1, payingTo: script)
  }

  public func waiting() async throws -> [WaitingTransaction] {
    var found: [WaitingTransaction] = []
    for entry in try await source.call("getrawmempool").arrayValue ?? [] {
      guard let txid = entry.stringValue.flatMap({ try? TxID(display: $0) }),
        let located = try await source.transaction(txid, in: nil)
      else { continue }
      let details = try? await source.call("getmempoolentry", [entry])
      // In bitcoin with eight decimals.
      let fee = (details?["fees"]?["base"]?.doubleValue).map { Satoshi(UInt64(($0 * 100_000_000).rounded())) }
      found.append(WaitingTransaction(transaction: located.transaction, fee: fee))
    }
    return found
  }
}
