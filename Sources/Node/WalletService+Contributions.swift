internal import Bitcoin
internal import Negotiation
internal import Wallet

// Coins for transactions that others put together with us.

extension WalletService {
  /// Inputs for our part of a funding transaction, with change. They are held until they are released, or for two days.
  /// - Parameter coins: only these, when given. All that is put in is confirmed: the peer takes nothing else.
  func contribute(
    _ request: CoinRequest, from coins: [OutPoint]?, height: UInt32
  ) async throws -> (contribution: Opening.Contribution, reservation: UInt64) {
    var wanted = InputsRequest(.exactly(request.amount), feeRate: request.feeRate, startWeight: request.startWeight)
    wanted.addsChange = true
    wanted.coins = coins
    let asked = wanted
    return try await change { wallet in
      var generator = SystemRandomNumberGenerator()
      for outPoint in coins ?? [] {
        if case .unconfirmed = wallet.coin(outPoint)?.state { throw WalletError.unconfirmedCoin(outPoint) }
      }
      let until = height.addingReportingOverflow(288).partialValue
      let (funded, update) = try wallet.fund(asked, holdingUntil: until, using: &generator)
      var inputs: [Opening.Contribution.Input] = []
      for input in funded.psbt.inputs {
        // The peer wants to see the whole transaction that is spent.
        guard let previous = wallet.transaction(input.previousOutput.txid)?.transaction else {
          throw WalletError.unusableCoin(input.previousOutput)
        }
        inputs.append(.init(previous: previous, vout: input.previousOutput.vout))
      }
      guard let held = wallet.allReservations.last, Set(held.outPoints) == Set(funded.outPoints) else {
        throw WalletError.insufficientFunds(available: .zero, missing: request.amount)
      }
      let contribution = Opening.Contribution(inputs: inputs, outputs: funded.psbt.outputs.map(\.transactionOutput))
      return ((contribution, held.id), update)
    }
  }

  /// Lets go of just these coins.
  func release(holding outPoints: [OutPoint]) async {
    guard !outPoints.isEmpty else { return }
    for reservation in current.allReservations where Set(reservation.outPoints) == Set(outPoints) {
      await release(reservation.id)
    }
  }

  /// What opens our inputs of a transaction, in their order there.
  func witnesses(
    _ transaction: Transaction, of own: Set<OutPoint>, spending: [TxOutput]
  ) throws -> [Witness] {
    var signed = transaction
    var paths: [Int: AddressPath] = [:]
    let wallet = current
    for (index, input) in transaction.inputs.enumerated() where own.contains(input.previousOutput) {
      guard spending.indices.contains(index), let path = wallet.path(of: spending[index].scriptPubKey) else {
        throw WalletError.mismatch(input: index)
      }
      paths[index] = path
    }
    try keys.sign(&signed, inputs: paths, spending: spending)
    return paths.keys.sorted().map { signed.inputs[$0].witness }
  }
}
