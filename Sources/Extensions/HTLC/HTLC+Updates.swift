internal import Bitcoin
internal import Encoding
public import GLC
internal import Hashing

extension HTLCExtension {
  /// BOLT 2's rules for the receiver of an update, as far as the HTLCs themselves are concerned. What depends on the channel's
  /// balances and fee is the core's.
  public func validate(
    _ update: HTLCUpdate, by party: Party, in ledger: HTLCLedger, settled: HTLCLedger, _ parameters: Parameters
  ) throws(ProtocolViolation) {
    switch update {
    case .add(let id, let amount, _, let cltvExpiry, let onion, _):
      let limits = parameters.limits[party.other]
      // BOLT 2: receiving an `amount_msat` equal to 0, OR less than its own `htlc_minimum_msat`: SHOULD send a `warning` and close
      // the connection, or send an `error` and fail the channel.
      guard amount > .zero else { throw ProtocolViolation(.failChannel, "an HTLC of 0 msat") }
      guard amount >= limits.minimum else {
        throw ProtocolViolation(.failChannel, "an HTLC of \(amount), below the minimum of \(limits.minimum)")
      }
      // BOLT 2: if a sending node adds more than receiver `max_accepted_htlcs` HTLCs to its local commitment transaction, OR adds
      // more than receiver `max_htlc_value_in_flight_msat` worth of offered HTLCs: SHOULD send a `warning` and close the connection.
      guard ledger.count(offeredBy: party) < Int(limits.maximumAccepted) else {
        throw ProtocolViolation(.failChannel, "more than \(limits.maximumAccepted) HTLCs")
      }
      guard let total = ledger.total(offeredBy: party)?.adding(amount), total <= limits.maximumInFlight else {
        throw ProtocolViolation(.failChannel, "more than \(limits.maximumInFlight) in flight")
      }
      // BOLT 2: if sending node sets `cltv_expiry` to greater or equal to 500000000: SHOULD send a `warning` and close.
      guard cltvExpiry < 500_000_000 else {
        throw ProtocolViolation(.failChannel, "an HTLC that expires at a time, not a height")
      }
      guard onion.count == HTLCUpdate.onionByteCount else {
        throw ProtocolViolation(.warning, "an onion of \(onion.count) bytes")
      }
      guard id == ledger.nextID[party], id < 1 << 62 else {
        throw ProtocolViolation(.failChannel, "HTLC \(id) where \(ledger.nextID[party]) was next")
      }
    case .fulfill(let id, let preimage, _):
      let entry = try existing(id, removedBy: party, in: ledger, settled)
      // BOLT 2: if the `payment_preimage` value doesn't SHA256 hash to the corresponding HTLC `payment_hash`: MUST send a `warning`
      // and close the connection, or send an `error` and fail the channel.
      guard sha256(preimage.bytes) == entry.paymentHash.raw else {
        throw ProtocolViolation(.failChannel, "a preimage that does not open HTLC \(id)")
      }
    case .fail(let id, _, _):
      _ = try existing(id, removedBy: party, in: ledger, settled)
      // BOLT 1: a message has at most 65,535 bytes.
      guard party == .remote || update.message != nil else {
        throw ProtocolViolation(.failChannel, "a reason that fits no message")
      }
    case .failMalformed(let id, _, let code, _):
      _ = try existing(id, removedBy: party, in: ledger, settled)
      // BOLT 2: if the `BADONION` bit in `failure_code` is not set: MUST send a `warning` and close the connection, or fail.
      guard code & 0x8000 != 0 else {
        throw ProtocolViolation(.failChannel, "update_fail_malformed_htlc without the BADONION bit")
      }
    }
  }

  /// BOLT 2: if the `id` does not correspond to an HTLC in its current commitment transaction: MUST send a `warning` and close the
  /// connection, or send an `error` and fail the channel. And: until the corresponding HTLC is irrevocably committed in
  /// both sides' commitment transactions: MUST NOT send an `update_fulfill_htlc`, `update_fail_htlc`, or
  /// `update_fail_malformed_htlc`.
  private func existing(
    _ id: UInt64, removedBy party: Party, in ledger: HTLCLedger, _ settled: HTLCLedger
  ) throws(ProtocolViolation) -> HTLCEntry {
    guard let entry = ledger.entry(id, offeredBy: party.other), settled.entry(id, offeredBy: party.other) != nil
    else {
      throw ProtocolViolation(.failChannel, "no HTLC \(id) that \(party) could remove")
    }
    return entry
  }

  public func apply(
    _ update: HTLCUpdate, by party: Party, to ledger: inout HTLCLedger, moving balances: inout Balances,
    _ parameters: Parameters
  ) throws(ProtocolViolation) {
    switch update {
    case .add(let id, let amount, let paymentHash, let cltvExpiry, _, _):
      try balances.debit(party, amount)
      ledger.add(
        HTLCEntry(id: id, offeredBy: party, amount: amount, paymentHash: paymentHash, cltvExpiry: cltvExpiry))
    case .fulfill(let id, _, _): try balances.credit(party, try removed(id, by: party, from: &ledger).amount)
    case .fail(let id, _, _), .failMalformed(let id, _, _, _):
      try balances.credit(party.other, try removed(id, by: party, from: &ledger).amount)
    }
  }

  private func removed(
    _ id: UInt64, by party: Party, from ledger: inout HTLCLedger
  ) throws(ProtocolViolation) -> HTLCEntry {
    guard let entry = ledger.remove(id, offeredBy: party.other) else {
      throw ProtocolViolation(.failChannel, "no HTLC \(id) that \(party) could remove")
    }
    return entry
  }
}
