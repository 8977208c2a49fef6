internal import Bitcoin
internal import Encoding
internal import Logging
internal import Onchain
internal import Storage
internal import Wallet

/// The one who changes the wallet. Every change is stored before it counts.
actor WalletService {
  private var wallet: Wallet
  let keys: KeyRing
  private let store: any Store
  private let logger: Logger
  /// Addresses that were given to the chain part for sweeping; one is used until a restart.
  private var sweepScript: Script?

  init(wallet: Wallet, keys: KeyRing, store: any Store, logger: Logger) {
    self.wallet = wallet
    self.keys = keys
    self.store = store
    self.logger = logger
  }

  /// Reads the wallet, or makes it.
  static func open(
    keys: KeyRing, network: Network, birth: UInt32, store: any Store, logger: Logger
  ) async throws -> WalletService {
    let records = try await store.records(in: .wallet).map { (key: $0.key, value: $0.value) }
    if let wallet = try Wallet.restore(records, keys: keys.walletKeys, network: network) {
      return WalletService(wallet: wallet, keys: keys, store: store, logger: logger)
    }
    var wallet = Wallet(keys: keys.walletKeys, network: network, birth: birth)
    let update = wallet.initialUpdate()
    try await store.commit(Self.changes(update))
    return WalletService(wallet: wallet, keys: keys, store: store, logger: logger)
  }

  static func changes(_ update: WalletUpdate) -> [Change] {
    update.changes.map { change in
      if let value = change.value {
        .put(.wallet, key: change.key, value: value)
      } else {
        .delete(.wallet, key: change.key)
      }
    }
  }

  var current: Wallet { wallet }
  var locator: [BlockPosition] { wallet.locator }
  var birth: UInt32 { wallet.birth }

  /// Changes the wallet and stores what that means. When it cannot be stored, nothing has happened.
  @discardableResult func change<Result>(
    _ body: (inout Wallet) throws -> (Result, WalletUpdate)
  ) async throws -> Result {
    // Nobody else may change it while this waits for the disk: changes are made one after the other.
    await enter()
    defer { leave() }
    var next = wallet
    let (result, update) = try body(&next)
    if !update.changes.isEmpty { try await store.commit(Self.changes(update)) }
    wallet = next
    for case .publish(let transaction) in update.notices { unpublished.append(transaction) }
    return result
  }

  /// What the wallet wants to be given to the network again.
  private var unpublished: [Transaction] = []
  func takeUnpublished() -> [Transaction] {
    defer { unpublished = [] }
    return unpublished
  }

  private var isBusy = false
  private var waiters: [CheckedContinuation<Void, Never>] = []
  private func enter() async {
    if isBusy { await withCheckedContinuation { waiters.append($0) } } else { isBusy = true }
  }
  private func leave() {
    if waiters.isEmpty { isBusy = false } else { waiters.removeFirst().resume() }
  }

  // MARK: Chain

  func connect(_ block: Block, height: UInt32) async throws {
    try await change { wallet in ((), try wallet.connect(block, height: height)) }
  }

  func disconnect(_ hash: BlockHash) async throws {
    try await change { wallet in ((), try wallet.disconnect(hash)) }
  }

  func see(_ transaction: Transaction, time: UInt64) async {
    _ = try? await change { wallet in ((), wallet.see(transaction, time: time)) }
  }

  /// Gives up what will not be confirmed; what is confirmed, or not ours, stays as it is.
  func abandon(_ txid: TxID) async {
    _ = try? await change { wallet in ((), try wallet.abandon(txid)) }
  }

  // MARK: Spending

  func newAddress(_ kind: AddressKind) async throws -> Address {
    try await change { wallet in
      let (address, update) = try wallet.newAddress(kind)
      return (address, update)
    }
  }

  /// A script of ours that a channel's money goes to. The same one until the node starts again.
  func destination() async throws -> Script {
    if let sweepScript { return sweepScript }
    let script = try await newAddress(.segwit).scriptPubKey
    sweepScript = script
    return script
  }

  /// Makes and signs a transaction; its coins are held until it is recorded or let go.
  func make(_ request: SpendRequest) async throws -> (spend: UnsignedSpend, transaction: Transaction) {
    let spend = try await change { wallet in
      var generator = SystemRandomNumberGenerator()
      let (spend, update) = try wallet.spend(request, using: &generator)
      return (spend, update)
    }
    do {
      return (spend, try keys.sign(spend))
    } catch {
      await release(spend.reservation)
      throw error
    }
  }

  func release(_ reservation: UInt64) async {
    _ = try? await change { wallet in ((), try wallet.release(reservation)) }
  }

  func record(
    _ transaction: Transaction, label: String, fee: Satoshi? = nil, isReplaceable: Bool = true, time: UInt64
  ) async throws {
    try await change { wallet in
      ((), wallet.record(transaction, label: label, fee: fee, isReplaceable: isReplaceable, time: time))
    }
  }

  /// A claim with what it needs of the wallet, signed by both: all of it, or what the wallet can pay for.
  /// With inputs of the wallet, they are held until the transaction is recorded or the reservation is released.
  func complete(
    _ claim: Claim, _ sign: (inout Transaction, Claim, _ others: [OutPoint: TxOutput]) throws -> Void
  ) async throws -> (transaction: Transaction, reservation: UInt64?) {
    guard claim.needsWallet else {
      var transaction = claim.transaction
      try sign(&transaction, claim, [:])
      return (transaction, nil)
    }
    let funded = try await change { wallet in
      let (claim, update) = try wallet.fund(claim)
      return (claim, update)
    }
    do {
      var transaction = funded.transaction
      // BIP 341: a signature in a taproot output commits to all spent outputs.
      let spent = zip(transaction.inputs.map(\.previousOutput), funded.spentOutputs)
      try sign(&transaction, funded.claim, Dictionary(spent, uniquingKeysWith: { first, _ in first }))
      try keys.sign(&transaction, inputs: funded.paths, spending: funded.spentOutputs)
      return (transaction, funded.reservation)
    } catch {
      await release(funded.reservation)
      throw error
    }
  }

  func setAnchorChannels(_ count: Int) { wallet.setAnchorChannels(count) }
}
