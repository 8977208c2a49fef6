import Bitcoin
import Encoding
import Testing
import Wire

/// Messages that other nodes wrote, with what they meant by them. Figures from the codec tests of ACINQ/eclair@01142204
/// (Apache-2.0), which took the announcements off the live network.
@Suite("Messages of other nodes")
struct InteroperabilityTests {
  private func bytes(_ hex: String...) throws -> [UInt8] { try Hex.decode(hex.joined().filter { $0 != " " }) }

  private func decode<M: WireMessage>(_ type: M.Type, _ hex: String...) throws -> M {
    let bytes = try Hex.decode(hex.joined().filter { $0 != " " })
    let message = try M(decoding: bytes)
    #expect(try message.encoded() == bytes)
    return message
  }

  private let channelA = String(repeating: "aa", count: 32)
  private let channelB = String(repeating: "bb", count: 32)

  // A channel of testnet in 2018 and one of its ends, as Core Lightning keeps them (ElementsProject/lightning,
  // tests/test_gossip.py, BSD-MIT).
  private let announcement = [
    "0100 bb8d7b6998cca3c2b3ce12a6bd73a8872c808bb48de2a30c5ad9cdf835905d1e",
    "27505755087e675fb517bbac6beb227629b694ea68f49d357458327138978ebf",
    "d7adfde1c69d0d2f497154256f6d5567a5cf2317c589e0046c0cc2b3e986cf9b",
    "6d3b44742bd57bce32d72cd1180a7f657795976130b20508b239976d3d4cdc4d",
    "0d6e6fbb9ab6471f664a662972e406f519eab8bce87a8c0365646df5acbc04c9",
    "1540b4c7c518cec680a4a6af14dae1aca0fd5525220f7f0e96fcd2adef3c803a",
    "c9427fe71034b55a50536638820ef21903d09ccddd38396675b598587fa886ca",
    "711415c813fc6d69f46552b9a0a539c18f265debd0e2e286980a118ba349c216",
    "0000 43497fd7f826957108f4a30fd9cec3aeba79972084e90ead01ea330900000000 13a63c0000b50001",
    "021bf3de4e84e3d52f9a3e36fbdcd2c4e8dbf203b9ce4fc07c2f03be6c21d0c675",
    "03f113414ebdc6c1fb0f33c99cd5a1d09dd79e7fdf2468cf1fe1af6674361695d2",
    "03801fd8ab98032f11cc9e4916dd940417082727077609d5c7f8cc6e9a3ad25dd1",
    "02517164b97ab46cee3826160841a36c46a2b7b9c74da37bdc070ed41ba172033a",
  ].joined()

