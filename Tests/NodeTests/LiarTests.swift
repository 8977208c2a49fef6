import BOLT
import Bitcoin
import Chain
import Encoding
import GLC
import Payments
import Peers
import Synchronization
import Testing
import Wallet
import Wire

@testable import Node

/// A peer says one thing that is not true, or may not be said. Whoever hears it says so in its log, and loses nothing.
@Suite(.serialized) struct LiarTests {
  struct Lie: Sendable, CustomTestStringConvertible {
    enum Ending: Sendable {
      /// The channel goes to the chain.
      case onChain
      /// The connection ends; with the next one, everything goes on.
      case goesOn
    }

    var testDescription: String
    /// The one at its end hears it.
    var way = Middle.Way.there
    var ending: Ending
    /// What the log of that one says.
    var log: String
    /// What is said in place of a message; nil for the truth. The second are the messages of the same way before it.
    var tell: @Sendable (RawMessage, [RawMessage]) -> [[UInt8]]?

    init(
      _ description: String, from way: Middle.Way = .there, _ ending: Ending, log: String,
      _ tell: @escaping @Sendable (RawMessage, [RawMessage]) -> [[UInt8]]?
    ) {
      testDescription = description
      self.way = way
      self.ending = ending
      self.log = log
      self.tell = tell
    }
  }

  private static func of(
    _ type: UInt16, _ body: @escaping @Sendable (RawMessage) -> [[UInt8]]?
  ) -> @Sendable (RawMessage, [RawMessage]) -> [[UInt8]]? {
    { message, _ in message.type == type ? body(message) : nil }
  }

  // BOLT 2's layouts, behind the type: the channel's id has 32 bytes, a signature 64, the number of further signatures 2.
  static let lies = [
    Lie(
      "a commitment signature that does not hold", .onChain, log: "the signature of the commitment does not hold",
      of(CommitmentSigned.type) { [$0.spoilt(at: 32 + 63)] }),
    Lie(
      "a signature on a payment's output that does not hold", from: .back, .onChain,
      log: "the signature of second-stage transaction 0 does not hold",
      of(CommitmentSigned.type) { [$0.spoilt(at: 32 + 64 + 2 + 63)] }),
    Lie(
      "a signature too few", .onChain, log: "there are 2 further signatures where 3 are due",
      of(CommitmentSigned.type) { message in
        guard var body = try? CommitmentSigned(decoding: message.bytes) else { return nil }
        body.htlcSignatures.removeLast()
        return (try? body.encoded()).map { [$0] }
      }),
    Lie(
      "the same commitment twice", .onChain, log: "the signature of the commitment does not hold",
      of(CommitmentSigned.type) { [$0.bytes, $0.bytes] }),
    Lie(
      "a secret that is not the one promised", .onChain, log: "a secret that does not belong to the revoked commitment",
      of(RevokeAndAck.type) { [$0.spoilt(at: 32)] }),
    Lie(
      "the secret of the commitment before", from: .back, .onChain,
      log: "a secret that does not belong to the revoked commitment"
    ) { message, before in
      guard message.type == RevokeAndAck.type, let old = before.last(where: { $0.type == RevokeAndAck.type }) else {
        return nil
      }
      return [message.replacing(at: 32, with: Array(old.bytes[34..<66]))]
    },
    Lie(
      "a revocation that nobody waits for", .onChain, log: "a revocation that nobody asked for",
      of(RevokeAndAck.type) { [$0.bytes, $0.bytes] }),
    Lie(
      "an offer of more than there is", .onChain, log: "more than 10000000000 msat in flight",
      of(UpdateAddHTLC.type) { [$0.replacing(at: 40, with: [0, 0, 0xff, 0, 0, 0, 0, 0])] }),
    Lie(
      "an offer of nothing", .onChain, log: "HTLC of 0 msat",
      of(UpdateAddHTLC.type) { [$0.replacing(at: 40, with: [UInt8](repeating: 0, count: 8))] }),
    Lie(
      "an offer that ends at a time", .onChain, log: "an HTLC that expires at a time, not a height",
      of(UpdateAddHTLC.type) { [$0.replacing(at: 80, with: [0x7f, 0, 0, 0])] }),
    Lie(
      "a preimage of another payment", from: .back, .onChain, log: "a preimage that does not open HTLC",
      of(UpdateFulfillHTLC.type) { [$0.spoilt(at: 40)] }),
    Lie(
      "the end of a payment that there is not", from: .back, .onChain, log: "1000",
      of(UpdateFulfillHTLC.type) { [$0.replacing(at: 32, with: [0, 0, 0, 0, 0, 0, 3, 0xe8])] }),
    Lie("a fee rate from the one who does not pay it", from: .back, .onChain, log: "fee", fee(2_000)),
    Lie("a fee rate that nobody can mean", .goesOn, log: "a fee rate of 4000000", fee(4_000_000)),
    Lie(
      "a message that is cut short", .goesOn, log: "disconnecting",
      of(UpdateAddHTLC.type) { [Array($0.bytes.prefix(600))] }),
    Lie(
      "a message that is too short to name a channel", .goesOn, log: "a message that cannot be read",
      of(UpdateAddHTLC.type) { [Array($0.bytes.prefix(20))] }),
    Lie(
      "a message that nobody knows and everybody must understand", .goesOn,
      log: "the peer sent a message of type 60000, which is even and unknown",
      of(CommitmentSigned.type) { [[0xea, 0x60, 1, 2, 3], $0.bytes] }),
    Lie(
      "an update of a channel that there is not", .goesOn, log: "a message about a channel that we do not know",
      of(CommitmentSigned.type) { [$0.spoilt(at: 0), $0.bytes] }),
    Lie(
      "the largest messages there can be, hundreds of them", .goesOn, log: "",
      of(CommitmentSigned.type) { message in
        let large = [0xea, 0x61] + [UInt8](repeating: 7, count: 65_533)
        return [[UInt8]](repeating: large, count: 200) + [message.bytes]
      }),
  ]

