import Bitcoin
import Encoding
import Hashing
import Secp256k1
import Testing
import Wire

/// BOLT 3 Appendix G: two parties fund a channel together, from the messages to the signed transaction.
/// Source: lightning/bolts, 03-transactions.md (CC-BY-4.0).
@Suite("BOLT 3, appendix G: dual funded transaction") struct DualFundingTests {
  private static let parent =
    "02000000000101f86fd1d0db3ac5a72df968622f31e6b5e6566a09e29206d7c7a55df90e181de800000000171600141fb9623ffd0d422eacc450fd1e967efc477b83ccffffffff0580b2e60e00000000220020fd89acf65485df89797d9ba7ba7a33624ac4452f00db08107f34257d33e5b94680b2e60e0000000017a9146a235d064786b49e7043e4a042d4cc429f7eb6948780b2e60e00000000160014fbb4db9d85fba5e301f4399e3038928e44e37d3280b2e60e0000000017a9147ecd1b519326bc13b0ec716e469b58ed02b112a087f0006bee0000000017a914f856a70093da3a5b5c4302ade033d4c2171705d387024730440220696f6cee2929f1feb3fd6adf024ca0f9aa2f4920ed6d35fb9ec5b78c8408475302201641afae11242160101c6f9932aeb4fcd1f13a9c6df5d1386def000ea259a35001210381d7d5b1bc0d7600565d827242576d9cb793bfe0754334af82289ee8b65d137600000000"
  private static let unsigned =
    "0200000002b932b0669cd0394d0d5bcc27e01ab8c511f1662a6799925b346c0cf18fca03430200000000fdffffffb932b0669cd0394d0d5bcc27e01ab8c511f1662a6799925b346c0cf18fca03430000000000fdffffff03e5effa02000000001600141ca1cca8855bad6bc1ea5436edd8cff10b7e448b1cf0fa020000000016001444cb0c39f93ecc372b5851725bd29d865d333b100084d71700000000220020297b92c238163e820b82486084634b4846b86a3c658d87b9384192e6bea98ec578000000"
  private static let signed =
    "02000000000102b932b0669cd0394d0d5bcc27e01ab8c511f1662a6799925b346c0cf18fca03430200000000fdffffffb932b0669cd0394d0d5bcc27e01ab8c511f1662a6799925b346c0cf18fca03430000000000fdffffff03e5effa02000000001600141ca1cca8855bad6bc1ea5436edd8cff10b7e448b1cf0fa020000000016001444cb0c39f93ecc372b5851725bd29d865d333b100084d71700000000220020297b92c238163e820b82486084634b4846b86a3c658d87b9384192e6bea98ec50247304402207de9ba56bb9f641372e805782575ee840a899e61021c8b1572b3ec1d5b5950e9022069e9ba998915dae193d3c25cb89b5e64370e6a3a7755e7f31cf6d7cbc2a49f6d0121034695f5b7864c580bf11f9f8cb1a94eb336f2ce9ef872d2ae1a90ee276c772484022068656c6c6f2074686572652c2074686973206973206120626974636f6e2121212782012088a820add57dfe5277079d069ca4ad4893c96de91f88ffb981fdc6a2a34d5336c66aff8778000000"
  private static let txid = "5ca4e657c1aa9d069ea4a5d712045d233a7d7c52738cb02993637289e6386057"
  private static let preimage = "68656c6c6f2074686572652c2074686973206973206120626974636f6e212121"
  private static let hashScript = "82012088a820add57dfe5277079d069ca4ad4893c96de91f88ffb981fdc6a2a34d5336c66aff87"

  /// §Expected Fee Calculation, at 253 sat per 1000 weight. The specification charges the opener for the transaction's fields and the
  /// funding output, and each for its inputs and its change.
  private func fee(_ weight: UInt64) throws -> Satoshi {
    try #require(FeeRate(satPerKiloWeight: 253).fee(for: Weight(weight)))
  }

