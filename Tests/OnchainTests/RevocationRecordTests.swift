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

/// A commitment of the remote party with that many payments in each direction.
struct RecordedCase {
  let commitment: Commitment
  let secret = sha256(Array("revoked".utf8))
  let holder: LocalSigner
  let victim: LocalSigner

  init(_ stack: ChannelStack, payments: Int, locks: Int = 0) throws {
    let basepoints = Array(Set(stack.keys.map(\.role.basepoint) + [.payment])).sorted()
    holder = LocalSigner(channelSeed: sha256([1]), basepoints: basepoints)
    victim = LocalSigner(channelSeed: sha256([2]), basepoints: basepoints)
    var ledgers = stack.makeLedgers()
    var balances = Balances(local: MilliSatoshi(40_000_000_000), remote: MilliSatoshi(40_000_000_000))
    for (position, slot) in stack.extensions.enumerated() {
      if slot.id == HTLCExtension.id {
        for index in 0..<payments {
          for author in Party.allCases {
            let update = HTLCUpdate.add(
              id: UInt64(index), amount: MilliSatoshi(5_000_000 + 1_000 * UInt64(index)),
              paymentHash: PaymentHash(sha256(Array("\(index) \(author)".utf8))),
              cltvExpiry: 700_000 + UInt32(index % 40), onion: [UInt8](repeating: 0, count: 1366), extra: TLVStream())
            try ledgers[position].apply(AnyUpdate(update, of: HTLCExtension.self), by: author, moving: &balances)
          }
        }
      }
      if slot.id == TimeLock.id {
        for index in 0..<UInt32(locks) {
          for author in Party.allCases {
            let update = TimeLock.Update.put(id: index, amount: MilliSatoshi(9_000_000), height: 800_000 + index)
            try ledgers[position].apply(AnyUpdate(update, of: TimeLock.self), by: author, moving: &balances)
          }
        }
      }
    }
    let keys = try CommitmentKeys(
      holder: holder.basepoints, counterparty: victim.basepoints, perCommitmentPoint: try SecretKey(secret).publicKey,
      resolving: stack.keys)
    let context = CommitmentContext(
      holder: .remote, funder: .local, number: 7, fundingOutpoint: OutPoint(txid: TxID(sha256([3])), vout: 0),
      capacity: Satoshi(80_000_000), dustLimit: Satoshi(354), contestDelay: 144,
      feeRate: FeeRate(satPerKiloWeight: stack.extensions.contains { $0.manifest.name == "shared-anchor" } ? 0 : 1000),
      keys: keys, obscuringFactor: 0)
    commitment = try stack.commitment(context, balances: balances, ledgers: ledgers)
  }
}

@Suite struct RevocationRecordTests {
  /// What is kept is what is needed: every output of the commitment that has a path for us, with the script that the transaction has,
  /// the paths that punish, and the scripts of what the other side's second stage would make of it.
  @Test(arguments: BOLT3Stack.allCases, [0, 1, 7])
  func aRecordGivesBackWhatPunishingNeeds(stack: BOLT3Stack, payments: Int) throws {
    try check(RecordedCase(try stack.stack, payments: payments))
  }

  @Test func theToyIsRecordedWithoutBeingKnown() throws {
    try check(RecordedCase(try toyStack(), payments: 2, locks: 3))
  }

  private func check(_ revoked: RecordedCase) throws {
    let commitment = revoked.commitment
    let record = try RevocationRecord(commitment)
    let outputs = try record.outputs(commitment.context.keys, of: commitment.transaction)
    for sealed in commitment.outputs where sealed.output.paths.contains(where: { $0.spender == .counterparty }) {
      let found = try #require(outputs.first { $0.index == sealed.outPoint.vout }, "output \(sealed.outPoint.vout)")
      #expect(found.tag == sealed.output.tag)
      #expect(found.lock == sealed.output.lock)
      let own = sealed.output.paths.filter { $0.spender == .counterparty }
      let expected = own.contains(where: \.conditions.revoked) ? own.filter(\.conditions.revoked) : own
      let kept = found.paths.filter { $0.spender == .counterparty }
      #expect(kept.map(\.conditions) == expected.map(\.conditions))
      #expect(kept.map(\.witness) == expected.map(\.witness))
      #expect(kept.map(\.execution) == expected.map(\.execution))
      let children = sealed.children.flatMap { $0.template.outputs.map(\.lock) }
      let keptChildren = found.paths.flatMap { path -> [OutputLock] in
        guard case .presigned(let template) = path.execution else { return [] }
        return template.outputs.map(\.lock)
      }
      #expect(keptChildren == children)
    }
  }

  @Test(arguments: BOLT3Stack.allCases)
  func aRecordIsSmall(stack: BOLT3Stack) throws {
    let empty = try RevocationRecord(try RecordedCase(try stack.stack, payments: 0).commitment).bytes.count
    let full = try RecordedCase(try stack.stack, payments: 100)
    let record = try RevocationRecord(full.commitment)
    let perPayment = Double(record.bytes.count - empty) / 200
    print(
      "record \(stack): \(empty) bytes without payments, \(record.bytes.count) bytes with 200,",
      "\(perPayment) bytes for each payment's output")
    #expect(perPayment < 32, "\(perPayment) bytes for each payment")
  }

