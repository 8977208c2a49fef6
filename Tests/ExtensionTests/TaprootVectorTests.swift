import Anchors
import Base
import Bitcoin
import Encoding
import GLC
import HTLC
import Hashing
import JSON
import Secp256k1
import Signer
import Testing
import VectorSupport

extension TaprootCase {
  func build(swapped: Bool = false) throws -> Commitment {
    let (local, remote) = (try Self.secrets(of: .local), try Self.secrets(of: .remote))
    let scheme = MuSig2Funding()
    let point = try Self.key("local-per-commit-secret").publicKey
    let keys = try CommitmentKeys(
      holder: local.basepoints, counterparty: remote.basepoints, perCommitmentPoint: point, resolving: scheme.keys)
    return try CommitmentCase(
      stack: .taproot, fundingTxID: "\(Self.funding(try scheme.lock(keys).scriptPubKey).txid)",
      dustLimit: Satoshi(dustLimit), feeRate: feeRate, toLocal: toLocal, toRemote: 3_000_000_000, htlcs: htlcs,
      local: try Self.secrets(of: .local, swapped: swapped), remote: try Self.secrets(of: .remote, swapped: swapped),
      perCommitmentPoint: point
    ).build()
  }

  /// Signs with the vectors' nonces; gives the signed commitment and the signed second stage, in order.
  func sign() throws -> (commitment: Transaction, secondStage: [Transaction]) {
    let (local, remote) = (try Self.secrets(of: .local), try Self.secrets(of: .remote))
    let commitment = try build()
    let hash = try commitment.fundingSighash(.default)
    guard case .taproot(let output) = commitment.fundingLock.reveal else { throw SignerRefusal("not taproot") }
    let keys = try commitment.context.keys.paired(.funding, spending: output)
    func nonce(_ numbers: String, _ key: borrowing SecretKey) throws -> BIP327.SecretNonce {
      try BIP327.SecretNonce(try Hex.decode(numbers) + key.publicKey.array)
    }
    let localKey = try Self.key("local-funding")
    let remoteKey = try Self.key("remote-funding")
    let localNonce = try nonce(Self.localNonce, localKey)
    let remoteNonce = try nonce(self.remoteNonce, remoteKey)
    let publicNonces = try [localNonce.publicNonce, remoteNonce.publicNonce].map {
      try MuSigPublicNonce(copying: $0.bytes)
    }
    let session = BIP327.Session(
      keys: keys, aggregateNonce: try MuSigAggregateNonce(publicNonces), message: hash.array)
    let own = PartialSignature(
      signature: try session.sign(with: localKey, nonce: localNonce), nonce: publicNonces[0])
    let theirs = PartialSignature(
      signature: try session.sign(with: remoteKey, nonce: remoteNonce), nonce: publicNonces[1])
    #expect(theirs.signature.hex == remotePartialSignature, "\(name): another partial signature")

    // Everything but the nonces is as in a channel.
    let made = try commitment.sign(asCounterparty: remote, nonce: publicNonces[0])
    try commitment.verify(made, nonce: publicNonces[0])
    let signatures = CommitmentSignatures(funding: .musigPartial(theirs), children: made.children)
    try commitment.verify(signatures, nonce: publicNonces[0])
    let opener = PathOpener(local, side: .holder, keys: commitment.context.keys)
    var signed = commitment.transaction
    signed.inputs[0].witness = Witness([
      try opener.complete(.funding, spending: output, own, theirs, hash).array
    ])
    let funding = TxOutput(value: commitment.context.capacity, scriptPubKey: commitment.fundingLock.scriptPubKey)
    try ScriptVerifier.verify(input: 0, of: signed, spending: [funding], flags: .standard)
    let secondStage = try zip(commitment.secondStage, signatures.children).map { child, signature in
      try commitment.signed(
        child, asHolder: local, with: signature,
        secret: child.path.conditions.secret.flatMap { Self.preimages[$0.value] })
    }
    return (signed, secondStage)
  }

  /// The outputs of a commitment with one HTLC each way, by the names of the vectors.
  static func scripts() throws -> [String: OutputLock] {
    let entries = [Party.local, .remote].map {
      HTLCEntry(
        id: 0, offeredBy: $0, amount: MilliSatoshi(5_000_000), paymentHash: PaymentHash(sha256(preimage(0))),
        cltvExpiry: 500)
    }
    let vector = TaprootCase(
      name: "scripts", toLocal: 6_990_000_000, feeRate: 644, htlcs: entries, remoteNonce: "",
      remotePartialSignature: "")
    var locks: [String: OutputLock] = [:]
    let commitment = try vector.build()
    locks["funding"] = commitment.fundingLock
    for sealed in commitment.outputs {
      let output = sealed.output
      switch output.tag {
      case .balance(of: .holder): locks["to_local"] = output.lock
      case .balance(of: .counterparty): locks["to_remote"] = output.lock
      case Anchors.tag(.holder): locks["local_anchor"] = output.lock
      case Anchors.tag(.counterparty): locks["remote_anchor"] = output.lock
      case entries[0].tag: locks["offered_htlc_local_commit"] = output.lock
      default: break
      }
      for child in sealed.children { locks["second_level_htlc_\(child.path.name)"] = child.template.outputs[0].lock }
    }
    let swapped = try vector.build(swapped: true)
    locks["accepted_htlc_local_commit"] = swapped.outputs.first { $0.output.tag == entries[1].tag }?.output.lock
    return locks
  }
}

