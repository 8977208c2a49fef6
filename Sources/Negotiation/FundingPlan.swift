public import Bitcoin
internal import GLC

/// The funding transaction while it is put together by two parties: what each has added, under serial numbers of its own. One set of rules for
/// what comes in, whoever it comes from (BOLT 2 §Interactive Transaction Construction); added and removed is what differs from one proposal to
/// the next.
public struct FundingPlan: Hashable, Sendable {
  public struct Input: Hashable, Sendable {
    /// Even of the opener's, odd of the acceptor's.
    public var serial: UInt64
    /// The whole transaction that it spends from: it proves the amount, and that nobody can change its id.
    public var previous: Transaction
    public var vout: UInt32
    public var sequence: UInt32

    public init(serial: UInt64, previous: Transaction, vout: UInt32, sequence: UInt32) {
      self.serial = serial
      self.previous = previous
      self.vout = vout
      self.sequence = sequence
    }

    public var outPoint: OutPoint { OutPoint(txid: previous.txid, vout: vout) }

    public var spent: TxOutput? {
      Int(exactly: vout).flatMap { previous.outputs.indices.contains($0) ? previous.outputs[$0] : nil }
    }
  }

  public struct Output: Hashable, Sendable {
    public var serial: UInt64
    public var output: TxOutput
    /// Whether it is the one that the channel lives on.
    public var isChannel: Bool

    public init(serial: UInt64, output: TxOutput, isChannel: Bool = false) {
      self.serial = serial
      self.output = output
      self.isChannel = isChannel
    }
  }

  /// In ascending order of their serial numbers, which is their order in the transaction.
  public private(set) var inputs: [Input] = []
  public private(set) var outputs: [Output] = []
  public let lockTime: UInt32

  public init(lockTime: UInt32) { self.lockTime = lockTime }

  public mutating func add(_ input: Input) {
    inputs.insert(input, at: inputs.firstIndex { $0.serial > input.serial } ?? inputs.endIndex)
  }

  public mutating func add(_ output: Output) {
    outputs.insert(output, at: outputs.firstIndex { $0.serial > output.serial } ?? outputs.endIndex)
  }

  /// Takes out what the opener, or the acceptor, has added.
  public mutating func remove(ofOpener: Bool) {
    inputs.removeAll { Self.isOpeners($0.serial) == ofOpener }
    outputs.removeAll { Self.isOpeners($0.serial) == ofOpener }
  }

  static func isOpeners(_ serial: UInt64) -> Bool { serial.isMultiple(of: 2) }

  public func inputs(ofOpener: Bool) -> [Input] { inputs.filter { Self.isOpeners($0.serial) == ofOpener } }
  public func outputs(ofOpener: Bool) -> [Output] { outputs.filter { Self.isOpeners($0.serial) == ofOpener } }

  /// The transaction, unsigned.
  public var transaction: Transaction {
    Transaction(
      version: 2, inputs: inputs.map { TxInput(previousOutput: $0.outPoint, sequence: $0.sequence) },
      outputs: outputs.map(\.output), lockTime: lockTime)
  }

  public var spentOutputs: [TxOutput] { inputs.compactMap(\.spent) }

  /// Where the channel is.
  public var channelIndex: Int? { outputs.firstIndex { $0.isChannel } }

  /// What its inputs hold beyond its outputs; nil for less than nothing.
  var fee: Satoshi? {
    let given = total(ofOpener: true).adding(total(ofOpener: false))
    var taken = Satoshi.zero
    for output in outputs { taken = taken.adding(output.output.value) ?? .maxMoney }
    return given?.subtracting(taken)
  }

  /// What a party's inputs hold.
  func total(ofOpener: Bool) -> Satoshi {
    inputs(ofOpener: ofOpener).reduce(.zero) { $0.adding($1.spent?.value ?? .zero) ?? .maxMoney }
  }
}

// MARK: - Rules

extension FundingPlan {
  /// Version, counts, lock time, and the two bytes that mark a transaction with witnesses.
  static let commonWeight = Weight(4 * 10 + 2)

  /// The output that the channel lives on: 8, 1 and 34 bytes.
  static let channelOutputWeight = Weight(4 * 43)

  /// What has to be counted for a party at least, with the witnesses that its inputs will have: of other programs than these nothing is
  /// known, and 107 is the least that BOLT 2 lets anybody count.
  func weight(ofOpener: Bool) -> Weight {
    var weight = ofOpener ? Self.commonWeight.rawValue : 0
    for input in inputs(ofOpener: ofOpener) {
      weight += 4 * 41
      if case .p2tr = input.spent?.scriptPubKey.kind { weight += 66 } else { weight += 107 }
    }
    for output in outputs(ofOpener: ofOpener) {
      weight += UInt64(4 * (8 + 1 + output.output.scriptPubKey.count))
    }
    return Weight(weight)
  }

