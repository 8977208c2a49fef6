import BOLT
import Bitcoin
import Encoding
import GLC
import Testing

@Suite struct ShutdownScriptTests {
  @Test(arguments: [
    ("0014" + String(repeating: "11", count: 20), ShutdownScript.p2wpkh),
    ("0020" + String(repeating: "11", count: 32), .p2wsh), ("5120" + String(repeating: "11", count: 32), .anySegwit),
    ("51024e73", .anySegwit), ("6028" + String(repeating: "11", count: 40), .anySegwit),
    ("6a06" + String(repeating: "11", count: 6), .opReturn), ("6a4b" + String(repeating: "11", count: 75), .opReturn),
    ("6a4c4c" + String(repeating: "11", count: 76), .opReturn),
    ("6a4c50" + String(repeating: "11", count: 80), .opReturn),
  ])
  func everyFormOfBOLT2IsRecognised(hex: String, form: ShutdownScript) throws {
    #expect(ShutdownScript(try Script(hex: hex)) == form)
  }

  @Test(arguments: [
    "", "00", "0014" + String(repeating: "11", count: 19), "0015" + String(repeating: "11", count: 21), "5101" + "11",
    "6129" + String(repeating: "11", count: 41), "51021111" + "11",
    "76a914" + String(repeating: "11", count: 20) + "88ac",
    "a914" + String(repeating: "11", count: 20) + "87", "6a", "6a05" + String(repeating: "11", count: 5),
    "6a4c4b" + String(repeating: "11", count: 75), "6a4c51" + String(repeating: "11", count: 81), "6a0611",
  ])
  func everythingElseIsRefused(hex: String) throws { #expect(ShutdownScript(try Script(hex: hex)) == nil) }

  @Test func newerFormsNeedTheirFeature() {
    #expect(ShutdownScript.p2wsh.isAllowed(features: []))
    #expect(!ShutdownScript.anySegwit.isAllowed(features: [60]))
    #expect(ShutdownScript.anySegwit.isAllowed(features: [27]))
    #expect(ShutdownScript.opReturn.isAllowed(features: [60]))
  }
}

@Suite struct ClosingTransactionTests {
  let funding = OutPoint(txid: TxID(Bytes32(InlineArray(repeating: 7))), vout: 3)
  let mine = ClosingTransaction.Share(
    balance: MilliSatoshi(700_000_999), scriptPubKey: Script.p2wpkh(Bytes20(InlineArray(repeating: 1))))
  let theirs = ClosingTransaction.Share(
    balance: MilliSatoshi(300_000_001), scriptPubKey: Script.p2wpkh(Bytes20(InlineArray(repeating: 2))))

  @Test func theFunderPaysAndDustIsLeftOut() throws {
    let both = try ClosingTransaction.legacy(
      spending: funding, funder: mine, other: theirs, fee: Satoshi(1000), dustLimit: Satoshi(546))
    #expect(both.outputs.map(\.value) == [Satoshi(300_000), Satoshi(699_000)])
    #expect(both.lockTime == 0 && both.inputs[0].sequence == 0xffff_ffff && both.version == 2)
    let one = try ClosingTransaction.legacy(
      spending: funding, funder: mine, other: theirs, fee: Satoshi(1000), dustLimit: Satoshi(300_001))
    #expect(one.outputs.map(\.value) == [Satoshi(699_000)])
    #expect(throws: ClosingError.feeTooHigh(balance: Satoshi(700_000), fee: Satoshi(700_001))) {
      try ClosingTransaction.legacy(
        spending: funding, funder: mine, other: theirs, fee: Satoshi(700_001), dustLimit: Satoshi(546))
    }
  }

  @Test func theCloserPaysAndMayGiveItsShareToTheMiner() throws {
    var donor = mine
    donor.scriptPubKey = Script([0x6a, 0x06, 1, 2, 3, 4, 5, 6])
    let closing = try ClosingTransaction.simple(
      spending: funding, closer: donor, closee: theirs, fee: Satoshi(700_000), lockTime: 800_000,
      variant: .closerAndCloseeOutputs)
    #expect(closing.outputs.map(\.value) == [.zero, Satoshi(300_000)])
    #expect(closing.lockTime == 800_000 && closing.inputs[0].sequence == 0xffff_fffd)
    let alone = try ClosingTransaction.simple(
      spending: funding, closer: mine, closee: theirs, fee: Satoshi(500), lockTime: 0, variant: .closeeOutputOnly)
    #expect(alone.outputs.map(\.scriptPubKey) == [theirs.scriptPubKey])
  }

  @Test(arguments: ChannelType.allCases) func everyChannelTypeIsKnownByItsBits(type: ChannelType) throws {
    #expect(ChannelType(featureBits: Set(type.featureBits)) == type)
    #expect(try type.stack().extensions.count >= 2)
  }
}
