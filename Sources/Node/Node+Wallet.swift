internal import BOLT
internal import Bitcoin
internal import Chain
internal import GLC
internal import Payments
internal import Wallet
internal import Wire

// What the API does with the wallet and with policies beyond what a node needs by itself.

extension WalletService {
  /// What a channel that takes everything would have, at most `limit`.
  func maximumFunding(_ order: OpenOrder, upTo limit: Satoshi) throws -> Satoshi {
    // As large as a funding output is.
    let script = Script.p2wsh(Script())
    var request = SpendRequest(paying: .all, to: script, feeRate: order.feeRate)
    request.coins = order.coins
    return min(try current.maximumSpend(request), limit)
  }

  /// Holds coins until a height, across restarts.
  func reserve(_ outPoints: [OutPoint], until height: UInt32) async throws {
    try await change { wallet in
      let (id, update) = try wallet.reserve(outPoints, expires: height)
      return (id, update)
    }
  }

  /// Inputs for a transaction that somebody else makes.
  func fund(_ request: InputsRequest, holdingUntil height: UInt32?) async throws -> FundedInputs {
    try await change { wallet in
      var generator = SystemRandomNumberGenerator()
      let (funded, update) = try wallet.fund(request, holdingUntil: height, using: &generator)
      return (funded, update)
    }
  }

  /// Makes and signs a version of a transaction that pays more; its coins are held until it is recorded or let go.
  func bump(_ txid: TxID, to feeRate: FeeRate) async throws -> (spend: UnsignedSpend, transaction: Transaction) {
    let spend = try await change { wallet in
      var generator = SystemRandomNumberGenerator()
      let (spend, update) = try wallet.bump(txid, to: feeRate, using: &generator)
      return (spend, update)
    }
    do {
      return (spend, try keys.sign(spend))
    } catch {
      await release(spend.reservation)
      throw error
    }
  }
}

extension Node {
  /// Spends from the wallet: the transaction, which is broadcast, and its PSBT as it was before it was signed.
  func send(_ request: SpendRequest, label: String) async throws -> (Transaction, PSBT) {
    let (spend, transaction) = try await hub.wallet.make(request)
    let psbt: PSBT
    do {
      psbt = try await hub.wallet.current.psbt(for: spend)
      try await broadcast(transaction, label: label, fee: spend.fee)
    } catch {
      await hub.wallet.release(spend.reservation)
      throw error
    }
    return (transaction, psbt)
  }

  func bump(_ txid: TxID, to feeRate: FeeRate) async throws -> Transaction {
    let label = await hub.wallet.current.transaction(txid)?.label ?? ""
    let (spend, transaction) = try await hub.wallet.bump(txid, to: feeRate)
    do {
      try await broadcast(transaction, label: label, fee: spend.fee)
    } catch {
      await hub.wallet.release(spend.reservation)
      throw error
    }
    return transaction
  }

  /// What the network refuses is not recorded; what is not known to have been refused is, so that it is never spent twice by mistake.
  private func broadcast(_ transaction: Transaction, label: String, fee: Satoshi) async throws {
    let test = try await hub.source.testAccept([transaction]).first
    if let refusal = test?.refusal, refusal.kind != .alreadyInMempool, refusal.kind != .alreadyConfirmed {
      throw ChainError.refused(refusal)
    }
    try await hub.wallet.record(transaction, label: label, fee: fee, time: WallClock.seconds)
    await hub.broadcaster.keep([transaction], label)
    try await hub.source.submit(transaction)
  }

  /// Broadcasts what others may have had a hand in.
  func publish(_ transaction: Transaction, label: String, fee: Satoshi?) async throws {
    try await hub.source.submit(transaction)
    await hub.broadcaster.keep([transaction], label)
    try await hub.wallet.record(transaction, label: label, fee: fee, time: WallClock.seconds)
  }

  /// Sets what a channel charges; returns when that is stored.
  func setPolicy(_ policy: ForwardingPolicy, of channel: ChannelID) async throws -> ForwardingPolicy {
    guard let host = hub.host(of: channel) else { throw NodeError.unknownChannel(channel) }
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
      let isPosted = host.mailbox.post(
        .setPolicy(channel, policy) { continuation.resume(with: $0.mapError { $0 as any Error }) })
      if !isPosted { continuation.resume(throwing: NodeError.unknownChannel(channel)) }
    }
    return policy
  }
}
