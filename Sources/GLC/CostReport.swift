public import Bitcoin

/// What a commitment costs to bring to the chain and to take apart: for authors who weigh one design against another.
public struct CostReport: Sendable {
  public struct Path: Sendable {
    public var output: OutputTag
    public var name: String
    public var spender: Side
    public var value: Satoshi
    /// The output's own weight in the commitment.
    public var outputWeight: Weight
    /// The witness that takes it freely; nil for a pre-signed second stage.
    public var witnessWeight: Weight?
    /// The whole second-stage transaction, as its fee is counted.
    public var secondStageWeight: Weight?
    /// What it costs at the report's fee rate: the second stage, or the input with its witness (164 weight units without).
    public var fee: Satoshi
  }

  /// As the fee is counted.
  public var commitmentWeight: Weight
  public var baseWeight: Weight
  public var commitmentFee: Satoshi
  public var feeRate: FeeRate
  public var paths: [Path]

  /// The weight of an input without its witness: 36 outpoint, 1 script length, 4 sequence.
  public static let inputWeight = Weight(4 * 41)
}

extension ChannelStack {
  /// Weights and fees of a commitment, of its second stages and of every spending path at a fee rate.
  public func report(_ commitment: Commitment, at feeRate: FeeRate) -> CostReport {
    let contracts = commitment.outputs.filter { sealed in
      extensions.contains { $0.id == sealed.output.tag.owner && $0.manifest.phase == .contracts }
    }
    let weight = expectedWeight(contracts: contracts.map(\.output.lock.outputWeight))
    func fee(_ weight: Weight) -> Satoshi { feeRate.fee(for: weight) ?? .maxMoney }
    let paths = commitment.outputs.flatMap { sealed in
      sealed.output.paths.map { path in
        var report = CostReport.Path(
          output: sealed.output.tag, name: path.name, spender: path.spender, value: sealed.output.value,
          outputWeight: sealed.output.lock.outputWeight, witnessWeight: nil, secondStageWeight: nil, fee: .zero)
        switch path.execution {
        case .free(let witness):
          report.witnessWeight = witness
          report.fee = fee(Weight(CostReport.inputWeight.rawValue + witness.rawValue))
        case .presigned(let child):
          report.secondStageWeight = child.expectedWeight
          report.fee = fee(child.expectedWeight)
        }
        return report
      }
    }
    return CostReport(
      commitmentWeight: weight, baseWeight: baseWeight, commitmentFee: fee(weight), feeRate: feeRate, paths: paths)
  }
}
