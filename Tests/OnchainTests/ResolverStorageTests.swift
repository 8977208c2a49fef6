import Bitcoin
import Encoding
import GLC
import GLCTesting
import HTLC
import Hashing
import Onchain
import Secp256k1
import Signer
import Testing

@Suite struct ResolverStorageTests {
  struct Failure: Error { init(_ what: String) { self.what = what }; let what: String }

  /// A channel with payments on both sides and a past, and a resolver that is about to punish.
  private struct Punishment {
    let scene: Scene
    let resolver: Resolver
    let first: [ResolverAction]

    init(_ stack: BOLT3Stack) throws {
      scene = try Scene(stack) { simulator in
        simulator.past[1].contains {
          $0.localNumber < simulator.parties[0].channel.remoteUnrevoked && $0.localNumber > 2
        }
      }
      let limit = scene.simulator.parties[0].channel.remoteUnrevoked
      let old = try #require(scene.simulator.past[1].last { $0.localNumber < limit })
      var resolver = Resolver(try scene.input(0))
      _ = resolver.handle(.block(height: 399, transactions: [], estimates: flat))
      _ = resolver.handle(.learned(SecretID(kind: .sha256, value: sha256([1, 2])), [1, 2]))
      first = resolver.handle(.block(height: 400, transactions: [try scene.signed(1, old)], estimates: flat))
      self.resolver = resolver
    }

    func restored(_ bytes: [UInt8], _ registry: ExtensionRegistry? = nil) throws -> Resolver {
      let records = scene.simulator.records[0]
      let signer = scene.simulator.parties[0].signer
      return try Resolver(
        decoding: bytes.bytes, registry: registry ?? ExtensionRegistry(scene.simulator.parties[0].channel.stack),
        points: { try? signer.perCommitmentPoint($0) }, records: { number, _ in records[number] })
    }
  }

  @Test(arguments: BOLT3Stack.allCases)
  func aResolverGoesOnFromItsBytes(stack: BOLT3Stack) throws {
    let punishment = try Punishment(stack)
    var (one, other) = (punishment.resolver, try punishment.restored(punishment.resolver.encoded))
    #expect(other.encoded == one.encoded)
    #expect(other.height == 400)
    #expect(other.outputs.map(\.outPoint) == one.outputs.map(\.outPoint))
    guard case .revoked = other.fundingSpend else { throw Failure("\(String(describing: other.fundingSpend))") }
    // What was to be done may not have been done.
    let resumed = other.resume()
    #expect(resumed.claims.map(\.outPoints) == punishment.first.claims.map(\.outPoints))
    #expect(resumed.claims.map(\.transaction) == punishment.first.claims.map(\.transaction))
    #expect(resumed.contains { if case .recognised(.revoked) = $0 { true } else { false } })
    #expect(resumed.contains { if case .learned(_, let secret) = $0 { secret == [1, 2] } else { false } })
    // From here on both do the same, in the same order.
    for height in 401...560 as ClosedRange<UInt32> {
      let event = ChainEvent.block(height: height, transactions: [], estimates: flat)
      let (a, b) = (one.handle(event), other.handle(event))
      #expect(a.claims.map(\.transaction) == b.claims.map(\.transaction))
      #expect(a.claims.map(\.feeRate) == b.claims.map(\.feeRate))
    }
    #expect(one.encoded == other.encoded)
  }

  /// What waits for a commitment to be confirmed survives as well.
  @Test(arguments: [BOLT3Stack.anchors, .zeroFee])
  func helpForACommitmentSurvives(stack: BOLT3Stack) throws {
    let scene = try Scene(stack)
    var resolver = Resolver(try scene.input(0))
    _ = resolver.handle(.block(height: 400, transactions: [], estimates: flat))
    var claims = resolver.handle(.close(deadline: 430)).claims
    for height in 401...420 as ClosedRange<UInt32> {
      claims += resolver.handle(.block(height: height, transactions: [], estimates: flat)).claims
    }
    let last = try #require(claims.last)
    let stored = resolver.encoded
    let restored = try Resolver(
      decoding: stored.bytes, registry: ExtensionRegistry(scene.simulator.parties[0].channel.stack),
      records: { _, _ in nil })
    #expect(restored.encoded == stored)
    let resumed = restored.resume()
    let again = try #require(resumed.claims.last)
    #expect(again.feeRate == last.feeRate)
    #expect(again.fee == last.fee)
    #expect(again.purpose == last.purpose)
    #expect(again.spends == last.spends)
    #expect(again.version == last.version)
    #expect(resumed.contains { if case .publishCommitment = $0 { true } else { false } })
  }

