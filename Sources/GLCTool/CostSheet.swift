internal import Bitcoin
internal import GLC
internal import HTLC
internal import PTLC

/// docs/COSTS.md: what `stack.report` says of each stack, side by side.
public struct CostSheet: Sendable {
  /// 10 sat/vbyte.
  private static let feeRate = FeeRate(satPerKiloWeight: 2500)

  private struct Column {
    let title: String
    let reported: ReportedStack
    let contract: ExtensionID

    init?(_ title: String, _ name: String, _ contract: ExtensionID = HTLCExtension.id) {
      guard let reported = ReportedStack.all.first(where: { $0.name == name }) else { return nil }
      self.title = title
      self.reported = reported
      self.contract = contract
    }

    /// So many contracts, half of them offered by the holder.
    func contracts(_ count: UInt16) -> SampleContracts {
      let (offered, received) = (count / 2 + count % 2, count / 2)
      return contract == HTLCExtension.id
        ? SampleContracts(offeredHTLCs: offered, receivedHTLCs: received)
        : SampleContracts(offeredPTLCs: offered, receivedPTLCs: received)
    }
  }

  /// One way to take an output, and where it stands in the sheet.
  private struct Row: Hashable {
    var output: String
    var path: String
    var spender: Side
  }

  private let columns: [Column]

  public init() {
    columns = [
      Column("legacy", "static_remotekey"), Column("anchors", "anchors"), Column("zero-fee", "zero_fee_commitments"),
      Column("taproot", "simple_taproot"), Column("taproot zero-fee", "taproot_zero_fee_commitments"),
      Column("PTLC", "taproot_ptlc", PTLCExtension.id),
      Column("PTLC zero-fee", "taproot_zero_fee_ptlc", PTLCExtension.id),
      Column("PTLC MuSig2", "taproot_ptlc_musig2", PTLCExtension.id),
      Column("PTLC MuSig2 zero-fee", "taproot_zero_fee_ptlc_musig2", PTLCExtension.id),
    ].compactMap { $0 }
  }

  /// The page. Throws when a stack makes no commitment, which tests exclude.
  public func markdown() throws -> String {
    var text = Self.introduction
    text += try commitments() + "\n"
    text += try secondStages() + "\n"
    text += try outputs() + "\n"
    text += try resolutions()
    return text
  }

  private static let introduction = """
    # What channels cost

    Weights and fees of each stack, as `stack.report` counts them: expected weights, which are what BOLT 3 counts or what signatures can weigh
    at most. A cell is weight units and, at 2,500 sat per 1,000 weight units (10 sat/vbyte), satoshis. `make costs` makes this page again.

    | column | stack |
    |---|---|
    | legacy | `static_remotekey`: 2-of-2 witness script, HTLCs whose second stage pays its own fee |
    | anchors | `anchors`: second stages bring no fee |
    | zero-fee | `zero_fee_commitments`: version 3, one shared anchor; what a commitment costs is paid by its child |
    | taproot | `simple_taproot`: MuSig2 funding, HTLCs in tap trees |
    | taproot zero-fee | `taproot_zero_fee_commitments` |
    | PTLC | `taproot_ptlc`: as taproot, with PTLCs by single-signer adaptor signatures in place of HTLCs |
    | PTLC zero-fee | `taproot_zero_fee_ptlc` |
    | PTLC MuSig2 | `taproot_ptlc_musig2`: PTLCs whose receiver takes the key path, with a signature that both sides made |
    | PTLC MuSig2 zero-fee | `taproot_zero_fee_ptlc_musig2` |

    Commitments that carry both kinds of payment are what their parts are: each output weighs 172 either way.


    """

  private static func cell(_ weight: Weight?) -> String {
    guard let weight else { return "–" }
    return "\(weight.rawValue) (\(feeRate.fee(for: weight)?.rawValue ?? 0))"
  }

  private func table(_ title: String, _ labels: [String], _ rows: [[String]]) -> String {
    var text = "| " + (labels + columns.map(\.title)).joined(separator: " | ") + " |\n"
    text += "|" + String(repeating: "---|", count: labels.count + columns.count) + "\n"
    for row in rows { text += "| " + row.joined(separator: " | ") + " |\n" }
    return "## \(title)\n\n" + text
  }

  // MARK: Tables

  private func commitments() throws -> String {
    var rows: [[String]] = []
    for count in [0, 1, 10, 483] as [UInt16] {
      rows.append(
        ["\(count)"]
          + (try columns.map { column in
            let commitment = try sampleCommitment(column.reported.stack, column.contracts(count))
            return Self.cell(column.reported.stack.report(commitment, at: Self.feeRate).commitmentWeight)
          }))
    }
    return table("The commitment, by its contracts", ["contracts"], rows)
  }