  @Test func theTransactionComesOutOfTheMessages() throws {
    let prevtx = try Hex.decode(Self.parent)
    let parent = try Transaction(decoding: prevtx.bytes)
    #expect(prevtx.count == 353)
    #expect(parent.txid.description == "4303ca8ff10c6c345b9299672a66f111c5b81ae027cc5b0d4d39d09c66b032b9")
    let channelID = ChannelID(Bytes32())

    let openerWeight = (1 + 1 + 4 + 4) * 4 + 2 + 41 * 4 + 43 * 4 + 31 * 4 + max(107, 71) as UInt64
    let accepterWeight = 41 * 4 + 31 * 4 + max(107, 99) as UInt64
    #expect((openerWeight, accepterWeight) == (609, 395))
    // The printed fee of 155 is rounded up; so is that of 100.
    let (openerFee, accepterFee) = (Satoshi(155), Satoshi(100))
    #expect(try fee(openerWeight).rawValue + 1 == openerFee.rawValue)
    #expect(try fee(398).rawValue == accepterFee.rawValue)
    let (total, share) = (Satoshi(250_000_000), Satoshi(200_000_000))
    let keys = try [
      "0292edb5f7bbf9e900f7e024be1c1339c6d149c11930e613af3a983d2565f4e41e",
      "02e16172a41e928cbd78f761bd1c657c4afc7495a1244f7f30166b654fbf7661e3",
    ].map { try PublicKey(hex: $0) }
    let fundingScript = try #require(Script.sortedMultisig(required: 2, keys: keys.reversed()))

    let inputs = [
      TxAddInput(channelID: channelID, serialID: 20, prevtx: prevtx, prevtxVout: 0, sequence: 4_294_967_293),
      TxAddInput(channelID: channelID, serialID: 11, prevtx: prevtx, prevtxVout: 2, sequence: 4_294_967_293),
    ]
    let outputs = [
      TxAddOutput(
        channelID: channelID, serialID: 30, sats: try #require(total.subtracting(share)?.subtracting(openerFee)),
        script: .p2wpkh(
          try PublicKey(hex: "0206e626a4c6d4392d4030bc78bd93f728d1ba61214a77c63adc17d71e32ded3df"))),
      TxAddOutput(
        channelID: channelID, serialID: 44, sats: try #require(share.adding(share)), script: .p2wsh(fundingScript)),
      TxAddOutput(
        channelID: channelID, serialID: 33, sats: try #require(total.subtracting(share)?.subtracting(accepterFee)),
        script: .p2wpkh(
          try PublicKey(hex: "028f3978c211f4c0bf4d20674f345ae14e08871b25b2c957b4bdbd42e9726278fc"))),
    ]
    #expect(outputs.map(\.sats) == [Satoshi(49_999_845), Satoshi(400_000_000), Satoshi(49_999_900)])
    for input in inputs { #expect(try TxAddInput(decoding: input.encoded()) == input) }
    for output in outputs { #expect(try TxAddOutput(decoding: output.encoded()) == output) }

    // BOLT 2: inputs and outputs MUST be sorted by `serial_id`.
    let sorted = inputs.sorted { $0.serialID < $1.serialID }
    var transaction = Transaction(
      inputs: try sorted.map { input in
        let spent = try Transaction(decoding: input.prevtx.bytes)
        return TxInput(
          previousOutput: OutPoint(txid: spent.txid, vout: input.prevtxVout), sequence: input.sequence)
      },
      outputs: outputs.sorted { $0.serialID < $1.serialID }.map {
        TxOutput(value: $0.sats, scriptPubKey: $0.script)
      }, lockTime: 120)
    #expect(Hex.encode(transaction.encoded) == Self.unsigned)
    #expect(transaction.txid.description == Self.txid)

    let spent = sorted.map { parent.outputs[Int($0.prevtxVout)] }
    let wif = try PrivateKeyWIF("cUM8Dr33wK4uFmw3Tz8sbQ7BiBNgX5BthRurU7RkgXVvNUPcWrJf")
    let key = wif.secretKey.copy()
    let hash = try transaction.segwitV0Sighash(
      input: 0, scriptCode: .p2pkh(key.publicKey), amount: spent[0].value, type: .all,
      parts: SighashParts(transaction))
    transaction.inputs[0].witness = Witness([key.signECDSA(hash.raw).der + [1], key.publicKey.array])
    transaction.inputs[1].witness = Witness([try Hex.decode(Self.preimage), try Hex.decode(Self.hashScript)])
    #expect(Hex.encode(transaction.encoded) == Self.signed)
    for index in 0..<2 {
      try ScriptVerifier.verify(input: index, of: transaction, spending: spent, flags: .standard)
    }
    #expect(
      try TransactionRules.fee(of: transaction, spending: spent) == openerFee.adding(accepterFee))
  }
}