  /// Whether what a party has made of the last state of the transaction keeps the rules: `self` is the state that it proposes.
  func check(
    changedFrom last: FundingPlan, byOpener: Bool, dustLimit: Satoshi
  ) throws(Refusal) {
    func fail(_ reason: String) -> Refusal { Refusal(.funding, reason) }
    guard lockTime == last.lockTime else { throw fail("the lock time is another one") }
    // What the other party has added is its own to change.
    guard inputs(ofOpener: !byOpener) == last.inputs(ofOpener: !byOpener),
      outputs(ofOpener: !byOpener) == last.outputs(ofOpener: !byOpener)
    else { throw fail("what one party has added was changed by the other, or a serial number has the wrong parity") }
    // BOLT 2: there are more than 252 inputs; there are more than 252 outputs.
    guard inputs.count <= NegotiationLimits.inputs else { throw fail("\(inputs.count) inputs are more than 252") }
    guard outputs.count <= NegotiationLimits.outputs else { throw fail("\(outputs.count) outputs are more than 252") }
    // The `serial_id` is already included in the transaction.
    for (one, next) in zip(inputs, inputs.dropFirst()) where one.serial == next.serial {
      throw fail("the serial number \(one.serial) is there twice")
    }
    for (one, next) in zip(outputs, outputs.dropFirst()) where one.serial == next.serial {
      throw fail("the serial number \(one.serial) is there twice")
    }
    var seen: Set<OutPoint> = []
    for input in inputs {
      // `sequence` is set to `0xFFFFFFFE` or `0xFFFFFFFF`.
      guard input.sequence <= 0xffff_fffd else { throw fail("an input that cannot be replaced") }
      // `prevtx_vout` is greater or equal to the number of outputs on `prevtx`.
      guard let spent = input.spent else { throw fail("an output that the previous transaction does not have") }
      // The `scriptPubKey` of the output is not exactly a 1-byte push opcode followed by a data push between 2 and 40 bytes.
      guard spent.scriptPubKey.witnessProgram != nil else {
        throw fail("an input whose signature others can change: \(input.outPoint) pays to no witness program")
      }
      guard spent.value.isInMoneyRange else { throw fail("an input that is out of range") }
      // `prevtx` and `prevtx_vout` are identical to a previously added (and not removed) input.
      guard seen.insert(input.outPoint).inserted else { throw fail("\(input.outPoint) is spent twice") }
    }
    guard outputs.count(where: \.isChannel) <= 1 else { throw fail("the channel has two outputs") }
    for output in outputs {
      // The `sats` amount is less than the `dust_limit`; is greater than 2,100,000,000,000,000 (`MAX_MONEY`).
      guard output.output.value.isInMoneyRange else { throw fail("an output that is out of range") }
      guard output.output.value >= dustLimit else {
        throw fail("an output of \(output.output.value) is less than the dust limit of \(dustLimit)")
      }
      // The channel's output is the opener's, who pays for it.
      guard !output.isChannel || Self.isOpeners(output.serial) else {
        throw fail("the channel's output is not the opener's")
      }
      guard output.output.scriptPubKey.count <= 10_000 else { throw fail("a script that nobody can spend") }
    }
    guard weight(ofOpener: true).rawValue + weight(ofOpener: false).rawValue <= NegotiationLimits.weight.rawValue
    else { throw fail("a transaction of more than 400,000 weight units is not relayed") }
  }

  /// BOLT 2, of who has received `tx_complete`: MUST fail the negotiation if the peer's total input satoshis is less than their outputs,
  /// its portion of the funding output included; if the peer's paid feerate does not meet or exceed the agreed `feerate`; and, of the
  /// opener, if its fees do not cover the common fields.
  func checkPayment(ofOpener: Bool, contribution: Satoshi, feeRate: FeeRate) throws(Refusal) {
    let who = ofOpener ? "the opener" : "the acceptor"
    var paid = contribution
    for output in outputs(ofOpener: ofOpener) where !output.isChannel {
      guard let sum = paid.adding(output.output.value) else { throw Refusal(.funding, "outputs that are out of range") }
      paid = sum
    }
    let given = total(ofOpener: ofOpener)
    guard let fee = given.subtracting(paid) else {
      throw Refusal(.funding, "\(who) puts in \(given), and takes \(paid)")
    }
    let weight = weight(ofOpener: ofOpener)
    // Who adds nothing pays nothing.
    guard let due = feeRate.fee(for: weight), fee >= due else {
      throw Refusal(.funding, "\(who) pays \(fee) for \(weight.rawValue) weight units, less than \(feeRate)")
    }
  }

  /// The channel's output is there, with this script and amount.
  func checkChannel(_ expected: TxOutput) throws(Refusal) {
    guard let index = channelIndex else { throw Refusal(.funding, "no output is the channel's") }
    guard outputs[index].output == expected else {
      throw Refusal(.funding, "the channel's output is not \(expected.value) to the keys of both")
    }
  }
}
