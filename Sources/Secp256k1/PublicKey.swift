internal import CSecp256k1
public import Encoding

/// A point on the curve, not infinity: 33 bytes compressed, kept beside the parsed form so that using it parses
/// nothing.
public struct PublicKey: FixedSizeBytes {
  /// The compressed form, 33 bytes, 0x02 or 0x03 first.
  public let compressed: Bytes33
  let parsed: secp256k1_pubkey

  public static var byteCount: Int { 33 }
  public var bytes: RawSpan { @_addressableSelf @_lifetime(borrow self) get { compressed.bytes } }

  init(parsed: secp256k1_pubkey) {
    var compressed = Bytes33()
    var count = 33
    unsafe compressed.withMutablePointer { out in
      unsafe withUnsafePointer(to: parsed) { key in
        mustSucceed(
          unsafe secp256k1_ec_pubkey_serialize(Context.pointer, out, &count, key, UInt32(SECP256K1_EC_COMPRESSED)))
      }
    }
    self.compressed = compressed
    self.parsed = parsed
  }

  /// Reads the compressed form alone, 33 bytes. Throws `.wrongLength`, or `.malformed` when they are no point.
  public init(copying bytes: RawSpan) throws(DecodingError) {
    guard bytes.byteCount == 33 else { throw .wrongLength(expected: 33, actual: bytes.byteCount) }
    guard let key = Self(parsing: bytes) else { throw .malformed("not a point on secp256k1") }
    self = key
  }

  /// Reads any of the three forms that Bitcoin scripts know: compressed (33 bytes), uncompressed or hybrid (65 bytes).
  /// Nil for anything else.
  public init?(parsing bytes: RawSpan) {
    var parsed = secp256k1_pubkey()
    let succeeded = unsafe bytes.withUnsafeBytes { buffer in
      guard let start = buffer.baseAddress else { return Int32(0) }
      return unsafe secp256k1_ec_pubkey_parse(
        Context.pointer, &parsed, start.assumingMemoryBound(to: UInt8.self), buffer.count)
    }
    guard succeeded == 1 else { return nil }
    // The compressed form of a point is one: what was read need not be made again.
    if let compressed = try? Bytes33(copying: bytes) {
      self.init(parsed: parsed, compressed: compressed)
    } else {
      self.init(parsed: parsed)
    }
  }

  private init(parsed: secp256k1_pubkey, compressed: Bytes33) {
    self.compressed = compressed
    self.parsed = parsed
  }

  public init?(parsing bytes: [UInt8]) { self.init(parsing: bytes.bytes) }

  /// The uncompressed form, 65 bytes, 0x04 first.
  public var uncompressed: FixedBytes<65> {
    var bytes = FixedBytes<65>()
    var count = 65
    var key = parsed
    unsafe bytes.withMutablePointer { out in
      mustSucceed(
        unsafe secp256k1_ec_pubkey_serialize(Context.pointer, out, &count, &key, UInt32(SECP256K1_EC_UNCOMPRESSED)))
    }
    return bytes
  }

  /// The x coordinate, and whether y is odd.
  public var xOnly: (key: XOnlyPublicKey, yIsOdd: Bool) {
    var key = parsed
    var xOnly = secp256k1_xonly_pubkey()
    var parity: Int32 = 0
    mustSucceed(unsafe secp256k1_xonly_pubkey_from_pubkey(Context.pointer, &xOnly, &parity, &key))
    return (XOnlyPublicKey(parsed: xOnly), parity == 1)
  }

  /// Whether the y coordinate is odd.
  public var yIsOdd: Bool { compressed[0] == 3 }

  public static func == (a: Self, b: Self) -> Bool { a.compressed == b.compressed }
  /// The order of the compressed forms (BIP 67; BIP 327 §Key Sorting).
  public static func < (a: Self, b: Self) -> Bool { a.compressed < b.compressed }
  public func hash(into hasher: inout Hasher) { compressed.hash(into: &hasher) }

