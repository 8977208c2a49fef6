public import Encoding
internal import Hashing
public import Secp256k1

/// The first four bytes of a key's HASH160 (BIP 32 §Key identifiers).
public struct KeyFingerprint: TypedBytes {
  public let raw: FixedBytes<4>
  public var bytes: RawSpan { @_addressableSelf @_lifetime(borrow self) get { raw.bytes } }
  public init(_ raw: FixedBytes<4>) { self.raw = raw }

  public init(of key: PublicKey) {
    let hash = hash160(key.bytes)
    var raw = FixedBytes<4>()
    for index in 0..<4 { raw[index] = hash[index] }
    self.raw = raw
  }

  /// What a master key has for a parent.
  public static let none = KeyFingerprint(FixedBytes())
}

/// Where a key comes from: the fingerprint of a master key and the path from there.
public struct KeyOrigin: Hashable, Sendable, CustomStringConvertible {
  public var fingerprint: KeyFingerprint
  public var path: DerivationPath

  public init(fingerprint: KeyFingerprint, path: DerivationPath = []) {
    self.fingerprint = fingerprint
    self.path = path
  }

  /// `d34db33f/44h/0h/0h`.
  public var description: String { ([fingerprint.hex] + path.steps.map(\.description)).joined(separator: "/") }
}

/// What BIP 32 writes beside the key: where in the tree it stands.
struct ExtendedKeyHeader: Hashable, Sendable {
  var networkKind: NetworkKind
  var depth: UInt8
  var parentFingerprint: KeyFingerprint
  var childNumber: ChildNumber

  static func master(_ kind: NetworkKind) -> ExtendedKeyHeader {
    ExtendedKeyHeader(networkKind: kind, depth: 0, parentFingerprint: .none, childNumber: .normal(0))
  }

  func child(_ number: ChildNumber, of parent: PublicKey) throws(ExtendedKeyError) -> ExtendedKeyHeader {
    guard depth < UInt8.max else { throw .tooDeep }
    return ExtendedKeyHeader(
      networkKind: networkKind, depth: depth + 1, parentFingerprint: KeyFingerprint(of: parent), childNumber: number)
  }
}

/// A point and a chain code (BIP 32): all normal children follow from it.
public struct ExtendedPublicKey: Hashable, Sendable, CustomStringConvertible {
  let header: ExtendedKeyHeader
  public let chainCode: Bytes32
  public let publicKey: PublicKey

  init(header: ExtendedKeyHeader, chainCode: Bytes32, publicKey: PublicKey) {
    self.header = header
    self.chainCode = chainCode
    self.publicKey = publicKey
  }

  /// A master key: depth 0, without parent.
  public init(publicKey: PublicKey, chainCode: Bytes32, networkKind: NetworkKind) {
    self.init(header: .master(networkKind), chainCode: chainCode, publicKey: publicKey)
  }

  public var networkKind: NetworkKind { header.networkKind }
  /// 0 for a master key.
  public var depth: UInt8 { header.depth }
  public var parentFingerprint: KeyFingerprint { header.parentFingerprint }
  public var childNumber: ChildNumber { header.childNumber }
  public var fingerprint: KeyFingerprint { KeyFingerprint(of: publicKey) }

  // MARK: Derivation

  /// CKDpub. Throws `.hardenedChildOfPublicKey`, `.tooDeep`, `.invalidChild`.
  public func child(_ number: ChildNumber) throws(ExtendedKeyError) -> ExtendedPublicKey {
    let (tweak, chainCode) = try childTweak(number)
    let header = try header.child(number, of: publicKey)
    do {
      return ExtendedPublicKey(header: header, chainCode: chainCode, publicKey: try publicKey.adding(tweak))
    } catch {
      throw .invalidChild
    }
  }

  /// I_L and I_R of CKDpub: what is added to the key (BIP 328 signs with it), and the child's chain code.
  public func childTweak(_ number: ChildNumber) throws(ExtendedKeyError) -> (tweak: Bytes32, chainCode: Bytes32) {
    // BIP 32: If so (hardened child): return failure.
    guard !number.isHardened else { throw .hardenedChildOfPublicKey }
    var data = ByteWriter(reservingCapacity: 37)
    data.write(publicKey)
    data.write(number.rawValue)
    let hash = hmacSHA512(key: chainCode.bytes, data.bytes.bytes)
    var left = Bytes32()
    var right = Bytes32()
    for index in 0..<32 {
      left[index] = hash[index]
      right[index] = hash[index + 32]
    }
    return (left, right)
  }

  public func derive(_ path: DerivationPath) throws(ExtendedKeyError) -> ExtendedPublicKey {
    var key = self
    for step in path.steps { key = try key.child(step) }
    return key
  }

  // MARK: Text

  /// `xpub…` or `tpub…`, 111 characters.
  public var description: String {
    var writer = ByteWriter(reservingCapacity: 78)
    ExtendedKeyText.write(header, isSecret: false, chainCode: chainCode, to: &writer)
    writer.write(publicKey)
    return Base58Check.encode(writer.bytes)
  }

