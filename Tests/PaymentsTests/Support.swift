import Bitcoin
import Encoding
import Hashing
import JSON
import Payments
import Secp256k1
import VectorSupport
import Wire

/// The private key of BOLT 11's examples.
let exampleKey = "e126f68f7eafcc8b74f54d269fe206be715000f94dac067d1c04a8ca3b2db734"
let examplePayee = "03e7156ae33b0a208d0744199163177e909e80176e55d97a2f221ede0f934dd9ad"

func secretKey(_ hex: String) throws -> SecretKey { try SecretKey(Bytes32(hex: hex)) }

/// An invoice put together by hand, well-formed or not: the 5-bit values before the signature, signed.
func signedInvoice(_ humanReadablePart: String, _ data: [UInt8], key: String = exampleKey) throws -> String {
  var padded = data
  while padded.count * 5 % 8 != 0 { padded.append(0) }
  let hash = sha256(
    Array(humanReadablePart.utf8) + (try Bech32.bytes(fromFiveBit: padded)).prefix((data.count * 5 + 7) / 8))
  let signature = try secretKey(key).signRecoverable(hash)
  return Bech32.encode(
    humanReadablePart: humanReadablePart, data: data + Bech32.fiveBit(from: signature.bytes), variant: .bech32)
}

/// 5-bit values as Bech32 writes them, without a checksum.
func fiveBit(_ text: String) throws -> [UInt8] { try Bech32.decodeWithoutChecksum("x1" + text).data }

func amount(_ text: String) -> Result<MilliSatoshi, Bolt11AmountError> {
  do throws(Bolt11AmountError) {
    return .success(try MilliSatoshi(invoiceAmount: text))
  } catch {
    return .failure(error)
  }
}

extension TaggedField {
  /// As it stands in an invoice.
  var encoded: [UInt8] { [tag.rawValue, UInt8(data.count >> 5), UInt8(data.count & 31)] + data }
}

extension RouteHop {
  init(_ json: JSONValue, nodeID: String, shortChannelID: (String) throws -> ShortChannelID) throws {
    self.init(
      nodeID: try PublicKey(hex: json.required(nodeID).string),
      shortChannelID: try shortChannelID(json.required("short_channel_id").string),
      feeBaseMsat: UInt32(try json.required("fee_base_msat").integer),
      feeProportionalMillionths: UInt32(try json.required("fee_proportional_millionths").integer),
      cltvExpiryDelta: UInt16(try json.required("cltv_expiry_delta").integer))
  }
}

typealias RouteHop = Bolt11Invoice.RouteHop