  private static func fee(_ rate: UInt32) -> @Sendable (RawMessage, [RawMessage]) -> [[UInt8]]? {
    of(CommitmentSigned.type) { message in
      guard let body = try? CommitmentSigned(decoding: message.bytes) else { return nil }
      let lie = UpdateFee(channelID: body.channelID, feeratePerKw: FeeRate(satPerKiloWeight: rate))
      return (try? lie.encoded()).map { [$0, message.bytes] }
    }
  }

  @Test(arguments: lies) func lieIsSeenAndCostsNothing(_ lie: Lie) async throws {
    let world = try await LiarsWorld()
    let network = world.network
    let victim = lie.way == .there ? 1 : 0
    let wallets = await world.wallets()
    let before = try await world.balances()

    let state = Mutex<(isTold: Bool, said: [RawMessage])>((false, []))
    let (seen, found) = AsyncStream.makeStream(of: Void.self)
    world.middle.set { way, message in
      guard way == lie.way else { return .pass }
      return state.withLock { state in
        defer { state.said.append(message) }
        guard !state.isTold, let words = lie.tell(message, state.said) else { return .pass }
        state.isTold = true
        found.finish()
        return .say(words)
      }
    }
    var payments: [Paying] = []
    for _ in 0..<2 {
      payments.append(Paying(network.nodes[0], try await network.invoice(1, MilliSatoshi(2_000_000))))
      payments.append(Paying(network.nodes[1], try await network.invoice(0, MilliSatoshi(1_000_000))))
    }
    try await within(.seconds(20)) { for await _ in seen {} }
    let log = network.logs[victim]
    do {
      if !lie.log.isEmpty { try await network.wait("the lie is in the log of its victim") { log.contains(lie.log) } }
    } catch {
      throw NodeError.invalid("the log says: \(log.all.suffix(10))")
    }
    switch lie.ending {
    case .onChain: try await world.endsOnChain(wallets, before)
    case .goesOn: try await world.goesOn(payments)
    }
    await network.stop()
  }
}
