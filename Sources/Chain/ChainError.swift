public import Bitcoin

/// Why a chain source did not answer as asked.
public enum ChainError: Error, Hashable, Sendable {
  /// The transaction, or one of the package, does not get into the mempool.
  case refused(TransactionRefusal)
  /// Nothing answers; the address, and what the system says.
  case unreachable(address: String, reason: String)
  /// The source is on another network than the one configured. `actual` is Bitcoin Core's name of the chain.
  case wrongNetwork(expected: Network, actual: String)
  /// It does not accept our cookie or password.
  case unauthorised(address: String, reason: String)
  /// It is starting or has not caught up with the network. Heights are nil while it is starting.
  case syncing(height: UInt32?, of: UInt32?, reason: String)
  /// The block is known, but its transactions have been deleted.
  case pruned(BlockHash)
  case unknownBlock(BlockHash)
  /// A reorganisation goes deeper than the headers that the source still has: it is not the source that these blocks came from.
  case unknownHistory(BlockPosition)
  /// The source answers nonsense.
  case badAnswer(String)
  /// An error of bitcoind's that means nothing in particular to us.
  case rpc(code: Int, message: String)
  /// The chain's file cannot be read or written.
  case storage(String)
  /// A block that breaks the rules of consensus; Bitcoin Core's reject reason.
  case invalidBlock(String)
  /// The faucet cannot send that much now.
  case faucetEmpty(wanted: Satoshi, available: Satoshi)
  case closed
}

extension ChainError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .refused(let refusal): refusal.description
    case .unreachable(let address, let reason):
      "no answer from bitcoind at \(address) (\(reason)): is it running, with server=1, and is this its RPC port?"
    case .wrongNetwork(let expected, let actual):
      "bitcoind is on the chain \"\(actual)\", the node on \"\(expected.chainName)\": set the network of one to that of the other"
    case .unauthorised(let address, let reason):
      "bitcoind at \(address) refuses our credentials (\(reason)): check the cookie file, or rpcuser and rpcpassword"
    case .syncing(let height?, let target?, let reason):
      "bitcoind is at block \(height) of \(target) (\(reason)): wait until it has caught up"
    case .syncing(_, _, let reason): "bitcoind is starting (\(reason)): wait until it answers"
    case .pruned(let hash):
      "bitcoind has pruned block \(hash), which is needed: run it with a larger prune= (or prune=0) and -reindex"
    case .unknownBlock(let hash): "the source does not know block \(hash)"
    case .unknownHistory(let position):
      "the source has never seen \(position), which was processed: it is another chain, or it has lost its data"
    case .badAnswer(let what): "bitcoind's answer makes no sense: \(what)"
    case .rpc(let code, let message): "bitcoind: \(message) (error \(code))"
    case .storage(let reason): "the chain's file: \(reason)"
    case .invalidBlock(let reason): "invalid block: \(reason)"
    case .faucetEmpty(let wanted, let available): "the faucet has \(available) of \(wanted): mine some blocks"
    case .closed: "the chain source is closed"
    }
  }

  /// Whether asking again later may help, without anything being changed by a person.
  public var isTransient: Bool {
    switch self {
    case .unreachable, .syncing: true
    // bitcoind writes a new cookie when it starts: for a moment the old one is all there is.
    case .unauthorised: true
    default: false
    }
  }
}
