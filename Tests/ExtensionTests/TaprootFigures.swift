import Bitcoin
import Encoding
import GLC
import HTLC
import Hashing
import Secp256k1
import Signer

/// The test vectors of simple taproot channels, in the smallest form that pins every byte of every transaction: what cannot be derived, and the
/// witness transaction ids of the signed commitment and of its signed second stage.
/// Source: lightning/bolts#995, bolt-simple-taproot.md §Test Vectors (CC-BY-4.0).
struct TaprootCase {
  var name: String
  var toLocal: UInt64
  var feeRate: UInt32
  var dustLimit: UInt64 = 354
  var htlcs: [HTLCEntry] = []
  /// The two numbers of the remote party's secret nonce, 64 bytes. The local one is the same in each.
  var remoteNonce: String
  var remotePartialSignature: String

  static let seed: [UInt8] = Array(0..<32)
  /// The two numbers of the local party's secret nonce.
  static let localNonce =
    "22a453171ba4a634da1addcf660d63d8e23fb63169a2a7206f4e23290e4cc59bb3c3011fe3c31cb4f1192a2df56c2e52350ce0a82060fadf2404af9f81652c5f"

  /// Private keys are produced via SHA256(seed || label).
  static func secret(_ label: String) -> Bytes32 { sha256(seed + Array(label.utf8)) }

  static func key(_ label: String) throws -> SecretKey { try SecretKey(secret(label)) }

  /// - Parameter swapped: each party has the other's key for HTLCs.
  static func secrets(of party: Party, swapped: Bool = false) throws -> BasepointSecrets {
    let (own, other) = party == .local ? ("local", "remote") : ("remote", "local")
    // The local revocation basepoint and the remote delayed payment basepoint take no part in the local commitment.
    let names: [Basepoint: String] = [
      .funding: "\(own)-funding", .payment: "\(own)-payment-basepoint",
      .delayedPayment: "\(own)-delayed-payment-basepoint", .revocation: "\(own)-revocation-basepoint",
      .htlc: "\(swapped ? other : own)-htlc-basepoint",
    ]
    return try BasepointSecrets(Array(names.keys)) { try key(names[$0] ?? "") }
  }

  /// The transaction that funds the channel: no input worth the name, and one output of 10,000,000 satoshi.
  static func funding(_ script: Script) -> Transaction {
    Transaction(
      inputs: [TxInput(previousOutput: OutPoint(txid: TxID(Bytes32()), vout: 0), sequence: 0)],
      outputs: [TxOutput(value: Satoshi(10_000_000), scriptPubKey: script)])
  }

  /// The five HTLCs: whether the local party offered them, satoshi, expiry; the preimage repeats the position.
  static let htlcs: [HTLCEntry] = [
    (false, 1_000, 500), (false, 2_000, 501), (true, 2_000, 502), (true, 3_000, 503), (false, 4_000, 504),
  ].enumerated().map { (index, htlc) in
    HTLCEntry(
      id: UInt64(index), offeredBy: htlc.0 ? .local : .remote, amount: MilliSatoshi(UInt64(htlc.1) * 1000),
      paymentHash: PaymentHash(sha256(preimage(index))), cltvExpiry: UInt32(htlc.2))
  }

  static func preimage(_ index: Int) -> [UInt8] { [UInt8](repeating: UInt8(index), count: 32) }

  static var preimages: [Bytes32: [UInt8]] {
    Dictionary(uniqueKeysWithValues: (0..<5).map { (sha256(preimage($0)), preimage($0)) })
  }
}

/// What a case must come to.
struct TaprootFigures {
  var vector: TaprootCase
  var commitment: String
  var secondStage: [String]

