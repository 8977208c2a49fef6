import Encoding
import Secp256k1

/// The one form of an ASN.1 SubjectPublicKeyInfo (RFC 5480) that holds a key of this curve, strictly in DER:
///
///     SEQUENCE { SEQUENCE { OID id-ecPublicKey, OID secp256k1 }, BIT STRING { 0 unused bits, the point } }
///
/// Another curve, a curve by its parameters, other tags, longer lengths than needed and bytes left over are refused.
func publicKey(subjectPublicKeyInfo bytes: [UInt8]) throws(DecodingError) -> PublicKey {
  var outer = ByteReader(bytes.bytes)
  var info = ByteReader(try outer.readDER(tag: 0x30))
  try outer.finish()
  var algorithm = ByteReader(try info.readDER(tag: 0x30))
  let point = try info.readDER(tag: 0x03)
  try info.finish()
  // 1.2.840.10045.2.1 and 1.3.132.0.10
  let identifiers: [[UInt8]] = [[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01], [0x2b, 0x81, 0x04, 0x00, 0x0a]]
  for identifier in identifiers {
    guard try algorithm.readDER(tag: 0x06).elementsEqual(identifier.bytes) else { throw .malformed("another curve") }
  }
  try algorithm.finish()
  guard point.byteCount > 0, point[0] == 0 else { throw .malformed("bits are unused") }
  let encoded = point.extracting(1..<point.byteCount)
  // RFC 5480 has no hybrid form.
  guard encoded.byteCount > 0, encoded[0] < 6, let key = PublicKey(parsing: encoded) else {
    throw .malformed("not a point on secp256k1")
  }
  return key
}

extension ByteReader {
  /// The content of the next element, whose length is in the shortest form.
  @_lifetime(self: copy self) @_lifetime(copy self)
  fileprivate mutating func readDER(tag: UInt8) throws(DecodingError) -> RawSpan {
    guard try readUInt8() == tag else { throw .malformed("another tag") }
    let first = try readUInt8()
    if first < 0x80 { return try read(count: Int(first)) }
    guard first != 0x80, first <= 0x82 else { throw .tooLarge }
    var length = 0
    for _ in 0..<(first & 0x7f) { length = length << 8 | Int(try readUInt8()) }
    guard length >= (first == 0x81 ? 0x80 : 0x100) else { throw .notMinimal }
    return try read(count: length)
  }
}
