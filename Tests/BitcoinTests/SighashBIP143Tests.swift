import Bitcoin
import Encoding
import Testing

/// The examples of BIP 143 (BSD-3-Clause): signed transactions, what they spend, and the hashes that were signed.
private struct Example {
  struct Signed {
    var input: Int
    /// Nil for the witness script as it is.
    var scriptCode: String?
    var type: UInt32
    var hash: String
  }

  var name: String
  var transaction: String
  /// scriptPubKey and satoshis.
  var spent: [(String, UInt64)]
  var sighashes: [Signed]
}

@Suite struct SighashBIP143Tests {
  @Test func `The signature hashes of BIP 143 are computed`() throws {
    for example in examples {
      let transaction = try Transaction(decoding: Hex.decode(example.transaction))
      for signed in example.sighashes {
        let input = transaction.inputs[signed.input]
        let code = try signed.scriptCode.map { try Script(hex: $0) } ?? Script(input.witness.elements.last ?? [])
        let sighash = try transaction.segwitV0Sighash(
          input: signed.input, scriptCode: code, amount: Satoshi(example.spent[signed.input].1),
          type: SighashType(rawValue: signed.type), parts: SighashParts(transaction))
        #expect(sighash.hex == signed.hash, "\(example.name), input \(signed.input), type \(signed.type)")
      }
    }
  }

  @Test func `The signed transactions of BIP 143 verify, and no longer when an amount or a signature is changed`()
    throws
  {
    for example in examples {
      var transaction = try Transaction(decoding: Hex.decode(example.transaction))
      var prevouts: [OutPoint: TxOutput] = [:]
      for (input, spent) in zip(transaction.inputs, example.spent) {
        prevouts[input.previousOutput] = TxOutput(value: Satoshi(spent.1), scriptPubKey: try Script(hex: spent.0))
      }
      try TransactionVerifier.verify(transaction, prevouts: prevouts, flags: .consensus)

      // BIP 143: "The value of the output spent by this input" is signed.
      let last = transaction.inputs.count - 1
      var wrong = prevouts
      wrong[transaction.inputs[last].previousOutput]?.value = Satoshi(1)
      #expect(throws: TransactionFault.self, "\(example.name)") {
        try TransactionVerifier.verify(transaction, prevouts: wrong, flags: .consensus)
      }
      transaction.lockTime ^= 1
      #expect(throws: TransactionFault.self, "\(example.name)") {
        try TransactionVerifier.verify(transaction, prevouts: prevouts, flags: .consensus)
      }
    }
  }
}

