internal import Bitcoin
internal import Encoding
public import GLC
internal import Secp256k1

extension PTLCExtension {
  /// The rules of BOLT 2 for HTLCs, as far as they are about the agreements themselves: see `OfferLedger` for those that do not depend on
  /// points.
  public func validate(
    _ update: PTLCUpdate, by party: Party, in ledger: PTLCLedger, settled: PTLCLedger, _ parameters: Parameters
  ) throws(ProtocolViolation) {
    switch update {
    case .add(let id, let amount, _, let expiry, let onion, _):
      try ledger.validate(id, amount, offeredBy: party, parameters.limits[party.other])
      // A leaf that waits for height 0 can never be taken; from 500,000,000 on it would be a time.
      guard expiry > 0, expiry < 500_000_000 else {
        throw ProtocolViolation(.failChannel, "a PTLC whose expiry is no height")
      }
      guard onion.count == PTLCUpdate.onionByteCount else {
        throw ProtocolViolation(.warning, "an onion of \(onion.count) bytes")
      }
    case .fulfill(let id, let scalar, _):
      let entry = try ledger.removable(id, by: party, settled: settled)
      guard scalar.point == entry.lock else {
        throw ProtocolViolation(.failChannel, "a scalar that does not open PTLC \(id)")
      }
    case .fail(let id, let reason, _):
      _ = try ledger.removable(id, by: party, settled: settled)
      guard reason.count <= Int(UInt16.max), update.body.count <= PTLCUpdate.largestBody else {
        throw ProtocolViolation(.failChannel, "a reason that fits no message")
      }
    case .failMalformed(let id, _, let code, _):
      _ = try ledger.removable(id, by: party, settled: settled)
      try PTLCLedger.validate(malformed: code)
    }
  }

  public func apply(
    _ update: PTLCUpdate, by party: Party, to ledger: inout PTLCLedger, moving balances: inout Balances,
    _ parameters: Parameters
  ) throws(ProtocolViolation) {
    switch update {
    case .add(let id, let amount, let lock, let expiry, _, _):
      try ledger.offer(
        PendingPayment(id: id, offeredBy: party, amount: amount, lock: lock, expiry: expiry), moving: &balances)
    case .fulfill(let id, _, _): try ledger.settle(id, by: party, moving: &balances)
    case .fail(let id, _, _), .failMalformed(let id, _, _, _): try ledger.refuse(id, by: party, moving: &balances)
    }
  }
}