  /// Reads an `xpub` or `tpub`.
  public init(_ text: String) throws(ExtendedKeyError) {
    let bytes = try ExtendedKeyText.payload(of: text)
    let parsed = try ExtendedKeyText(bytes)
    guard !parsed.isSecret else { throw .secretKeyWherePublicExpected }
    // BIP 32: implementations must verify whether the X coordinate in the public key data corresponds to a point on the curve.
    guard let key = try? PublicKey(copying: parsed.key.bytes) else { throw .invalidKey }
    self.init(header: parsed.header, chainCode: parsed.chainCode, publicKey: key)
  }

  /// The same key as an `xpub` or `tpub`, from a text with the version bytes of SLIP 132 (`ypub`, `zpub`, `Ypub`, `Zpub`, `upub`,
  /// `vpub`, `Upub`, `Vpub`). What these say about the script must go into a descriptor: it is lost here. Nil for any other text.
  public static func replacingSLIP132Version(_ text: String) -> ExtendedPublicKey? {
    guard var bytes = try? ExtendedKeyText.payload(of: text), bytes.count == 78 else { return nil }
    let kind: NetworkKind
    switch [UInt8](bytes.prefix(4)) {
    case [0x04, 0x9d, 0x7c, 0xb2], [0x04, 0xb2, 0x47, 0x46], [0x02, 0x95, 0xb4, 0x3f], [0x02, 0xaa, 0x7e, 0xd3]:
      kind = .main
    case [0x04, 0x4a, 0x52, 0x62], [0x04, 0x5f, 0x1c, 0xf6], [0x02, 0x42, 0x89, 0xef], [0x02, 0x57, 0x54, 0x83]:
      kind = .test
    default: return nil
    }
    let version = ExtendedKeyText.version(kind, isSecret: false)
    for index in 0..<4 { bytes[index] = UInt8(truncatingIfNeeded: version >> UInt32(24 - 8 * index)) }
    return try? ExtendedPublicKey(Base58Check.encode(bytes))
  }
}

// MARK: - Serialization format

/// BIP 32 §Serialization format: 78 bytes.
struct ExtendedKeyText {
  let header: ExtendedKeyHeader
  let isSecret: Bool
  let chainCode: Bytes32
  /// 33 bytes, their first one checked.
  var key: Bytes33

  static func version(_ kind: NetworkKind, isSecret: Bool) -> UInt32 {
    switch (kind, isSecret) {
    case (.main, false): 0x0488_b21e
    case (.main, true): 0x0488_ade4
    case (.test, false): 0x0435_87cf
    case (.test, true): 0x0435_8394
    }
  }

  /// SLIP 132: y, z, Y and Z of xpub and xprv, u, v, U and V of tpub and tprv.
  private static let slip132Versions: Set<UInt32> = [
    0x049d_7cb2, 0x049d_7878, 0x04b2_4746, 0x04b2_430c, 0x0295_b43f, 0x0295_b005, 0x02aa_7ed3, 0x02aa_7a99,
    0x044a_5262, 0x044a_4e28, 0x045f_1cf6, 0x045f_18bc, 0x0242_89ef, 0x0242_85b5, 0x0257_5483, 0x0257_5048,
  ]

  static func payload(of text: String) throws(ExtendedKeyError) -> [UInt8] {
    do {
      return try Base58Check.decode(text)
    } catch {
      throw .invalidText(error)
    }
  }

  init(_ bytes: [UInt8]) throws(ExtendedKeyError) {
    guard bytes.count == 78 else { throw .invalidText(.wrongLength(expected: 78, actual: bytes.count)) }
    var reader = ByteReader(bytes.bytes)
    let version: UInt32
    let depth: UInt8
    let parent: KeyFingerprint
    let number: ChildNumber
    do {
      version = try reader.readUInt32()
      depth = try reader.readUInt8()
      parent = KeyFingerprint(try reader.read())
      number = ChildNumber(rawValue: try reader.readUInt32())
      chainCode = try reader.read()
      key = try reader.read()
    } catch {
      throw .invalidText(error)
    }
    switch version {
    case Self.version(.main, isSecret: false), Self.version(.test, isSecret: false): isSecret = false
    case Self.version(.main, isSecret: true), Self.version(.test, isSecret: true): isSecret = true
    case let other where Self.slip132Versions.contains(other): throw .slip132Version(other)
    default: throw .unknownVersion(version)
    }
    if depth == 0 {
      guard parent == .none else { throw .nonzeroParentAtDepthZero }
      guard number.rawValue == 0 else { throw .nonzeroNumberAtDepthZero }
    }
    let first = key[0]
    guard isSecret ? first == 0 : first == 2 || first == 3 else { throw .invalidKey }
    header = ExtendedKeyHeader(
      networkKind: version >> 16 == 0x0488 ? .main : .test, depth: depth, parentFingerprint: parent, childNumber: number
    )
  }

  static func write(_ header: ExtendedKeyHeader, isSecret: Bool, chainCode: Bytes32, to writer: inout ByteWriter) {
    writer.write(version(header.networkKind, isSecret: isSecret))
    writer.write(header.depth)
    writer.write(header.parentFingerprint)
    writer.write(header.childNumber.rawValue)
    writer.write(chainCode)
  }
}
