internal import Anchors
internal import BOLT
internal import Base
internal import Bitcoin
internal import Encoding
internal import GLC
internal import HTLC
internal import JSON
internal import PTLC
internal import Signer

extension OperationGroup {
  static let stacks = OperationGroup("Stacks", [stackReport])
}

// MARK: - Stacks

/// What a report can be about: the channel types of the BOLTs, and compositions that have no type.
struct ReportedStack: Sendable {
  let name: String
  let stack: ChannelStack
  /// Whether second stages pay a fee of their own.
  var childrenPayFees = false

  static let all: [ReportedStack] = {
    var stacks: [ReportedStack] = []
    for type in ChannelType.allCases {
      guard let stack = try? type.stack() else { continue }
      stacks.append(
        ReportedStack(
          name: type.rawValue, stack: stack,
          childrenPayFees: [.legacy, .staticRemoteKey, .anchorsWithHTLCFees].contains(type)))
    }
    for (scheme, suffix) in [(PTLCExtension.Scheme.singleSigner, ""), (.musig2, "_musig2")] {
      for (name, hasHTLCs, isZeroFee) in [
        ("taproot_ptlc", false, false), ("taproot_htlc_ptlc", true, false), ("taproot_zero_fee_ptlc", false, true),
      ] {
        guard let stack = try? points(scheme, hasHTLCs: hasHTLCs, isZeroFee: isZeroFee) else { continue }
        stacks.append(ReportedStack(name: name + suffix, stack: stack))
      }
    }
    return stacks
  }()

  private static func points(
    _ scheme: PTLCExtension.Scheme, hasHTLCs: Bool, isZeroFee: Bool
  ) throws -> ChannelStack {
    var extensions: [any ExtensionSlot] = [
      Slot(MainOutputs(), .init(remoteFormat: isZeroFee ? .fixed : .fixedAfterOneBlock))
    ]
    if hasHTLCs { extensions.append(Slot(HTLCExtension(), .init(format: isZeroFee ? .zeroFee : .anchors))) }
    extensions.append(Slot(PTLCExtension(), .init(delaysOneBlock: !isZeroFee, scheme: scheme)))
    extensions.append(isZeroFee ? Slot(SharedAnchor(), Nothing()) : Slot(Anchors(), Nothing()))
    return try ChannelStack(funding: MuSig2Funding(), extensions: extensions)
  }

  func has(_ id: ExtensionID) -> Bool { stack.extensions.contains { $0.id == id } }
}

extension Kind where Value == ReportedStack {
  fileprivate static var reportedStack: Self {
    Kind<String>.string.map(ReportedStack.all.map(\.name).joined(separator: " | ")) {
      (name) throws(ToolError) in
      guard let stack = ReportedStack.all.first(where: { $0.name == name }) else {
        let names = ReportedStack.all.map(\.name).joined(separator: ", ")
        throw ToolError("unknown_stack", "there is no stack \(quoted(name)); there are \(names)")
      }
      return stack
    }
  }
}

/// How many contracts of each kind a commitment has, none of them trimmed.
struct SampleContracts: Sendable {
  var offeredHTLCs: UInt16 = 0
  var receivedHTLCs: UInt16 = 0
  var offeredPTLCs: UInt16 = 0
  var receivedPTLCs: UInt16 = 0
}

// MARK: - stack.report

