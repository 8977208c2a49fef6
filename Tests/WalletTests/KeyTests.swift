import Bitcoin
import Encoding
import Foundation
import Hashing
import Secp256k1
import Testing

@testable import Wallet

@Suite struct KeyTests {
  @Test("addresses are those of BIP 84 and BIP 86")
  func addresses() throws {
    let keys = Fixture.ring(Fixture.phrase12, .main).walletKeys
    // The test vectors of both BIPs.
    let expected: [(AddressPath, String)] = [
      (.init(kind: .segwit, isChange: false, index: 0), "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"),
      (.init(kind: .segwit, isChange: false, index: 1), "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g"),
      (.init(kind: .segwit, isChange: true, index: 0), "bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el"),
      (
        .init(kind: .taproot, isChange: false, index: 0),
        "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr"
      ),
      (
        .init(kind: .taproot, isChange: false, index: 1),
        "bc1p4qhjn9zdvkux4e44uhx8tc55attvtyu358kutcqkudyccelu0was9fqzwh"
      ),
      (
        .init(kind: .taproot, isChange: true, index: 0),
        "bc1p3qkhfews2uk44qtvauqyr2ttdsw7svhkl9nkm9s9c3x4ax5h60wqwruhk7"
      ),
    ]
    var wallet = Wallet(keys: keys, network: .bitcoin, birth: 0)
    for (path, address) in expected {
      #expect(try wallet.address(of: path).description == address)
      #expect(wallet.path(of: try wallet.address(of: path).scriptPubKey) == path)
    }
    #expect(try wallet.newAddress(.segwit).address.description == expected[0].1)
    #expect(try wallet.newAddress(.segwit).address.description == expected[1].1)
    #expect(try wallet.newAddress(.taproot).address.description == expected[3].1)
    #expect(keys.fingerprint.hex == "73c5da0a")
    #expect(keys.origin(expected[5].0).path == [0x8000_0056, 0x8000_0000, 0x8000_0000, 1, 0])
  }

  @Test("every secret has its own place, the same tomorrow")
  func secrets() throws {
    let ring = Fixture.ring
    let other = Fixture.ring(Fixture.phrase24, .main)
    let channels = try [
      ring.channelSeed(index: 0), ring.channelSeed(index: 1), ring.channelSeed(index: 1 << 31),
      ring.channelSeed(index: (1 << 62) - 1), ring.channelSeed(index: 0, nonce: [1]), other.channelSeed(index: 0),
    ]
    func bytes(_ label: String) -> [UInt8] {
      let secret = ring.secret(label: label)
      return secret.bytes.array
    }
    func bytes(of ring: KeyRing) -> [UInt8] {
      let secret = ring.nodeSecret()
      return secret.bytes.array
    }
    let labels = [bytes(""), bytes("a"), bytes("b")]
    var all = labels + [bytes(of: ring), bytes(of: other)]
    for channel in channels { all.append(channel.array) }
    #expect(Set(all).count == all.count)
    #expect(throws: ExtendedKeyError.self) { try ring.channelSeed(index: 1 << 62) }
    // Figures of this program: a node that derives others tomorrow has lost its channels.
    #expect(ring.nodeID.hex == "03510c090465793c4c7470c2fb9dd1df5b8927990eb3de1efe3435ce307d022338")
    #expect(channels[0].hex == "bfcbbd841ff99d296802eeec243395d8496b8bb53094770e69f15bd748cd8ecf")
    #expect(Hex.encode(labels[1]) == "a114301ba59ccbd6b8344103e9c4e3555f543f0a6964f3fd9afdb1db48a5e068")
    let node = ring.withNodeSecret { $0.publicKey }
    #expect(node == ring.nodeID)
    // The paths, by way of BIP 32 itself.
    let seed = try Mnemonic(Fixture.phrase24, language: .english).seed()
    let master = try ExtendedSecretKey(seed: seed, networkKind: .test)
    #expect(try master.derive(DerivationPath("m/4672579h/1h/0h")).publicKey == ring.nodeID)
    let channel = try master.derive(DerivationPath("m/4672579h/1h/1h/1h/0h"))
    let key = channel.secretKey.bytes.array
    let message = [UInt8]("glc/channel".utf8) + [0]
    let mac = HMACSHA256(key: key).authenticate(message.bytes)
    #expect(mac == channels[2])
  }

