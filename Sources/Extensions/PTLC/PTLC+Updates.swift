internal import Bitcoin
internal import Encoding
public import GLC
internal import Secp256k1

extension PTLCExtension {
  /// The rules of BOLT 2 for HTLCs, as far as they are about the agreements themselves.
  public func validate(
    _ update: PTLCUpdate, by party: Party, in ledger: PTLCLedger, settled: PTLCLedger, _ parameters: Parameters
  ) throws(ProtocolViolation) {
    switch update {
    case .add(let id, let amount, _, let expiry, let onion, _):
      let limits = parameters.limits[party.other]
      guard amount > .zero, amount >= limits.minimum else {
        throw ProtocolViolation(.failChannel, "a PTLC of \(amount), below the minimum of \(limits.minimum)")
      }
      guard ledger.count(offeredBy: party) < Int(limits.maximumAccepted) else {
        throw ProtocolViolation(.failChannel, "more than \(limits.maximumAccepted) PTLCs")
      }
      guard let total = ledger.total(offeredBy: party)?.adding(amount), total <= limits.maximumInFlight else {
        throw ProtocolViolation(.failChannel, "more than \(limits.maximumInFlight) in flight")
      }
      // A leaf that waits for height 0 can never be taken; from 500,000,000 on it would be a time.
      guard expiry > 0, expiry < 500_000_000 else {
        throw ProtocolViolation(.failChannel, "a PTLC whose expiry is no height")
      }
      guard onion.count == PTLCUpdate.onionByteCount else {
        throw ProtocolViolation(.warning, "an onion of \(onion.count) bytes")
      }
      guard id == ledger.nextID[party], id < 1 << 62 else {
        throw ProtocolViolation(.failChannel, "PTLC \(id) where \(ledger.nextID[party]) was next")
      }
    case .fulfill(let id, let scalar, _):
      let entry = try existing(id, removedBy: party, in: ledger, settled)
      guard scalar.point == entry.lock else {
        throw ProtocolViolation(.failChannel, "a scalar that does not open PTLC \(id)")
      }
    case .fail(let id, let reason, _):
      _ = try existing(id, removedBy: party, in: ledger, settled)
      guard reason.count <= Int(UInt16.max), update.body.count <= PTLCUpdate.largestBody else {
        throw ProtocolViolation(.failChannel, "a reason that fits no message")
      }
    case .failMalformed(let id, _, let code, _):
      _ = try existing(id, removedBy: party, in: ledger, settled)
      // BOLT 2: if the `BADONION` bit in `failure_code` is not set: MUST send a `warning` and close the connection, or fail.
      guard code & 0x8000 != 0 else {
        throw ProtocolViolation(.failChannel, "a malformed onion without the BADONION bit")
      }
    }
  }

  /// Only what is irrevocable on both sides can be removed, by who did not offer it.
  private func existing(
    _ id: UInt64, removedBy party: Party, in ledger: PTLCLedger, _ settled: PTLCLedger
  ) throws(ProtocolViolation) -> PTLCEntry {
    guard let entry = ledger.entry(id, offeredBy: party.other), settled.entry(id, offeredBy: party.other) != nil
    else {
      throw ProtocolViolation(.failChannel, "no PTLC \(id) that \(party) could remove")
    }
    return entry
  }

  public func apply(
    _ update: PTLCUpdate, by party: Party, to ledger: inout PTLCLedger, moving balances: inout Balances,
    _ parameters: Parameters
  ) throws(ProtocolViolation) {
    switch update {
    case .add(let id, let amount, let lock, let expiry, _, _):
      try balances.debit(party, amount)
      ledger.add(PTLCEntry(id: id, offeredBy: party, amount: amount, lock: lock, expiry: expiry))
    case .fulfill(let id, _, _): try balances.credit(party, try removed(id, by: party, from: &ledger).amount)
    case .fail(let id, _, _), .failMalformed(let id, _, _, _):
      try balances.credit(party.other, try removed(id, by: party, from: &ledger).amount)
    }
  }

  private func removed(
    _ id: UInt64, by party: Party, from ledger: inout PTLCLedger
  ) throws(ProtocolViolation) -> PTLCEntry {
    guard let entry = ledger.remove(id, offeredBy: party.other) else {
      throw ProtocolViolation(.failChannel, "no PTLC \(id) that \(party) could remove")
    }
    return entry
  }
}
