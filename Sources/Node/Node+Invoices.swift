public import Encoding
public import Payments

extension Node {
  /// Takes the payment of a hold invoice.
  public func settleInvoice(_ paymentHash: Bytes32, preimage: Bytes32) async throws {
    try await invoiceStep(paymentHash) { engine, now throws(InvoiceRefusal) in
      try engine.settleInvoice(paymentHash, preimage: preimage, at: now)
    }
  }

  /// Gives up an invoice that is not paid; a payment that is held goes back.
  public func cancelInvoice(_ paymentHash: Bytes32) async throws {
    try await invoiceStep(paymentHash) { engine, now throws(InvoiceRefusal) in
      try engine.cancelInvoice(paymentHash, at: now)
    }
  }

  /// Whether all parts of a hold invoice's payment are here.
  public func isHeld(_ paymentHash: Bytes32) async -> Bool {
    (try? await hub.withPayments { engine, _ in (engine.isHeld(paymentHash), []) }) ?? false
  }

  /// An invoice, whether it is over or not.
  public func invoice(_ paymentHash: Bytes32) async throws -> InvoiceRecord? {
    try await hub.withPayments(recalling: .invoices(hashes: [paymentHash])) { engine, _ in
      (engine.invoices[paymentHash], [])
    }
  }

  /// All attempts to pay a payment hash, those that are over too.
  public func payments(withHash paymentHash: Bytes32) async throws -> [PaymentRecord] {
    try await hub.withPayments(recalling: .payments(paymentHash)) { engine, _ in
      (engine.payments(withHash: paymentHash).sorted { $0.createdIndex < $1.createdIndex }, [])
    }
  }

  private func invoiceStep(
    _ paymentHash: Bytes32,
    _ body: @escaping @Sendable (inout PaymentEngine, PaymentTime) throws(InvoiceRefusal) -> [PaymentAction]
  ) async throws {
    try await hub.withPayments(recalling: .invoices(hashes: [paymentHash])) {
      engine, now -> (Result<Void, InvoiceRefusal>, [PaymentAction]) in
      do throws(InvoiceRefusal) { return (.success(()), try body(&engine, now)) } catch { return (.failure(error), []) }
    }.get()
  }
}
