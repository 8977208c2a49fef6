import Bitcoin
import GLC
import HTLC
import Onchain
import Signer
import Testing

/// BOLT 5 §Penalty Transactions Weight Calculation and Appendix A, BOLT 3 Appendix A: figures that the declared paths must come to.
/// Heights above 65,535 and a delay of 144 take three and two bytes in a script.
@Suite struct BOLT5WeightTests {
  private struct Penalty {
    var witness: UInt64
    var script: Int
  }

  /// The declared penalty paths of a commitment, by what they punish.
  private func penalties(_ stack: BOLT3Stack) throws -> [String: Penalty] {
    var found: [String: Penalty] = [:]
    for sealed in try RecordedCase(try stack.stack, payments: 1).commitment.outputs {
      guard let path = sealed.output.paths.first(where: { $0.conditions.revoked && $0.spender == .counterparty }),
        case .free(let weight) = path.execution, case .witnessScript(let script) = sealed.output.lock.reveal
      else { continue }
      let children = sealed.children.map(\.path.name)
      let kind = children.contains("timeout") ? "offered" : children.contains("success") ? "accepted" : "to_local"
      found[kind] = Penalty(witness: weight.rawValue, script: script.count)
    }
    return found
  }

  @Test(arguments: [BOLT3Stack.legacy, .staticRemoteKey])
  func penaltiesWeighWhatBOLT5Says(stack: BOLT3Stack) throws {
    let found = try penalties(stack)
    let offered = try #require(found["offered"])
    let accepted = try #require(found["accepted"])
    #expect(offered.script == 133)
    #expect(accepted.script == 139)
    #expect(offered.witness == 243)
    #expect(accepted.witness == 249)
    #expect(4 * 41 + offered.witness == 407)
    #expect(4 * 41 + accepted.witness == 413)
    // The specification counts eight bytes for a delay that takes two, and leaves out the number 1 itself: 160 for the witness, 324 for
    // the input.
    let toLocal = try #require(found["to_local"])
    #expect(toLocal.script == 83 - 8 + 2)
    #expect(toLocal.witness == 160 - 8 + 2 + 1)
    #expect(4 * 41 + toLocal.witness == 324 - 8 + 2 + 1)
  }

  /// BOLT 3 Appendix A: three bytes more for `1 OP_CHECKSEQUENCEVERIFY OP_DROP`.
  @Test(arguments: [BOLT3Stack.anchors, .anchorsWithFees])
  func anchorsCostThreeBytesMore(stack: BOLT3Stack) throws {
    let found = try penalties(stack)
    #expect(found["offered"]?.witness == 246)
    #expect(found["accepted"]?.witness == 252)
    #expect(found["to_local"]?.witness == 155)
  }

  /// BOLT 5: 483 bidirectional HTLCs, `to_local` and `to_remote` can be resolved in a single penalty transaction of standard weight.
  @Test func allOfTheLargestCommitmentFitsOnePenalty() throws {
    let room: Int = 400_000 - 324 - 272 - 4 * 53 - 2
    #expect(room / 413 == 966)
    let revoked = try RecordedCase(try BOLT3Stack.staticRemoteKey.stack, payments: 483)
    #expect(revoked.commitment.outputs.count == 968)
    let claims = RevokedCommitment(commitments: [revoked.commitment], secret: revoked.secret).penalties(
      of: revoked.commitment, destination: OutputLock.witnessScript(Script([0x51])).scriptPubKey,
      feeRates: [FeeRate(satPerKiloWeight: 253)])
    let all = try #require(claims.first)
    #expect(all.spends.count == 968)
    #expect(all.weight.rawValue <= 400_000, "\(all.weight)")
    // All but a few per cent of it is needed: nothing is declared too light.
    var transaction = all.transaction
    try revoked.victim.secrets.sign(&transaction, taking: all.spends, with: all.keys)
    #expect(transaction.weight <= all.weight)
    #expect(transaction.weight.rawValue + 3 * 968 >= all.weight.rawValue)
  }

  /// BOLT 3 Appendix A: 724 or 1124 + 172 for each HTLC; 663 and 703, or 666 and 706 with anchors.
  @Test(arguments: [
    (BOLT3Stack.legacy, 724 as UInt64, 663 as UInt64, 703 as UInt64), (.staticRemoteKey, 724, 663, 703),
    (.anchorsWithFees, 1124, 666, 706), (.anchors, 1124, 666, 706),
  ])
  func expectedWeightsAreTheSpecifications(
    stack: BOLT3Stack, base: UInt64, timeout: UInt64, success: UInt64
  ) throws {
    let channelStack = try stack.stack
    for payments in [0, 1, 7] {
      let commitment = try RecordedCase(channelStack, payments: payments).commitment
      let contracts = commitment.outputs.filter { !$0.children.isEmpty }
      #expect(contracts.count == 2 * payments)
      let weight = channelStack.expectedWeight(contracts: contracts.map(\.output.lock.outputWeight))
      #expect(weight == Weight(base + 172 * UInt64(2 * payments)))
      for child in contracts.flatMap(\.children) {
        #expect(child.template.expectedWeight == Weight(child.path.name == "timeout" ? timeout : success))
      }
    }
  }
}
