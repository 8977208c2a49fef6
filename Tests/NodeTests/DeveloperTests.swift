import BOLT
import Bitcoin
import Configuration
import Encoding
import GLC
import HTLC
import Logging
import Payments
import Peers
import Secp256k1
import Signer
import Synchronization
import Testing
import Wallet
import Wire

@testable import Node

/// Switches for tests: what they do, and that nothing of it happens without them.
@Suite(.serialized) struct DeveloperTests {
  @Test func aRevokedCommitmentIsPublishedOnDemandAndPunished() async throws {
    let network = try await TestNetwork(nodes: 2) { settings, index in
      settings.channels.contestDelay = 40
      settings.developer.hasMethods = index == 0
    }
    try await network.fund(0)
    let id = try await network.open(0, 1, Satoshi(1_000_000))
    _ = try await network.pay(0, 1, MilliSatoshi(200_000_000))
    let number = try #require(await network.channel(0, id)?.core?.localNumber)
    _ = try await network.pay(0, 1, MilliSatoshi(300_000_000))
    try await network.wait("nothing is on its way") {
      for index in 0..<2 where await network.channel(index, id)?.core?.log.entries.isEmpty != true { return false }
      return true
    }
    // Who has kept nothing cannot; and what is in force is no theft.
    await #expect(throws: NodeError.self) { try await network.nodes[1].publishRevoked(id, number: nil) }
    await #expect(throws: NodeError.self) { try await network.nodes[0].publishRevoked(id, number: 9_999) }
    let (published, transaction) = try await network.nodes[0].publishRevoked(id, number: number)
    #expect(published == number)
    try await network.mine(until: "the channel is resolved", limit: 60) {
      await network.channel(1, id)?.phase == .ended
    }
    #expect(await network.channel(0, id)?.core?.localNumber ?? 0 > published && transaction.inputs.count == 1)
    let gained = await network.nodes[1].walletBalance().confirmed
    #expect(gained > Satoshi(980_000), "the victim has \(gained) of 1,000,000 sat")
    await network.stop()
  }

  @Test func feeRatesThatAreSetByHandBecomeUpdateFee() async throws {
    let network = try await TestNetwork(nodes: 2)
    try await network.fund(0)
    let id = try await network.open(0, 1, pushing: MilliSatoshi(1_000_000_000))
    network.nodes[0].hub.fees.fix(FeeRate(satPerKiloWeight: 9_000))
    try await network.mine()
    try await network.wait("both have the new rate") {
      for index in 0..<2 {
        guard await network.channel(index, id)?.core?.fundings.first?.local.feeRate.satPerKiloWeight == 9_000 else {
          return false
        }
      }
      return true
    }
    network.nodes[0].hub.fees.fix(nil)
    _ = try await network.pay(0, 1, MilliSatoshi(5_000_000))
    await network.stop()
  }

  @Test func secretsOfTheDevelopersChoiceAreInEveryChannel() async throws {
    let secrets = try (0x10...0x14 as ClosedRange<Int>).map { (number: Int) throws -> Bytes32 in
      try Bytes32(Array(repeating: 0, count: 31) + [UInt8(number)])
    }
    let seed = try Bytes32(Array(repeating: 0xff, count: 32))
    let network = try await TestNetwork(nodes: 1) { settings, _ in
      settings.developer.channelSecrets = secrets
      settings.developer.shachainSeed = seed
    }
    for index in [1 as UInt64, 2] {
      let signer = try network.nodes[0].hub.signer(index)
      #expect(signer.basepoints[.funding] == (try SecretKey(secrets[0])).publicKey)
      #expect(signer.basepoints[.htlc] == (try SecretKey(secrets[4])).publicKey)
      // BOLT 3 §Per-commitment Secret Requirements, "generate_from_seed FF final node".
      #expect(try signer.revocationSecret(0).hex == "7cc854b54e3e0dcdb010d7a3fee464a9687be6e8db3be6854c475621e007a5dc")
    }
    await network.stop()
  }

  @Test func aNodeKeyOfTheDevelopersChoiceChangesNothingElse() throws {
    let seed = try MasterSeed(phrase: TestNetwork.phrase(0))
    let (plain, chosen) = (
      try KeyRing(seed, networkKind: .test),
      try KeyRing(seed, networkKind: .test, nodeSecret: Bytes32(Array(repeating: 0, count: 31) + [1]))
    )
    #expect(NodeID(chosen.nodeID).description == "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
    #expect(try plain.channelSeed(index: 7) == chosen.channelSeed(index: 7))
    #expect(throws: ExtendedKeyError.self) { try KeyRing(seed, networkKind: .test, nodeSecret: Bytes32()) }
  }

  @Test func everySwitchThatIsOnIsSaidAloud() throws {
    let lines = Mutex<[String]>([])
    let log = NodeLog(write: { line in lines.withLock { $0.append(line) } })
    var switches = DeveloperSettings()
    switches.warn(log.logger("node"))
    #expect(lines.withLock { $0.isEmpty })
    switches = DeveloperSettings(
      nodeKey: Bytes32(), channelSecrets: [], shachainSeed: Bytes32(), hasFastGossip: true, hasFastPolling: true,
      hasNoHTLCTimeouts: true, hasMethods: true)
    switches.warn(log.logger("node"))
    let said = lines.withLock { $0 }
    for name in [
      "dev-node-key", "dev-channel-secrets", "dev-shachain-seed", "dev-fast-gossip", "dev-fast-polling",
      "dev-no-htlc-timeouts",
      "dev-methods",
    ] { #expect(said.contains { $0.contains("switch=\(name)") && $0.contains(" warning ") }, "\(name)") }
  }

  /// Electrum 4.3 has no anchors: it was offered them all the same, and broke off.
  @Test func theTypeOfAChannelIsOneThatThePeerKnows() async throws {
    let network = try await TestNetwork(nodes: 2) { settings, index in
      if index == 1 { settings.features[Feature.anchors.bit + 1] = false }
    } configure: { launch, index in
      launch.peers.features = launch.settings.features
    }
    try await network.fund(0)
    try await network.connect(0, 1)
    let id = try await network.nodes[0].openChannel(with: network.nodes[1].nodeID, capacity: Satoshi(1_000_000))
    #expect(await network.channel(0, id)?.type == .staticRemotekey)
    await network.stop()
  }
}
