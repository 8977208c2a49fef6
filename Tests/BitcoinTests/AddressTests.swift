import Bitcoin
import Encoding
import Secp256k1
import JSON
import Testing
import VectorSupport

@Suite struct AddressTests {
  /// BIP 173 and BIP 350 §Test vectors: segwit addresses and their scripts.
  static let validSegwit = [
    ("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "0014751e76e8199196d454941c45d1b3a323f1433bd6"),
    (
      "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7",
      "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262"
    ),
    (
      "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y",
      "5128751e76e8199196d454941c45d1b3a323f1433bd6751e76e8199196d454941c45d1b3a323f1433bd6"
    ),
    ("BC1SW50QGDZ25J", "6002751e"),
    ("bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", "5210751e76e8199196d454941c45d1b3a323"),
    (
      "tb1qqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesrxh6hy",
      "0020000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433"
    ),
    (
      "tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c",
      "5120000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433"
    ),
    (
      "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
      "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    ),
    // BIP 433.
    ("bc1pfeessrawgf", "51024e73"), ("tb1pfees9rn5nz", "51024e73"), ("bcrt1pfeesnyr2tx", "51024e73"),
  ]

  /// BIP 173 and BIP 350 §Test vectors: invalid segwit addresses, and the version 1 to 16 addresses of BIP 173 that BIP 350 outdated.
  static let invalidSegwit = [
    "tc1qw508d6qejxtdg4y5r3zarvary0c5xw7kg3g4ty", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
    "BC13W508D6QEJXTDG4Y5R3ZARVARY0C5XW7KN40WF2", "bc1rw5uspcuh",
    "bc10w508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kw5rljs90",
    "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P", "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sL5k7",
    "bc1zw508d6qejxtdg4y5r3zarvaryvqyzf3du", "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3pjxtptv",
    "bc1gmk9yu", "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7k7grplx", "BC1SW50QA3JX3S",
    "bc1zw508d6qejxtdg4y5r3zarvaryvg6kdaj", "tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
    "tb1z0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqglt7rf",
    "BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh",
    "tb1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq24jc47",
    "bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4",
    "BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R", "bc1pw5dgrnzv",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav",
    "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf",
    "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j", "", "1", "bc1", "bc1q", "BCRT1", "\u{e9}",
    "bc1q\u{212a}", "bc1pfeessrawgf ", " bc1pfeessrawgf",
  ]

  @Test(arguments: validSegwit) func `a segwit address is read and written as BIP 173 and BIP 350 say`(
    text: String, script: String
  ) throws {
    let address = try Address(text)
    #expect(address.scriptPubKey.hex == script)
    #expect(address.description == text.lowercased())
    #expect(Address(scriptPubKey: try Script(hex: script), on: address.network) == address)
  }

  @Test(arguments: invalidSegwit) func `what BIP 173 and BIP 350 call invalid is no address`(text: String) {
    #expect(throws: AddressError.self) { try Address(text) }
  }

  @Test func `an address of several networks takes the expected one and refuses any other`() throws {
    let text = "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7"
    #expect(try Address(text).network == .testnet)
    #expect(try Address(text).possibleNetworks == [.testnet, .testnet4, .signet])
    for network in [Network.testnet, .testnet4, .signet] {
      let address = try Address(text, expecting: network)
      #expect(address.network == network)
      #expect(address.description == text)
    }
    for network in [Network.bitcoin, .regtest] {
      #expect(throws: AddressError.wrongNetwork(possible: [.testnet, .testnet4, .signet])) {
        try Address(text, expecting: network)
      }
    }
    #expect(try Address("mzK2FFDEhxqHcmrJw1ysqFkVyhUULo45hZ", expecting: .regtest).network == .regtest)
  }

  @Test func `a script without an address has none`() throws {
    for hex in ["", "51", "00", "6a00", "0015" + String(repeating: "00", count: 21), "5101aa", "0002abcd", "ac"] {
      #expect(Address(scriptPubKey: try Script(hex: hex), on: .bitcoin) == nil, "\(hex)")
    }
  }

  @Test func `every network writes its own address of a key`() throws {
    let key = try PublicKey(hex: "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
    let texts = [
      ("1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH", Destination.p2pkh(key), Network.bitcoin),
      ("mrCDrCybB6J1vRfbwM5hemdJz73FwDBC8r", .p2pkh(key), .testnet),
      ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", .p2wpkh(key), .bitcoin),
      ("tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", .p2wpkh(key), .signet),
    ]
    for (text, destination, network) in texts {
      #expect(Address(destination, on: network).description == text)
      #expect(try Address(text, expecting: network).destination == destination)
    }
  }

  // MARK: Larger suites

  @Test(.vectors("bitcoin-core/key_io_valid.json")) func `Bitcoin Core's valid addresses and keys`() throws {
    let path = "bitcoin-core/key_io_valid.json"
    var count = 0
    for row in try Vectors.json(path).array {
      let text = try row.required(0).string
      let payload = try row.required(1).string
      let flags = try row.required(2)
      let network = try #require(Network(chainName: flags.required("chain").string))
      if flags["isPrivkey"]?.boolValue == true {
        let key = try PrivateKeyWIF(text, expecting: network)
        #expect(Hex.encode(key.secretKey.bytes) == payload, "\(text)")
        #expect(key.isCompressed == flags["isCompressed"]?.boolValue, "\(text)")
        #expect(key.text == text)
        #expect(throws: AddressError.self) { try Address(text) }
        for other in Network.allCases where other.kind != network.kind {
          #expect(throws: DecodingError.self) { _ = try PrivateKeyWIF(text, expecting: other) }
        }
      } else {
        let address = try Address(text, expecting: network)
        #expect(address.scriptPubKey.hex == payload, "\(text)")
        #expect(Address(scriptPubKey: address.scriptPubKey, on: network)?.description == text)
        #expect(throws: DecodingError.self) { _ = try PrivateKeyWIF(text) }
        // The other case of a segwit address is the same address; of a Base58 one it is none.
        let flipped = String(
          decoding: text.utf8.map { 0x61...0x7a ~= $0 ? $0 - 32 : 0x41...0x5a ~= $0 ? $0 + 32 : $0 }, as: UTF8.self)
        if flags["tryCaseFlip"]?.boolValue == true {
          #expect(try Address(flipped, expecting: network) == address, "\(flipped)")
        } else {
          #expect(throws: AddressError.self, "\(flipped)") { try Address(flipped, expecting: network) }
        }
        for other in Network.allCases where !address.possibleNetworks.contains(other) {
          #expect(throws: AddressError.wrongNetwork(possible: address.possibleNetworks)) {
            try Address(text, expecting: other)
          }
        }
      }
      count += 1
    }
    Vectors.report(path, cases: count)
  }

  @Test(.vectors("bitcoin-core/key_io_invalid.json")) func `Bitcoin Core's invalid addresses and keys`() throws {
    let path = "bitcoin-core/key_io_invalid.json"
    var count = 0
    for row in try Vectors.json(path).array {
      let text = try row.required(0).string
      #expect(throws: AddressError.self, "\(text)") { try Address(text) }
      #expect(throws: DecodingError.self, "\(text)") { _ = try PrivateKeyWIF(text) }
      for network in Network.allCases {
        #expect(throws: AddressError.self, "\(text)") { try Address(text, expecting: network) }
        #expect(throws: DecodingError.self, "\(text)") { _ = try PrivateKeyWIF(text, expecting: network) }
      }
      count += 1
    }
    Vectors.report(path, cases: count)
  }

  @Test(.vectors("bitcoin-core/base58_encode_decode.json")) func `Bitcoin Core's Base58 cases`() throws {
    let path = "bitcoin-core/base58_encode_decode.json"
    var count = 0
    for row in try Vectors.json(path).array {
      let bytes = try Hex.decode(row.required(0).string)
      let text = try row.required(1).string
      #expect(Base58.encode(bytes.bytes) == text)
      #expect(try Base58.decode(text, maximumLength: text.utf8.count) == bytes)
      count += 1
    }
    Vectors.report(path, cases: count)
  }
}

extension JSONValue {
  /// An element that the file must have.
  func required(_ index: Int) throws -> JSONValue {
    guard let value = self[index] else {
      throw VectorError.unexpected("no element \(index) in \(description.prefix(200))")
    }
    return value
  }
}
