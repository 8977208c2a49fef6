/// BOLT 3 appendices C and F, in the smallest form that pins every byte of every transaction: the witness transaction ids of the signed
/// commitment and of its signed second stage. Keys and HTLCs are `AppendixC`'s.
/// Source: lightning/bolts, 03-transactions.md (CC-BY-4.0).
struct AppendixFigures {
  var name: String
  var toLocal: UInt64
  var toRemote: UInt64
  var feeRate: UInt32
  var dustLimit: UInt64
  var htlcs: [Int]
  var commitment: String
  var secondStage: [String]

  init(
    _ name: String, _ toLocal: UInt64, _ toRemote: UInt64, _ feeRate: UInt32, _ dustLimit: UInt64, _ htlcs: [Int],
    _ commitment: String, _ secondStage: [String]
  ) {
    self.name = name
    self.toLocal = toLocal
    self.toRemote = toRemote
    self.feeRate = feeRate
    self.dustLimit = dustLimit
    self.htlcs = htlcs
    self.commitment = commitment
    self.secondStage = secondStage
  }

  /// Appendix C: `option_static_remotekey`.
  static let staticRemoteKey: [AppendixFigures] = [
    AppendixFigures(
      "simple commitment tx with no HTLCs", 7000000000, 3000000000, 15000, 546, [],
      "a8caa7cea09ee20ebe214b589f7f7f0512371cec71df99e95c6f1dc4aef4a834", []),
    AppendixFigures(
      "commitment tx with all five HTLCs untrimmed (minimum feerate)", 6988000000, 3000000000, 0, 546, [0, 1, 2, 3, 4],
      "b3d8f956a320147f842b8547fe55da1a3233368b271e6f5f7e812a3f7744020b",
      [
        "a487b97efd9bc29078952e3fbdec7c2048966c6a8759fc938a1593887ecd569b",
        "757d2fd20e13290b561b67397d6e06af13a17ae4c57134c485f7ac30dcb6a7bf",
        "3535ecccdc782f94eb8ba96a3aa3681f83b517eb88de0a5c1da8502394354af9",
        "93d240cc00f869cb449bf754f4d52a225ed751abc7ec37a9380e28af71bfaba2",
        "31f695bdc2b4a0276d773202c902af2619bd0f58f6c59ae939ecaaf21a75f4d7",
      ]),
    AppendixFigures(
      "commitment tx with seven outputs untrimmed (maximum feerate)", 6988000000, 3000000000, 647, 546,
      [0, 1, 2, 3, 4],
      "4f48a2a793ec15b59d0fc5b191f4b56356ff8b95c48f3120ac02ef7da7b7db6d",
      [
        "af2366b8dc9dea34bcda3459eba3cf1212d8ea5c8a17b1502b8f35652a83e14a",
        "ec89233e8b9481564ef5319a91450e7396321698d47a78487b496521feaa9e57",
        "995f8a6b1878c9f0d96990f4cb481bae2f0911645d4d8a4738729eed9ddcf40c",
        "25556dbd9a0df9afed20791dc25a4059567a296eb7d9b64da4933866f81c1337",
        "92f4363a9dd9881cdcd9f0e0f2c7cd970261882e4708ec7e6daff67434004af4",
      ]),
    AppendixFigures(
      "commitment tx with six outputs untrimmed (minimum feerate)", 6988000000, 3000000000, 648, 546, [0, 1, 2, 3, 4],
      "b063d188de8eda0da95d4a6cc0bfb84e7a28cc746188f356b5774986d9687f3e",
      [
        "17293c88bba7a55b23072989e8ea0d8985c7b85181b2dd6d6258417eac88b278",
        "5fb2ad1936040c11ebc1851c30dde0ff689ce236ff77527bc0672e9259ca22ee",
        "8f4db5a581316f2f2d6a1f9e9d8924df73287e6c015dd7b3f8231d001f779c32",
        "69e52f039caa167e171f8d0511e7cdc99931c173197f575b399d5e105792e7ea",
      ]),
    AppendixFigures(
      "commitment tx with six outputs untrimmed (maximum feerate)", 6988000000, 3000000000, 2069, 546, [0, 1, 2, 3, 4],
      "6a9a63a181a21ac58a7f931b5a4407e90a1aadfd995c80349183b1e539046d1b",
      [
        "993ddde918d67f59f0cb5134a68c829cacebc1df4c63ee79fa7ae41af94e4024",
        "73e13cac0bad22d618cb65f13d8b46121d771cc68b5f6ab72bb7eee666e905e1",
        "9b7fce5d155a9a43b4521c709a37cef9c3640ebb013036825491655cc7c7b431",
        "76817c06551c0644bfecc51495ebdb3b014093531490105c58ec84707f73d2fa",
      ]),
    AppendixFigures(
      "commitment tx with five outputs untrimmed (minimum feerate)", 6988000000, 3000000000, 2070, 546,
      [0, 1, 2, 3, 4],
      "20f05b33f7ceede7e0fa014c1a16694b6a97f0f6eca5927431caffbdfaf2a5fc",
      [
        "39828df8d26b59a31d5f11e9ee70e506e7847e72b18633a78c69aadcdaf148d8",
        "096856ab5c719e90c85dca0ef64529c8d9fbe7e332c404a2dd94d328cd5c8bd7",
        "7599827dcba031ef8d614baa7da7fbd5fbaf8503f2f217e2950bd62cc4e67a3b",
      ]),
    AppendixFigures(
      "commitment tx with five outputs untrimmed (maximum feerate)", 6988000000, 3000000000, 2194, 546,
      [0, 1, 2, 3, 4],
      "eededf6c81fa8833e7cee055e5036b0489a400d0d169a1ccec65dbfe0fa6d90a",
      [
        "164256c5936036a179f7e22a7b6eff967b90cc7860318545510be1757e6159bb",
        "1646c7dd591eec3b74d42ca00e644d3a2d3e1bc036e3a2085ad1ba725a064862",
        "b99112c4d0357ae884d298801121cc74ab4245f2188d66ab44777115c143c442",
      ]),
    AppendixFigures(
      "commitment tx with four outputs untrimmed (minimum feerate)", 6988000000, 3000000000, 2195, 546,
      [0, 1, 2, 3, 4],
      "d70a9e93fbb78cee42032969a0741aacb4f3467ec336c9b233212f7b23538469",
      [
        "2f0c9ee070018dfb55b2ddd52d3fbc05bc83512204ebef9eb7d0b368b6ee3552",
        "212fd5a3e09b226c96806323b383b871423bbee7d1e89110d71542a32df262e5",
      ]),
    AppendixFigures(
      "commitment tx with four outputs untrimmed (maximum feerate)", 6988000000, 3000000000, 3702, 546,
      [0, 1, 2, 3, 4],
      "3f2bf9fb63e454c2302d5382ad6bf61fad9da00c18134712c87039359d2a0360",
      [
        "c8dc1141325ad4546f23fa20b0e93cb9519de6c47724d0cb7861ddbae0d58cf1",
        "2ba2c1adfaa5a9f22b36090134df1832c18f3a8dc1fa1c9e4691642ef2302e43",
      ]),
    AppendixFigures(
      "commitment tx with three outputs untrimmed (minimum feerate)", 6988000000, 3000000000, 3703, 546,
      [0, 1, 2, 3, 4],
      "7981b2d9cbade19d8457a99ad26aeaf17c74fe7ac5cf08194957efc7369b3807",
      [
        "34ff3817008678b66718358cfd5aceb586c3ba813d4df2d89868a2a42d5acd48"
      ]),
    AppendixFigures(
      "commitment tx with three outputs untrimmed (maximum feerate)", 6988000000, 3000000000, 4914, 546,
      [0, 1, 2, 3, 4],
      "bb7d6e78c3a28b683223a34fc4ac22faab10efe1a88b463278ee0667e6d7786e",
      [
        "b8377eb771b5730015955e2fedbd5b5b6527bf6676337aa8c6c9dc85b647a6b1"
      ]),
    AppendixFigures(
      "commitment tx with two outputs untrimmed (minimum feerate)", 6988000000, 3000000000, 4915, 546, [0, 1, 2, 3, 4],
      "929ff77d4a2001e6bdcfe4ecd219b628320f2c3ff759b0100782ad2341a1cb1e", []),
    AppendixFigures(
      "commitment tx with two outputs untrimmed (maximum feerate)", 6988000000, 3000000000, 9651180, 546,
      [0, 1, 2, 3, 4],
      "e6ccf571e2fe0c48c6be3c333ec0886b47658293679f2cdb2b9ec4a118fa5848", []),
    AppendixFigures(
      "commitment tx with one output untrimmed (minimum feerate)", 6988000000, 3000000000, 9651181, 546,
      [0, 1, 2, 3, 4],
      "52de2c9c4985e007f7dc215b104b3490878700ca07672777ce3d3ff55189f5fc", []),
    AppendixFigures(
      "commitment tx with fee greater than funder amount", 6988000000, 3000000000, 9651936, 546, [0, 1, 2, 3, 4],
      "52de2c9c4985e007f7dc215b104b3490878700ca07672777ce3d3ff55189f5fc", []),
    AppendixFigures(
      "commitment tx with 3 htlc outputs, 2 offered having the same amount and preimage", 6987999999, 3000000000, 253,
      546, [1, 5, 6],
      "330e89d4405f4bfec12f1a559b92dfa65db20806c9d692846a1d27cd5adcdd95",
      [
        "f3a420c3cf36b05e14e75d993c1c6469e1ec32ef52c6e3bd7032adc33e651f1a",
        "f0218a7725aa1712f4f95c500ebe98e5c841f6fba13472a977aeeb3161215d26",
        "5f45b4b3d4cb6c9bc9f918850d93dbbc510cf6567cf5c09126c40c8357cd2898",
      ]),
  ]

