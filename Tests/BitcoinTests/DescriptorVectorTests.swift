import Bitcoin
import Encoding
import Hashing
import JSON
import Secp256k1
import Testing
import VectorSupport

@Suite struct DescriptorVectorTests {
  @Test(.vectors("bitcoin-core/rpc_bip67.json")) func `sorted keys and scripts of BIP 67`() throws {
    let path = "bitcoin-core/rpc_bip67.json"
    var count = 0
    for row in try Vectors.json(path).array {
      let keys = try row.required("keys").array.map { try $0.string }
      let sorted = try row.required("sorted_keys").array.map { try $0.string }
      // All of BIP 67's examples are 2 of n.
      let descriptor = try Descriptor("sh(sortedmulti(2,\(keys.joined(separator: ","))))")
      let output = try #require(try descriptor.outputs().first)
      #expect(try output.redeemScript?.hex == row.required("script").string)
      #expect(try output.address(on: .regtest)?.description == row.required("address").string)
      #expect(try keys.map { try PublicKey(hex: $0) }.sorted().map(\.hex) == sorted)
      #expect(try Descriptor("sh(multi(2,\(sorted.joined(separator: ","))))").scripts() == [output.scriptPubKey])
      count += 1
    }
    Vectors.report(path, cases: count)
  }

  @Test(.vectors("bitcoin-core/rpc_decodescript.json")) func `Bitcoin Core's odd scripts`() throws {
    let path = "bitcoin-core/rpc_decodescript.json"
    var count = 0
    for row in try Vectors.json(path).array {
      let script = try Script(hex: row.required(0).string)
      try check(script, row.required(1))
      count += 1
    }
    Vectors.report(path, cases: count)
  }

  private func check(_ script: Script, _ expected: JSONValue) throws {
    #expect(script.rpcAsm == expected["asm"]?.stringValue)
    #expect(Address(scriptPubKey: script, on: .regtest)?.description == expected["address"]?.stringValue)
    let descriptor = Descriptor(inferredFrom: script, on: .regtest)
    #expect(descriptor.description == expected["desc"]?.stringValue)
    #expect(try Descriptor(descriptor.description).scripts() == [script])
    if let nested = expected["p2sh"]?.stringValue {
      #expect(Address(.p2sh(script), on: .regtest).description == nested)
    }
    let kind: String =
      switch script.kind {
      case .p2tr: "witness_v1_taproot"
      case .p2wsh: "witness_v0_scripthash"
      case .p2wpkh: "witness_v0_keyhash"
      case .p2a: "anchor"
      case .witness: "witness_unknown"
      case .p2sh: "scripthash"
      case .p2pkh: "pubkeyhash"
      case .p2pk: "pubkey"
      case .multisig: "multisig"
      case .opReturn: "nulldata"
      case .nonstandard: "nonstandard"
      }
    #expect(kind == expected["type"]?.stringValue)
    guard let segwit = expected["segwit"] else { return }
    let witness = Script.p2wsh(script)
    #expect(witness.hex == segwit["hex"]?.stringValue)
    #expect(witness.rpcAsm == segwit["asm"]?.stringValue)
    #expect(Address(scriptPubKey: witness, on: .regtest)?.description == segwit["address"]?.stringValue)
    #expect(Address(.p2sh(witness), on: .regtest).description == segwit["p2sh-segwit"]?.stringValue)
    #expect(Descriptor(inferredFrom: witness, on: .regtest).description == segwit["desc"]?.stringValue)
  }

  /// BIP 328 §Test Vectors: the aggregate and its xpub.
  static let synthetic = [
    (
      "0354240c76b8f2999143301a99c7f721ee57eee0bce401df3afeaa9ae218c70f23",
      "xpub661MyMwAqRbcFt6tk3uaczE1y6EvM1TqXvawXcYmFEWijEM4PDBnuCXwwXEKGEouzXE6QLLRxjatMcLLzJ5LV5Nib1BN7vJg6yp45yHHRbm"
    ),
    (
      "0290539eede565f5d054f32cc0c220126889ed1e5d193baf15aef344fe59d4610c",
      "xpub661MyMwAqRbcFt6tk3uaczE1y6EvM1TqXvawXcYmFEWijEM4PDBnuCXwwVk5TFJk8Tw5WAdV3DhrGfbFA216sE9BsQQiSFTdudkETnKdg8k"
    ),
    (
      "022479f134cdb266141dab1a023cbba30a870f8995b95a91fc8464e56a7d41f8ea",
      "xpub661MyMwAqRbcFt6tk3uaczE1y6EvM1TqXvawXcYmFEWijEM4PDBnuCXwwUvaZYpysLX4wN59tjwU5pBuDjNrPEJbfxjLwn7ruzbXTcUTHkZ"
    ),
  ]

  @Test(arguments: synthetic) func `an aggregate key has the extended key of BIP 328`(
    aggregate: String, xpub: String
  ) throws {
    let key = ExtendedPublicKey.synthetic(try PublicKey(hex: aggregate), networkKind: .main)
    #expect(key.description == xpub)
    #expect(key.chainCode.hex == "868087ca02a6f974c4598924c36b57762d32cb45717167e300622c7167e38965")
  }

  @Test(.vectors("bips/bip-0328/vectors.json")) func `aggregates and extended keys of BIP 328`() throws {
    let path = "bips/bip-0328/vectors.json"
    var count = 0
    for row in try Vectors.json(path).array {
      let keys = try row.required("keys").array.map { try PublicKey(hex: $0.string) }
      let aggregate = try MuSigKeyAggregation(keys).aggregateKey
      #expect(try aggregate.hex == row.required("aggregate_pubkey").string)
      let xpub = ExtendedPublicKey.synthetic(aggregate, networkKind: .main)
      #expect(try xpub.description == row.required("xpub").string)
      count += 1
    }
    Vectors.report(path, cases: count)
  }

  @Test func `a signer applies BIP 328's steps as plain tweaks`() throws {
    let keys = try [
      "02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9",
      "03dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659",
    ]
    .map { try PublicKey(hex: $0) }
    var session = try MuSigKeyAggregation(keys)
    var xpub = ExtendedPublicKey.synthetic(session.aggregateKey, networkKind: .main)
    for step in [ChildNumber.normal(0), .normal(7), .normal(0x7fff_ffff)] {
      try session.apply(MuSigTweak(xpub.childTweak(step).tweak, .plain))
      xpub = try xpub.child(step)
      #expect(session.aggregateKey == xpub.publicKey)
    }
  }
}
