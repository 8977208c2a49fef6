internal import Encoding
internal import Hashing

/// How a seed is kept: 12 bytes of head, then the entropy, either as it is or encrypted under a passphrase.
///
///     "GLC seed" (8) | version 1 (1) | protection (1) | number of entropy bytes (1) | 0 (1)
///     protection 0:  entropy | first 4 bytes of SHA-256(all before)
///     protection 1:  passes (4) | memory in KiB (4) | salt (16) | nonce (24) | ciphertext and tag (entropy + 16)
///
/// Protection 1 is Argon2id and XChaCha20-Poly1305; everything in front of the ciphertext is authenticated with it.
public enum SeedFile {
  /// What it costs to try one passphrase.
  public struct Cost: Hashable, Sendable {
    /// Passes over the memory, from 1 to 1,000.
    public var passes: UInt32
    /// In KiB, from 8 to 4,194,304 (4 GiB).
    public var kibibytes: UInt32

    public init(passes: UInt32, kibibytes: UInt32) {
      self.passes = passes
      self.kibibytes = kibibytes
    }

    /// libsodium's MODERATE: three passes over 256 MiB, about a second.
    public static let moderate = Cost(passes: 3, kibibytes: 256 << 10)

    var isInRange: Bool { 1...1000 ~= passes && 8...(4 << 20) ~= kibibytes }
  }

  public static let version: UInt8 = 1
  private static let magic = [UInt8]("GLC seed".utf8)

  /// The file's bytes, encrypted when there is a passphrase that is not empty. Throws `.outOfMemory`.
  public static func encode(
    _ seed: borrowing MasterSeed, passphrase: String? = nil, cost: Cost = .moderate
  ) throws(SeedError) -> [UInt8] {
    var writer = ByteWriter(reservingCapacity: 128)
    writer.write(magic)
    writer.write(version)
    let isEncrypted = passphrase?.isEmpty == false
    writer.write(isEncrypted ? 1 : 0 as UInt8)
    writer.write(UInt8(seed.byteCount))
    writer.write(0 as UInt8)
    guard isEncrypted, let passphrase else {
      writer.write(seed.entropy)
      writer.write(sha256(writer.bytes).bytes.extracting(0..<4).array)
      return writer.bytes
    }
    guard cost.isInRange else { throw .malformed }
    let salt = FixedBytes<16>.drawn()
    let nonce = FixedBytes<24>.drawn()
    writer.write(cost.passes)
    writer.write(cost.kibibytes)
    writer.write(salt)
    writer.write(nonce)
    let key = try key(passphrase, salt, cost)
    writer.write(
      XChaCha20Poly1305.seal(key: key, nonce: nonce, associatedData: writer.bytes.bytes, plaintext: seed.entropy))
    return writer.bytes
  }

  /// Whether a passphrase is needed. Throws `.malformed`, `.newer`.
  public static func isEncrypted(_ bytes: [UInt8]) throws(SeedError) -> Bool { try head(bytes).isEncrypted }

  /// Throws `.passphraseNeeded`, `.wrongPassphrase` (or an altered file: the two cannot be told apart), `.malformed`, `.newer`,
  /// `.outOfMemory`. A passphrase that is not needed is not looked at.
  public static func decode(_ bytes: [UInt8], passphrase: String? = nil) throws(SeedError) -> MasterSeed {
    let head = try head(bytes)
    guard head.isEncrypted else { return try decodePlain(bytes, entropySize: head.entropySize) }
    let cost: Cost
    let salt: FixedBytes<16>
    let nonce: FixedBytes<24>
    let prefix: Int
    do {
      var reader = ByteReader(bytes.bytes)
      try reader.skip(headSize)
      cost = Cost(passes: try reader.readUInt32(), kibibytes: try reader.readUInt32())
      salt = try reader.read()
      nonce = try reader.read()
      prefix = reader.offset
      try reader.skip(head.entropySize + XChaCha20Poly1305.tagByteCount)
      try reader.finish()
    } catch {
      throw .malformed
    }
    guard cost.isInRange else { throw .malformed }
    return try open(
      bytes.bytes.extracting(prefix..<bytes.count), nonce: nonce, associatedData: bytes.bytes.extracting(0..<prefix),
      passphrase, salt, cost)
  }