  // MARK: Arithmetic

  /// The generator of the group, G.
  public static let generator: PublicKey = {
    var one = Bytes32()
    one[31] = 1
    var parsed = secp256k1_pubkey()
    unsafe one.withPointer { one in mustSucceed(unsafe secp256k1_ec_pubkey_create(Context.pointer, &parsed, one)) }
    return PublicKey(parsed: parsed)
  }()

  /// P + tweak · G, in a time that depends on the tweak. Throws `.invalidTweak` when the tweak is n or more or the
  /// result is the point at infinity.
  public func adding(_ tweak: Bytes32) throws(Secp256k1Error) -> PublicKey {
    var key = parsed
    let succeeded = unsafe tweak.withPointer { tweak in
      unsafe secp256k1_ec_pubkey_tweak_add(Context.pointer, &key, tweak)
    }
    guard succeeded == 1 else { throw .invalidTweak }
    return PublicKey(parsed: key)
  }

  /// tweak · P, in a time that depends on the tweak: for secret ones see `SecretKey.sharedPoint`.
  /// Throws `.invalidTweak` when the tweak is 0, n or more.
  public func multiplied(by tweak: Bytes32) throws(Secp256k1Error) -> PublicKey {
    var key = parsed
    let succeeded = unsafe tweak.withPointer { tweak in
      unsafe secp256k1_ec_pubkey_tweak_mul(Context.pointer, &key, tweak)
    }
    guard succeeded == 1 else { throw .invalidTweak }
    return PublicKey(parsed: key)
  }

  /// −P.
  public func negated() -> PublicKey {
    var key = parsed
    mustSucceed(unsafe secp256k1_ec_pubkey_negate(Context.pointer, &key))
    return PublicKey(parsed: key)
  }

  /// P + Q. Throws `.pointAtInfinity` when they cancel out.
  public static func + (a: PublicKey, b: PublicKey) throws(Secp256k1Error) -> PublicKey {
    var result = secp256k1_pubkey()
    let succeeded = unsafe withUnsafePointer(to: a.parsed) { a in
      unsafe withUnsafePointer(to: b.parsed) { b in
        var pointers: InlineArray<2, UnsafePointer<secp256k1_pubkey>?> = unsafe [a, b]
        var span = unsafe pointers.mutableSpan
        return unsafe span.withUnsafeMutableBufferPointer { pointers in
          unsafe secp256k1_ec_pubkey_combine(Context.pointer, &result, pointers.baseAddress!, 2)
        }
      }
    }
    guard succeeded == 1 else { throw .pointAtInfinity }
    return PublicKey(parsed: result)
  }

  /// The sum of one or more points. Throws `.pointAtInfinity` when they cancel out, and for no points.
  public static func sum(_ keys: [PublicKey]) throws(Secp256k1Error) -> PublicKey {
    guard !keys.isEmpty else { throw .pointAtInfinity }
    var result = secp256k1_pubkey()
    let succeeded = unsafe keys.withParsedPointers { pointers in
      unsafe secp256k1_ec_pubkey_combine(Context.pointer, &result, pointers.baseAddress!, pointers.count)
    }
    guard succeeded == 1 else { throw .pointAtInfinity }
    return PublicKey(parsed: result)
  }
}

/// The x coordinate of a point, standing for the point with even y (BIP 340): 32 bytes, kept beside the parsed form.
public struct XOnlyPublicKey: FixedSizeBytes {
  public let x: Bytes32
  let parsed: secp256k1_xonly_pubkey

  public static var byteCount: Int { 32 }
  public var bytes: RawSpan { @_addressableSelf @_lifetime(borrow self) get { x.bytes } }

  init(parsed: secp256k1_xonly_pubkey) {
    var x = Bytes32()
    unsafe x.withMutablePointer { out in
      unsafe withUnsafePointer(to: parsed) { key in
        mustSucceed(unsafe secp256k1_xonly_pubkey_serialize(Context.pointer, out, key))
      }
    }
    self.x = x
    self.parsed = parsed
  }