private let examples: [Example] = [
  Example(
    name: "P2PK and P2WPKH",
    transaction: """
      01000000000102fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f00000000494830450221008b9d\
      1dc26ba6a9cb62127b02742fa9d754cd3bebf337f7a55d114c8e5cdd30be022040529b194ba3f9281a99f2b1c0a19c0489bc22ed\
      e944ccf4ecbab4cc618ef3ed01eeffffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a010000\
      0000ffffffff02202cb206000000001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac9093510d000000001976a9\
      143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac000247304402203609e17b84f6a7d30c80bfa610b5b4542f32a8a0d544\
      7a12fb1366d7f01cc44a0220573a954c4518331561406f90300e8f3358f51928d43c212a8caed02de67eebee0121025476c2e831\
      88368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07aeee635711000000
      """,
    spent: [
      ("2103c9f4836b9a4f77fc0d81f7bcb01b7f1b35916864b9476c241ce9fc198bd25432ac", 625000000),
      ("00141d0f172a0ecb48aee1be1f2687d2963ae33f71a1", 600000000),
    ],
    sighashes: [
      .init(
        input: 1, scriptCode: "76a9141d0f172a0ecb48aee1be1f2687d2963ae33f71a188ac", type: 0x01,
        hash: "c37af31116d1b27caf68aae9e3ac82f1477929014d5b917657d0eb49478cb670")
    ]),
  Example(
    name: "P2SH-P2WPKH",
    transaction: """
      01000000000101db6b1b20aa0fd7b23880be2ecbd4a98130974cf4748fb66092ac4d3ceb1a547701000000171600147909197218\
      6c449eb1ded22b78e40d009bdf0089feffffff02b8b4eb0b000000001976a914a457b684d7f0d539a46a45bbc043f35b59d0d963\
      88ac0008af2f000000001976a914fd270b1ee6abcaea97fea7ad0402e8bd8ad6d77c88ac02473044022047ac8e878352d3ebbde1\
      c94ce3a10d057c24175747116f8288e5d794d12d482f0220217f36a485cae903c713331d877c1f64677e3622ad40107268705406\
      56fe9dcb012103ad1d8e89212f0b92c74d23bb710c00662ad1470198ac48c43f7d6f93a2a2687392040000
      """,
    spent: [
      ("a9144733f37cf4db86fbc2efed2500b4f4e49f31202387", 1000000000)
    ],
    sighashes: [
      .init(
        input: 0, scriptCode: "76a91479091972186c449eb1ded22b78e40d009bdf008988ac", type: 0x01,
        hash: "64f3b0f4dd2bb3aa1ce8566d220cc74dda9df97d8490cc81d89d735c92e59fb6")
    ]),
  Example(
    name: "P2WSH with OP_CODESEPARATOR, SIGHASH_SINGLE out of range",
    transaction: """
      01000000000102fe3dc9208094f3ffd12645477b3dc56f60ec4fa8e6f5d67c565d1c6b9216b36e000000004847304402200af4e4\
      7c9b9629dbecc21f73af989bdaa911f7e6f6c2e9394588a3aa68f81e9902204f3fcf6ade7e5abb1295b6774c8e0abd94ae622173\
      67096bc02ee5e435b67da201ffffffff0815cf020f013ed6cf91d29f4202e8a58726b1ac6c79da47c23d1bee0a6925f800000000\
      00ffffffff0100f2052a010000001976a914a30741f8145e5acadf23f751864167f32e0963f788ac000347304402200de66acf45\
      27789bfda55fc5459e214fa6083f936b430a762c629656216805ac0220396f550692cd347171cbc1ef1f51e15282e837bb2b3086\
      0dc77c8f78bc8501e503473044022027dc95ad6b740fe5129e7e62a75dd00f291a2aeb1200b84b09d9e3789406b6c002201a9ecd\
      315dd6a0e632ab20bbb98948bc0c6fb204f2c286963bb48517a7058e27034721026dccc749adc2a9d0d89497ac511f760f45c47d\
      c5ed9cf352a58ac706453880aeadab210255a9626aebf5e29c0e6538428ba0d1dcf6ca98ffdf086aa8ced5e0d0215ea465ac0000\
      0000
      """,
    spent: [
      ("21036d5c20fa14fb2f635474c1dc4ef5909d4568e5569b79fc94d3448486e14685f8ac", 156250000),
      ("00205d1b56b63d714eebe542309525f484b7e9d6f686b3781b6f61ef925d66d6f6a0", 4900000000),
    ],
    sighashes: [
      .init(
        input: 1, scriptCode: nil, type: 0x03, hash: "82dde6e4f1e94d02c2b7ad03d2115d691f48d064e9d52f58194a6637e4194391"),
      .init(
        input: 1, scriptCode: "210255a9626aebf5e29c0e6538428ba0d1dcf6ca98ffdf086aa8ced5e0d0215ea465ac", type: 0x03,
        hash: "fef7bd749cce710c5c052bd796df1af0d935e59cea63736268bcbe2d2134fc47"),
    ]),
  Example(
    name: "P2WSH with an OP_CODESEPARATOR that is not executed",
    transaction: """
      01000000000102e9b542c5176808107ff1df906f46bb1f2583b16112b95ee5380665ba7fcfc0010000000000ffffffff80e68831\
      516392fcd100d186b3c2c7b95c80b53c77e77c35ba03a66b429a2a1b0000000000ffffffff0280969800000000001976a914de4b\
      231626ef508c9a74a8517e6783c0546d6b2888ac80969800000000001976a9146648a8cd4531e1ec47f35916de8e259237294d1e\
      88ac02483045022100f6a10b8604e6dc910194b79ccfc93e1bc0ec7c03453caaa8987f7d6c3413566002206216229ede9b4d6ec2\
      d325be245c5b508ff0339bf1794078e20bfe0babc7ffe683270063ab68210392972e2eb617b2388771abe27235fd5ac44af8e616\
      93261550447a4c3e39da98ac024730440220032521802a76ad7bf74d0e2c218b72cf0cbc867066e2e53db905ba37f130397e0220\
      7709e2188ed7f08f4c952d9d13986da504502b8c3be59617e043552f506c46ff83275163ab68210392972e2eb617b2388771abe2\
      7235fd5ac44af8e61693261550447a4c3e39da98ac00000000
      """,
    spent: [
      ("0020ba468eea561b26301e4cf69fa34bde4ad60c81e70f059f045ca9a79931004a4d", 16777215),
      ("0020d9bbfbe56af7c4b7f960a70d7ea107156913d9e5a26b0a71429df5e097ca6537", 16777215),
    ],
    sighashes: [
      .init(
        input: 0, scriptCode: nil, type: 0x83, hash: "e9071e75e25b8a1e298a72f0d2e9f4f95a0f5cdf86a533cda597eb402ed13b3a"),
      .init(
        input: 1, scriptCode: "68210392972e2eb617b2388771abe27235fd5ac44af8e61693261550447a4c3e39da98ac", type: 0x83,
        hash: "cd72f1f1a433ee9df816857fad88d8ebd97e09a75cd481583eb841c330275e54"),
    ]),
  Example(
    name: "the same with inputs and outputs in another order",
    transaction: """
      0100000000010280e68831516392fcd100d186b3c2c7b95c80b53c77e77c35ba03a66b429a2a1b0000000000ffffffffe9b542c5\
      176808107ff1df906f46bb1f2583b16112b95ee5380665ba7fcfc0010000000000ffffffff0280969800000000001976a9146648\
      a8cd4531e1ec47f35916de8e259237294d1e88ac80969800000000001976a914de4b231626ef508c9a74a8517e6783c0546d6b28\
      88ac024730440220032521802a76ad7bf74d0e2c218b72cf0cbc867066e2e53db905ba37f130397e02207709e2188ed7f08f4c95\
      2d9d13986da504502b8c3be59617e043552f506c46ff83275163ab68210392972e2eb617b2388771abe27235fd5ac44af8e61693\
      261550447a4c3e39da98ac02483045022100f6a10b8604e6dc910194b79ccfc93e1bc0ec7c03453caaa8987f7d6c341356600220\
      6216229ede9b4d6ec2d325be245c5b508ff0339bf1794078e20bfe0babc7ffe683270063ab68210392972e2eb617b2388771abe2\
      7235fd5ac44af8e61693261550447a4c3e39da98ac00000000
      """,
    spent: [
      ("0020d9bbfbe56af7c4b7f960a70d7ea107156913d9e5a26b0a71429df5e097ca6537", 16777215),
      ("0020ba468eea561b26301e4cf69fa34bde4ad60c81e70f059f045ca9a79931004a4d", 16777215),
    ],
    sighashes: []),
  Example(
    name: "P2SH-P2WSH with every hash type",
    transaction: """
      0100000000010136641869ca081e70f394c6948e8af409e18b619df2ed74aa106c1ca29787b96e0100000023220020a16b5755f7\
      f6f96dbd65f5f0d6ab9418b89af4b1f14a1bb8a09062c35f0dcb54ffffffff0200e9a435000000001976a914389ffce9cd9ae88d\
      cc0631e88a821ffdbe9bfe2688acc0832f05000000001976a9147480a33f950689af511e6e84c138dbbd3c3ee41588ac08004730\
      4402206ac44d672dac41f9b00e28f4df20c52eeb087207e8d758d76d92c6fab3b73e2b0220367750dbbe19290069cba53d096f44\
      530e4f98acaa594810388cf7409a1870ce01473044022068c7946a43232757cbdf9176f009a928e1cd9a1a8c212f15c1e11ac9f2\
      925d9002205b75f937ff2f9f3c1246e547e54f62e027f64eefa2695578cc6432cdabce271502473044022059ebf56d98010a932c\
      f8ecfec54c48e6139ed6adb0728c09cbe1e4fa0915302e022007cd986c8fa870ff5d2b3a89139c9fe7e499259875357e20fcbb15\
      571c76795403483045022100fbefd94bd0a488d50b79102b5dad4ab6ced30c4069f1eaa69a4b5a763414067e02203156c6a5c9cf\
      88f91265f5a942e96213afae16d83321c8b31bb342142a14d16381483045022100a5263ea0553ba89221984bd7f0b13613db16e7\
      a70c549a86de0cc0444141a407022005c360ef0ae5a5d4f9f2f87a56c1546cc8268cab08c73501d6b3be2e1e1a8a088247304402\
      20525406a1482936d5a21888260dc165497a90a15669636d8edca6b9fe490d309c022032af0c646a34a44d1f4576bf6a4a74b679\
      40f8faa84c7df9abe12a01a11e2b4783cf56210307b8ae49ac90a048e9b53357a2354b3334e9c8bee813ecb98e99a7e07e8c3ba3\
      2103b28f0c28bfab54554ae8c658ac5c3e0ce6e79ad336331f78c428dd43eea8449b21034b8113d703413d57761b8b9781957b8c\
      0ac1dfe69f492580ca4195f50376ba4a21033400f6afecb833092a9a21cfdf1ed1376e58c5d1f47de74683123987e967a8f42103\
      a6d48b1131e94ba04d9737d61acdaa1322008af9602b3b14862c07a1789aac162102d8b661b0b3302ee2f162b09e07a55ad5dfbe\
      673a9f01d9f0c19617681024306b56ae00000000
      """,
    spent: [
      ("a9149993a429037b5d912407a71c252019287b8d27a587", 987654321)
    ],
    sighashes: [
      .init(
        input: 0, scriptCode: nil, type: 0x01, hash: "185c0be5263dce5b4bb50a047973c1b6272bfbd0103a89444597dc40b248ee7c"),
      .init(
        input: 0, scriptCode: nil, type: 0x02, hash: "e9733bc60ea13c95c6527066bb975a2ff29a925e80aa14c213f686cbae5d2f36"),
      .init(
        input: 0, scriptCode: nil, type: 0x03, hash: "1e1f1c303dc025bd664acb72e583e933fae4cff9148bf78c157d1e8f78530aea"),
      .init(
        input: 0, scriptCode: nil, type: 0x81, hash: "2a67f03e63a6a422125878b40b82da593be8d4efaafe88ee528af6e5a9955c6e"),
      .init(
        input: 0, scriptCode: nil, type: 0x82, hash: "781ba15f3779d5542ce8ecb5c18716733a5ee42a6f51488ec96154934e2c890a"),
      .init(
        input: 0, scriptCode: nil, type: 0x83, hash: "511e8e52ed574121fc1b654970395502128263f62662e076dc6baf05c2e6a99b"),
    ]),
  Example(
    name: "a witness script is not edited (CHECKSIGVERIFY)",
    transaction: """
      0100000000010169c12106097dc2e0526493ef67f21269fe888ef05c7a3a5dacab38e1ac8387f14c1d000000ffffffff01010000\
      000000000000034830450220487fb382c4974de3f7d834c1b617fe15860828c7f96454490edd6d891556dcc9022100baf95feb48\
      f845d5bfc9882eb6aeefa1bc3790e39f59eaa46ff7f15ae626c53e012102a9781d66b61fb5a7ef00ac5ad5bc6ffc78be7b44a566\
      e3c87870e1079368df4c4aad4830450220487fb382c4974de3f7d834c1b617fe15860828c7f96454490edd6d891556dcc9022100\
      baf95feb48f845d5bfc9882eb6aeefa1bc3790e39f59eaa46ff7f15ae626c53e0100000000
      """,
    spent: [
      ("00209e1be07558ea5cc8e02ed1d80c0911048afad949affa36d5c3951e3159dbea19", 200000)
    ],
    sighashes: [
      .init(
        input: 0, scriptCode: nil, type: 0x01, hash: "71c9cd9b2869b9c70b01b1f0360c148f42dee72297db312638df136f43311f23")
    ]),
  Example(
    name: "a witness script is not edited (CHECKMULTISIGVERIFY)",
    transaction: """
      010000000001019275cb8d4a485ce95741c013f7c0d28722160008021bb469a11982d47a6628964c1d000000ffffffff01010000\
      00000000000007004830450220487fb382c4974de3f7d834c1b617fe15860828c7f96454490edd6d891556dcc9022100baf95feb\
      48f845d5bfc9882eb6aeefa1bc3790e39f59eaa46ff7f15ae626c53e0148304502205286f726690b2e9b0207f0345711e63fa701\
      2045b9eb0f19c2458ce1db90cf43022100e89f17f86abc5b149eba4115d4f128bcf45d77fb3ecdd34f594091340c039596010102\
      2102966f109c54e85d3aee8321301136cedeb9fc710fdef58a9de8a73942f8e567c021034ffc99dd9a79dd3cb31e2ab3e0b09e0e\
      67db41ac068c625cd1f491576016c84e9552af4830450220487fb382c4974de3f7d834c1b617fe15860828c7f96454490edd6d89\
      1556dcc9022100baf95feb48f845d5bfc9882eb6aeefa1bc3790e39f59eaa46ff7f15ae626c53e0148304502205286f726690b2e\
      9b0207f0345711e63fa7012045b9eb0f19c2458ce1db90cf43022100e89f17f86abc5b149eba4115d4f128bcf45d77fb3ecdd34f\
      594091340c039596017500000000
      """,
    spent: [
      ("00209b66c15b4e0b4eb49fa877982cafded24859fe5b0e2dbfbe4f0df1de7743fd52", 200000)
    ],
    sighashes: [
      .init(
        input: 0, scriptCode: nil, type: 0x01, hash: "c1628a1e7c67f14ca0c27c06e4fdeec2e6d1a73c7a91d7c046ff83e835aebb72")
    ]),
]