  /// Appendix F: `option_anchors`.
  static let anchors: [AppendixFigures] = [
    AppendixFigures(
      "simple commitment tx with no HTLCs", 7000000000, 3000000000, 15000, 546, [],
      "78fe2077bf54d9e3edfbb5e0d0fc94f85b54889d1f814a0bf9ecd8a5f97f6cb2", []),
    AppendixFigures(
      "simple commitment tx with no HTLCs and single anchor", 10000000000, 0, 15000, 546, [],
      "a6462d49bb46f0bf8d75fa2da9e4f8aa6aaf860457a13e16f1180547ae470e08", []),
    AppendixFigures(
      "commitment tx with seven outputs untrimmed", 6988000000, 3000000000, 644, 546, [0, 1, 2, 3, 4],
      "3c21131284edda060bc138c623293c9c003e278c6c2c1abe0627ac69496ba092",
      [
        "7d01c4af71114aa5eb477110360d060fd92c78dae9c14123be1d3442bf3ffe94",
        "6f08f27291194168ca3537346fb6ff2d9e591ff155d8863e803bf3e4536f7f62",
        "24109a4dbc03cf321e681b75b0c99f21bd49090c5ed1fd5fe066390acf1cacb5",
        "dafa1489e9491f5f6752242ed283e3e2846f823d0f1464ce41aff0b5413635e8",
        "7e87cb32b2a66e9e261b034887635d791505be028c07606a4053f4d6e10f0695",
      ]),
    AppendixFigures(
      "commitment tx with six outputs untrimmed (minimum dust limit)", 6988000000, 3000000000, 645, 1001,
      [0, 1, 2, 3, 4],
      "fe2c40fc79d41f6108d8484c41f00274e0dae4914e09bcdbf01de98f83c053e8",
      [
        "a058d44e988932b15e062b021e95587673a391525a546b157cfee8e2b0bf7b5a",
        "2cffa00e32155ef1f9d6a9c5d7a76632dbf8d51a3b7214b903a8e39ba47024a8",
        "d739e29051871812b15728604f6000a5d705b534cdb21d3a6a019ff6094a9685",
        "89740918fda17a31ec48b70a9699b8a1238e5a6582471a60d8f9302ceecd618e",
      ]),
    AppendixFigures(
      "commitment tx with four outputs untrimmed (minimum dust limit)", 6988000000, 3000000000, 2185, 2001,
      [0, 1, 2, 3, 4],
      "4f5602a4a3a4a34d2b402ee6052f4af354e67b7934c98d9493bfd65bc50e6470",
      [
        "7c767a1e3f152163c6afdda26e04c1bb0bc8e9a8bd29dc3e9117b7e6157e7152",
        "709e381746ce96a5ea789b927d4dbd65e250828c5e49f077bc688bae336c5dcc",
      ]),
    AppendixFigures(
      "commitment tx with three outputs untrimmed (minimum dust limit)", 6988000000, 3000000000, 3687, 3001,
      [0, 1, 2, 3, 4],
      "87c5b3eaee6a273aac945e8b34b42c8b8ea4ee2ee5541de6a42416600dc6a28e",
      [
        "e7ce9b8dc05243a03e01d44752a37b46ac2c530e66181a2870b354483104fbc7"
      ]),
    AppendixFigures(
      "commitment tx with two outputs untrimmed (minimum dust limit)", 6988000000, 3000000000, 4894, 4001,
      [0, 1, 2, 3, 4],
      "7aed4e156d0989b261c26662ee98f238b35fa191699c391c61a3c2c8e92b1552", []),
    AppendixFigures(
      "commitment tx with one output untrimmed (minimum dust limit)", 6988000000, 3000000000, 6216010, 4001,
      [0, 1, 2, 3, 4],
      "577d1a05d80f6d2388fc5b9ea7c29d11e0c788d55b7d078442bee9ceee843cf0", []),
    AppendixFigures(
      "commitment tx with 3 htlc outputs, 2 offered having the same amount and preimage", 6987999999, 3000000000, 253,
      546, [1, 5, 6],
      "721837cf92ce3c532aa5b2496bc0afeb4e6cc436693b00c705567c4a9010ab4a",
      [
        "389ae6afcff073636ea0be053b863c99bf432ef9c11db0dce68662e6c513ef28",
        "1f7147e4616691560c0494d64bbdd0b9ca4086d8d74c02e79564d4e67761c0fc",
        "aae8515b1f353281bb97c30638da4097e577a21b3b19f65add85a7ac8cdf6719",
      ]),
  ]

}