  private static func decodePlain(_ bytes: [UInt8], entropySize: Int) throws(SeedError) -> MasterSeed {
    let checked = headSize + entropySize
    guard bytes.count == checked + 4 else { throw .malformed }
    let expected = sha256(bytes.bytes.extracting(0..<checked))
    guard bytes.bytes.extracting(checked..<checked + 4).elementsEqual(expected.bytes.extracting(0..<4)),
      let seed = MasterSeed(entropy: bytes.bytes.extracting(headSize..<checked))
    else { throw .malformed }
    return seed
  }

  private static func open(
    _ ciphertext: RawSpan, nonce: FixedBytes<24>, associatedData: RawSpan, _ passphrase: String?,
    _ salt: FixedBytes<16>, _ cost: Cost
  ) throws(SeedError) -> MasterSeed {
    guard let passphrase, !passphrase.isEmpty else { throw .passphraseNeeded }
    let key = try key(passphrase, salt, cost)
    guard
      var entropy = XChaCha20Poly1305.open(
        key: key, nonce: nonce, associatedData: associatedData, ciphertext: ciphertext)
    else { throw .wrongPassphrase }
    defer { wipe(&entropy) }
    guard let seed = MasterSeed(entropy: entropy.bytes) else { throw .malformed }
    return seed
  }

  private static func key(
    _ passphrase: String, _ salt: FixedBytes<16>, _ cost: Cost
  ) throws(SeedError) -> SecretBytes32 {
    var password = [UInt8](passphrase.utf8)
    defer { wipe(&password) }
    guard
      let key = Argon2id.key(
        password: password, salt: salt, operations: cost.passes, memory: Int(cost.kibibytes) << 10)
    else { throw .outOfMemory }
    return key
  }

  private static let headSize = 12

  private static func head(_ bytes: [UInt8]) throws(SeedError) -> (isEncrypted: Bool, entropySize: Int) {
    guard bytes.count >= headSize, bytes.starts(with: magic) else { throw .malformed }
    guard bytes[8] == version else { throw .newer(version: bytes[8]) }
    guard bytes[9] <= 1 else { throw .newer(version: bytes[8]) }
    let entropySize = Int(bytes[10])
    guard 16...32 ~= entropySize, entropySize.isMultiple(of: 4), bytes[11] == 0 else { throw .malformed }
    return (bytes[9] == 1, entropySize)
  }
}

/// Why a seed cannot be had or kept.
public enum SeedError: Error, Hashable, Sendable {
  /// Not a seed file, or a damaged one.
  case malformed
  /// Written by a newer version of the program.
  case newer(version: UInt8)
  case passphraseNeeded
  /// The passphrase is wrong, or the file was altered.
  case wrongPassphrase
  /// There is not enough memory to derive the key.
  case outOfMemory
  /// There is a seed already: it is never overwritten.
  case exists(path: String)
  case missing(path: String)
  /// Others than its owner can read the file.
  case readableByOthers(path: String)
  case unusable(path: String, reason: String)
}

extension SeedError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .malformed: "the seed file is damaged: restore it from a copy, or from the words"
    case .newer(let version): "the seed file has version \(version), which only a newer program can read"
    case .passphraseNeeded: "the seed is encrypted: give its passphrase"
    case .wrongPassphrase: "the passphrase is wrong (or the seed file was altered)"
    case .outOfMemory: "not enough memory to decrypt the seed"
    case .exists(let path): "\(path) exists and is never overwritten: move it away first, and keep it"
    case .missing(let path): "there is no seed at \(path)"
    case .readableByOthers(let path): "others can read \(path): chmod 600 it"
    case .unusable(let path, let reason): "cannot use \(path): \(reason)"
    }
  }
}
