import JSON

extension Example {
  /// As JSON text, a line each: what a reader compares with the source, and what the command is given.
  static let all: [Example] = (lines + channels).map { line in
    guard let json = try? JSONValue(parsing: line.json), let parameters = json["params"], let result = json["result"]
    else {
      return Example(line.op, "not JSON: \(line.source)", .null, .null)
    }
    return Example(line.op, line.source, parameters, result)
  }

  private static let lines: [(op: String, source: String, json: String)] = [
    (
      "tx.decode", "BIP 143, native P2WPKH",
      #"""
      {"params":{"tx":"01000000000102fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f000000004\#
      94830450221008b9d1dc26ba6a9cb62127b02742fa9d754cd3bebf337f7a55d114c8e5cdd30be022040529b194ba3f9281a99f2b\#
      1c0a19c0489bc22ede944ccf4ecbab4cc618ef3ed01eeffffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55\#
      d57b90ec68a0100000000ffffffff02202cb206000000001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac90935\#
      10d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac000247304402203609e17b84f6a7d30c80bfa610b\#
      5b4542f32a8a0d5447a12fb1366d7f01cc44a0220573a954c4518331561406f90300e8f3358f51928d43c212a8caed02de67eebe\#
      e0121025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07aeee635711000000"},"result":{"txid":"e815\#
      1a2af31c368a35053ddd4bdb285a8595c769a3ad83e0fa02314a602d4609","wtxid":"c36c38370907df2324d9ce9d149d19119\#
      2f338b37665a82e78e76a12c909b762","version":1,"locktime":17,"weight":1042,"vsize":261,"inputs":[{"txid":"\#
      9f96ade4b41d5433f4eda31e1738ec2b36f6e7d1420d94a6af99801a88f7f7ff","vout":0,"script_sig":"4830450221008b9\#
      d1dc26ba6a9cb62127b02742fa9d754cd3bebf337f7a55d114c8e5cdd30be022040529b194ba3f9281a99f2b1c0a19c0489bc22e\#
      de944ccf4ecbab4cc618ef3ed01","sequence":4294967278,"witness":[]},{"txid":"8ac60eb9575db5b2d987e29f301b5b\#
      819ea83a5c6579d282d189cc04b8e151ef","vout":1,"script_sig":"","sequence":4294967295,"witness":["304402203\#
      609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a0220573a954c4518331561406f90300e8f3358f51\#
      928d43c212a8caed02de67eebee01","025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07aeee6357"]}],"\#
      outputs":[{"amount_sat":112340000,"script_pubkey":"76a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac"},\#
      {"amount_sat":223450000,"script_pubkey":"76a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac"}]}}
      """#
    ),
    (
      "sighash", "BIP 143, native P2WPKH",
      #"""
      {"params":{"tx":"0100000002fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f0000000000eef\#
      fffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff02202cb2060000000\#
      01976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce\#
      2f0167faa815988ac11000000","index":1,"script_code":"76a9141d0f172a0ecb48aee1be1f2687d2963ae33f71a188ac",\#
      "amount_sat":600000000,"type":1,"version":"segwit_v0"},"result":{"hash":"c37af31116d1b27caf68aae9e3ac82f\#
      1477929014d5b917657d0eb49478cb670"}}
      """#
    ),
    (
      "sighash.taproot", "BIP 341, key path, input 0",
      #"""
      {"params":{"tx":"02000000097de20cbff686da83a54981d2b9bab3586f4ca7e48f57f5b55963115f3b334e9c0100000000000\#
      00000d7b7cab57b1393ace2d064f4d4a2cb8af6def61273e127517d44759b6dafdd990000000000fffffffff8e1f583384333689\#
      228c5d28eac13366be082dc57441760d957275419a418420000000000fffffffff0689180aa63b30cb162a73c6d2a38b7eeda2a8\#
      3ece74310fda0843ad604853b0100000000feffffffaa5202bdf6d8ccd2ee0f0202afbbb7461d9264a25e5bfd3c5a52ee1239e0b\#
      a6c0000000000feffffff956149bdc66faa968eb2be2d2faa29718acbfe3941215893a2a3446d32acd050000000000000000000e\#
      664b9773b88c09c32cb70a2a3e4da0ced63b7ba3b22f848531bbb1d5d5f4c94010000000000000000e9aa6b8e6c9de67619e6a39\#
      24ae25696bb7b694bb677a632a74ef7eadfd4eabf0000000000ffffffffa778eb6a263dc090464cd125c466b5a99667720b1c110\#
      468831d058aa1b82af10100000000ffffffff0200ca9a3b000000001976a91406afd46bcdfd22ef94ac122aa11f241244a37ecc8\#
      8ac807840cb0000000020ac9a87f5594be208f8532db38cff670c450ed2fea8fcdefcc9a663f78bab962b0065cd1d","index":0\#
      ,"prevouts":[{"script_pubkey":"512053a1f6e454df1aa2776a2814a721372d6258050de330b3c6d10ee8f4e0dda343","am\#
      ount_sat":420000000},{"script_pubkey":"5120147c9c57132f6e7ecddba9800bb0c4449251c92a1e60371ee77557b6620f3\#
      ea3","amount_sat":462000000},{"script_pubkey":"76a914751e76e8199196d454941c45d1b3a323f1433bd688ac","amou\#
      nt_sat":294000000},{"script_pubkey":"5120e4d810fd50586274face62b8a807eb9719cef49c04177cc6b76a9a4251d5450\#
      e","amount_sat":504000000},{"script_pubkey":"512091b64d5324723a985170e4dc5a0f84c041804f2cd12660fa5dec09f\#
      c21783605","amount_sat":630000000},{"script_pubkey":"00147dd65592d0ab2fe0d0257d571abf032cd9db93dc","amou\#
      nt_sat":378000000},{"script_pubkey":"512075169f4001aa68f15bbed28b218df1d0a62cbbcf1188c6665110c293c907b83\#
      1","amount_sat":672000000},{"script_pubkey":"5120712447206d7a5238acc7ff53fbe94a3b64539ad291c7cdbc490b757\#
      7e4b17df5","amount_sat":546000000},{"script_pubkey":"512077e30a5522dd9f894c3f8b8bd4c4b2cf82ca7da8a3ea6a2\#
      39655c39c050ab220","amount_sat":588000000}],"type":3},"result":{"hash":"2514a6272f85cfa0f45eb907fcb0d121\#
      b808ed37c6ea160a5a9046ed5526d555"}}
      """#
    ),
    (
      "taproot.output", "BIP 341, scriptPubKey 3",
      #"""
      {"params":{"internal_xonly":"ee4fe085983462a184015d1f782d6a5f8b9c2b60130aff050ce221ecf3786592","tree":[{\#
      "script":"20387671353e273264c495656e27e39ba899ea8fee3bb69fb2a680e22093447d48ac","leaf_version":192},{"sc\#
      ript":"06424950333431","leaf_version":250}]},"result":{"script_pubkey":"5120712447206d7a5238acc7ff53fbe9\#
      4a3b64539ad291c7cdbc490b7577e4b17df5","output_xonly":"712447206d7a5238acc7ff53fbe94a3b64539ad291c7cdbc49\#
      0b7577e4b17df5","tweak":"9e0517edc8259bb3359255400b23ca9507f2a91cd1e4250ba068b4eafceba4a9","merkle_root"\#
      :"6c2dc106ab816b73f9d07e3cd1ef2c8c1256f519748e0813e4edd2405d277bef","control_blocks":["c0ee4fe085983462a\#
      184015d1f782d6a5f8b9c2b60130aff050ce221ecf3786592f224a923cd0021ab202ab139cc56802ddb92dcfc172b9212261a539\#
      df79a112a","faee4fe085983462a184015d1f782d6a5f8b9c2b60130aff050ce221ecf37865928ad69ec7cf41c2a4001fd1f738\#
      bf1e505ce2277acdcaa63fe4765192497f47a7"]}}
      """#
    ),
    (
      "taproot.output", "BIP 341, scriptPubKey 0",
      #"""
      {"params":{"internal_xonly":"d6889cb081036e0faefa3a35157ad71086b123b2b144b649798b494c300a961d"},"result"\#
      :{"script_pubkey":"512053a1f6e454df1aa2776a2814a721372d6258050de330b3c6d10ee8f4e0dda343","output_xonly":\#
      "53a1f6e454df1aa2776a2814a721372d6258050de330b3c6d10ee8f4e0dda343","tweak":"b86e7be8f39bab32a6f2c0443abb\#
      c210f0edac0e2c53d501b36b64437d9c6c70","merkle_root":null,"control_blocks":[]}}
      """#
    ),
    (
      "script.verify", "BIP 143, native P2WPKH",
      #"""
      {"params":{"tx":"01000000000102fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f000000004\#
      94830450221008b9d1dc26ba6a9cb62127b02742fa9d754cd3bebf337f7a55d114c8e5cdd30be022040529b194ba3f9281a99f2b\#
      1c0a19c0489bc22ede944ccf4ecbab4cc618ef3ed01eeffffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55\#
      d57b90ec68a0100000000ffffffff02202cb206000000001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac90935\#
      10d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac000247304402203609e17b84f6a7d30c80bfa610b\#
      5b4542f32a8a0d5447a12fb1366d7f01cc44a0220573a954c4518331561406f90300e8f3358f51928d43c212a8caed02de67eebe\#
      e0121025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07aeee635711000000","index":1,"prevouts":[{\#
      "script_pubkey":"2103c9f4836b9a4f77fc0d81f7bcb01b7f1b35916864b9476c241ce9fc198bd25432ac","amount_sat":62\#
      5000000},{"script_pubkey":"00141d0f172a0ecb48aee1be1f2687d2963ae33f71a1","amount_sat":600000000}],"flags\#
      ":["P2SH","WITNESS"]},"result":{"valid":true,"error":"OK"}}
      """#
    ),
    (
      "script.verify", "0 1 EQUAL",
      #"""
      {"params":{"script_sig":"0051","script_pubkey":"87","witness":[],"amount_sat":0,"flags":["P2SH","STRICTE\#
      NC"]},"result":{"valid":false,"error":"EVAL_FALSE"}}
      """#
    ),
    (
      "tx.verify", "BIP 143, native P2WPKH",
      #"""
      {"params":{"tx":"01000000000102fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f000000004\#
      94830450221008b9d1dc26ba6a9cb62127b02742fa9d754cd3bebf337f7a55d114c8e5cdd30be022040529b194ba3f9281a99f2b\#
      1c0a19c0489bc22ede944ccf4ecbab4cc618ef3ed01eeffffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55\#
      d57b90ec68a0100000000ffffffff02202cb206000000001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac90935\#
      10d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac000247304402203609e17b84f6a7d30c80bfa610b\#
      5b4542f32a8a0d5447a12fb1366d7f01cc44a0220573a954c4518331561406f90300e8f3358f51928d43c212a8caed02de67eebe\#
      e0121025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07aeee635711000000","prevouts":[{"txid":"9f\#
      96ade4b41d5433f4eda31e1738ec2b36f6e7d1420d94a6af99801a88f7f7ff","vout":0,"script_pubkey":"2103c9f4836b9a\#
      4f77fc0d81f7bcb01b7f1b35916864b9476c241ce9fc198bd25432ac","amount_sat":625000000},{"txid":"8ac60eb9575db\#
      5b2d987e29f301b5b819ea83a5c6579d282d189cc04b8e151ef","vout":1,"script_pubkey":"00141d0f172a0ecb48aee1be1\#
      f2687d2963ae33f71a1","amount_sat":600000000}],"flags":["P2SH","WITNESS","DERSIG"]},"result":{"valid":tru\#
      e,"error":"OK"}}
      """#
    ),
    (
      "address.decode", "BIP 350",
      #"""
      {"params":{"address":"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"},"result":{"script\#
      _pubkey":"512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798","network":"bitcoin"}}
      """#
    ),
    (
      "address.encode", "BIP 173",
      #"""
      {"params":{"script_pubkey":"0014751e76e8199196d454941c45d1b3a323f1433bd6","network":"testnet"},"result":\#
      {"address":"tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"}}
      """#
    ),
    (
      "ecdsa.verify", "BIP 143, native P2WPKH",
      #"""
      {"params":{"pubkey":"025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07aeee6357","message_hash":\#
      "c37af31116d1b27caf68aae9e3ac82f1477929014d5b917657d0eb49478cb670","signature":"304402203609e17b84f6a7d3\#
      0c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a0220573a954c4518331561406f90300e8f3358f51928d43c212a8cae\#
      d02de67eebee"},"result":{"valid":true}}
      """#
    ),
    (
      "ecdsa.sign", "BIP 143, native P2WPKH",
      #"""
      {"params":{"seckey":"619c335025c7f4012e556c2a58b2506e30b8511b53ade95ea316fd8c3286feb9","message_hash":"c\#
      37af31116d1b27caf68aae9e3ac82f1477929014d5b917657d0eb49478cb670"},"result":{"der":"304402203609e17b84f6a\#
      7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a0220573a954c4518331561406f90300e8f3358f51928d43c212a8\#
      caed02de67eebee","compact":"3609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a573a954c4518\#
      331561406f90300e8f3358f51928d43c212a8caed02de67eebee"}}
      """#
    ),
    (
      "schnorr.sign", "BIP 340, 1",
      #"""
      {"params":{"seckey":"b7e151628aed2a6abf7158809cf4f3c762e7160f38b4da56a784d9045190cfef","message":"243f6a\#
      8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89","aux_rand":"00000000000000000000000000000000\#
      00000000000000000000000000000001"},"result":{"signature":"6896bd60eeae296db48a229ff71dfe071bde413e6d43f9\#
      17dc8dcf8c78de33418906d11ac976abccb20b091292bff4ea897efcb639ea871cfa95f6de339e4b0a"}}
      """#
    ),
    (
      "schnorr.verify", "BIP 340, 1",
      #"""
      {"params":{"xonly":"dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659","message":"243f6a8\#
      885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89","signature":"6896bd60eeae296db48a229ff71dfe07\#
      1bde413e6d43f917dc8dcf8c78de33418906d11ac976abccb20b091292bff4ea897efcb639ea871cfa95f6de339e4b0a"},"resu\#
      lt":{"valid":true}}
      """#
    ),
    (
      "ecdh", "secret 1 and the generator",
      #"""
      {"params":{"seckey":"0000000000000000000000000000000000000000000000000000000000000001","pubkey":"0279be6\#
      67ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"},"result":{"shared_secret":"0f715baf5d4c2ed\#
      329785cef29e562f73488c8a2bb9dbc5700b361d54b9b0554","x":"79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d9\#
      59f2815b16f81798"}}
      """#
    ),
    (
      "musig.key_agg", "BIP 327, key_agg_vectors",
      #"""
      {"params":{"pubkeys":["02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9","03dff1d77f2a\#
      671c5f36183726db2341be58feae1da2deced843240f7b502ba659","023590a94e768f8e1815c2f24b4d80a8e3149316c3518ce\#
      7b7ad338368d038ca66"]},"result":{"aggregate_xonly":"90539eede565f5d054f32cc0c220126889ed1e5d193baf15aef3\#
      44fe59d4610c"}}
      """#
    ),
    (
      "musig.nonce_agg", "BIP 327, nonce_agg_vectors",
      #"""
      {"params":{"pubnonces":["020151c80f435648df67a22b749cd798ce54e0321d034b92b709b567d60a42e6660279be667ef9d\#
      cbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798","03ff406ffd8adb9cd29877e4985014f66a59f6cd01c0e88c\#
      aa8e5f3166b1f676a60379be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"]},"result":{"aggno\#
      nce":"035fe1873b4f2967f52fea4a06ad5a8eccbe9d0fd73068012c894e2e87ccb5804b00000000000000000000000000000000\#
      0000000000000000000000000000000000"}}
      """#
    ),
    (
      "musig.sign_verify_partial", "BIP 327, tweak_vectors",
      #"""
      {"params":{"pubkeys":["02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9","02dff1d77f2a\#
      671c5f36183726db2341be58feae1da2deced843240f7b502ba659","03935f972da013f80ae011890fa89b67a27b7be6ccb24d3\#
      274d18b2d4067f261a9"],"pubnonces":["0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f8179802\#
      79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798","032de2662628c90b03f5e720284eb52ff7d71\#
      f4284f627b68a853d78c78e1ffe9303e4c5524e83ffe1493b9077cf1ca6beb2090c93d930321071ad40b2f44e599046","0337c8\#
      7821afd50a8644d820a8f3e02e499c931865c2360fb43d0a0d20dafe07ea0287bf891d2a6deaebadc909352aa9405d1428c15f4b\#
      75f04dae642a95c2548480"],"tweaks":[{"tweak":"e8f791ff9225a2af0102afff4a9a723d9612a682a25ebe79802b263cdfc\#
      d83bb","xonly":true},{"tweak":"ae2ea797cc0fe72ac5b97b97f3c6957d7e4199a167a58eb08bcaffda70ac0455","xonly"\#
      :false},{"tweak":"f52ecbc565b3d8bea2dfd5b75a4f457e54369809322e4120831626f290fa87e0","xonly":true},{"twea\#
      k":"1969ad73cc177fa0b4fced6df1f7bf9907e665fde9ba196a74fed0a3cf5aef9d","xonly":false}],"message":"f95466d\#
      086770e689964664219266fe5ed215c92ae20bab5c9d79addddf3c0cf","partial_sig":"b255fdcac27b40c7ce7848e2d3b7bf\#
      5ea0ed756da81565ac804ccca3e1d5d239","signer_index":2},"result":{"valid":true}}
      """#
    ),
    (
      "musig.sig_agg", "BIP 327, sig_agg_vectors",
      #"""
      {"params":{"pubkeys":["03935f972da013f80ae011890fa89b67a27b7be6ccb24d3274d18b2d4067f261a9","03c7fb101d97\#
      ff930acd0c6760852ef64e69083de0b06ac6335724754bb4b0522c"],"aggnonce":"0208c5c438c710f4f96a61e9ff3c3775881\#
      4b8c3ae12bfea0ed2c87ff6954ff186020b1816ea104b4fca2d304d733e0e19cead51303ff6420bfd222335caa402916d","twea\#
      ks":[{"tweak":"b511da492182a91b0ffb9a98020d55f260ae86d7ecbd0399c7383d59a5f2af7c","xonly":false}],"messag\#
      e":"599c67ea410d005b9da90817cf03ed3b1c868e4da4edf00a5880b0082c237869","partial_sigs":["4f5aee41510848a64\#
      47dcd1bbc78457ef69024944c87f40250d3ef2c25d33efe","ddef427bbb847cc027beff4edb01038148917832253ebc355fc33f\#
      4a8e2fcce4"]},"result":{"signature":"5c558e1dcade86da0b2f02626a512e30a22cf5255caea7ee32c38e9a71a0e9148ba\#
      6c0e6ec7683b64220f0298696f1b878cd47b107b81f7188812d593971e0cc"}}
      """#
    ),
    (
      "adaptor.schnorr.verify", "Python_Specification_for_Schnorr_Adaptor, presig 1",
      #"""
      {"params":{"xonly":"25d1dff95105f5253c4022f628a996ad3a0d95fbf21d468a1b33f8c160d8f517","message":"fffffff\#
      fffffffffffffffffffffffffffffffffffffffffffffffffffffffff","point":"0397720b391029f579f1f57173350b76e4a7\#
      c3f47153a50e46fa3a5f08be66b14a","presignature":"02c974f52aece97c75e440a8d8677fc5105d8512287b9c0304fa8d51\#
      f0bf4860baa53046d2221bb123ba045ff5e5bd26d88d0bf0d63b80e6405999c1d2b6ff0071"},"result":{"valid":true}}
      """#
    ),
    (
      "adaptor.schnorr.adapt", "Python_Specification_for_Schnorr_Adaptor, secadaptor 0",
      #"""
      {"params":{"presignature":"0373db6d5803edd6502de3d0956ba3bd3faba98841c9ab074c795e3a9012c4298a4b6c99ee31d\#
      b1c15813028262ec25e0e04c9d304155585f85ec002422d205d6e","secret":"e5e68d0e637da4822732e20f3eebe1826892e81\#
      c2cfec6bec600cda3f66a53f1"},"result":{"signature":"73db6d5803edd6502de3d0956ba3bd3faba98841c9ab074c795e3\#
      a9012c4298a65860cdfce5d779359fd4616efd67c8a56e5c7ce979f5f755891932b06ec4abe"}}
      """#
    ),
    (
      "adaptor.schnorr.extract", "Python_Specification_for_Schnorr_Adaptor, secadaptor 0",
      #"""
      {"params":{"presignature":"0373db6d5803edd6502de3d0956ba3bd3faba98841c9ab074c795e3a9012c4298a4b6c99ee31d\#
      b1c15813028262ec25e0e04c9d304155585f85ec002422d205d6e","signature":"73db6d5803edd6502de3d0956ba3bd3faba9\#
      8841c9ab074c795e3a9012c4298a65860cdfce5d779359fd4616efd67c8a56e5c7ce979f5f755891932b06ec4abe","point":"0\#
      36809f5034a6795b33284c22475d4817abf2f982168ae86701c6333aaf303e9bb"},"result":{"secret":"e5e68d0e637da482\#
      2732e20f3eebe1826892e81c2cfec6bec600cda3f66a53f1"}}
      """#
    ),
    (
      "chacha20poly1305.seal", "RFC 8439 §2.8.2",
      #"""
      {"params":{"key":"808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f","nonce":"07000000404\#
      1424344454647","ad":"50515253c0c1c2c3c4c5c6c7","plaintext":"4c616469657320616e642047656e746c656d656e206f\#
      662074686520636c617373206f66202739393a204966204920636f756c64206f6666657220796f75206f6e6c79206f6e65207469\#
      7020666f7220746865206675747572652c2073756e73637265656e20776f756c642062652069742e"},"result":{"ciphertext\#
      ":"d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71d\#
      e0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7\#
      a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691"}}
      """#
    ),
    (
      "chacha20poly1305.open", "RFC 8439 §2.8.2",
      #"""
      {"params":{"key":"808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f","nonce":"07000000404\#
      1424344454647","ad":"50515253c0c1c2c3c4c5c6c7","ciphertext":"d31a8d34648e60db7b86afbc53ef7ec2a4aded51296\#
      e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c980\#
      3aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ec\#
      bd0600691"},"result":{"plaintext":"4c616469657320616e642047656e746c656d656e206f662074686520636c617373206\#
      f66202739393a204966204920636f756c64206f6666657220796f75206f6e6c79206f6e652074697020666f72207468652066757\#
      47572652c2073756e73637265656e20776f756c642062652069742e"}}
      """#
    ),
    (
      "hkdf.sha256", "RFC 5869 A.1",
      #"""
      {"params":{"ikm":"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b","salt":"000102030405060708090a0b0c","inf\#
      o":"f0f1f2f3f4f5f6f7f8f9","length":42},"result":{"okm":"3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c\#
      5db02d56ecc4c5bf34007208d5b887185865"}}
      """#
    ),
    (
      "hmac.sha256", "RFC 4231 §4.2",
      #"""
      {"params":{"key":"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b","message":"4869205468657265"},"result":{"mac\#
      ":"b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"}}
      """#
    ),
    (
      "hmac.sha512", "RFC 4231 §4.2",
      #"""
      {"params":{"key":"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b","message":"4869205468657265"},"result":{"mac\#
      ":"87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d9\#
      14eeb61f1702e696c203a126854"}}
      """#
    ),
    (
      "shachain.derive", "BOLT 3 appendix D",
      #"""
      {"params":{"seed":"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff","index":93824992236\#
      885},"result":{"secret":"9015daaeb06dba4ccc05b91b2f73bd54405f2be9f217fbacd3c5ac2e62327d31"}}
      """#
    ),
    (
      "shachain.insert", "BOLT 3 appendix D, #3 incorrect",
      #"""
      {"params":{"secrets":[{"index":281474976710655,"secret":"7cc854b54e3e0dcdb010d7a3fee464a9687be6e8db3be68\#
      54c475621e007a5dc"},{"index":281474976710654,"secret":"c7518c8ae4660ed02894df8976fa1a3659c1a8b4b5bec0c4b\#
      872abeba4cb8964"},{"index":281474976710653,"secret":"c51a18b13e8527e579ec56365482c62f180b7d5760b46e9477d\#
      ae59e87ed423a"},{"index":281474976710652,"secret":"27cddaa5624534cb6cb9d7da077cf2b22ab21e9b506fd4998a51d\#
      54502e99116"}],"lookups":[281474976710655,281474976710652]},"result":{"ok":[true,true,true,false],"secre\#
      ts":["7cc854b54e3e0dcdb010d7a3fee464a9687be6e8db3be6854c475621e007a5dc",null]}}
      """#
    ),
  ]
}
