import BOLT
import Bitcoin
import Chain
import Encoding
import GLC
import Payments
import Signer
import Testing
import Wallet
import Wire

@testable import Node

/// A thief whose revoked commitment and second stages are confirmed before the victim looks.
@Suite(.serialized) struct SecondStageTheftTests {
  @Test(arguments: [Wire.ChannelType.anchors, .staticRemotekey, .zeroFeeCommitments])
  func outputsThatTheThiefHasMovedOnAreTakenFromTheSecondStage(type: Wire.ChannelType) async throws {
    let network = try await TestNetwork(nodes: 2) { settings, _ in settings.channels.contestDelay = 144 }
    for index in 0..<2 { try await network.fund(index) }
    let start = try await network.chain.tip().height
    let id = try await network.open(0, 1, pushing: MilliSatoshi(4_000_000_000), type: type)
    // What the thief has offered and been offered: with preimages for some, and time for the others.
    let held = [
      try await network.hold(0, 1, MilliSatoshi(500_000_000)), try await network.hold(1, 0, MilliSatoshi(600_000_000)),
      try await network.hold(0, 1, MilliSatoshi(700_000_000)), try await network.hold(1, 0, MilliSatoshi(800_000_000)),
    ]
    try await network.wait("all are held") {
      for one in held where await !network.isHeld(one) { return false }
      return true
    }
    try await calm(network, id)
    let old = try #require(await network.channel(0, id))
    let expiry = try #require(old.pendingPayments.map(\.expiry).max())
    for one in held { try await network.settle(one) }
    try await network.wait("all are settled") {
      for one in held where !one.paying.isOver { return false }
      return true
    }
    _ = try await network.pay(0, 1, MilliSatoshi(500_000_000))
    try await calm(network, id)
    let wallet = await network.nodes[1].walletBalance().confirmed.rawValue

    // The thief's signer is its own, and signs what it has revoked.
    let core = try #require(old.core)
    let signer = try network.nodes[0].hub.signer(old.keyIndex)
    let commitment = try #require(try core.localCommitments(signer).first)
    let stolen = try signer.signForBroadcast(commitment, with: core.signatures[0])
    let children = try zip(commitment.secondStage, core.signatures[0].children).map { child, signature in
      let spent = TxOutput(
        value: child.parent.output.value, scriptPubKey: child.parent.output.lock.scriptPubKey)
      let secret = held.first { one in child.path.conditions.secret?.value == one.hash }?.preimage.array
      var transaction = child.transaction
      let opener = PathOpener(signer.secrets, side: .holder, keys: commitment.context.keys)
      let parts = SighashParts(transaction, spentOutputs: [spent])
      transaction.inputs[0].witness = try opener.witness(
        child.path.witness, lock: child.parent.output.lock, counterSignature: signature, secret: secret
      ) { (type) throws(SighashError) in
        try transaction.segwitV0Sighash(
          input: 0, scriptCode: child.parent.output.lock.scriptCode ?? Script(), amount: spent.value, type: type,
          parts: parts)
      }
      return transaction
    }
    #expect(children.count == 4)
    for node in network.nodes { await node.stop() }
    try await network.chain.mine([stolen])
    let now = try await network.chain.tip().height
    if now < expiry { try await network.chain.mine(Int(expiry - now)) }
    try await network.chain.mine(children)
    try await network.chain.mine(2)

    try await network.restart(1)
    network.nodes.remove(at: 0)
    try await network.mine(until: "it is resolved", limit: 50) { await network.channel(0, id)?.phase == .ended }
    let audit = try await network.audit(since: start)
    let fee = 10_000_000 - stolen.outputs.reduce(0) { $0 + $1.value.rawValue }
    let gained = audit.wallets[0] - wallet
    // All but the fees, of which the thief's second stages have paid some, and the thief's anchor.
    #expect(gained + fee <= 10_000_000 && gained + fee > 9_900_000, "\(gained) \(audit)")
    for child in children {
      let point = OutPoint(txid: child.txid, vout: 0)
      #expect(try await network.chain.source.unspentOutput(point) == nil, "the thief has kept a second stage")
    }
    await network.stop()
  }

  private func calm(_ network: TestNetwork, _ id: ChannelID) async throws {
    try await network.wait("nothing is on its way") {
      for index in [0, 1] where await network.channel(index, id)?.core?.log.entries.isEmpty != true { return false }
      return true
    }
  }
}
