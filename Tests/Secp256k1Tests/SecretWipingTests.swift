import Encoding
import Secp256k1
import Synchronization
import Testing

@Suite struct SecretWipingTests {
  /// What was seen of each secret's memory, after it was wiped and before it was freed, and how much was made.
  final class Log: Sendable {
    private let entries = Mutex<(made: [Int], wiped: [[UInt8]])>(([], []))
    var made: [Int] { entries.withLock { $0.made } }
    var wiped: [[UInt8]] { entries.withLock { $0.wiped } }

    var observer: SecretMemoryObserver {
      SecretMemoryObserver(
        made: { count in self.entries.withLock { $0.made.append(count) } },
        wiped: { span in
          let bytes = span.array
          self.entries.withLock { $0.wiped.append(bytes) }
        })
    }
  }

  /// The memory of the secrets that `body` lets go. Only those of this task: tests that run beside it are not seen.
  static func log(_ body: () throws -> Void) rethrows -> Log {
    let log = Log()
    try SecretMemoryObserver.$current.withValue(log.observer) { try body() }
    return log
  }

  /// Checks that `body` lets all secrets go that it makes, of these sizes, and that they are zero then.
  static func expectWiped(_ sizes: [Int]?, _ what: Comment, _ body: () throws -> Void) rethrows {
    let log = try log(body)
    if let sizes { #expect(log.made.sorted() == sizes.sorted(), what) }
    #expect(log.wiped.map(\.count).sorted() == log.made.sorted(), what)
    for bytes in log.wiped { #expect(bytes.allSatisfy { $0 == 0 }, what) }
  }

  let secret = try! Bytes32(hex: "d97f5108f11cda6eeebaaa420fef0726b1f898060b98489fa309846300320866")

  @Test("each kind of secret is zero before its memory is freed")
  func everyKind() throws {
    try Self.expectWiped([32], "a secret key") {
      let key = try SecretKey(secret)
      #expect(key.bytes.array == secret.array)
    }
    Self.expectWiped([32], "a random secret key") {
      let key = SecretKey.random()
      #expect(key.bytes.array.contains { $0 != 0 })
    }
    try Self.expectWiped([32, 96], "a key pair and the key it is made of") {
      let pair = KeyPair(try SecretKey(secret))
      #expect(pair.xOnlyPublicKey == pair.publicKey.xOnly.key)
    }
    try Self.expectWiped([32], "a scalar") {
      let scalar = try Scalar(secret)
      #expect(scalar.bytes == secret)
    }
    let signer = KeyPair(try SecretKey(secret))
    // The randomness, the secret key that goes in, and the nonce.
    Self.expectWiped([32, 32, 132], "a MuSig2 nonce that is not used") {
      let nonce = MuSigSecretNonce(signer: signer)
      #expect(nonce.publicKey == signer.publicKey)
    }
    let keys = try MuSigKeyAggregation([signer.publicKey])
    try Self.expectWiped([32, 32, 132], "a MuSig2 nonce that is used") {
      let nonce = MuSigSecretNonce(signer: signer)
      let session = MuSigSession(
        keys: keys, aggregateNonce: try MuSigAggregateNonce([nonce.publicNonce]), message: secret)
      _ = try session.sign(with: signer, nonce: nonce)
    }
    try Self.expectWiped([32, 32, 132, 32, 96], "a MuSig2 nonce that is refused, and the wrong key") {
      let nonce = MuSigSecretNonce(signer: signer)
      let other = KeyPair(SecretKey.random())
      let session = MuSigSession(
        keys: keys, aggregateNonce: try MuSigAggregateNonce([nonce.publicNonce]), message: secret)
      #expect((try? session.sign(with: other, nonce: nonce)) == nil)
    }
  }

  @Test("whatever a computation makes of secrets on its way is zero before its memory is freed")
  func intermediates() throws {
    let signer = KeyPair(try SecretKey(secret))
    let key = try SecretKey(secret)
    let point = SecretKey.random().publicKey
    try Self.expectWiped(nil, "intermediates") {
      _ = try key.adding(secret)
      _ = try key.multiplied(by: secret)
      _ = key.negated()
      _ = signer.signSchnorr(secret, auxRand: secret)
      _ = key.signECDSA(secret)
      _ = key.signRecoverable(secret)
      _ = key.sharedSecret(with: point)
      _ = key.sharedPoint(with: point)
      _ = try signer.xOnlyTweaked(by: secret)
      let preSignature = try signer.signSchnorrAdaptor(secret, point: key.publicKey, auxRand: secret)
      let signature = preSignature.adapted(with: key)
      _ = try preSignature.secret(from: signature, point: key.publicKey)
      let encrypted = try key.signECDSAAdaptor(secret, encryptionKey: key.publicKey, auxRand: secret)
      _ = try encrypted.secret(from: encrypted.decrypted(with: key), encryptionKey: key.publicKey)
      _ = try DLEQProof(secret: key, base: point, auxRand: secret)
      _ = try key.signMuSigDeterministically(
        keys: MuSigKeyAggregation([key.publicKey]),
        aggregateOtherNonce: MuSigSecretNonce(signer: signer).publicNonce.raw, message: [], auxRand: secret)
      #expect(throws: Secp256k1Error.invalidSecretKey) { _ = try SecretKey(Bytes32()) }
    }
  }

  @Test("hot signing paths keep no secret of their own, and take no memory for one")
  func hotPaths() throws {
    let signer = KeyPair(try SecretKey(secret))
    let key = try SecretKey(secret)
    Self.expectWiped([], "signing") {
      let signature = signer.signSchnorr(secret, auxRand: secret)
      #expect(signer.xOnlyPublicKey.isValidSchnorr(signature, for: secret))
      #expect(key.publicKey.isValidECDSA(key.signECDSA(secret), for: secret))
    }
  }

  @Test("secrets that other tasks let go are not seen")
  func isolation() async throws {
    let log = Log()
    await SecretMemoryObserver.$current.withValue(log.observer) {
      await Task.detached { _ = SecretKey.random() }.value
    }
    #expect(log.made.isEmpty)
    #expect(log.wiped.isEmpty)
    #expect(Self.log { _ = SecretKey.random() }.wiped.count == 1)
  }
}