  private func secondStages() throws -> String {
    let kinds: [(String, String, Side)] = [
      ("timeout", "the holder's, of what it offered", .holder),
      ("success", "the holder's, of what it was offered", .holder),
      ("success", "the counterparty's, of what the holder offered", .counterparty),
    ]
    let rows = try kinds.map { name, title, side in
      ["\(name), \(title)"]
        + (try columns.map { column in
          let stages = try sampleCommitment(column.reported.stack, column.contracts(2)).secondStage(of: side)
          return Self.cell(stages.first { $0.path.name == name }?.template.expectedWeight)
        })
    }
    return table("Second stages: one contract's pre-signed transaction", ["transaction"], rows)
      + "\nWhere there is none, the output is taken by any transaction: see below.\n"
  }

  /// Weights of an input that takes an output, for each way.
  private func paths(of column: Column) throws -> [(row: Row, weight: Weight)] {
    let commitment = try sampleCommitment(column.reported.stack, column.contracts(2))
    var found: [(row: Row, weight: Weight)] = []
    func add(_ output: String, _ paths: [SpendPath]) {
      for path in paths {
        guard case .free(let weight) = path.execution else { continue }
        let row = Row(output: output, path: path.name, spender: path.spender)
        if found.contains(where: { $0.row == row }) { continue }
        found.append((row, Weight(weight.rawValue + CostReport.inputWeight.rawValue)))
      }
    }
    for sealed in commitment.outputs {
      let output = sealed.output
      add(Self.title(output.tag), output.paths)
      for child in sealed.children {
        for output in child.template.outputs { add("second stage of the \(child.path.spender)", output.paths) }
      }
    }
    return found
  }

  private static let order = [
    "offered", "received", "second stage of the holder", "second stage of the counterparty", "to_local", "to_remote",
    "anchor",
  ]

  private static func title(_ tag: OutputTag) -> String {
    switch tag {
    case .balance(of: .holder): "to_local"
    case .balance(of: .counterparty): "to_remote"
    case let tag where [HTLCExtension.id, PTLCExtension.id].contains(tag.owner):
      tag.index & 1 == 0 ? "offered" : "received"
    default: "anchor"
    }
  }

  private func outputs() throws -> String {
    let found = try columns.map { try paths(of: $0) }
    var rows: [Row] = []
    for row in found.joined().map(\.row) where !rows.contains(row) { rows.append(row) }
    func place(_ row: Row) -> (Int, String, UInt8) {
      (Self.order.firstIndex(of: row.output) ?? Self.order.count, row.path, row.spender.rawValue)
    }
    rows.sort { place($0) < place($1) }
    let cells = rows.map { row in
      [row.output, row.path, "\(row.spender)"]
        + found.map { column in Self.cell(column.first { $0.row == row }?.weight) }
    }
    return table("Outputs: the input that takes one, with its witness", ["output", "path", "by"], cells)
  }

  /// All that one contract weighs until its value is free: the second stage, and the input that takes what it made.
  private func resolutions() throws -> String {
    let kinds: [(String, UInt64, String, Side)] = [
      ("offered by the holder, timed out", 0, "timeout", .holder),
      ("offered by the holder, taken", 0, "success", .counterparty),
      ("offered to the holder, taken", 1, "success", .holder),
      ("offered to the holder, timed out", 1, "timeout", .counterparty),
      ("offered by the holder, who cheated", 0, "revoke", .counterparty),
      ("offered to the holder, who cheated", 1, "revoke", .counterparty),
    ]
    let rows = try kinds.map { title, parity, name, side in
      [title]
        + (try columns.map { column in
          let commitment = try sampleCommitment(column.reported.stack, column.contracts(2))
          let path = commitment.outputs.first {
            $0.output.tag.owner == column.contract && $0.output.tag.index & 1 == parity
          }?.output.paths.first { $0.name == name && $0.spender == side }
          return Self.cell(path.flatMap { Self.whole($0) })
        })
    }
    return table("A contract on the chain, from the commitment to a free coin", ["contract"], rows)
      + """

      The commitment's output is not counted, nor is what a transaction has besides this input (42 and its outputs), nor what a wallet adds to
      pay for second stages that bring no fee.

      """
  }

  private static func whole(_ path: SpendPath) -> Weight? {
    switch path.execution {
    case .free(let witness): return Weight(CostReport.inputWeight.rawValue + witness.rawValue)
    case .presigned(let child):
      let sweeps = child.outputs.flatMap(\.paths).compactMap { next -> UInt64? in
        guard next.spender == path.spender, !next.conditions.revoked, case .free(let weight) = next.execution else {
          return nil
        }
        return weight.rawValue
      }
      return sweeps.min().map { Weight(child.expectedWeight.rawValue + CostReport.inputWeight.rawValue + $0) }
    }
  }
}
