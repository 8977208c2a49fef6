import Encoding
import Secp256k1
import Testing

/// Figures of BIP 327's files, so that a bare clone tests for real.
@Suite struct KnownMuSigTests {
  // MARK: MuSig2 (BIP 327)

  static let keys = [
    "03935f972da013f80ae011890fa89b67a27b7be6ccb24d3274d18b2d4067f261a9",
    "02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9",
    "02dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba661",
  ]
  static let nonces = [
    "0337c87821afd50a8644d820a8f3e02e499c931865c2360fb43d0a0d20dafe07ea0287bf891d2a6deaebadc909352aa9"
      + "405d1428c15f4b75f04dae642a95c2548480",
    "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f817980279be667ef9dcbbac55a06295ce87"
      + "0b07029bfcdb2dce28d959f2815b16f81798",
    "032de2662628c90b03f5e720284eb52ff7d71f4284f627b68a853d78c78e1ffe9303e4c5524e83ffe1493b9077cf1ca6"
      + "beb2090c93d930321071ad40b2f44e599046",
  ]
  static let signer = "7fb9e0e687ada1eebf7ecfe2f21e73ebdb51a7d450948dfe8d76d7f2d1007671"
  static let secretNonce =
    "508b81a611f100a6b2b6b29656590898af488bcf2e1f55cf22e5cfb84421fe61fa27fd49b1d50085b481285e1ca205d5"
    + "5c82cc1b31ff5cd54a489829355901f703935f972da013f80ae011890fa89b67a27b7be6ccb24d3274d18b2d4067f261"
    + "a9"

  @Test("MuSig2: the first cases of BIP 327's files")
  func muSig() throws {
    // key_agg_vectors.json
    let aggregated = try MuSigKeyAggregation(
      encoded: [
        "02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9",
        "03dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659",
        "023590a94e768f8e1815c2f24b4d80a8e3149316c3518ce7b7ad338368d038ca66",
      ].map { try Bytes33(hex: $0) })
    #expect(aggregated.xOnlyPublicKey.hex == "90539eede565f5d054f32cc0c220126889ed1e5d193baf15aef344fe59d4610c")

    // nonce_gen_vectors.json
    let made = try BIP327.nonce(
      randomness: Bytes32(hex: String(repeating: "0f", count: 32)), secretKey: [UInt8](repeating: 2, count: 32),
      publicKey: PublicKey(hex: "024d4b6cd1361032ca9bd2aeb9d900aa4d45d9ead80ac9423374c451a7254d0766"),
      aggregateKey: Bytes32(hex: String(repeating: "07", count: 32)), message: [UInt8](repeating: 1, count: 32),
      extraInput: [UInt8](repeating: 8, count: 32))
    #expect(
      made.publicNonce.hex
        == "02f7be7089e8376eb355272368766b17e88e7db72047d05e56aa881ea52b3b35df02c29c8046fdd0ded4c7e558691372"
        + "00fbdbfe2eb654267b6d7013602caed3115a")

