import Encoding
import JSON
import Secp256k1
import Sphinx
import VectorSupport

func bytes(_ hex: String) throws -> [UInt8] { try Hex.decode(hex.filter { $0 != " " }) }
func secretKey(_ hex: String) throws -> SecretKey { try SecretKey(Bytes32(hex: hex)) }
func publicKey(_ hex: String) throws -> PublicKey { try PublicKey(hex: hex) }
func secret(_ hex: String) throws -> SharedSecret { try SharedSecret(hex: hex) }
/// The key of Alice (`0x41`…), Bob (`0x42`…) and so on, as BOLT 4's vectors name them.
func nodeKey(_ index: Int) throws -> SecretKey {
  try SecretKey(Bytes32([UInt8](repeating: 0x41 + UInt8(index), count: 32)))
}

extension JSONValue {
  /// A hex member, blanks ignored.
  func hex(_ name: String) throws -> [UInt8] { try bytes(required(name).string) }
  func key(_ name: String) throws -> PublicKey { try publicKey(required(name).string) }
  func hops() throws -> [JSONValue] { try required("hops").array }
}

/// The TLV stream behind its length, as it stands in the onion.
func withoutLength(_ framed: [UInt8]) throws -> [UInt8] {
  var reader = ByteReader(framed.bytes)
  let length = try reader.readBigSize()
  let rest = reader.readRest()
  guard rest.count == Int(length) else { throw VectorError.unexpected("a payload whose length is wrong") }
  return rest
}

/// What an error of a peel is; nil when it succeeds.
func refusal(
  _ packet: [UInt8], _ associatedData: [UInt8], _ key: borrowing SecretKey, _ blinding: BlindingSecret? = nil
) throws -> OnionError? {
  do throws(OnionError) {
    _ = try Onion.peel(
      try! OnionPacket(packet), associatedData: associatedData, nodeKey: key, blinding: blinding)
    return nil
  } catch {
    return error
  }
}
