internal import Bitcoin
internal import Encoding
public import GLC
internal import Hashing

extension HTLCExtension {
  /// BOLT 2's rules for the receiver of an update, as far as the HTLCs themselves are concerned: see `OfferLedger` for those that do not
  /// depend on hashes. What depends on the channel's balances and fee is the core's.
  public func validate(
    _ update: HTLCUpdate, by party: Party, in ledger: HTLCLedger, settled: HTLCLedger, _ parameters: Parameters
  ) throws(ProtocolViolation) {
    switch update {
    case .add(let id, let amount, _, let cltvExpiry, let onion, _):
      try ledger.validate(id, amount, offeredBy: party, parameters.limits[party.other])
      // BOLT 2: if sending node sets `cltv_expiry` to greater or equal to 500000000: SHOULD send a `warning` and close.
      guard cltvExpiry < 500_000_000 else {
        throw ProtocolViolation(.failChannel, "an HTLC that expires at a time, not a height")
      }
      guard onion.count == HTLCUpdate.onionByteCount else {
        throw ProtocolViolation(.warning, "an onion of \(onion.count) bytes")
      }
    case .fulfill(let id, let preimage, _):
      let entry = try ledger.removable(id, by: party, settled: settled)
      // BOLT 2: if the `payment_preimage` value doesn't SHA256 hash to the corresponding HTLC `payment_hash`: MUST send a `warning`
      // and close the connection, or send an `error` and fail the channel.
      guard sha256(preimage.bytes) == entry.paymentHash.raw else {
        throw ProtocolViolation(.failChannel, "a preimage that does not open HTLC \(id)")
      }
    case .fail(let id, _, _):
      _ = try ledger.removable(id, by: party, settled: settled)
      // BOLT 1: a message has at most 65,535 bytes.
      guard party == .remote || update.message != nil else {
        throw ProtocolViolation(.failChannel, "a reason that fits no message")
      }
    case .failMalformed(let id, _, let code, _):
      _ = try ledger.removable(id, by: party, settled: settled)
      try HTLCLedger.validate(malformed: code)
    }
  }

  public func apply(
    _ update: HTLCUpdate, by party: Party, to ledger: inout HTLCLedger, moving balances: inout Balances,
    _ parameters: Parameters
  ) throws(ProtocolViolation) {
    switch update {
    case .add(let id, let amount, let paymentHash, let cltvExpiry, _, _):
      try ledger.offer(
        PendingPayment(id: id, offeredBy: party, amount: amount, lock: paymentHash, expiry: cltvExpiry),
        moving: &balances)
    case .fulfill(let id, _, _): try ledger.settle(id, by: party, moving: &balances)
    case .fail(let id, _, _), .failMalformed(let id, _, _, _): try ledger.refuse(id, by: party, moving: &balances)
    }
  }
}
