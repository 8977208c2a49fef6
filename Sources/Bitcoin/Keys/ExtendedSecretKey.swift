public import Encoding
internal import Hashing
public import Secp256k1

/// A secret key and a chain code (BIP 32): the whole tree below follows from it. Wiped when its owner lets it go.
public struct ExtendedSecretKey: ~Copyable, Sendable {
  let header: ExtendedKeyHeader
  public let chainCode: Bytes32
  public let secretKey: SecretKey
  /// secret · G, computed once: every child's fingerprint and every normal child needs it.
  public let publicKey: PublicKey

  init(header: ExtendedKeyHeader, chainCode: Bytes32, secretKey: consuming SecretKey) {
    self.header = header
    self.chainCode = chainCode
    self.publicKey = secretKey.publicKey
    self.secretKey = secretKey
  }

  /// The master key of a seed of 16 to 64 bytes. Throws `.invalidSeedLength`, `.invalidKey`.
  public init(seed: RawSpan, networkKind: NetworkKind) throws(ExtendedKeyError) {
    // BIP 32: Generate a seed byte sequence S of a chosen length (between 128 and 512 bits; 256 bits is advised).
    guard 16...64 ~= seed.byteCount else { throw .invalidSeedLength(seed.byteCount) }
    let key = [UInt8]("Bitcoin seed".utf8)
    var hash = hmacSHA512(key: key.bytes, seed)
    defer { wipe(&hash) }
    var chainCode = Bytes32()
    for index in 0..<32 { chainCode[index] = hash[index + 32] }
    let secretKey: SecretKey
    do {
      secretKey = try SecretKey(copying: hash.bytes.extracting(0..<32))
    } catch {
      throw .invalidKey
    }
    self.init(header: .master(networkKind), chainCode: chainCode, secretKey: secretKey)
  }

  public init(seed: [UInt8], networkKind: NetworkKind) throws(ExtendedKeyError) {
    try self.init(seed: seed.bytes, networkKind: networkKind)
  }

  public var networkKind: NetworkKind { header.networkKind }
  /// 0 for a master key.
  public var depth: UInt8 { header.depth }
  public var parentFingerprint: KeyFingerprint { header.parentFingerprint }
  public var childNumber: ChildNumber { header.childNumber }
  public var fingerprint: KeyFingerprint { KeyFingerprint(of: publicKey) }

  /// N: the same place in the tree without the secret.
  public var extendedPublicKey: ExtendedPublicKey {
    ExtendedPublicKey(header: header, chainCode: chainCode, publicKey: publicKey)
  }

  /// The same key a second time, for a second owner.
  public func copy() -> ExtendedSecretKey {
    ExtendedSecretKey(header: header, chainCode: chainCode, secretKey: secretKey.copy())
  }

  // MARK: Derivation

  /// CKDpriv. Throws `.tooDeep`, `.invalidChild`.
  public func child(_ number: ChildNumber) throws(ExtendedKeyError) -> ExtendedSecretKey {
    let header = try header.child(number, of: publicKey)
    var data = FixedBytes<37>()
    defer { wipe(&data) }
    if number.isHardened {
      // BIP 32: Data = 0x00 || ser256(kpar) || ser32(i).
      let secret = secretKey.bytes
      for index in 0..<32 { data[index + 1] = secret[index] }
    } else {
      // BIP 32: Data = serP(point(kpar)) || ser32(i).
      let point = publicKey.bytes
      for index in 0..<33 { data[index] = point[index] }
    }
    for index in 0..<4 { data[33 + index] = UInt8(truncatingIfNeeded: number.rawValue >> UInt32(24 - 8 * index)) }
    var hash = hmacSHA512(key: chainCode.bytes, data.bytes)
    defer { wipe(&hash) }
    var childCode = Bytes32()
    for index in 0..<32 { childCode[index] = hash[index + 32] }
    do {
      let child = try secretKey.adding(hash.bytes.extracting(0..<32))
      return ExtendedSecretKey(header: header, chainCode: childCode, secretKey: child)
    } catch {
      throw .invalidChild
    }
  }

  public func derive(_ path: DerivationPath) throws(ExtendedKeyError) -> ExtendedSecretKey {
    var key = copy()
    for step in path.steps { key = try key.child(step) }
    return key
  }

  // MARK: Text

  /// `xprv…` or `tprv…`, 111 characters, secret as the key itself.
  public var text: String {
    var writer = ByteWriter(reservingCapacity: 78)
    ExtendedKeyText.write(header, isSecret: true, chainCode: chainCode, to: &writer)
    writer.write(0 as UInt8)
    writer.write(secretKey.bytes)
    defer { wipe(&writer.bytes) }
    return Base58Check.encode(writer.bytes.bytes)
  }

  /// Reads an `xprv` or `tprv`.
  public init(_ text: String) throws(ExtendedKeyError) {
    var bytes = try ExtendedKeyText.payload(of: text)
    defer { wipe(&bytes) }
    var parsed = try ExtendedKeyText(bytes)
    defer { wipe(&parsed.key) }
    guard parsed.isSecret else { throw .publicKeyWhereSecretExpected }
    let secretKey: SecretKey
    do {
      secretKey = try SecretKey(copying: parsed.key.bytes.extracting(1..<33))
    } catch {
      throw .invalidKey
    }
    self.init(header: parsed.header, chainCode: parsed.chainCode, secretKey: secretKey)
  }
}
