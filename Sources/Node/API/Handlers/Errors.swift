internal import Bitcoin
internal import Chain
internal import JSON
internal import Payments
internal import Peers
internal import RPC
internal import Storage
internal import Wallet

extension RPCError {
  /// Core Lightning's code for a refusal of any part of the node, with its text.
  init(any error: any Error) {
    switch error {
    case let error as RPCError: self = error
    case let error as PaymentFailure: self.init(error)
    case let error as InvoiceRefusal: self.init(RPCErrorCode(rawValue: error.code), error.description)
    case let error as WalletError: self.init(error)
    case let error as PeerError: self.init(error)
    case let error as NodeError: self.init(error)
    case let error as ChainError:
      if case .refused = error { self.init(.fundBroadcastFailed, "\(error)") } else { self.init(.failure, "\(error)") }
    case let error as PSBTError: self.init(.fundPSBTInvalid, "the PSBT cannot be used: \(error)")
    case is CancellationError: self.init(.failure, "the caller has gone")
    default: self.init(.failure, "\(error)")
    }
  }

  init(_ error: PaymentFailure) {
    var data: JSONObject = [:]
    if let code = error.failureCode {
      data["failcode"] = .int(code)
      if let name = error.failureName { data["failcodename"] = .string("WIRE_" + name.uppercased()) }
    }
    if let index = error.erringIndex { data["erring_index"] = .int(index) }
    if let node = error.erringNode { data["erring_node"] = .text(node) }
    if let channel = error.erringChannel {
      data["erring_channel"] = .text(channel.shortChannelID)
      data["erring_direction"] = .int(channel.direction)
    }
    if let raw = error.raw { data["raw_message"] = .hex(raw) }
    let code: RPCErrorCode =
      error.code == .invalidInvoice ? .invalidParams : RPCErrorCode(rawValue: Int(error.code.rawValue))
    self.init(code, error.message, data: data.members.isEmpty ? nil : .object(data))
  }

  init(_ error: WalletError) {
    let code: RPCErrorCode =
      switch error {
      case .insufficientFunds: .fundCannotAfford
      case .anchorReserve: .fundCannotAffordWithReserve
      case .dust: .fundOutputIsDust
      case .mismatch, .psbt: .fundPSBTInvalid
      default: .failure
      }
    self.init(code, "\(error)")
  }

  init(_ error: PeerError) {
    let code: RPCErrorCode =
      switch error {
      case .noUsableAddress: .connectNoKnownAddress
      case .unreachable: .connectAllAddressesFailed
      case .stopped: .shuttingDown
      case .ourself: .invalidParams
      case .cancelled, .cannotListen: .failure
      }
    self.init(code, "\(error)")
  }

  init(_ error: NodeError) {
    let code: RPCErrorCode =
      switch error {
      case .unknownPeer: .fundUnknownPeer
      case .notConnected: .fundPeerNotConnected
      case .openingFailed(let text) where text.contains("funds"): .fundCannotAfford
      case .unknownChannel, .invalid: .invalidParams
      default: .failure
      }
    self.init(code, "\(error)")
  }

  static func notSupported(_ what: String) -> RPCError { RPCError(.failure, "\(what) is not supported yet") }
}