  @Test("Core Lightning's channel announcement and node announcement are valid")
  func signedGossip() throws {
    let channel = try decode(ChannelAnnouncement.self, announcement)
    #expect(channel.shortChannelID.description == "1287740x181x1")
    #expect(channel.chainHash == .testnet)
    try GossipMessage.channelAnnouncement(channel).verify()

    let node = try decode(
      NodeAnnouncement.self, "0101 cf5d870bc7ecabcb7cd16898ef66891e5f0c6c5851bd85b670f03d325bc44d75",
      "44d367cd852e18ec03f7f4ff369b06860a3b12b07b29f36fb318ca11348bf8ec 0000 5aab817c",
      "03f113414ebdc6c1fb0f33c99cd5a1d09dd79e7fdf2468cf1fe1af6674361695d2 3974b2",
      "50757a7a6c654954430000000000000000000000000000000000000000000000 0007 010566933e2607")
    #expect(node.nodeID == channel.nodeID2)
    #expect(try node.addresses.list().addresses.map(\.description) == ["5.102.147.62:9735"])
    try GossipMessage.nodeAnnouncement(node).verify()

    // There the maximum was added by hand afterwards: whoever signed did not sign this.
    let update = try decode(
      ChannelUpdate.self, "0102 1ea7c2eadf8a29eb8690511a519b5656e29aa0a853771c4e38e65c5abf43d907",
      "295a915e69e451f4c7a0c3dc13dd943cfbe3ae88c0b96667cd7d58955dbfedcf",
      "43497fd7f826957108f4a30fd9cec3aeba79972084e90ead01ea330900000000 13a63c0000b50001 5b8d9b44 01 00 0090",
      "00000000000003e8 000003e8 00000001 0000000000ffffff")
    #expect(throws: GossipFault.badSignature("signature")) {
      try update.verifySignature(by: update.signer(in: channel))
    }
    // And as it was signed, without a maximum, it is no channel_update any more.
    #expect(throws: WireError.malformed(type: 258, field: "htlc_maximum_msat", reason: .truncated)) {
      try ChannelUpdate(decoding: Array(update.encoded().dropLast(8)))
    }
  }

  @Test("Eclair's node announcement is read")
  func nodeAnnouncement() throws {
    // Its signature does not belong to it, by an independent computation as well.
    let node = try decode(
      NodeAnnouncement.self,
      "0101 a58338c9660d135fd7d087eb62afd24a33562c54507a9334e79f0dc4f17d407e",
      "6d7c61f0e2f3d0d38599502f61704cf1ae93608df027014ade7ff592f27ce269 0001 02 5acdf507",
      "02d2eabbbacc7c25bbd73b39e65d28237705f7bde76f557e94fb41cb18a9ec0084 112211",
      "6c6e302e646563656e7465722e776f726c640000000000000000000000000000 0013",
      "0200000000000000000000ffffae8a0b082607")
    #expect(node.features.bits == [1])
    #expect(node.timestamp == 0x5acd_f507)
    #expect(node.alias.safeText == "ln0.decenter.world")
    #expect(node.rgbColor == RGBColor(red: 0x11, green: 0x22, blue: 0x11))
    // An IPv4 address written as IPv6.
    #expect(try node.addresses.list().addresses.map(\.description) == ["[::ffff:ae8a:b08]:9735"])
  }

  @Test("A channel's price on the network of September 2021")
  func channelUpdate() throws {
    let update = try decode(
      ChannelUpdate.self,
      "0102 8efb98c939aba422a1f2ccd3e05e5471be41c54ac5d7cb27b9aaaecea45f3abb",
      "363907644c44b385d83ef6b577061847396d6d3464e4f1fa9e779395e36703ef",
      "6fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000 0a79dd0009880000 6137f9ba 01 00 0028",
      "00000000000003e8 00000000 000003e8 00000000938580c0")
    #expect(update.chainHash == .bitcoin)
    #expect(update.shortChannelID.description == "686557x2440x0")
    #expect(update.timestamp == 1_631_058_362)
    #expect(update.messageFlags == .mustBeOne && update.channelFlags == [])
    #expect(update.cltvExpiryDelta == 40 && update.htlcMinimumMsat == MilliSatoshi(1000))
    #expect(update.feeBaseMsat == 0 && update.feeProportionalMillionths == 1000)
    #expect(update.htlcMaximumMsat == MilliSatoshi(2_475_000_000))
  }

  @Test("Inputs, outputs and what replaces them while a transaction is built together")
  func interactiveTx() throws {
    let prevtx =
      "020000000001014ade359c5deb7c1cde2e94f401854658f97d7fa31c17ce9a831db253120a0a410100000017160014eb9a5bd79194a23d"
      + "19d6ec473c768fb74f9ed32cffffffff021ca408000000000017a914946118f24bb7b37d5e9e39579e4a411e70f5b6a08763e7030000000000"
      + "17a9143638b2602d11f934c04abc6adb1494f69d1f14af8702473044022059ddd943b399211e4266a349f26b3289979e29f9b067792c6cfa8c"
      + "c5ae25f44602204d627a5a5b603d0562e7969011fb3d64908af90a3ec7c876eaa9baf61e1958af012102f5188df1da92ed818581c297780478"
      + "00ed6635788aa09d9469f7d17628f7323300000000"
    let input = try decode(
      TxAddInput.self, "0042", channelA, "0000000000000231 00f7", prevtx, "00000001 00000005")
    #expect(input.serialID == 561 && input.prevtxVout == 1 && input.sequence == 5)
    let transaction = try Transaction(decoding: input.prevtx)
    #expect(transaction.txid.hex == "1f2ec025a33e39ef8e177afcdc1adc855bf128dc906182255aeb64efa825f106")

    let output = try decode(
      TxAddOutput.self, "0043", channelA, "0000000000000451 00000000000007ff 0016",
      "00149357014afd0ccd265658c9ae81efa995e771f472 fd012d012a")
    #expect(output.serialID == 1105 && output.sats == Satoshi(2047) && output.script.count == 22)
    #expect(output.otherRecords[301] == [0x2a])

    let rbf = try decode(TxInitRbf.self, "0048", channelA, "00000000 00000fa0 0008ffffffffffff9e58")
    #expect(rbf.feerate.satPerKiloWeight == 4000 && rbf.fundingOutputContribution == -25_000)
    #expect(!rbf.requireConfirmedInputs)
    let answer = try decode(TxAckRbf.self, "0049", channelB, "0008fffffffffffc2f70 0200")
    #expect(answer.fundingOutputContribution == -250_000 && answer.requireConfirmedInputs)
    let abort = try decode(TxAbort.self, "004a", channelA, "000e 696e7465726e616c206572726f72")
    #expect(abort.data.safeText() == "internal error")

    let signatures = try decode(
      TxSignatures.self, "0047", channelA, "fc7aa8845f192959202c1b7ff704e7cbddded463c05e844676a94ccb4bed69f1 0002 004a",
      "022068656c6c6f2074686572652c2074686973206973206120626974636f6e2121212782012088a820add57dfe5277079d069ca4ad4893c96d",
      "e91f88ffb981fdc6a2a34d5336c66aff87 006b 0247304402207de9ba56bb9f641372e805782575ee840a899e61021c8b1572b3ec1d5b5950",
      "e9022069e9ba998915dae193d3c25cb89b5e64370e6a3a7755e7f31cf6d7cbc2a49f6d0121034695f5b7864c580bf11f9f8cb1a94eb336f2ce",
      "9ef872d2ae1a90ee276c772484")
    #expect(signatures.witnesses.count == 2)
    #expect(try signatures.witnesses[0].witness.elements.map(\.count) == [32, 39])
    #expect(try signatures.witnesses[1].witness.elements.map(\.count) == [71, 33])
  }

  @Test("A channel opened by two, and another node's records in it")
  func dualFunding() throws {
    let open =
      "0040" + String(repeating: "00", count: 32) + "01" + String(repeating: "00", count: 31)
      + "00001388 00000fa0 000000000003d090 00000000000001f4 000000000000c350 000000000000000f 0090 01e3 0009eb10"
      + "031b84c5567b126440995d3ed5aaba0565d71e1834604819ff9c17f5e9d5dd078f"
      + "024d4b6cd1361032ca9bd2aeb9d900aa4d45d9ead80ac9423374c451a7254d0766"
      + "02531fe6068134503d2723133227c867ac8fa6c83c537e9a44c3c5bdbdcb1fe337"
      + "03462779ad4aad39514614751a71085f2f10e1c7a593e4e030efb5b8721ce55b0b"
      + "0362c0a046dacce86ddd0343c6d3c7c79c2208ba0d9c9cf24a6d046d21d21f90f7"
      + "03f006a18d5653c4edf5391ff23a61f03ff83d237e880ee61187fa9f379a028e0a"
      + "02989c0b76cb563971fdc9bef31ec06c3560f3249d6ee9e5d83c57625596e05f6f01"
    let message = try decode(
      OpenChannel2.self, open, "001600143adb2d0445c4d491cc7568b10323bd6615a91283 0103401000 0200 fe47000007020451")
    #expect(
      message.fundingFeeratePerkw.satPerKiloWeight == 5000 && message.commitmentFeeratePerkw.satPerKiloWeight == 4000)
    #expect(message.fundingSatoshis == Satoshi(250_000) && message.dustLimitSatoshis == Satoshi(500))
    #expect(message.maxHtlcValueInFlightMsat == MilliSatoshi(50_000) && message.htlcMinimumMsat == MilliSatoshi(15))
    #expect(message.toSelfDelay == 144 && message.maxAcceptedHtlcs == 483 && message.locktime == 650_000)
    #expect(message.channelFlags == .announceChannel && message.channelType == .anchors)
    #expect(message.upfrontShutdownScript?.count == 22 && message.requireConfirmedInputs)
    #expect(message.otherRecords[0x4700_0007] == [0x04, 0x51])
    #expect(try OpenChannel2(decoding: bytes(open)).requireConfirmedInputs == false)
    for invalid in ["00", "01", "0004123456", "000001040101", "020012", "01012a030201", "04012a"] {
      #expect(throws: WireError.self, "\(invalid)") { try OpenChannel2(decoding: bytes(open, invalid)) }
    }
  }
}