@Suite("Simple taproot channels, test vectors") struct TaprootVectorTests {
  @Test func everyTransactionHasTheIdentifierOfTheSpecifications() throws {
    for figures in TaprootFigures.all {
      let (commitment, secondStage) = try figures.vector.sign()
      #expect("\(TxID(sha256d(commitment.encoded)))" == figures.commitment, "\(figures.vector.name): the commitment")
      #expect(
        secondStage.map { "\(TxID(sha256d($0.encoded)))" } == figures.secondStage,
        "\(figures.vector.name): the second stage")
    }
  }

  @Test func everyScriptIsTheSpecifications() throws {
    #expect(try TaprootCase.scripts().mapValues(\.scriptPubKey.hex) == TaprootFigures.scripts)
  }

  @Test(.vectors("bolts/bolt03/simple-taproot-test.json"))
  func everyTransactionOfTheFileIsBuiltByteForByte() throws {
    let path = "bolts/bolt03/simple-taproot-test.json"
    let file = try Vectors.json(path)
    let keys = try file.required("params").required("keys")
    func key(_ name: String) throws -> String { try keys.required(name).string }
    #expect(try TaprootCase.secret("local-funding").hex == key("local_funding_privkey"))
    #expect(try TaprootCase.secret("remote-htlc-basepoint").hex == key("remote_htlc_basepoint_secret"))
    #expect(try MuSig2Funding.unspendable.hex == file.required("params").required("nums_point").string.dropFirst(2))
    let rows = try file.required("transactions").array
    for row in rows {
      let htlcs = try (row["htlcs"]?.arrayValue ?? []).enumerated().map { index, htlc in
        HTLCEntry(
          id: UInt64(index), offeredBy: try htlc.required("incoming").boolValue == true ? .remote : .local,
          amount: MilliSatoshi(UInt64(try htlc.required("amount_msat").integer)),
          paymentHash: PaymentHash(sha256(try Hex.decode(htlc.required("preimage").string))),
          cltvExpiry: UInt32(try htlc.required("expiry").integer))
      }
      let vector = TaprootCase(
        name: try row.required("name").string, toLocal: UInt64(try row.required("local_balance_msat").integer),
        feeRate: UInt32(try row.required("fee_per_kw").integer),
        dustLimit: UInt64(try row["dust_limit_satoshis"]?.integer ?? 354), htlcs: htlcs,
        remoteNonce: String(try row.required("remote_sec_nonce").string.prefix(128)),
        remotePartialSignature: try row.required("remote_partial_sig").string)
      #expect(try row.required("local_sec_nonce").string.hasPrefix(TaprootCase.localNonce))
      let (commitment, secondStage) = try vector.sign()
      #expect(try Hex.encode(commitment.encoded) == row.required("expected_commitment_tx_hex").string, "\(vector.name)")
      let expected = try (row["htlc_descs"]?.arrayValue ?? []).map { try $0.required("resolution_tx_hex").string }
      #expect(secondStage.map { Hex.encode($0.encoded) } == expected, "\(vector.name): the second stage")
    }
    Vectors.report(path, cases: rows.count)
  }

  @Test(.vectors("bolts/bolt03/simple-taproot-test.json"))
  func everyScriptOfTheFileIsBuiltByteForByte() throws {
    let scripts = try Vectors.json("bolts/bolt03/simple-taproot-test.json").required("scripts")
    let locks = try TaprootCase.scripts()
    for (name, lock) in locks {
      let row = try scripts.required(name)
      #expect(try lock.scriptPubKey.hex == row.required("pkscript").string, "\(name)")
      guard case .taproot(let output) = lock.reveal, name != "funding" else { continue }
      #expect(try output.merkleRoot?.hex == row.required("tapscript_root").string, "\(name)")
      #expect(try output.internalKey.hex == row.required("internal_key").string.dropFirst(2), "\(name)")
      let leaves = try row.required("scripts").objectValue?.members.map { try $0.value.string } ?? []
      #expect(Set(output.paths.map(\.leaf.script.hex)) == Set(leaves), "\(name)")
      let hashes = try row.required("leaf_hashes").objectValue?.members.map { try $0.value.string } ?? []
      #expect(Set(output.paths.map(\.leaf.hash.hex)) == Set(hashes), "\(name)")
    }
    // The commitment of the remote party is a commitment of its holder like any other.
    for name in ["offered", "accepted"] {
      #expect(
        try scripts.required("\(name)_htlc_remote_commit").required("pkscript").string
          == locks["\(name)_htlc_local_commit"]?.scriptPubKey.hex)
    }
    Vectors.report("bolts/bolt03/simple-taproot-test.json: scripts", cases: locks.count)
  }

  /// The fee of the first vector: 14,520 satoshi at 15,000 a kiloweight.
  @Test func theExpectedWeightIsTheVectors() throws {
    #expect(try BOLT3Stack.taproot.stack.baseWeight == Weight(968))
  }
}
