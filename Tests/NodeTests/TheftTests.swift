import BOLT
import Bitcoin
import Chain
import GLC
import Payments
import Signer
import Testing
import Wallet
import Wire

@testable import Node

@Suite(.serialized) struct TheftTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var thief: Int
    var type: Wire.ChannelType
    /// The victim learns of it only when it starts again.
    var isAsleep = false
    /// The thief has taken an output of its commitment further before the victim comes.
    var testDescription: String {
      "\(thief == 0 ? "the opener" : "the accepter") steals, \(type)\(isAsleep ? ", while the victim is away" : "")"
    }
  }

  static let cases = [
    Case(thief: 0, type: .anchors), Case(thief: 1, type: .anchors), Case(thief: 0, type: .staticRemotekey),
    Case(thief: 1, type: .zeroFeeCommitments), Case(thief: 1, type: .simpleTaproot),
    Case(thief: 0, type: .anchors, isAsleep: true),
  ]

  /// With payments of both directions pending in the commitment that was given up.
  @Test(arguments: cases) func revokedCommitmentLosesEverythingToTheVictim(_ given: Case) async throws {
    let network = try await TestNetwork(nodes: 2) { settings, _ in settings.channels.contestDelay = 60 }
    for index in 0..<2 { try await network.fund(index) }
    let (thief, victim) = (given.thief, 1 - given.thief)
    let start = try await network.chain.tip().height
    let id = try await network.open(0, 1, pushing: MilliSatoshi(4_000_000_000), type: given.type)
    _ = try await network.pay(0, 1, MilliSatoshi(1_000_000_000))
    let held = [
      try await network.hold(0, 1, MilliSatoshi(50_000_000)), try await network.hold(1, 0, MilliSatoshi(60_000_000)),
      try await network.hold(0, 1, MilliSatoshi(200_000)),
    ]
    try await network.wait("all are held") {
      for one in held where await !network.isHeld(one) { return false }
      return true
    }
    try await network.wait("nothing is on its way") {
      for index in [0, 1] where await network.channel(index, id)?.core?.log.entries.isEmpty != true { return false }
      return true
    }
    let old = try #require(await network.channel(thief, id))
    for one in held { try await network.settle(one) }
    try await network.wait("all are settled") {
      for one in held where !one.paying.isOver { return false }
      return true
    }
    _ = try await network.pay(thief, victim, MilliSatoshi(500_000_000))
    try await network.wait("nothing is pending") {
      for index in [0, 1] {
        guard let channel = await network.channel(index, id), channel.pendingPayments.isEmpty,
          channel.core?.log.entries.isEmpty == true
        else { return false }
      }
      return true
    }
    let wallet = await network.nodes[victim].walletBalance().confirmed.rawValue
    await network.nodes[thief].stop()
    let core = try #require(old.core)
    // The signer itself refuses to sign what it has revoked: a thief has another one.
    let signer = try network.nodes[thief].hub.signer(old.keyIndex)
    let commitment = try #require(try core.localCommitments(signer).first)
    let stolen = try signer.signForBroadcast(commitment, with: core.signatures[0])
    if given.isAsleep { await network.nodes[victim].stop() }
    try await network.chain.mine([stolen])
    if given.isAsleep {
      try await network.chain.mine(3)
      try await network.restart(victim)
    }
    network.nodes.remove(at: thief)
    try await network.mine(until: "it is resolved", limit: 50) {
      await network.channel(0, id)?.phase == .ended
    }
    let audit = try await network.audit(since: start)
    // The thief's anchor and the dust that went to the miners are all that is missing.
    let fee = 10_000_000 - stolen.outputs.reduce(0) { $0 + $1.value.rawValue }
    let gained = audit.wallets[0] - wallet
    let thiefs = audit.strays.filter { $0 <= 330 }.reduce(0, +)
    #expect(audit.strays.filter { $0 > 330 }.count == 1 - thief, "what the opener kept alone: \(audit)")
    #expect(gained + fee + thiefs <= 10_000_000 && gained + fee + thiefs > 9_900_000, "\(gained) \(audit)")
    // What it paid for being quick is less than a hundredth.
    #expect(audit.wallets[0] > wallet + 9_900_000, "\(gained)")
    await network.stop()
  }
}
