import BOLT
import Bitcoin
import Encoding
import GLC
import Payments
import Peers
import Secp256k1
import Signer
import Synchronization
import Testing
import Wallet
import Wire

@testable import Node

/// The connection is lost, and the peer that comes back says something else about the channel than what is so.
@Suite(.serialized) struct LyingReconnectionTests {
  /// What can be known of the one who is lied to.
  struct Knowledge {
    /// The secrets that it has revealed, the last one last.
    var secrets: [[UInt8]]
    /// The one that it has not: of its present commitment.
    var next: [UInt8]
  }

  struct Lie: Sendable, CustomTestStringConvertible {
    var testDescription: String
    /// Whether both commitments end on the chain; or the channel is used as before.
    var endsOnChain: Bool
    var log: String
    var tell: @Sendable (RawMessage, Knowledge) -> [UInt8]

    init(
      _ description: String, endsOnChain: Bool = true, log: String = "",
      _ tell: @escaping @Sendable (RawMessage, Knowledge) -> [UInt8]
    ) {
      testDescription = description
      self.endsOnChain = endsOnChain
      self.log = log
      self.tell = tell
    }
  }

  // BOLT 2 §Message Retransmission, `channel_reestablish` behind its type: 32 bytes of the channel's id, next_commitment_number,
  // next_revocation_number, 32 bytes of your_last_per_commitment_secret, 33 of my_current_per_commitment_point.
  private static let (commitment, revocation, secret, point) = (32, 40, 48, 80)

  private static func number(_ message: RawMessage, _ offset: Int) -> UInt64 {
    message.bytes[(2 + offset)..<(10 + offset)].reduce(0) { $0 << 8 | UInt64($1) }
  }

  private static func moved(_ message: RawMessage, _ offset: Int, by distance: Int64) -> RawMessage {
    let moved = UInt64(bitPattern: Int64(bitPattern: number(message, offset)) &+ distance)
    let bytes = (0..<8).reversed().map { UInt8(truncatingIfNeeded: moved >> (8 * $0)) }
    return changed(message.replacing(at: offset, with: bytes))
  }

  private static func changed(_ bytes: [UInt8]) -> RawMessage { RawMessage(bytes: bytes)! }

  private static let otherPoint = SecretKey.random().publicKey.array

  static let lies = [
    Lie("a next commitment of number 0", log: "next_commitment_number is zero") { message, _ in
      message.replacing(at: commitment, with: [UInt8](repeating: 0, count: 8))
    },
    Lie("a next commitment that is too high", log: "next_commitment_number does not match") { message, _ in
      moved(message, commitment, by: 1).bytes
    },
    Lie("a next commitment that is too low", log: "next_commitment_number does not match") { message, _ in
      moved(message, commitment, by: -1).bytes
    },
    Lie("a next commitment beyond all numbers", log: "next_commitment_number does not match") { message, _ in
      message.replacing(at: commitment, with: [UInt8](repeating: 0xff, count: 8))
    },
    Lie("a next revocation that is too high, without its secret", log: "next_revocation_number is too high") {
      message, _ in
      moved(message, revocation, by: 1).bytes
    },
    Lie("a next revocation beyond all numbers", log: "next_revocation_number is too high") { message, _ in
      message.replacing(at: revocation, with: [UInt8](repeating: 0xff, count: 8))
    },
    Lie("a next revocation that is too low, without its secret", log: "secret is not what we revealed") { message, _ in
      moved(message, revocation, by: -2).spoilt(at: secret)
    },
    Lie("a next revocation that is too low, with its secret", log: "next_revocation_number is too low") {
      message, knowledge in
      moved(message, revocation, by: -2).replacing(at: secret, with: knowledge.secrets[knowledge.secrets.count - 3])
    },
    Lie("no revocation at all", log: "next_revocation_number is too low") { message, _ in
      message.replacing(at: revocation, with: [UInt8](repeating: 0, count: 8))
    },
    Lie("a secret that was never revealed", log: "secret is not what we revealed") { message, _ in
      message.spoilt(at: secret)
    },
    // BOLT 2: with option_static_remotekey nobody needs it.
    Lie("a point that is not of this commitment", endsOnChain: false) { message, _ in
      message.replacing(at: point, with: otherPoint)
    },
    Lie("a point that is on no curve", endsOnChain: false, log: "a message that cannot be read") { message, _ in
      message.replacing(at: point, with: [UInt8](repeating: 0xff, count: 33))
    },
    // A secret that was stolen makes it believe that it has lost data: it publishes nothing, and the peer does.
    Lie("a stolen secret", log: "we have lost data") { message, knowledge in
      moved(message, revocation, by: 1).replacing(at: secret, with: knowledge.next)
    },
    Lie("a stolen secret, and a point that is not of this commitment", log: "we have lost data") {
      message, knowledge in
      let lie = changed(moved(message, revocation, by: 1).replacing(at: secret, with: knowledge.next))
      return lie.replacing(at: point, with: otherPoint)
    },
  ]

  @Test(arguments: lies) func lieIsSeenAndCostsNothing(_ lie: Lie) async throws {
    let world = try await LiarsWorld()
    let network = world.network
    // So that there are commitments to be wrong about.
    _ = try await network.pay(0, 1, MilliSatoshi(2_000_000))
    _ = try await network.pay(1, 0, MilliSatoshi(1_000_000))
    try await network.calm(world.id, pending: 2)
    let wallets = await world.wallets()
    let before = try await world.balances()
    let victim = try #require(await network.channel(1, world.id))
    let present = try #require(victim.core?.localNumber)
    let revealed = world.middle.messages.filter { $0.way == .back && $0.message.type == RevokeAndAck.type }
    let knowledge = Knowledge(
      secrets: revealed.map { Array($0.message.bytes[34..<66]) },
      next: try victim.signer.revocationSecretForProof(present).array)
    #expect(knowledge.secrets.count == present)
    try #require(present >= 4)

    let isTold = Mutex(false)
    world.middle.set { way, message in
      guard way == .there, message.type == ChannelReestablish.type else { return .pass }
      return isTold.withLock { isTold in
        guard !isTold else { return .pass }
        isTold = true
        return .say([lie.tell(message, knowledge)])
      }
    }
    network.nodes[0].network.peer(network.nodes[1].nodeID)?.close("dropped by the test")
    try await network.wait("the lie is told") { isTold.withLock { $0 } }
    do {
      if !lie.log.isEmpty {
        try await network.wait("the lie is in the log of its victim") { network.logs[1].contains(lie.log) }
      }
    } catch {
      throw NodeError.invalid("the log says: \(network.logs[1].all.suffix(10))")
    }
    if lie.endsOnChain { try await world.endsOnChain(wallets, before) } else { try await world.goesOn([]) }
    await network.stop()
  }
}
