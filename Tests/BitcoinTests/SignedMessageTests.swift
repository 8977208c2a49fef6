import Bitcoin
import Encoding
import Hashing
import Secp256k1
import Testing

@Suite struct SignedMessageTests {
  /// Signatures that LND nodes made, as other implementations' tests carry them: text, signature, node id.
  static let lightning: [(String, String, String)] = [
    (
      "is this compatible?",
      "rbgfioj114mh48d8egqx8o9qxqw4fmhe8jbeeabdioxnjk8z3t1ma1hu1fiswpakgucwwzwo6ofycffbsqusqdimugbh41n1g698hr9t",
      "02b80cabdf82638aac86948e4c06e82064f547768dcef977677b9ea931ea75bab5"
    ),
    (
      "hi", "rnrphcjswusbacjnmmmrynh9pqip7sy5cx695h6mfu64iac6qmcmsd8xnsyczwmpqp9shqkth3h4jmkgyqu5z47jfn1q7gpxtaqpx4xg",
      "02de60d194e1ca5947b59fe8e2efd6aadeabfb67f2e89e13ae1a799c1e08e4a43b"
    ),
    (
      "hi", "ry8bbsopmduhxy3dr5d9ekfeabdpimfx95kagdem7914wtca79jwamtbw4rxh69hg7n6x9ty8cqk33knbxaqftgxsfsaeprxkn1k48p3",
      "022b8ece90ee891cbcdac0c1cc6af46b73c47212d8defbce80265ac81a6b794931"
    ),
  ]

  @Test("signatures of LND nodes name their nodes", arguments: lightning)
  func nodes(message: String, signature: String, nodeID: String) throws {
    #expect(try LightningSignedMessage.recoverPublicKey(from: signature, of: message).hex == nodeID)
    // Of another text they name another node, if any.
    let other = try? LightningSignedMessage.recoverPublicKey(from: signature, of: message + " ")
    #expect(other?.hex != nodeID)
  }

  @Test("what is signed is verified, whatever the text")
  func roundTrip() throws {
    for message in ["", "a", "Lightning Signed Message:", String(repeating: "é", count: 70_000), "\u{0}\n"] {
      let key = SecretKey.random()
      let signature = LightningSignedMessage.sign(message, with: key)
      #expect(signature.utf8.count == 104)
      #expect(try LightningSignedMessage.recoverPublicKey(from: signature, of: message) == key.publicKey)
      for compressed in [true, false] {
        let text = BitcoinSignedMessage.sign(message, with: key, compressed: compressed)
        #expect(text.utf8.count == 88)
        let recovered = try BitcoinSignedMessage.recoverPublicKey(from: text, of: message)
        #expect(recovered.key == key.publicKey && recovered.isCompressed == compressed)
      }
    }
  }

  /// Bitcoin Core, util_tests.cpp: message_sign and message_verify.
  @Test("the signed messages of Bitcoin Core")
  func bitcoinCore() throws {
    let key = try SecretKey(Bytes32(hex: "d97f5108f11cda6eeebaaa420fef0726b1f898060b98489fa3098463c0032866"))
    let signature = "IPojfrX2dfPnH26UegfbGQQLrdK844DlHq5157/P6h57WyuS/Qsl+h/WSVGDF4MUi4rWSswW38oimDYfNNUBUOk="
    #expect(BitcoinSignedMessage.sign("Trust no one", with: key) == signature)
    let cases = [
      ("15CRxFdyRpGZLW9w8HnHvVduizdL5jKNbs", signature, "Trust no one", true),
      ("15CRxFdyRpGZLW9w8HnHvVduizdL5jKNbs", signature, "I never signed this", false),
      (
        "11canuhp9X2NocwCq7xNrQYTmUgZAnLK3",
        "IIcaIENoYW5jZWxsb3Igb24gYnJpbmsgb2Ygc2Vjb25kIGJhaWxvdXQgZm9yIGJhbmtzIAaHRtbCeDZINyavx14=", "Trust me", true
      ),
    ]
    for (address, signature, message, isValid) in cases {
      let recovered = try BitcoinSignedMessage.recoverPublicKey(from: signature, of: message)
      #expect(recovered.isCompressed)
      #expect(try (hash160(recovered.key.array).array == Array(Base58.decode(address)[1..<21])) == isValid)
    }
  }

  @Test("text that is no signature is refused")
  func malformed() {
    let zeros = String(repeating: "A", count: 87) + "="
    for text in ["", "garbage", zeros, String(repeating: "y", count: 104), "not base64!"] {
      #expect(throws: Secp256k1Error.invalidSignature) {
        try LightningSignedMessage.recoverPublicKey(from: text, of: "")
      }
      #expect(throws: Secp256k1Error.invalidSignature) { try BitcoinSignedMessage.recoverPublicKey(from: text, of: "") }
    }
    // Well formed, but r = s = 0.
    let header = [UInt8](repeating: 0, count: 65)
    for first in 27...34 as ClosedRange<UInt8> {
      let bytes = [first] + header.dropFirst()
      #expect(throws: Secp256k1Error.unrecoverableSignature) {
        try BitcoinSignedMessage.recoverPublicKey(from: Base64.encode(bytes.bytes), of: "")
      }
    }
    for first in [0, 26, 30, 35, 255] as [UInt8] {
      let bytes = [first] + header.dropFirst()
      let text = ZBase32.encode(bytes.bytes)
      #expect(throws: Secp256k1Error.invalidSignature) {
        try LightningSignedMessage.recoverPublicKey(from: text, of: "")
      }
    }
  }
}
