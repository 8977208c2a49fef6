public import Bitcoin
public import GLC
internal import Encoding

/// A transaction that we want confirmed: which outputs it takes by which paths, by when, and what it should pay. It holds no secret:
/// the caller makes the transaction, has the signer fill in the witnesses (and the wallet its own), and publishes it.
public struct Claim: Sendable {
  public enum Purpose: Hashable, Sendable {
    /// Outputs of ours go to our wallet. The fee comes out of them.
    case sweep
    /// Second-stage transactions that the other side has signed, one for each spend, in one transaction. With `needsWallet`, the fee
    /// has to be added.
    case children([ChildTemplate])
    /// Pays for a transaction that is not confirmed yet, by spending an output of it. Both are published together; `fee` and `weight`
    /// are the parent's.
    case parent(Transaction, fee: Satoshi, weight: Weight)
  }

  public var purpose: Purpose
  public var spends: [OutputSpend]
  /// Of each spend's input.
  public var sequences: [UInt32]
  public var version: UInt32
  public var lockTime: UInt32
  /// Where sweeps and change go.
  public var destination: Script
  /// What the transaction is to pay in all, its unconfirmed parent included.
  public var feeRate: FeeRate
  /// The fee without wallet inputs, in satoshi, exact for sweeps. With a wallet, the least that is to be paid.
  public var fee: Satoshi
  /// Signed, without anything that a wallet adds.
  public var weight: Weight
  /// The first height at which somebody else could take one of the outputs. Nil when nobody ever can.
  public var deadline: UInt32?
  /// An earlier claim of the same outputs may be on its way: this one pays enough to replace it (BIP 125).
  public var isReplacement: Bool
  public var keys: SpendingKeys

  /// The outputs that it takes.
  public var outPoints: [OutPoint] { spends.map(\.outPoint) }

  /// Whether inputs must be added to pay the fee.
  public var needsWallet: Bool {
    switch purpose {
    case .sweep: false
    case .children(let templates): zip(templates, spends).allSatisfy { $0.fee(spending: $1.value) == .zero }
    case .parent: true
    }
  }
}

/// An output of the wallet that pays the fee of a claim.
public struct WalletInput: Hashable, Sendable {
  public var outPoint: OutPoint
  public var output: TxOutput
  /// At most this heavy, its element count included.
  public var witnessWeight: Weight

  public init(outPoint: OutPoint, output: TxOutput, witnessWeight: Weight) {
    self.outPoint = outPoint
    self.output = output
    self.witnessWeight = witnessWeight
  }
}

public enum ClaimError: Error, Hashable, Sendable {
  /// The wallet inputs do not pay the fee: that many satoshis more are needed.
  case missing(Satoshi)
  /// BIP 431: a child of an unconfirmed version 3 transaction has at most 1,000 vbytes, its parent 10,000.
  case tooLarge(virtualSize: UInt64)
  /// The other side's signature covers all inputs and outputs: nothing can be added.
  case cannotBeFunded
  case amountOutOfRange
}

extension Claim {
  /// BIP 431, rules 4 and 5, in vbytes.
  static let maximumVersion3Size: UInt64 = 10_000
  static let maximumVersion3ChildSize: UInt64 = 1_000

  /// The unsigned transaction: of a sweep with its output, of a second-stage transaction as it was signed. Those that `needsWallet`
  /// are made by `funded(with:)`.
  public var transaction: Transaction {
    var outputs: [TxOutput] = []
    switch purpose {
    case .sweep:
      // A claim is only made when its outputs are worth more than the fee.
      let total = spends.reduce(Satoshi.zero) { $0.adding($1.value) ?? $0 }
      outputs = [TxOutput(value: total.subtracting(fee) ?? .zero, scriptPubKey: destination)]
    case .children(let templates):
      outputs = templates.flatMap(\.outputs).map { TxOutput(value: $0.value, scriptPubKey: $0.lock.scriptPubKey) }
    case .parent: break
    }
    return Transaction(
      version: version,
      inputs: zip(spends, sequences).map { TxInput(previousOutput: $0.outPoint, sequence: $1) },
      outputs: outputs, lockTime: lockTime)
  }