  /// Reads 32 bytes. Throws `.wrongLength`, or `.malformed` when no point has this x coordinate.
  public init(copying bytes: RawSpan) throws(DecodingError) {
    let x = try Bytes32(copying: bytes)
    var parsed = secp256k1_xonly_pubkey()
    let succeeded = unsafe x.withPointer { x in unsafe secp256k1_xonly_pubkey_parse(Context.pointer, &parsed, x) }
    guard succeeded == 1 else { throw .malformed("not the x coordinate of a point on secp256k1") }
    self.x = x
    self.parsed = parsed
  }

  public static func == (a: Self, b: Self) -> Bool { a.x == b.x }
  public static func < (a: Self, b: Self) -> Bool { a.x < b.x }
  public func hash(into hasher: inout Hasher) { x.hash(into: &hasher) }

  /// lift_x: the point with this x coordinate and an even y.
  public var evenPoint: PublicKey {
    var compressed = Bytes33()
    compressed[0] = 2
    for index in 0..<32 { compressed[index + 1] = x[index] }
    // Cannot fail: x was parsed when this value was made.
    return PublicKey(parsing: compressed.bytes)!
  }

  /// lift_x(x) + tweak · G (BIP 341 §Script validation rules).
  /// Throws `.invalidTweak` when the tweak is n or more or the result is the point at infinity.
  public func tweaked(by tweak: Bytes32) throws(Secp256k1Error) -> (key: XOnlyPublicKey, yIsOdd: Bool) {
    var key = parsed
    var result = secp256k1_pubkey()
    let succeeded = unsafe tweak.withPointer { tweak in
      unsafe secp256k1_xonly_pubkey_tweak_add(Context.pointer, &result, &key, tweak)
    }
    guard succeeded == 1 else { throw .invalidTweak }
    var xOnly = secp256k1_xonly_pubkey()
    var parity: Int32 = 0
    mustSucceed(unsafe secp256k1_xonly_pubkey_from_pubkey(Context.pointer, &xOnly, &parity, &result))
    return (XOnlyPublicKey(parsed: xOnly), parity == 1)
  }

  /// Whether this key with this parity is `internalKey` tweaked: what a taproot script spend proves.
  public func isTweak(of internalKey: XOnlyPublicKey, by tweak: Bytes32, yIsOdd: Bool) -> Bool {
    var base = internalKey.parsed
    return unsafe x.withPointer { x in
      unsafe tweak.withPointer { tweak in
        unsafe secp256k1_xonly_pubkey_tweak_add_check(Context.pointer, x, yIsOdd ? 1 : 0, &base, tweak)
      }
    } == 1
  }

  /// Whether `signature` is this key's BIP 340 signature of `message`, of any length (32 bytes for a sighash).
  public func isValidSchnorr(_ signature: SchnorrSignature, for message: RawSpan) -> Bool {
    unsafe signature.raw.withPointer { signature in
      unsafe message.withUnsafeBytes { message in
        unsafe withUnsafePointer(to: parsed) { key in
          unsafe secp256k1_schnorrsig_verify(
            Context.pointer, signature, message.baseAddress?.assumingMemoryBound(to: UInt8.self), message.count, key)
        }
      }
    } == 1
  }

  public func isValidSchnorr(_ signature: SchnorrSignature, for hash: Bytes32) -> Bool {
    isValidSchnorr(signature, for: hash.bytes)
  }
}

/// A BIP 340 signature: x(R) and s, 64 bytes. Any 64 bytes are one; whether it is valid shows when it is verified.
public struct SchnorrSignature: TypedBytes {
  public let raw: Bytes64
  public var bytes: RawSpan { @_addressableSelf @_lifetime(borrow self) get { raw.bytes } }
  public init(_ raw: Bytes64) { self.raw = raw }
}