  @Test(arguments: [BOLT3Stack.legacy, .zeroFee])
  func aChangedResolverIsRefusedOrReadNeverTrapped(stack: BOLT3Stack) throws {
    let punishment = try Punishment(stack)
    let bytes = punishment.resolver.encoded
    var random = SeededGenerator(seed: 5)
    for _ in 0..<150 {
      let count = Int(random.below(UInt64(bytes.count)))
      #expect(throws: ResolverDecodingError.self) { try punishment.restored(Array(bytes[..<count])) }
    }
    #expect(throws: ResolverDecodingError.self) { try punishment.restored(bytes + [0]) }
    #expect(throws: ResolverDecodingError.unknownVersion(9)) { try punishment.restored([9] + bytes.dropFirst()) }
    #expect(throws: ResolverDecodingError.malformed(.truncated)) { try punishment.restored([]) }
    #expect(throws: ResolverDecodingError.self) { try punishment.restored(bytes, ExtensionRegistry()) }
    // What is read goes on without trapping, whatever it is.
    let tail = min(bytes.count, 4000)
    for round in 0..<400 {
      var changed = bytes
      for _ in 0..<(1 + random.below(3)) {
        let offset =
          round % 2 == 0 ? bytes.count - 1 - Int(random.below(UInt64(tail))) : Int(random.below(UInt64(bytes.count)))
        changed[offset] = UInt8(random.below(256))
      }
      guard var resolver = try? punishment.restored(changed) else { continue }
      _ = resolver.resume()
      let next = resolver.height &+ 1
      _ = resolver.handle(.block(height: next, transactions: [], estimates: flat))
      _ = resolver.handle(.close(deadline: 5))
      _ = resolver.handle(.reorg(to: 100))
      _ = resolver.handle(.block(height: 600, transactions: [], estimates: flat))
    }
  }

  /// Blocks that hold nothing of the channel, and what strangers do, leave no trace.
  @Test func whatIsKeptIsBoundedByTheOutputs() throws {
    let punishment = try Punishment(.anchors)
    var resolver = punishment.resolver
    func stranger(_ number: UInt32) -> Transaction {
      Transaction(
        inputs: [TxInput(previousOutput: OutPoint(txid: TxID(sha256([4])), vout: number))],
        outputs: [TxOutput(value: Satoshi(5), scriptPubKey: punishment.scene.destination)])
    }
    _ = resolver.handle(.block(height: 401, transactions: [], estimates: flat))
    let size = resolver.encoded.count
    for number in 1...2_000 as ClosedRange<UInt32> {
      _ = resolver.handle(.unconfirmed(stranger(number)))
      _ = resolver.handle(.learned(SecretID(kind: .sha256, value: sha256([1, 2])), [1, 2]))
      _ = resolver.handle(.block(height: 401 + number, transactions: [stranger(number)], estimates: flat))
    }
    // Claims are remembered by what they take: a common one that was divided before its deadline is longer.
    #expect(resolver.encoded.count < size + 200 * resolver.outputs.count)
  }

  /// A block that was told before changes nothing; one that was missed is not made up for.
  @Test func aBlockThatComesTwiceCountsOnce() throws {
    let punishment = try Punishment(.anchors)
    var resolver = punishment.resolver
    let before = resolver.encoded
    for height in [400, 399, 0] as [UInt32] {
      #expect(resolver.handle(.block(height: height, transactions: [], estimates: flat)).isEmpty)
    }
    #expect(resolver.encoded == before)
  }

  /// A fork takes back the heights at which claims were made: what is not open any more waits again, the rest goes on as it was.
  @Test(arguments: BOLT3Stack.allCases)
  func afterAForkNothingIsPublishedBeforeItsTime(stack: BOLT3Stack) throws {
    let scene = try Scene(stack) { simulator in
      simulator.parties[0].channel.fundings[0].local.ledgers.contains { ledger in
        (ledger as? TypedLedger<HTLCExtension>)?.ledger.entries.contains {
          $0.offeredBy == .local && $0.amount > MilliSatoshi(20_000_000)
        } == true
      }
    }
    var resolver = Resolver(try scene.input(0))
    var claims = resolver.handle(.block(height: 400, transactions: [try scene.signed(0)], estimates: flat)).claims
    for height in 401...530 as ClosedRange<UInt32> {
      claims += resolver.handle(.block(height: height, transactions: [], estimates: flat)).claims
    }
    let late = claims.filter { $0.lockTime >= 500 }
    #expect(!late.isEmpty, "nothing times out")
    let after = resolver.handle(.reorg(to: 495)).claims
    #expect(after.allSatisfy { $0.lockTime <= 495 }, "\(after.map(\.lockTime))")
    let stored = resolver.encoded
    let restored = try Resolver(
      decoding: stored.bytes, registry: ExtensionRegistry(scene.simulator.parties[0].channel.stack),
      records: { _, _ in nil })
    #expect(restored.encoded == stored)
    var again: [Claim] = []
    for height in 496...503 as ClosedRange<UInt32> {
      let now = resolver.handle(.block(height: height, transactions: [], estimates: flat)).claims
      #expect(now.allSatisfy { $0.lockTime <= height })
      again += now
    }
    #expect(Set(again.flatMap(\.outPoints)).isSuperset(of: late.flatMap(\.outPoints)))
  }

