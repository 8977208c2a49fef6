public import Bitcoin
public import Encoding
public import GLC
internal import Hashing

/// What can happen to an HTLC (BOLT 2 §Normal Operation).
public enum HTLCUpdate: BinaryCodable {
  /// `update_add_htlc`. `onion` is the onion routing packet, 1366 bytes; `pathKey` that of a blinded route.
  case add(
    id: UInt64, amount: MilliSatoshi, paymentHash: PaymentHash, cltvExpiry: UInt32, onion: [UInt8], extra: TLVStream)
  /// `update_fulfill_htlc`: `preimage` is 32 bytes.
  case fulfill(id: UInt64, preimage: Bytes32, extra: TLVStream)
  /// `update_fail_htlc`: `reason` is the encrypted failure.
  case fail(id: UInt64, reason: [UInt8], extra: TLVStream)
  /// `update_fail_malformed_htlc`.
  case failMalformed(id: UInt64, onionHash: Bytes32, code: UInt16, extra: TLVStream)

  static let messageTypes: [UInt16] = [128, 130, 131, 135]
  /// The fixed length of `onion_routing_packet`, in bytes.
  public static let onionByteCount = 1366

  public var id: UInt64 {
    switch self {
    case .add(let id, _, _, _, _, _), .fulfill(let id, _, _), .fail(let id, _, _), .failMalformed(let id, _, _, _): id
    }
  }

  var messageType: UInt16 {
    switch self {
    case .add: 128
    case .fulfill: 130
    case .fail: 131
    case .failMalformed: 135
    }
  }
}
