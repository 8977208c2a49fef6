public import Encoding
internal import Payments

extension Node {
  /// Takes the payment of a hold invoice.
  public func settleInvoice(_ paymentHash: Bytes32, preimage: Bytes32) async throws {
    try await invoiceStep { engine, now throws(InvoiceRefusal) in
      try engine.settleInvoice(paymentHash, preimage: preimage, at: now)
    }
  }

  /// Gives up an invoice that is not paid; a payment that is held goes back.
  public func cancelInvoice(_ paymentHash: Bytes32) async throws {
    try await invoiceStep { engine, now throws(InvoiceRefusal) in try engine.cancelInvoice(paymentHash, at: now) }
  }

  /// Whether all parts of a hold invoice's payment are here.
  public func isHeld(_ paymentHash: Bytes32) async -> Bool {
    (try? await hub.withPayments { engine, _ in (engine.isHeld(paymentHash), []) }) ?? false
  }

  private func invoiceStep(
    _ body: @escaping @Sendable (inout PaymentEngine, PaymentTime) throws(InvoiceRefusal) -> [PaymentAction]
  ) async throws {
    try await hub.withPayments { engine, now -> (Result<Void, InvoiceRefusal>, [PaymentAction]) in
      do throws(InvoiceRefusal) { return (.success(()), try body(&engine, now)) } catch { return (.failure(error), []) }
    }.get()
  }
}
