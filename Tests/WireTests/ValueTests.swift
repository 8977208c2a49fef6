import Bitcoin
import Encoding
import Secp256k1
import Testing
import Wire

@Suite("Identifiers")
struct IdentifierTests {
  @Test("A short_channel_id prints as BOLT 7 prints it")
  func shortChannelID() throws {
    let id = try #require(ShortChannelID(blockHeight: 539_268, transactionIndex: 845, outputIndex: 1))
    #expect(id.description == "539268x845x1")
    #expect(try ShortChannelID(text: "539268x845x1") == id)
    #expect(id.rawValue == 539_268 << 40 | 845 << 16 | 1)
    let largest = ShortChannelID(rawValue: .max)
    #expect(largest.description == "16777215x16777215x65535")
    #expect(try ShortChannelID(text: largest.description) == largest)
    for text in [
      "", "x", "xx", "1x2", "1x2x3x4", "1x2x", "-1x2x3", "+1x2x3", " 1x2x3", "01x2x3", "1x2x65536", "16777216x0x0",
      "0x16777216x0", "1X2X3", "1x2x3\n", "99999999999999999999x1x1", "1x2x٣",
    ] {
      #expect(throws: DecodingError.self, "\(text)") { try ShortChannelID(text: text) }
    }
    #expect(ShortChannelID(blockHeight: 1 << 24, transactionIndex: 0, outputIndex: 0) == nil)
  }

  @Test("A channel_id is the funding transaction's id, its last two bytes altered by the output's index")
  func channelID() throws {
    // As printed: the id of the transaction is shown backwards, the channel's is not.
    let txid = TxID(try Bytes32(Array(0..<32)))
    let id = try #require(ChannelID(fundingOutpoint: OutPoint(txid: txid, vout: 0x0102)))
    #expect(id.array == Array(0..<30) + [30 ^ 1, 31 ^ 2])
    #expect(ChannelID(fundingOutpoint: OutPoint(txid: txid, vout: 65_536)) == nil)
    let (a, b) = (somePoints[0], somePoints[1])
    #expect(ChannelID(revocationBasepoint: a, b) == ChannelID(revocationBasepoint: b, a))
    #expect(ChannelID(temporaryFor: a) != ChannelID(temporaryFor: b))
  }

  @Test("Chain hashes are those of the genesis blocks")
  func chainHashes() throws {
    // BOLT 7 prints the first; the others are the display forms that Bitcoin Core prints, reversed.
    let displayed: [(ChainHash, String)] = [
      (.bitcoin, "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"),
      (.testnet, "000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943"),
      (.testnet4, "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043"),
      (.signet, "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6"),
      (.regtest, "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"),
    ]
    for (hash, text) in displayed { #expect(ChainHash(try BlockHash(display: text)) == hash) }
  }
}

@Suite("Text from peers")
struct PeerTextTests {
  @Test("is shown in printable ASCII, and no longer than asked for")
  func safeText() {
    #expect(PeerText("internal error: 42%").safeText() == "internal error: 42%")
    #expect(PeerText("a\u{1b}[31mb\r\nc\0\u{7f}é\\").safeText() == #"a\x1b[31mb\x0d\x0ac\x00\x7f\xc3\xa9\\"#)
    let long = PeerText(bytes: Array(repeating: 0x0a, count: 65_000)).safeText(limit: 30)
    #expect(long == #"\x0a\x0a\x0a\x0a\x0a\x0a\x0a"# + "… (64993 more bytes)")
    #expect(PeerText(bytes: [0x41]).safeText(limit: 0) == "… (1 more bytes)")
    for byte in UInt8.min...UInt8.max {
      let text = PeerText(bytes: [byte]).safeText()
      #expect(text.utf8.allSatisfy { 0x20...0x7e ~= $0 })
    }
  }

  @Test("Aliases lose what has no shape of its own, and cannot break out of a line")
  func alias() throws {
    #expect(try #require(Alias("SLEEPYDRAGON ⚡")).safeText == "SLEEPYDRAGON ⚡")
    #expect(try #require(Alias("a\u{202e}b\u{2028}c\nd")).safeText == "a\u{fffd}b\u{fffd}c\u{fffd}d")
    #expect(Alias(String(repeating: "a", count: 33)) == nil)
    #expect(Alias(try Bytes32(Array(repeating: 0xff, count: 32))).safeText == String(repeating: "\u{fffd}", count: 32))
    #expect(Alias(Bytes32()).safeText == "")
  }
}

@Suite("Addresses")
struct AddressTests {
  static let texts: [(text: String, hex: String)] = [
    ("192.0.2.1:9735", "01c00002012607"),
    ("255.255.255.255:65535", "01ffffffffffff"),
    ("[2001:db8::1]:9735", "0220010db80000000000000000000000012607"),
    ("[::]:1", "02" + String(repeating: "00", count: 16) + "0001"),
    ("[::1]:1", "02" + String(repeating: "00", count: 15) + "010001"),
    ("[fe80::]:1", "02fe80" + String(repeating: "00", count: 14) + "0001"),
    // RFC 5952 §4.2: the longest run, the first of equals, and never a single group.
    ("[2001:db8:0:1:1:1:1:1]:1", "0220010db80000000100010001000100010001"),
    ("[2001:0:0:1::1]:1", "0220010000000000010000000000000001" + "0001"),
    ("[2001:db8::1:0:0:1]:1", "0220010db8000000000001000000000001" + "0001"),
    // The address of the onion service of rend-spec-v3's example.
    (
      "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:9735",
      "0479bcc625184b05194975c28b66b66b0469f7f6556fb1ac3189a79b40dda32f1f2147032607"
    ),
    ("example.com:9735", "050b6578616d706c652e636f6d2607"),
    ("xn--bcher-kva.example:80", "0515786e2d2d62636865722d6b76612e6578616d706c650050"),
  ]

