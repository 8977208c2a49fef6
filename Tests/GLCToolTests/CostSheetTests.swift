import Foundation
import GLCTool
import JSON
import Testing

@Suite struct CostSheetTests {
  @Test("docs/COSTS.md is what the stacks cost")
  func upToDate() throws {
    let path = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../docs/COSTS.md").standardizedFileURL
    #expect(try String(contentsOf: path, encoding: .utf8) == CostSheet().markdown(), "run: make costs")
  }

  @Test("figures of BOLT 3 stand in it", arguments: ["| 0 | 724 (1810) | 1124 (2810) |", "663 (1657) | 666 (1665) |"])
  func figures(_ figure: String) throws { #expect(try CostSheet().markdown().contains(figure)) }

  @Test("a stack has only the contracts that it is composed of")
  func wrongContracts() throws {
    for (stack, contract) in [("taproot_ptlc", "offered_htlcs"), ("anchors", "received_ptlcs")] {
      let parameters: JSONValue = [
        "stack": .string(stack), "contracts": .object([contract: 1]), "feerate_per_kw": 250,
      ]
      #expect(try refusal("stack.report", parameters) == "bad_value")
    }
  }

  @Test("a commitment of both kinds of payment weighs what its outputs do")
  func mixed() throws {
    let parameters: JSONValue = [
      "stack": "taproot_htlc_ptlc", "feerate_per_kw": 2500,
      "contracts": ["offered_htlcs": 2, "received_htlcs": 1, "offered_ptlcs": 1, "received_ptlcs": 3],
    ]
    let report = try result("stack.report", parameters)
    let base = try #require(report["base_weight"]?.unsignedValue)
    #expect(report["commitment_weight"]?.unsignedValue == base + 7 * 172)
    let names = Set(report["paths"]?.arrayValue?.compactMap { $0["output"]?.stringValue } ?? [])
    #expect(
      names == ["to_local", "to_remote", "anchor", "offered_htlc", "received_htlc", "offered_ptlc", "received_ptlc"])
    #expect(report["dust_limits_sat"]?.objectValue?.names == ["offered_htlc", "received_htlc", "ptlc"])
  }
}