private let stackReport = Operation(
  "stack.report", "What a stack's commitment and every way to spend its outputs weigh and cost.",
  Parameter("stack", .reportedStack),
  Parameter(
    "contracts",
    Kind<SampleContracts>.record(
      Parameter(optional: "offered_htlcs", .integer(0...966) as Kind<UInt16>),
      Parameter(optional: "received_htlcs", .integer(0...966) as Kind<UInt16>),
      Parameter(optional: "offered_ptlcs", .integer(0...966) as Kind<UInt16>),
      Parameter(optional: "received_ptlcs", .integer(0...966) as Kind<UInt16>)
    ) { (offeredHTLCs, receivedHTLCs, offeredPTLCs, receivedPTLCs) throws(ToolError) in
      SampleContracts(
        offeredHTLCs: offeredHTLCs ?? 0, receivedHTLCs: receivedHTLCs ?? 0, offeredPTLCs: offeredPTLCs ?? 0,
        receivedPTLCs: receivedPTLCs ?? 0)
    }, "how many of each, none trimmed"),
  Parameter("feerate_per_kw", .uint32),
  Parameter(optional: "format", .word("json", "table")),
  returns: [
    "base_weight": "without contracts, as the fee is counted", "commitment_weight": "with them",
    "commitment_fee_sat": "",
    "contract_output_weight": "for each contract",
    "second_stage":
      "{htlc_timeout_weight, htlc_timeout_fee_sat, htlc_success_weight, htlc_success_fee_sat}, for PTLCs the same and "
      + "{ptlc_claim_weight}: the counterparty's",
    "dust_limits_sat":
      "{offered_htlc, received_htlc, ptlc}: the smallest amount that is not trimmed at a dust limit of 354",
    "paths": "[{output, path, spender, output_weight, witness_weight, second_stage_weight, fee_sat}]",
    "table": "the same to be read, with format table",
  ]
) { reported, contracts, feeRatePerKw, format in
  let feeRate = FeeRate(satPerKiloWeight: feeRatePerKw)
  let stack = reported.stack
  if contracts.offeredHTLCs > 0 || contracts.receivedHTLCs > 0, !reported.has(HTLCExtension.id) {
    throw ToolError(.badValue, "contracts: \(reported.name) has no HTLCs")
  }
  if contracts.offeredPTLCs > 0 || contracts.receivedPTLCs > 0, !reported.has(PTLCExtension.id) {
    throw ToolError(.badValue, "contracts: \(reported.name) has no PTLCs")
  }
  let report = stack.report(try sampleCommitment(stack, contracts), at: feeRate)
  let (stages, limits) = try secondStages(reported, feeRate)
  var result: JSONObject = [
    "base_weight": .int(report.baseWeight.rawValue), "commitment_weight": .int(report.commitmentWeight.rawValue),
    "commitment_fee_sat": .amount(report.commitmentFee), "contract_output_weight": .int(172 as UInt64),
    "second_stage": .object(stages), "dust_limits_sat": .object(limits),
    "paths": .array(
      report.paths.map { path in
        [
          "output": .string(name(of: path.output)), "path": .string(path.name),
          "spender": .string(path.spender == .holder ? "holder" : "counterparty"),
          "output_weight": .int(path.outputWeight.rawValue),
          "witness_weight": path.witnessWeight.map { .int($0.rawValue) } ?? .null,
          "second_stage_weight": path.secondStageWeight.map { .int($0.rawValue) } ?? .null,
          "fee_sat": .amount(path.fee),
        ]
      }),
  ]
  if format == "table" { result["table"] = .string(table(reported.name, report)) }
  return result
}

/// The second stages of each kind of contract, and the smallest contracts that have an output.
private func secondStages(
  _ reported: ReportedStack, _ feeRate: FeeRate
) throws -> (stages: JSONObject, dustLimits: JSONObject) {
  let dustLimit: UInt64 = 354
  var stages: JSONObject = [:]
  var limits: JSONObject = [:]
  func weights(_ contracts: SampleContracts, _ side: Side) throws -> [String: Weight] {
    let stages = try sampleCommitment(reported.stack, contracts).secondStage(of: side)
    return Dictionary(stages.map { ($0.path.name, $0.template.expectedWeight) }) { first, _ in first }
  }
  if reported.has(HTLCExtension.id) {
    let own = try weights(SampleContracts(offeredHTLCs: 1, receivedHTLCs: 1), .holder)
    func fee(_ name: String) -> UInt64 {
      reported.childrenPayFees ? own[name].flatMap { feeRate.fee(for: $0) }?.rawValue ?? 0 : 0
    }
    for name in ["timeout", "success"] {
      stages["htlc_\(name)_weight"] = .int(own[name]?.rawValue ?? 0)
      stages["htlc_\(name)_fee_sat"] = .int(fee(name))
    }
    limits["offered_htlc"] = .int(dustLimit + fee("timeout"))
    limits["received_htlc"] = .int(dustLimit + fee("success"))
  }
  if reported.has(PTLCExtension.id) {
    let contracts = SampleContracts(offeredPTLCs: 1, receivedPTLCs: 1)
    let own = try weights(contracts, .holder)
    for name in ["timeout", "success"] { stages["ptlc_\(name)_weight"] = .int(own[name]?.rawValue ?? 0) }
    stages["ptlc_claim_weight"] = .int(try weights(contracts, .counterparty)["success"]?.rawValue ?? 0)
    limits["ptlc"] = .int(dustLimit)
  }
  return (stages, limits)
}