  /// The unsigned transaction with inputs of the wallet behind those of the claim, and its change behind the outputs.
  public func funded(with inputs: [WalletInput], dustLimit: Satoshi = Satoshi(330)) throws(ClaimError) -> Transaction {
    var transaction = self.transaction
    if case .children(let templates) = purpose, !templates.allSatisfy(\.allowsAddingInputs) { throw .cannotBeFunded }
    var available = spends.reduce(Optional(Satoshi.zero)) { $0?.adding($1.value) }
    // 40 bytes of an input and one for its empty script; changes in the two counts take at most two bytes each.
    var total = weight.rawValue + 4 * 4 + 4 * UInt64(9 + destination.count)
    for input in inputs {
      transaction.inputs.append(TxInput(previousOutput: input.outPoint, sequence: Claim.replaceable))
      available = available?.adding(input.output.value)
      total += 4 * 41 + input.witnessWeight.rawValue
    }
    let owed = transaction.outputs.reduce(Optional(Satoshi.zero)) { $0?.adding($1.value) }
    guard let available, let owed else { throw .amountOutOfRange }
    if version == 3 {
      let size = Weight(total).virtualSize
      if case .parent(_, _, let parentWeight) = purpose {
        guard size <= Claim.maximumVersion3ChildSize else { throw .tooLarge(virtualSize: size) }
        let parentSize = parentWeight.virtualSize
        guard parentSize <= Claim.maximumVersion3Size else { throw .tooLarge(virtualSize: parentSize) }
      } else if size > Claim.maximumVersion3Size {
        throw .tooLarge(virtualSize: size)
      }
    }
    guard let needed = fee(ofWeight: Weight(total)), let spent = owed.adding(needed) else { throw .amountOutOfRange }
    guard let change = available.subtracting(spent) else { throw .missing(spent.subtracting(available) ?? .zero) }
    if change >= dustLimit || transaction.outputs.isEmpty {
      guard change >= dustLimit else { throw .missing(dustLimit.subtracting(change) ?? .zero) }
      transaction.outputs.append(TxOutput(value: change, scriptPubKey: destination))
    }
    return transaction
  }

  /// The fee of this transaction alone, at this weight, which brings it and its unconfirmed parent to the rate.
  private func fee(ofWeight weight: Weight) -> Satoshi? {
    guard case .parent(_, let parentFee, let parentWeight) = purpose else {
      return feeRate.fee(for: weight).map { max($0, fee) }
    }
    guard let package = feeRate.fee(for: Weight(weight.rawValue + parentWeight.rawValue)),
      let alone = FeeRate.relayFloor.fee(for: weight)
    else { return nil }
    return max(package.subtracting(parentFee) ?? .zero, alone, fee)
  }

  /// BIP 125: nSequence below 0xfffffffe signals replaceability.
  static let replaceable: UInt32 = 0xffff_fffd
}

extension ChildTemplate {
  /// What it pays to the miner of the output that it spends.
  func fee(spending value: Satoshi) -> Satoshi {
    outputs.reduce(value) { $0.subtracting($1.value) ?? .zero }
  }

  /// Whether the other side's signature leaves room for more inputs.
  var allowsAddingInputs: Bool { counterSignature.sighashType.isAnyoneCanPay }

  /// Whether others can stand beside it in one transaction: the other side has signed its input and the output at the same place alone
  /// (SIGHASH_SINGLE | SIGHASH_ANYONECANPAY), and it brings no fee.
  func canBeJoined(spending value: Satoshi) -> Bool {
    counterSignature.sighashType == .singleAnyoneCanPay && outputs.count == 1 && fee(spending: value) == .zero
  }

  /// 4 version, 4 lock time, 2 counts, and 2 for the witness marker: what second stages in one transaction share.
  static let sharedWeight: UInt64 = 4 * 10 + 2
}

extension Claim {
  /// The weight of second stages in one transaction, signed.
  static func weight(joining templates: some Sequence<ChildTemplate>) -> Weight {
    var weight = ChildTemplate.sharedWeight
    for template in templates {
      weight += template.expectedWeight.rawValue - min(ChildTemplate.sharedWeight, template.expectedWeight.rawValue)
    }
    return Weight(weight)
  }

  /// The first of its second stages alone, for a wallet that cannot pay for all of them; the most valuable come first. Nil when there
  /// are none to leave out. The others are claimed when these are confirmed.
  public func keeping(first count: Int) -> Claim? {
    guard case .children(let templates) = purpose, count > 0, count < templates.count else { return nil }
    var claim = self
    claim.purpose = .children(Array(templates.prefix(count)))
    claim.spends = Array(spends.prefix(count))
    claim.sequences = Array(sequences.prefix(count))
    claim.weight = Self.weight(joining: templates.prefix(count))
    claim.fee = feeRate.fee(for: claim.weight) ?? fee
    return claim
  }
}

extension SpendPath {
  /// nSequence of an input that takes this path: the age that it needs, and replaceable.
  var sequence: UInt32 { conditions.age.map { UInt32($0) } ?? Claim.replaceable }
}