  // MARK: Commitments of ours that we have given up

  @Test(arguments: BOLT3Stack.allCases)
  func ourOwnRevokedCommitmentIsKnownWhenItAppears(stack: BOLT3Stack) throws {
    let scene = try Scene(stack) { simulator in
      simulator.past[0].contains { $0.localNumber < simulator.parties[0].channel.localNumber }
    }
    let channel = scene.simulator.parties[0].channel
    var input = try scene.input(0)
    var seen = 0
    for old in scene.simulator.past[0] where old.localNumber < channel.localNumber {
      let shown = try scene.signed(0, old)
      guard case .own(let number, isRevoked: true, let keys, let outputs) = input.recognise(shown) else {
        throw Failure("commitment \(old.localNumber): \(input.recognise(shown))")
      }
      #expect(number == old.localNumber)
      #expect(keys.side == .holder)
      #expect(!outputs.isEmpty)
      seen += 1
      // From an old backup, the present one is ours as well, and of unknown standing.
      guard case .own(channel.localNumber, isRevoked: false, _, _) = try scene.input(0, old).recognise(scene.signed(0))
      else { throw Failure("the present one from backup \(old.localNumber)") }
    }
    #expect(seen > 0)
    // Without our points it cannot be told from anything else; with them, outputs that are not ours do not make it ours.
    let old = try #require(scene.simulator.past[0].first { $0.localNumber < channel.localNumber })
    var forged = try scene.signed(0, old)
    for index in forged.outputs.indices { forged.outputs[index].scriptPubKey = scene.destination }
    if case .own = input.recognise(forged) { throw Failure("forged outputs were taken for ours") }
    input.points = { _ in nil }
    if case .own = input.recognise(try scene.signed(0, old)) { throw Failure("recognised without a point") }
  }

  /// Its balance is claimed as soon as it opens, urgently: the other side can take it at any time.
  @Test(arguments: BOLT3Stack.allCases)
  func theBalanceOfARevokedCommitmentOfOursIsClaimedUnlessTheyAreFaster(stack: BOLT3Stack) throws {
    let scene = try Scene(stack) { simulator in
      simulator.past[0].contains { $0.localNumber < simulator.parties[0].channel.localNumber }
    }
    let channel = scene.simulator.parties[0].channel
    let old = try #require(scene.simulator.past[0].first { $0.localNumber < channel.localNumber })
    let commitment = try scene.commitment(0, old).commitment
    let balance = try #require(
      commitment.outputs.first { sealed in
        sealed.output.tag == .balance(of: .holder) && sealed.output.paths.contains { $0.conditions.revoked }
      })
    var resolver = Resolver(try scene.input(0))
    var actions = resolver.handle(.block(height: 400, transactions: [try scene.signed(0, old)], estimates: flat))
    let delay = UInt32(channel.parameters.parties.local.contestDelay)
    for height in 401..<(400 + delay + 3) {
      #expect(actions.claims.flatMap(\.outPoints).contains(balance.outPoint) == (height == 400 + delay))
      let claim = actions.claims.first { $0.outPoints.contains(balance.outPoint) }
      if let claim {
        #expect(claim.deadline != nil)
        var transaction = claim.transaction
        try scene.simulator.parties[0].signer.secrets.sign(&transaction, taking: claim.spends, with: claim.keys)
        try ScriptVerifier.verify(
          input: 0, of: transaction, spending: claim.spends.map(\.output), flags: .standard)
        break
      }
      actions = resolver.handle(.block(height: height, transactions: [], estimates: flat))
    }
    // They are faster.
    var other = Resolver(try scene.input(0))
    _ = other.handle(.block(height: 400, transactions: [try scene.signed(0, old)], estimates: flat))
    let penalty = Transaction(
      inputs: [TxInput(previousOutput: balance.outPoint)],
      outputs: [TxOutput(value: Satoshi(1), scriptPubKey: Script([0x51]))])
    let lost = other.handle(.block(height: 401, transactions: [penalty], estimates: flat))
    #expect(lost.contains { if case .lost(balance.outPoint, _) = $0 { true } else { false } })
  }
}