private func name(of tag: OutputTag) -> String {
  switch tag {
  case .balance(of: .holder): "to_local"
  case .balance(of: .counterparty): "to_remote"
  case let tag where tag.owner == HTLCExtension.id: tag.index & 1 == 0 ? "offered_htlc" : "received_htlc"
  case let tag where tag.owner == PTLCExtension.id: tag.index & 1 == 0 ? "offered_ptlc" : "received_ptlc"
  default: "anchor"
  }
}

private func table(_ name: String, _ report: CostReport) -> String {
  func cell(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(1, width - text.count)) }
  var lines = [
    "stack \(name): base \(report.baseWeight), commitment \(report.commitmentWeight), "
      + "\(report.commitmentFee) at \(report.feeRate)",
    cell("output", 14) + cell("path", 10) + cell("by", 14) + cell("output WU", 11) + cell("witness WU", 12)
      + cell("stage 2 WU", 12) + "fee",
  ]
  // Outputs of one kind are alike: one of each is enough to read.
  var seen: Set<String> = []
  for path in report.paths {
    let output = GLCTool.name(of: path.output)
    guard seen.insert("\(output) \(path.name) \(path.spender) \(path.outputWeight)").inserted else { continue }
    lines.append(
      cell(output, 14) + cell(path.name, 10)
        + cell(path.spender == .holder ? "holder" : "counterparty", 14) + cell("\(path.outputWeight.rawValue)", 11)
        + cell(path.witnessWeight.map { "\($0.rawValue)" } ?? "–", 12)
        + cell(path.secondStageWeight.map { "\($0.rawValue)" } ?? "–", 12) + "\(path.fee)")
  }
  return lines.joined(separator: "\n")
}

/// A commitment with as many contracts as asked for.
func sampleCommitment(_ stack: ChannelStack, _ contracts: SampleContracts) throws -> Commitment {
  func keys(_ seed: UInt8) -> Basepoints {
    LocalSigner(
      channelSeed: Bytes32(InlineArray(repeating: seed)),
      basepoints: [.funding, .revocation, .payment, .delayedPayment, .htlc, .ptlc]
    ).basepoints
  }
  let (holder, counterparty) = (keys(1), keys(2))
  guard let point = holder[.payment] else { throw ToolError("internal", "no payment basepoint") }
  let context = CommitmentContext(
    holder: .local, funder: .local, number: 0, fundingOutpoint: OutPoint(txid: TxID(Bytes32()), vout: 0),
    capacity: Satoshi(1_000_000_000), dustLimit: Satoshi(354), contestDelay: 144, feeRate: FeeRate(satPerKiloWeight: 0),
    keys: try CommitmentKeys(
      holder: holder, counterparty: counterparty, perCommitmentPoint: point, resolving: stack.keys), obscuringFactor: 0)
  func amount(_ id: UInt64) -> MilliSatoshi { MilliSatoshi(100_000_000 + id * 1000) }
  let balances = Balances(local: MilliSatoshi(400_000_000_000), remote: MilliSatoshi(400_000_000_000))
  var state = CommitmentState(
    stack: stack, balances: balances, ledgers: stack.makeLedgers(), feeRate: context.feeRate)
  let onion = [UInt8](repeating: 0, count: PTLCUpdate.onionByteCount)
  for (position, slot) in stack.extensions.enumerated() {
    func add<E: ChannelExtension>(_ update: E.Update, of kind: E.Type, by party: Party) throws {
      try state.apply(.extension(position, AnyUpdate(update, of: kind)), by: party)
    }
    if slot.id == HTLCExtension.id {
      for (party, count) in [(Party.local, contracts.offeredHTLCs), (.remote, contracts.receivedHTLCs)] {
        for id in 0..<UInt64(count) {
          let hash = PaymentHash(Bytes32(InlineArray(repeating: UInt8(truncatingIfNeeded: id))))
          try add(
            .add(
              id: id, amount: amount(id), paymentHash: hash, cltvExpiry: 800_000, onion: onion, extra: TLVStream()),
            of: HTLCExtension.self, by: party)
        }
      }
    } else if slot.id == PTLCExtension.id {
      for (party, count) in [(Party.local, contracts.offeredPTLCs), (.remote, contracts.receivedPTLCs)] {
        for id in 0..<UInt64(count) {
          try add(
            .add(
              id: id, amount: amount(id), lock: PaymentPoint(point), expiry: 800_000, onion: onion, extra: TLVStream()),
            of: PTLCExtension.self, by: party)
        }
      }
    }
  }
  return try stack.commitment(context, balances: state.balances, ledgers: state.ledgers)
}