  @Test("a key ring shows nothing of what it holds")
  func hidden() {
    var text = ""
    dump(Fixture.ring, to: &text)
    text += "\(Fixture.ring) \(String(reflecting: Fixture.ring))"
    #expect(text.contains("KeyRing(5436d724)"), "\(text)")
    #expect(!text.lowercased().contains("secret"))
    #expect(text.count < 200, "\(text)")
  }

  @Test("a new seed has 24 words, and the words make it again")
  func phrases() throws {
    let seed = MasterSeed.random()
    let phrase = seed.revealPhrase()
    #expect(phrase.split(separator: " ").count == 24)
    let again = try MasterSeed(phrase: phrase)
    let entropies = [again.entropy.array, seed.entropy.array]
    #expect(entropies[0] == entropies[1])
    #expect(MasterSeed.random().revealPhrase() != phrase)
    #expect(try MasterSeed(phrase: Fixture.phrase12).revealPhrase() == Fixture.phrase12)
    #expect(throws: MnemonicError.self) { _ = try MasterSeed(phrase: "abandon") }
  }
}

@Suite struct SeedFileTests {
  private static let cheap = SeedFile.Cost(passes: 1, kibibytes: 8)

  @Test("XChaCha20-Poly1305 gives the figures of its draft, appendix A.3.1")
  func cipher() throws {
    let key = try Bytes32((0x80...0x9f).map { UInt8($0) })
    let nonce = try FixedBytes<24>((0x40...0x57).map { UInt8($0) })
    let data = try Hex.decode("50515253c0c1c2c3c4c5c6c7")
    let text =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."
    let expected =
      "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb"
      + "96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c68b13b52e"
      + "c0875924c1c7987947deafd8780acf49"
    let secret = SecretBytes32(key)
    let plaintext = [UInt8](text.utf8)
    let sealed = XChaCha20Poly1305.seal(
      key: secret, nonce: nonce, associatedData: data.bytes, plaintext: plaintext.bytes)
    #expect(Hex.encode(sealed) == expected)
    let opened = XChaCha20Poly1305.open(key: secret, nonce: nonce, associatedData: data.bytes, ciphertext: sealed.bytes)
    #expect(opened == plaintext)
    for index in sealed.indices {
      var wrong = sealed
      wrong[index] ^= 1
      #expect(
        XChaCha20Poly1305.open(key: secret, nonce: nonce, associatedData: data.bytes, ciphertext: wrong.bytes) == nil)
    }
    let short = Array(sealed.prefix(15))
    #expect(
      XChaCha20Poly1305.open(key: secret, nonce: nonce, associatedData: data.bytes, ciphertext: short.bytes) == nil)
  }

  @Test("Argon2id takes password, salt and cost into the key")
  func derivation() throws {
    let salt = try FixedBytes<16>([UInt8](0..<16))
    func key(_ password: String, _ salt: FixedBytes<16>, _ passes: UInt32, _ memory: Int) -> [UInt8]? {
      guard let key = Argon2id.key(password: [UInt8](password.utf8), salt: salt, operations: passes, memory: memory)
      else { return nil }
      return key.bytes.array
    }
    let keys = [
      key("password", salt, 1, 8192), key("passwore", salt, 1, 8192), key("password", FixedBytes(), 1, 8192),
      key("password", salt, 2, 8192), key("password", salt, 1, 16384), key("", salt, 1, 8192),
    ]
    #expect(!keys.contains(nil))
    #expect(Set(keys).count == keys.count)
    #expect(keys[0].map { Hex.encode($0) } == "3a008963c65f7ffa7331a90babd1fd17ea9f03bd05356b857ceb43f7b7080adc")
    #expect(key("password", salt, 0, 8192) == nil)
    #expect(key("password", salt, 1, 8191) == nil)
  }

  @Test("a seed file gives its seed back, with and without a passphrase")
  func roundTrip() throws {
    for phrase in [Fixture.phrase12, Fixture.phrase24] {
      let seed = try MasterSeed(phrase: phrase)
      let plain = try SeedFile.encode(seed)
      #expect(try !SeedFile.isEncrypted(plain))
      #expect(try SeedFile.decode(plain).revealPhrase() == phrase)
      #expect(try SeedFile.encode(seed, passphrase: "") == plain)
      let locked = try SeedFile.encode(seed, passphrase: "correct horse ü", cost: Self.cheap)
      #expect(try SeedFile.isEncrypted(locked))
      #expect(try SeedFile.decode(locked, passphrase: "correct horse ü").revealPhrase() == phrase)
      // Salt and nonce are drawn each time.
      #expect(try SeedFile.encode(seed, passphrase: "correct horse ü", cost: Self.cheap) != locked)
      #expect(throws: SeedError.wrongPassphrase) { _ = try SeedFile.decode(locked, passphrase: "correct horse") }
      #expect(throws: SeedError.passphraseNeeded) { _ = try SeedFile.decode(locked) }
      #expect(throws: SeedError.passphraseNeeded) { _ = try SeedFile.decode(locked, passphrase: "") }
      // The entropy is nowhere in it.
      let entropy = seed.entropy.array
      #expect(!locked.indices.contains { locked[$0...].starts(with: entropy) })
    }
  }

  @Test("no altered or shortened seed file is taken for a good one")
  func malformed() throws {
    let seed = MasterSeed.random()
    for passphrase in [nil, "x"] {
      let good = try SeedFile.encode(seed, passphrase: passphrase, cost: Self.cheap)
      for index in good.indices {
        // In the cost, only the lowest bit: others may ask for gigabytes.
        let masks: [UInt8] = passphrase != nil && 12..<20 ~= index ? [1] : [1, 0x80, 0xff]
        if passphrase != nil && [12, 13, 14, 16, 17].contains(index) { continue }
        for mask in masks {
          var bad = good
          bad[index] ^= mask
          #expect(throws: SeedError.self, "byte \(index)") { _ = try SeedFile.decode(bad, passphrase: "x") }
        }
      }
      for count in good.indices {
        #expect(throws: SeedError.self) { _ = try SeedFile.decode(Array(good.prefix(count)), passphrase: "x") }
      }
      #expect(throws: SeedError.malformed) { _ = try SeedFile.decode(good + [0], passphrase: "x") }
      var newer = good
      newer[8] = 2
      #expect(throws: SeedError.newer(version: 2)) { _ = try SeedFile.decode(newer, passphrase: "x") }
      guard passphrase != nil else { continue }
      // A cost that nobody would choose is not paid.
      for index in [12, 16] {
        var costly = good
        costly[index] = 0xff
        #expect(throws: SeedError.malformed) { _ = try SeedFile.decode(costly, passphrase: "x") }
      }
    }
  }

  @Test("a seed file is written once, for its owner alone")
  func disk() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("glc-seed-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = folder + "/seed"
    #expect(!SeedFile.exists(at: path))
    #expect(throws: SeedError.missing(path: path)) { try SeedFile.read(at: path) }
    let seed = MasterSeed.random()
    try SeedFile.create(at: path, seed)
    #expect(SeedFile.exists(at: path))
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber
    #expect(mode?.intValue == 0o600)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["seed"])
    #expect(try SeedFile.decode(SeedFile.read(at: path)).revealPhrase() == seed.revealPhrase())
    #expect(throws: SeedError.exists(path: path)) { try SeedFile.create(at: path, MasterSeed.random()) }
    #expect(try SeedFile.decode(SeedFile.read(at: path)).revealPhrase() == seed.revealPhrase())
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
    #expect(throws: SeedError.readableByOthers(path: path)) { try SeedFile.read(at: path) }
    // Encrypted, others may see it.
    let second = folder + "/second"
    try SeedFile.create(at: second, seed, passphrase: "x", cost: Self.cheap)
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: second)
    #expect(try SeedFile.decode(SeedFile.read(at: second), passphrase: "x").revealPhrase() == seed.revealPhrase())
    #expect(throws: SeedError.self) { try SeedFile.create(at: folder + "/no/such/seed", seed) }
  }
}
