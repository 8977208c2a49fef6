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

/// What a vector expects: the signed commitment, and each signed second-stage transaction in order.
private func check(
  _ name: String, _ vector: CommitmentCase, commitment expected: String, children: [String],
  secrets: [Bytes32: [UInt8]],
  successFirst: Bool = false
) throws {
  let commitment = try vector.build()
  let signatures = try commitment.sign(asCounterparty: vector.remote, grindLowR: false)
  try commitment.verify(signatures)
  let signed = try commitment.signedTransaction(asHolder: vector.local, with: signatures, grindLowR: false)
  #expect(Hex.encode(signed.encoded) == expected, "\(name): the commitment differs")
  var secondStage = Array(commitment.secondStage.enumerated())
  if successFirst {
    // The zero-fee file lists successes and timeouts apart, each in the order of the outputs.
    secondStage =
      secondStage.filter { $0.element.path.name == "success" }
      + secondStage.filter { $0.element.path.name == "timeout" }
  }
  try #require(secondStage.count == children.count, "\(name): \(secondStage.count) second-stage transactions")
  for (position, (index, child)) in secondStage.enumerated() {
    let secret = child.path.conditions.secret.flatMap { secrets[$0.value] }
    let transaction = try commitment.signed(
      child, asHolder: vector.local, with: signatures.children[index], secret: secret, grindLowR: false)
    #expect(Hex.encode(transaction.encoded) == children[position], "\(name): second stage \(position) differs")
  }
}

@Suite struct BOLT3VectorTests {
  /// The appendices of BOLT 3 as JSON: legacy (C), anchors (F), and the first form of anchors whose second stage pays fees.
  @Test(
    .vectors(
      "bolts/bolt03/commitments-legacy.json", "bolts/bolt03/commitments-anchors.json",
      "bolts/bolt03/commitments-zero_fee_htlc_tx.json"),
    arguments: [
      ("commitments-legacy.json", BOLT3Stack.legacy), ("commitments-anchors.json", .anchorsWithFees),
      ("commitments-zero_fee_htlc_tx.json", .anchors),
    ])
  func everyCommitmentOfTheAppendicesIsBuiltByteForByte(file: String, stack: BOLT3Stack) throws {
    let cases = try Vectors.json("bolts/bolt03/\(file)").array
    var preimages: [Bytes32: [UInt8]] = [:]
    for htlc in AppendixC.htlcs {
      let preimage = [UInt8](repeating: htlc.preimage, count: 32)
      preimages[sha256(preimage)] = preimage
    }
    for row in cases {
      let name = try row.required("Name").string
      let usesHTLCs = try row.required("UseTestHtlcs").boolValue ?? false
      let indices = !usesHTLCs ? [] : name.contains("same amount and preimage") ? [1, 5, 6] : [0, 1, 2, 3, 4]
      let vector = CommitmentCase(
        stack: stack, fundingTxID: AppendixC.fundingTxID,
        dustLimit: Satoshi(UInt64(try row["DustLimitSatoshis"]?.integer ?? 546)),
        feeRate: UInt32(try row.required("FeePerKw").integer),
        toLocal: UInt64(try row.required("LocalBalance").integer),
        toRemote: UInt64(try row.required("RemoteBalance").integer), htlcs: indices.map(AppendixC.entry),
        local: try AppendixC.local(), remote: try AppendixC.remote(),
        perCommitmentPoint: try PublicKey(hex: AppendixC.perCommitmentPoint))
      try check(
        "\(file): \(name)", vector, commitment: try row.required("ExpectedCommitmentTxHex").string,
        children: try row.required("HtlcDescs").arrayValue?.map { try $0.required("ResolutionTxHex").string } ?? [],
        secrets: preimages)
    }
    Vectors.report("bolts/bolt03/\(file)", cases: cases.count)
  }

  @Test(.vectors("bolts/bolt03/zero-fee-commitments-test.json"))
  func everyZeroFeeCommitmentIsBuiltByteForByte() throws {
    let path = "bolts/bolt03/zero-fee-commitments-test.json"
    let file = try Vectors.json(path)
    func key(_ name: String) throws -> String { try file.required(name).string }
    let local = try secrets([
      .funding: key("local_funding_priv"), .payment: key("local_payment_basepoint_secret"),
      .delayedPayment: key("local_delayed_payment_basepoint_secret"), .htlc: key("local_htlc_basepoint_secret"),
    ])
    let remote = try secrets([
      .funding: key("remote_funding_priv"), .payment: key("remote_payment_basepoint_secret"),
      .htlc: key("remote_htlc_basepoint_secret"),
    ])
    var preimages: [Bytes32: [UInt8]] = [:]
    for member in try file.required("payment_hash_to_preimage").objectValue?.members ?? [] {
      preimages[try Bytes32(hex: member.name)] = try Hex.decode(member.value.string)
    }
    let tests = try file.required("tests").array
    for row in tests {
      func htlcs(_ list: String, _ party: Party) throws -> [HTLCEntry] {
        try (row[list]?.arrayValue ?? []).enumerated().map { index, htlc in
          HTLCEntry(
            id: UInt64(try htlc["id"]?.integer ?? Int64(index)), offeredBy: party,
            amount: MilliSatoshi(UInt64(try htlc.required("amount_msat").integer)),
            paymentHash: try PaymentHash(hex: htlc.required("payment_hash").string),
            cltvExpiry: UInt32(try htlc.required("cltv_expiry").integer))
        }
      }
      let vector = CommitmentCase(
        stack: .zeroFee, number: UInt64(try file.required("commitment_number").integer),
        fundingTxID: try key("funding_txid"), fundingIndex: UInt32(try file.required("funding_index").integer),
        fundingAmount: Satoshi(UInt64(try file.required("funding_amount_satoshis").integer)),
        dustLimit: Satoshi(UInt64(try row.required("dust_limit_satoshis").integer)),
        delay: UInt16(try file.required("to_self_delay").integer), feeRate: 0,
        toLocal: UInt64(try row.required("to_local_msat").integer),
        toRemote: UInt64(try row.required("to_remote_msat").integer),
        htlcs: try htlcs("incoming_htlcs", .remote) + htlcs("outgoing_htlcs", .local), local: local, remote: remote,
        perCommitmentPoint: try PublicKey(hex: key("per_commitment_point")),
        revocationBasepoint: try PublicKey(hex: key("revocation_basepoint")))
      try check(
        try row.required("name").string, vector, commitment: try row.required("signed_commit_tx").string,
        children: try ["signed_htlc_success_txs", "signed_htlc_timeout_txs"].flatMap { list in
          try (row[list]?.arrayValue ?? []).map { try $0.string }
        }, secrets: preimages, successFirst: true)
    }
    Vectors.report(path, cases: tests.count)
  }

  /// BOLT 3 §Fee Calculation.
  @Test(arguments: [
    (BOLT3Stack.legacy, 724 as UInt64), (BOLT3Stack.staticRemoteKey, 724 as UInt64),
    (BOLT3Stack.anchors, 1124 as UInt64),
    (BOLT3Stack.anchorsWithFees, 1124 as UInt64),
  ])
  func expectedWeightsAreTheSpecifications(stack: BOLT3Stack, weight: UInt64) throws {
    #expect(try stack.stack.baseWeight == Weight(weight))
  }
}
