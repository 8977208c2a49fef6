/// An error of the RPC, with Bitcoin Core's number.
struct RPCFault: Error, Hashable, Sendable {
  let code: Int
  let message: String

  init(_ code: Int, _ message: String) {
    self.code = code
    self.message = message
  }

  static let miscellaneous = -1
  static let wrongType = -3
  static let invalidAddressOrKey = -5
  static let invalidParameter = -8
  static let cannotDecode = -22
  static let verifyError = -25
  static let verifyRejected = -26
  static let alreadyInUTXOSet = -27
  static let warmingUp = -28
  static let invalidRequest = -32600
  static let methodNotFound = -32601
  static let parseError = -32700

  /// How Bitcoin Core's HTTP server maps it.
  var httpStatus: Int {
    switch code {
    case Self.invalidRequest: 400
    case Self.methodNotFound: 404
    default: 500
    }
  }

  init(_ error: ChainError) {
    switch error {
    case .refused(let refusal): self.init(refusal)
    case .unknownBlock: self.init(Self.invalidAddressOrKey, "Block not found")
    case .invalidBlock(let reason): self.init(Self.verifyError, "TestBlockValidity failed: \(reason)")
    case .faucetEmpty: self.init(-6, "Insufficient funds (\(error))")
    case .storage: self.init(-20, "\(error)")
    default: self.init(Self.miscellaneous, "\(error)")
    }
  }

  init(_ refusal: TransactionRefusal) {
    var message = refusal.reason
    if let detail = refusal.detail { message += ", \(detail)" }
    switch refusal.kind {
    case .missingInputs: self.init(Self.verifyError, refusal.reason)
    case .alreadyConfirmed: self.init(Self.alreadyInUTXOSet, "Transaction outputs already in utxo set")
    default: self.init(Self.verifyRejected, message)
    }
  }
}
