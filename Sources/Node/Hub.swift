internal import BOLT
internal import Bitcoin
internal import Chain
internal import Encoding
internal import GLC
internal import Logging
internal import Onchain
internal import Payments
internal import Storage
internal import Synchronization
internal import Wallet
internal import Wire

/// What the parts of a node share. It knows nobody's inside: parts talk through mailboxes.
final class Hub: Sendable {
  let settings: NodeSettings
  let keys: KeyRing
  let store: any Store
  let source: any ChainSource
  let wallet: WalletService
  let fees: FeeBoard
  let broadcaster: Broadcaster
  let rescan: Rescan
  let watches = WatchIndex()
  let directory = ChannelDirectory()
  let payments = Mailbox<PaymentCommand>()
  let gossip = Mailbox<GossipInput>()
  let events = Broadcast<NodeEvent>()
  let waiters = PaymentWaiters()
  let past: PastRecords
  let hosts = Mutex<[NodeID: PeerHost]>([:])
  let logger: Logger
  let nodeID: NodeID
  /// Where channels' money goes until the node starts again.
  private let currentSweepScript = Mutex(Script())
  private let currentHeight = Mutex<UInt32>(0)
  /// The highest key index that was given to a channel.
  let keyIndexes = Mutex<UInt64>(0)
  /// What waits for better times waits no longer.
  let isStopping = Atomic(false)

  init(
    settings: NodeSettings, keys: KeyRing, store: any Store, source: any ChainSource, wallet: WalletService,
    fees: FeeBoard, logger: Logger
  ) {
    self.settings = settings
    self.keys = keys
    self.store = store
    past = PastRecords(store: store)
    self.source = source
    self.wallet = wallet
    self.fees = fees
    self.logger = logger
    broadcaster = Broadcaster(source: source, logger: logger)
    rescan = Rescan(wallet: wallet, source: source, logger: logger)
    nodeID = NodeID(keys.nodeID)
  }

  /// The chain's height, as far as it was processed.
  var height: UInt32 {
    get { currentHeight.withLock { $0 } }
    set { currentHeight.withLock { $0 = newValue } }
  }

  var sweepScript: Script {
    get { currentSweepScript.withLock { $0 } }
    set { currentSweepScript.withLock { $0 = newValue } }
  }

  /// The most that a peer may ask commitments to pay, by what confirmations cost now; nil where only the policy says.
  var maximumFeeRate: FeeRate? {
    settings.maximumFeeRateFactor.map { factor in
      let (product, overflow) = fees.rate(within: 2).satPerKiloWeight.multipliedReportingOverflow(by: factor)
      return FeeRate(satPerKiloWeight: overflow ? .max : product)
    }
  }

  func host(_ peer: NodeID) -> PeerHost? { hosts.withLock { $0[peer] } }
  func host(of channel: ChannelID) -> PeerHost? { directory.peer(of: channel).flatMap(host) }

  /// The host of a peer, made when there is none yet.
  func hostOrNew(_ peer: NodeID) -> PeerHost {
    hosts.withLock { hosts in
      if let host = hosts[peer] { return host }
      let host = PeerHost(peer, hub: self)
      hosts[peer] = host
      host.start()
      return host
    }
  }

  /// Gives transactions to the network, parents first, until they are confirmed. That they are there already is no error; what is refused is
  /// said in the log, and comes back.
  @discardableResult func broadcast(_ package: [Transaction], _ why: String) async -> ChainError? {
    await broadcaster.send(package, why)
  }
}

/// What others may want to wait for.
enum NodeEvent: Sendable {
  case block(UInt32)
  case channel(ChannelID, state: String)
  case payment(PaymentEvent)
  case peer(NodeID, isConnected: Bool)
  /// For people: what happened to a channel on the chain.
  case onchain(ChannelID, String)
}

/// What confirmations cost now: the last answers of the chain's source.
final class FeeBoard: Sendable {
  private let rates: Mutex<[UInt32: FeeRate]>
  /// What a developer wants it to be, whatever the source says.
  private let fixed = Mutex<FeeRate?>(nil)
  private let fallback: FeeRate

  /// In blocks.
  static let targets: [UInt32] = [1, 2, 6, 12, 24, 144, 1008]

  init(fallback: FeeRate) {
    self.fallback = fallback
    rates = Mutex([:])
  }

  func rate(within blocks: UInt32) -> FeeRate { estimates.rate(within: blocks) }

  /// For tests; nil for what the source says.
  func fix(_ rate: FeeRate?) { fixed.withLock { $0 = rate } }

  var estimates: FeeEstimates {
    if let rate = fixed.withLock({ $0 }) { return FeeEstimates(flat: rate) }
    let rates = rates.withLock { $0 }
    guard !rates.isEmpty else { return FeeEstimates(flat: fallback) }
    return FeeEstimates(rates.map { FeeEstimates.Entry(blocks: $0.key, rate: $0.value) })
  }

  func refresh(from source: any ChainSource) async {
    var found: [UInt32: FeeRate] = [:]
    for target in Self.targets {
      if let estimate = try? await source.feeEstimate(target: Int(target)) {
        found[target] = max(estimate.isEstimated ? estimate.rate : max(estimate.rate, .relayFloor), .relayFloor)
      }
    }
    if !found.isEmpty { rates.withLock { $0 = found } }
  }
}

/// Who wants to know of which transactions.
final class WatchIndex: Sendable {
  private struct State {
    var spends: [OutPoint: Set<NodeID>] = [:]
    var transactions: [TxID: Set<NodeID>] = [:]
  }

  private let state = Mutex(State())

  /// Tells the peer's host of the transaction that makes this output, and of the one that spends it.
  func watch(_ outPoint: OutPoint, for peer: NodeID) {
    state.withLock { state in
      state.spends[outPoint, default: []].insert(peer)
      state.transactions[outPoint.txid, default: []].insert(peer)
    }
  }

  func forget(_ outPoints: [OutPoint], for peer: NodeID) {
    state.withLock { state in
      for outPoint in outPoints {
        state.spends[outPoint]?.remove(peer)
        if state.spends[outPoint]?.isEmpty == true { state.spends[outPoint] = nil }
        state.transactions[outPoint.txid]?.remove(peer)
        if state.transactions[outPoint.txid]?.isEmpty == true { state.transactions[outPoint.txid] = nil }
      }
    }
  }

  /// Every output whose spending somebody wants to hear of.
  var outPoints: [OutPoint] { state.withLock { Array($0.spends.keys) } }

  /// Whom a transaction concerns.
  func interested(in transaction: Transaction, txid: TxID) -> Set<NodeID> {
    state.withLock { state in
      if state.spends.isEmpty { return [] }
      var found = state.transactions[txid] ?? []
      for input in transaction.inputs {
        if let peers = state.spends[input.previousOutput] { found.formUnion(peers) }
      }
      return found
    }
  }
}

extension Hub {
  /// From the system's generator.
  func randomBytes32() -> Bytes32 {
    var bytes = Bytes32()
    for index in 0..<32 { bytes[index] = UInt8.random(in: 0...255) }
    return bytes
  }

  /// Key indexes are never used twice: the highest is stored with each channel that takes one.
  func keyIndexChange(_ index: UInt64) -> Change {
    var writer = ByteWriter(reservingCapacity: 8)
    writer.write(index)
    return .put(.node, key: Array("channel key index".utf8), value: writer.bytes)
  }
}
