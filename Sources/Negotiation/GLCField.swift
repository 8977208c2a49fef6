internal import Bitcoin
internal import Encoding
internal import GLC

/// The proprietary records (BIP 174 §Proprietary Use Type) that say in a PSBT what belongs to a channel: identifier `GLC`, subtypes as
/// below. What they hold is in `docs/NEGOTIATION.md`.
enum GLCField {
  static let identifier = Array("GLC".utf8)

  enum Global: UInt64, CaseIterable {
    /// Version, funding scheme, transforms.
    case stack = 0x00
    /// Key data: an extension, two bytes; value: its parameters.
    case parameters = 0x01
    /// What this transaction is to the channel.
    case role = 0x02
    /// What the opener asked for (`Deal`).
    case deal = 0x03
    /// Key data: 0 the opener, 1 the acceptor; value: what it says of itself (`OpeningTerms`).
    case terms = 0x04
  }

  enum Input: UInt64, CaseIterable {
    /// The funding scheme of the output that is spent, two bytes.
    case fundingScheme = 0x00
    /// The path that is taken.
    case path = 0x01
    /// Of a funding transaction: whose it is, and its place; eight bytes.
    case serial = 0x02
  }

  enum Output: UInt64, CaseIterable {
    /// The extension, two bytes, and how many of its outputs stand before this one, eight bytes.
    case owner = 0x00
    /// Key data: the path's number, one byte; value: the path.
    case path = 0x01
    /// Of a funding transaction: whose it is, and its place; eight bytes.
    case serial = 0x02
    /// The channel's output of a funding transaction; empty.
    case channel = 0x03
  }

  static func key(_ subtype: some RawRepresentable<UInt64>, _ data: [UInt8] = []) -> PSBT.ProprietaryKey {
    PSBT.ProprietaryKey(identifier: identifier, subtype: subtype.rawValue, data: data)
  }

  static func bytes(_ id: ExtensionID) -> [UInt8] {
    var writer = ByteWriter(reservingCapacity: 2)
    writer.write(id.rawValue)
    return writer.bytes
  }

  static func bytes(_ serial: UInt64) -> [UInt8] {
    var writer = ByteWriter(reservingCapacity: 8)
    writer.write(serial)
    return writer.bytes
  }

  static func serial(_ bytes: [UInt8]?) -> UInt64? {
    guard let bytes, bytes.count == 8 else { return nil }
    return bytes.reduce(0) { $0 << 8 | UInt64($1) }
  }
}
