public import Bitcoin
internal import GLC
public import Onchain

/// A claim with inputs of the wallet that pay its fee. The claim's own inputs come first and are signed by the channel's signer.
public struct FundedClaim: Sendable {
  /// What the transaction takes: all of the claim or, where the coins do not pay for that, its most valuable second stages.
  public var claim: Claim
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
  /// Adds inputs of the wallet to a claim, so that it pays what it is to pay: confirmed ones only, one if possible, of the reserve for anchor
  /// channels too. An earlier attempt at the same outputs counts as replaced: its coins can be used again.
  ///
  /// Throws `.insufficientFunds`, `.claim`.
  public mutating func fund(_ claim: Claim) throws(WalletError) -> (claim: FundedClaim, update: WalletUpdate) {
    let coins = coins(for: claim)
    let (claim, inputs) = try affordable(claim, coins)
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
        claim: claim, transaction: transaction, spentOutputs: spentOutputs, paths: paths, fee: paid, reservation: id),
      flush()
    )
  }

  /// The claim with what pays for it; or as many of its second stages as the coins pay for.
  private func affordable(_ claim: Claim, _ coins: [WalletInput]) throws(WalletError) -> (Claim, [WalletInput]) {
    let whole: WalletError
    do throws(WalletError) { return (claim, try inputs(coins, for: claim)) } catch { whole = error }
    guard case .insufficientFunds = whole else { throw whole }
    var best: (Claim, [WalletInput])?
    var (low, high) = (1, claim.spends.count - 1)
    while low <= high {
      let middle = (low + high) / 2
      guard let part = claim.keeping(first: middle) else { break }
      do throws(WalletError) {
        best = (part, try inputs(coins, for: part))
        low = middle + 1
      } catch {
        high = middle - 1
      }
    }
    guard let best else { throw whole }
    return best
  }

  private func inputs(_ coins: [WalletInput], for claim: Claim) throws(WalletError) -> [WalletInput] {
    switch attempt(claim, []) {
    case .enough: []
    case .failed(let error): throw error
    case .missing(let missing): try choose(coins, for: claim, missing: missing)
    }
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
    return outPoints.compactMap { outPoint -> WalletInput? in
      guard let (output, path) = ownOutput(outPoint), reserved[outPoint] == nil,
        let record = records[outPoint.txid], let confirmed = record.status.height
      else { return nil }
      let isMature =
        !record.transaction.isCoinbase || UInt64(confirmed) + UInt64(Self.coinbaseMaturity) <= UInt64(height ?? 0) + 1
      return isMature
        ? WalletInput(outPoint: outPoint, output: output, witnessWeight: path.kind.witnessWeight) : nil
    }.sorted { ($0.output.value, $0.outPoint) < ($1.output.value, $1.outPoint) }
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