    // sign_verify_vectors.json
    let keys = try MuSigKeyAggregation(encoded: Self.keys.map { try Bytes33(hex: $0) })
    let nonces = try Self.nonces.map { try FixedBytes<66>(hex: $0) }
    let aggregateNonce = try MuSigAggregateNonce(encoded: nonces)
    #expect(
      aggregateNonce.hex
        == "028465fcf0bbdbcf443aabcce533d42b4b5a10966ac09a49655e8c42daab8fcd61037496a3cc86926d452cafcfd55d25"
        + "972ca1675d549310de296bff42f72eeea8c9")
    let message = try Bytes32(hex: "f95466d086770e689964664219266fe5ed215c92ae20bab5c9d79addddf3c0cf")
    let secretKey = try SecretKey(Bytes32(hex: Self.signer))
    let plain = BIP327.Session(keys: keys, aggregateNonce: aggregateNonce, message: message.array)
    let signature = try plain.sign(with: secretKey, nonce: BIP327.SecretNonce(Hex.decode(Self.secretNonce)))
    #expect(signature.hex == "012abbcb52b3016ac03ad82395a1a415c48b93def78718e62a7a90052fe224fb")
    let session = MuSigSession(keys: keys, aggregateNonce: aggregateNonce, message: message)
    let publicNonce = try MuSigPublicNonce(copying: nonces[0].bytes)
    #expect(session.isValid(signature, of: keys.publicKeys[0], nonce: publicNonce))
    #expect(!session.isValid(signature, of: keys.publicKeys[1], nonce: publicNonce))
  }

  @Test("MuSig2 with four tweaks, and deterministic: the cases of BIP 327's files")
  func muSigTweaked() throws {
    // tweak_vectors.json: the keys in the order 1, 2, 0.
    var keys = try MuSigKeyAggregation(
      encoded: [1, 2, 0].map { try Bytes33(hex: $0 == 2 ? Self.tweakedThirdKey : Self.keys[$0]) })
    let tweaks: [(String, MuSigTweak.Kind)] = [
      ("e8f791ff9225a2af0102afff4a9a723d9612a682a25ebe79802b263cdfcd83bb", .xOnly),
      ("ae2ea797cc0fe72ac5b97b97f3c6957d7e4199a167a58eb08bcaffda70ac0455", .plain),
      ("f52ecbc565b3d8bea2dfd5b75a4f457e54369809322e4120831626f290fa87e0", .xOnly),
      ("1969ad73cc177fa0b4fced6df1f7bf9907e665fde9ba196a74fed0a3cf5aef9d", .plain),
    ]
    for (value, kind) in tweaks { try keys.apply(MuSigTweak(Bytes32(hex: value), kind)) }
    let nonces = try [1, 2, 0].map { try FixedBytes<66>(hex: Self.nonces[$0]) }
    let session = BIP327.Session(
      keys: keys, aggregateNonce: try MuSigAggregateNonce(encoded: nonces),
      message: try Hex.decode("f95466d086770e689964664219266fe5ed215c92ae20bab5c9d79addddf3c0cf"))
    let secretKey = try SecretKey(Bytes32(hex: Self.signer))
    let signature = try session.sign(with: secretKey, nonce: BIP327.SecretNonce(Hex.decode(Self.secretNonce)))
    #expect(signature.hex == "b255fdcac27b40c7ce7848e2d3b7bf5ea0ed756da81565ac804ccca3e1d5d239")

    // det_sign_vectors.json
    let group = try MuSigKeyAggregation(
      encoded: [Self.keys[0], Self.keys[1], Self.tweakedThirdKey].map { try Bytes33(hex: $0) })
    let deterministic = try secretKey.signMuSigDeterministically(
      keys: group, aggregateOtherNonce: FixedBytes<66>(hex: Self.nonces[0]),
      message: Hex.decode("f95466d086770e689964664219266fe5ed215c92ae20bab5c9d79addddf3c0cf"),
      auxRand: Bytes32())
    #expect(
      deterministic.publicNonce.hex
        == "03d96275257c2fccbb6eeb77bddf51d3c88c26ee1626c6cda8999b9d34f4ba13a60309be2bf883c6abe907fa822d9ca1"
        + "66d51a3dcc28910c57528f6983fc378b7843")
    #expect(deterministic.signature.hex == "41ea65093f71d084785b20dc26a887cd941c9597860a21660cbdb9cc2113cad3")
  }

  private static let tweakedThirdKey = "02dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659"

  @Test("MuSig2: a whole signature of sig_agg_vectors.json")
  func muSigAggregated() throws {
    var keys = try MuSigKeyAggregation(
      encoded: [
        "03935f972da013f80ae011890fa89b67a27b7be6ccb24d3274d18b2d4067f261a9",
        "03c7fb101d97ff930acd0c6760852ef64e69083de0b06ac6335724754bb4b0522c",
      ].map { try Bytes33(hex: $0) })
    try keys.apply(
      MuSigTweak(Bytes32(hex: "b511da492182a91b0ffb9a98020d55f260ae86d7ecbd0399c7383d59a5f2af7c"), .plain))
    let message = try Bytes32(hex: "599c67ea410d005b9da90817cf03ed3b1c868e4da4edf00a5880b0082c237869")
    let session = MuSigSession(
      keys: keys,
      aggregateNonce: try MuSigAggregateNonce(
        hex: "0208c5c438c710f4f96a61e9ff3c37758814b8c3ae12bfea0ed2c87ff6954ff186020b1816ea104b4fca2d304d733e0e"
          + "19cead51303ff6420bfd222335caa402916d"),
      message: message)
    let signature = try session.aggregate(
      encoded: [
        "4f5aee41510848a6447dcd1bbc78457ef69024944c87f40250d3ef2c25d33efe",
        "ddef427bbb847cc027beff4edb01038148917832253ebc355fc33f4a8e2fcce4",
      ].map { try Bytes32(hex: $0) })
    #expect(
      signature.hex
        == "5c558e1dcade86da0b2f02626a512e30a22cf5255caea7ee32c38e9a71a0e9148ba6c0e6ec7683b64220f0298696f1b8"
        + "78cd47b107b81f7188812d593971e0cc")
    #expect(keys.xOnlyPublicKey.isValidSchnorr(signature, for: message))
  }
}
