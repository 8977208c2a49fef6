public import Bitcoin
internal import GLC
public import Onchain

/// A claim with inputs of the wallet that pay its fee. The claim's own inputs come first and are signed by the channel's signer.
public struct FundedClaim: Sendable {
  /// Without witnesses.
  public var transaction: Transaction
  /// What each input spends.
  public var spentOutputs: [TxOutput]
  /// Our keys, by the index of the input: for `KeyRing.sign(_:inputs:spending:)`.
  public var paths: [Int: AddressPath]
  public var fee: Satoshi
  /// Holds the coins until the transaction is recorded, or the reservation is released.
  public var reservation: UInt64
}

extension Wallet {
  /// Adds inputs of the wallet to a claim, so that it pays what it is to pay: confirmed ones, one if possible, of the reserve for anchor
  /// channels too; without any, the change of our own transactions that wait. An earlier attempt at the same outputs counts as replaced: its coins can be used again.
  ///
  /// Throws `.insufficientFunds`, `.claim`.
  public mutating func fund(_ claim: Claim) throws(WalletError) -> (claim: FundedClaim, update: WalletUpdate) {
    let coins = coins(for: claim)
    let inputs: [WalletInput]
    switch attempt(claim, []) {
    case .enough: inputs = []
    case .failed(let error): throw error
    case .missing(let missing): inputs = try choose(coins, for: claim, missing: missing)
    }
    let transaction: Transaction
    do { transaction = try claim.funded(with: inputs) } catch { throw .claim("\(error)") }
    var paths: [Int: AddressPath] = [:]
    for (offset, input) in inputs.enumerated() {
      paths[claim.spends.count + offset] = scripts.path(of: input.output.scriptPubKey)
    }
    let spentOutputs = claim.spends.map(\.output) + inputs.map(\.output)
    let paid: Satoshi
    do { paid = try TransactionRules.fee(of: transaction, spending: spentOutputs) } catch { throw .amountOutOfRange }
    let id = hold(inputs.map(\.outPoint), expires: nil, change: nil)
    return (
      FundedClaim(
        transaction: transaction, spentOutputs: spentOutputs, paths: paths, fee: paid, reservation: id), flush()
    )
  }

  private enum Attempt {
    case enough
    case missing(Satoshi)
    case failed(WalletError)
  }

  private func attempt(_ claim: Claim, _ inputs: [WalletInput]) -> Attempt {
    do throws(ClaimError) {
      _ = try claim.funded(with: inputs)
      return .enough
    } catch {
      guard case .missing(let missing) = error else { return .failed(.claim("\(error)")) }
      return .missing(missing)
    }
  }

  /// Confirmed coins that are free, and those that an earlier attempt spends, in the order of their values.
  private func coins(for claim: Claim) -> [WalletInput] {
    let earlier = claim.outPoints.flatMap { spenders[$0] ?? [] }.compactMap { records[$0] }
      .filter { $0.status == .unconfirmed }
    var outPoints = unspent
    for record in earlier {
      for input in record.transaction.inputs { outPoints.insert(input.previousOutput) }
      for vout in record.transaction.outputs.indices {
        outPoints.remove(OutPoint(txid: record.txid, vout: UInt32(vout)))
      }
    }
    var confirmed: [WalletInput] = []
    var change: [WalletInput] = []
    // BIP 125, rule 2: a replacement has no unconfirmed inputs that what it replaces had not. BIP 431: version 3 descends from version 3.
    let mayChain = earlier.isEmpty && !claim.isReplacement && claim.version != 3
    for outPoint in outPoints {
      guard let (output, path) = ownOutput(outPoint), reserved[outPoint] == nil, let record = records[outPoint.txid]
      else { continue }
      let input = WalletInput(outPoint: outPoint, output: output, witnessWeight: path.kind.witnessWeight)
      if let height = record.status.height {
        let isMature =
          !record.transaction.isCoinbase
          || UInt64(height) + UInt64(Self.coinbaseMaturity) <= UInt64(self.height ?? 0) + 1
        if isMature { confirmed.append(input) }
      } else if mayChain, record.status == .unconfirmed, record.isOwn,
        let ancestors = unconfirmedAncestors(of: outPoint.txid, limit: policy.maximumAncestors),
        ancestors.allSatisfy({ $0.isOwn && $0.transaction.version != 3 })
      {
        change.append(input)
      }
    }
    func ordered(_ inputs: [WalletInput]) -> [WalletInput] {
      inputs.sorted { ($0.output.value, $0.outPoint) < ($1.output.value, $1.outPoint) }
    }
    // Many claims at the same time may have to share few coins: then each takes the change of the one before.
    return confirmed.isEmpty ? ordered(change) : ordered(confirmed)
  }

  private func choose(
    _ coins: [WalletInput], for claim: Claim, missing: Satoshi
  ) throws(WalletError) -> [WalletInput] {
    // The smallest that does it alone.
    for coin in coins where coin.output.value > missing {
      if case .enough = attempt(claim, [coin]) { return [coin] }
    }
    var inputs: [WalletInput] = []
    var last = missing
    for coin in coins.reversed() {
      inputs.append(coin)
      switch attempt(claim, inputs) {
      case .enough: return inputs
      case .missing(let still): last = still
      case .failed(let error): throw error
      }
    }
    let available = coins.reduce(Satoshi.zero) { $0.adding($1.output.value) ?? .maxMoney }
    throw .insufficientFunds(available: available, missing: last)
  }
}