  @Test("go from text to bytes and back")
  func text() throws {
    for (text, hex) in Self.texts {
      let address = try NodeAddress(text: text)
      var writer = ByteWriter()
      address.encode(to: &writer)
      #expect(Hex.encode(writer.bytes) == hex, "\(text)")
      let bytes = try Hex.decode(hex)
      var reader = ByteReader(bytes.bytes)
      #expect(try NodeAddress(from: &reader) == address)
      #expect(address.description == text)
    }
    #expect(try NodeAddress(text: "[2001:DB8:0:0::1]:5").description == "[2001:db8::1]:5")
    #expect(try NodeAddress(text: "expyuzz4wqqyqhjn.onion:80").descriptorType == 3)
  }

  @Test("that are none are refused")
  func invalidText() {
    for text in [
      "", ":", ":1", "host", "host:", "host:65536", "host:-1", "host:+1", "host:01", "1.2.3.4", "[::1]", "[:::1]:1",
      "[1:2:3:4:5:6:7]:1", "[1:2:3:4:5:6:7:8:9]:1", "[::1::]:1", "[12345::]:1", "[g::]:1", "[+1::]:1", "[]:1", "[:]:1",
      "[1:]:1", "[:1]:1", "abc.onion:1", "0189.onion:1", "a b:1", "ü.example:1", "a\n:1",
      String(repeating: "a", count: 256) + ":1", "[1:2:3:4::5:6:7:8:9]:1", "[1::2::3]:1",
    ] {
      #expect(throws: DecodingError.self, "\(text)") { try NodeAddress(text: text) }
    }
  }

  @Test("of a node are read up to the first unknown type, and only the first host name counts")
  func lists() throws {
    let known = try ["192.0.2.1:9735", "[2001:db8::1]:9735", "example.com:9735"].map { try NodeAddress(text: $0) }
    let list = NodeAddresses(known.reversed())
    #expect(try list.list().addresses == known)
    #expect(try list.list().mayBeForwarded)
    #expect(try NodeAddresses(bytes: list.bytes + [6, 1, 2, 3]).list().addresses == known)
    #expect(try NodeAddresses(bytes: [0] + list.bytes).list().addresses == [])
    let twice = NodeAddresses(bytes: list.bytes + Array(list.bytes.suffix(15)))
    #expect(try twice.list().addresses == known)
    #expect(try !twice.list().mayBeForwarded)
    for count in 1..<list.bytes.count where ![7, 26].contains(count) {
      #expect(throws: DecodingError.truncated, "\(count)") {
        try NodeAddresses(bytes: Array(list.bytes.prefix(count))).list()
      }
    }
    #expect(throws: DecodingError.self) { try NodeAddresses(bytes: [5, 3, 0x61, 0x0a, 0x62, 0, 1]).list() }
    let tor2 = try NodeAddress(text: "expyuzz4wqqyqhjn.onion:80")
    #expect(!tor2.isUsable)
    #expect(try !NodeAddress(text: "192.0.2.1:0").isUsable)
    #expect(try NodeAddress(text: "192.0.2.1:1").isUsable)
  }
}

@Suite("Onions and what belongs to them")
struct OnionValueTests {
  @Test("have their exact sizes")
  func sizes() throws {
    #expect(throws: DecodingError.wrongLength(expected: 1366, actual: 1365)) {
      try OnionRoutingPacket(Array(repeating: 0, count: 1365))
    }
    #expect(throws: DecodingError.wrongLength(expected: 920, actual: 0)) { try AttributionData([]) }
    let data = try AttributionData((0..<920).map { UInt8($0 & 255) })
    #expect(data.holdTimes.count == 20)
    #expect(data.holdTimes[1] == 0x0405_0607)
    #expect(data.truncatedHMACs.count == 840)
  }

  @Test("A witness of tx_signatures is a bitcoin witness")
  func witness() throws {
    let witness = Witness([[1, 2, 3], []])
    #expect(try TxWitness(witness).witness == witness)
    #expect(throws: DecodingError.trailingBytes(1)) {
      try TxWitness(witnessData: TxWitness(witness).witnessData + [0]).witness
    }
    #expect(throws: DecodingError.self) { try TxWitness(witnessData: []).witness }
  }

  @Test("init combines its two bitmaps, and says which chains it is about")
  func initMessage() {
    var message = Init(globalfeatures: FeatureSet(bits: [13]), features: FeatureSet(bits: [8, 100]))
    #expect(message.combinedFeatures.bits == [8, 13, 100])
    #expect(message.sharesChain(with: [.regtest]))
    message.networks = [.bitcoin, .regtest]
    #expect(message.sharesChain(with: [.regtest]) && !message.sharesChain(with: [.signet]))
    message.networks = []
    #expect(!message.sharesChain(with: [.regtest]))
  }

  @Test("Pings ask for pongs of up to 65,531 bytes")
  func pings() throws {
    #expect(Ping(numPongBytes: 3, ignored: []).pong == Pong(ignored: [0, 0, 0]))
    #expect(try Ping(numPongBytes: 65_531, ignored: []).pong?.encoded().count == 65_535)
    #expect(Ping(numPongBytes: 65_532, ignored: []).pong == nil)
  }
}