  static let all: [TaprootFigures] = [
    TaprootFigures(
      vector: TaprootCase(
        name: "simple commitment tx with no HTLCs", toLocal: 7_000_000_000, feeRate: 15_000,
        remoteNonce:
          "ccdaea6955c7bd9fcb082dc67e32809a5bdd3a3edf770cbb990116c45f4b006e4b56aa81f8e555d6bd1906b159af16d0ac352690ccff6f6a99c43842ac2606ca",
        remotePartialSignature: "3fa93659d4c2d590eadbd422595a37597ed58607e026a91f4e6e19329134a931"),
      commitment: "2ae6a33b99e5717da58867352f1d51f3c880b9c8e1517c68ad72d65225a6a831", secondStage: []),
    TaprootFigures(
      vector: TaprootCase(
        name: "commitment tx with five HTLCs untrimmed", toLocal: 6_988_000_000, feeRate: 644,
        htlcs: TaprootCase.htlcs,
        remoteNonce:
          "8c40a8ab26f1bd7d58010e991c72b0f102df6d0f050df28f56cefdafb9d06479958ea0a72180184e338b1b77fdf20690d5d980aac5c34cf123b189e373dba33e",
        remotePartialSignature: "46efde50f08c128aa6472bbd50ea156fb9bde7b013f5e042f700729c94053613"),
      commitment: "97c13cba40cc0d72778acc5b7415144cc79cf1ed24060268ff97e75d63b55aa1",
      secondStage: [
        "678672563a2cf0ab3f0191852249eb92b136b85b26e4771957e712f5b213e2e2",
        "10da4c17ff4edc96c163993d5395ee31e49f31cda915c3e50666b81db084902f",
        "a4e77d7d04e49af684c8f74ac330683a080c927e157cd8dc8c777e124b8873ad",
        "bdfff25bae9d42821dbb996ed20993b58ab064d8980e91142222330c262b80e0",
        "9564e1786d8bf4d1f8d0e5e66979eae0c61dd519d74cab6a5f36d7c59c91d87e",
      ]),
    TaprootFigures(
      vector: TaprootCase(
        name: "commitment tx with some HTLCs trimmed", toLocal: 6_988_000_000, feeRate: 644, dustLimit: 2_500,
        htlcs: TaprootCase.htlcs,
        remoteNonce:
          "8c5bd39820b3e20d65bf72e530078bf5e8ba057c1654d0a15778a0d3225e0233eb8d7b1d3574e40e57a2cd12dc3b33193c0ac17545564df3ff88021f3c300337",
        remotePartialSignature: "3e454598e0661188da0e4cf1b806b13c627adb7ab38bab27418cc976769771c3"),
      commitment: "1210b26a4a55fbc9d2dd637519ffe89752f69e296354f8f6c353a373bf9e775f",
      secondStage: [
        "8abe7f3a6b991580769a447fad8955bfe4830e89ae5b9595e6416eab27cfc2ec",
        "fdab8f842d43424915cf33f7f2b6a403401f8c8da67e2a32cc385cc6f508e06d",
      ]),
  ]

  /// The outputs of a commitment with one HTLC each way, for the preimage of zeros and the height 500. Those of accepted HTLCs stand in the
  /// vectors with the keys of both parties swapped.
  static let scripts = [
    "funding": "5120d0ebb4909d563a7ae1213fddede4ae54132fba0ef0b97ee3f8469191fecd348e",
    "to_local": "51203e1fcbbd06c8a7414704612c72be9834a75d86ed85b29f0ef0c52e1950afaff3",
    "to_remote": "51203609bb705034e5629aa6ec05c5ca906ac89ac08b34c4583c259521ec30174408",
    "local_anchor": "5120f67ab012701705f3203d132f909a6810ef18c5da4c11d986cb50818803b8344e",
    "remote_anchor": "51201249c50576fdf914caa14f9221370b986df520bdbc73f57d5056a86ee03e5ac4",
    "offered_htlc_local_commit": "51203e5c3be9f4ce7ae07c28ad5e0eb0ab617c06eeb82b8d6ef10a5bf561848df5f0",
    "accepted_htlc_local_commit": "51209aadbdd9aff986e5ea086cf53ae062972d33d0a5c7f5fb986dafec7fa6d7e6ea",
    "second_level_htlc_success": "5120df20bcec43daa75161f7d013254e401812e0fee8bc3369220b6a33672fc18ba0",
    "second_level_htlc_timeout": "5120df20bcec43daa75161f7d013254e401812e0fee8bc3369220b6a33672fc18ba0",
  ]
}