  @Test func aChangedRecordIsRefusedOrReadNeverTrapped() throws {
    let revoked = try RecordedCase(try toyStack(), payments: 2, locks: 1)
    let keys = revoked.commitment.context.keys
    let bytes = try RevocationRecord(revoked.commitment).bytes
    for count in 0..<bytes.count {
      #expect(throws: RecordError.self) { try RevocationRecord(bytes: Array(bytes[..<count])).outputs(keys) }
    }
    var random = SeededGenerator(seed: 1)
    for _ in 0..<3_000 {
      var changed = bytes
      for _ in 0..<(1 + random.below(3)) { changed[Int(random.below(UInt64(bytes.count)))] = UInt8(random.below(256)) }
      _ = try? RevocationRecord(bytes: changed).outputs(keys, of: revoked.commitment.transaction)
    }
    #expect(throws: RecordError.unknownVersion(9)) {
      try RevocationRecord(bytes: [9] + bytes.dropFirst()).outputs(keys)
    }
    // Another commitment is not this one.
    let other = try RecordedCase(try toyStack(), payments: 3, locks: 1)
    #expect(throws: RecordError.otherTransaction) {
      try RevocationRecord(bytes: bytes).outputs(keys, of: other.commitment.transaction)
    }
  }

  // MARK: Towers

  @Test(arguments: BOLT3Stack.allCases)
  func aTowerPunishesWithTheBlobAndTheChainAlone(stack: BOLT3Stack) throws {
    let revoked = try RecordedCase(try stack.stack, payments: 3)
    let commitment = revoked.commitment
    let destination = OutputLock.witnessScript(Script([0x51])).scriptPubKey
    let claims = RevokedCommitment(commitments: [commitment], secret: revoked.secret).penalties(
      of: commitment, destination: destination, feeRates: [300, 2000].map { FeeRate(satPerKiloWeight: $0) })
    let penalties = try claims.map { claim in
      var transaction = claim.transaction
      try revoked.victim.secrets.sign(&transaction, taking: claim.spends, with: claim.keys)
      #expect(transaction.weight <= claim.weight)
      return transaction
    }
    let payload = TowerPayload(record: try RevocationRecord(commitment), keys: [], penalties: penalties)
    let blob = TowerBlob(payload, commitment: commitment.txid)
    print("tower blob \(stack): \(blob.sealed.count) bytes, \(penalties.count) transactions")

    // The tower sees a transaction whose id begins with the hint.
    var chain = VirtualChain(height: 100)
    let nonce =
      commitment.signsTogether
      ? try revoked.holder.nonce(commitment.context.number, on: commitment.context.fundingOutpoint) : nil
    let signed = try revoked.holder.signForBroadcast(
      commitment, with: commitment.sign(asCounterparty: revoked.victim.secrets, nonce: nonce))
    chain.fund(
      commitment.context.fundingOutpoint,
      TxOutput(value: commitment.context.capacity, scriptPubKey: commitment.fundingLock.scriptPubKey))
    chain.mine(adding: [signed])
    let seen = try #require(chain.blocks.last?.transactions.first)
    #expect(TowerBlob.hint(seen.txid) == blob.hint)
    let opened = try blob.open(with: seen.txid)
    #expect(opened == payload)
    try chain.submit(try #require(opened.penalties.first))
    chain.mine()
    let taken = chain.coins(for: destination).reduce(0) { $0 + $1.coin.output.value.rawValue }
    let wanted = commitment.outputs.filter { $0.output.paths.contains { $0.spender == .counterparty } }
      .reduce(0) { $0 + $1.output.value.rawValue }
    #expect(taken + 8_000 > wanted, "the tower took \(taken) of \(wanted)")
  }

  @Test func aBlobOpensWithItsTransactionAlone() throws {
    let revoked = try RecordedCase(try BOLT3Stack.anchors.stack, payments: 1)
    let txid = revoked.commitment.txid
    let payload = TowerPayload(record: try RevocationRecord(revoked.commitment), keys: [], penalties: [])
    let blob = TowerBlob(payload, commitment: txid)
    #expect(throws: TowerError.wrongKey) { try blob.open(with: TxID(sha256([1]))) }
    var sameHint = txid.raw
    sameHint[31] ^= 1
    #expect(throws: TowerError.wrongKey) { try blob.open(with: TxID(sameHint)) }
    for position in stride(from: 0, to: blob.sealed.count, by: 7) {
      var changed = blob.sealed
      changed[position] ^= 1
      #expect(throws: TowerError.wrongKey) { try TowerBlob(hint: blob.hint, sealed: changed).open(with: txid) }
    }
    #expect(throws: TowerError.wrongKey) { try TowerBlob(hint: blob.hint, sealed: []).open(with: txid) }
    let bytes = payload.encoded
    for count in 0..<bytes.count {
      #expect(throws: TowerError.self) { try TowerPayload(decoding: Array(bytes[..<count]).bytes) }
    }
    var random = SeededGenerator(seed: 2)
    for _ in 0..<2_000 {
      var changed = bytes
      changed[Int(random.below(UInt64(bytes.count)))] = UInt8(random.below(256))
      _ = try? TowerPayload(decoding: changed.bytes).record.outputs(revoked.commitment.context.keys)
    }
  }
}
