internal import BOLT
internal import Bitcoin
internal import JSON
internal import Logging
internal import RPC

extension Handlers {
  private func requireDeveloper() throws {
    guard hub.settings.developer.hasMethods, network != .bitcoin else {
      throw RPCError(.failure, "this is for tests alone: start the node with --dev-methods")
    }
  }

  func devFeeRate(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    try requireDeveloper()
    let rate = try arguments.integer(ifPresent: "perkw", as: UInt32.self)
    hub.fees.fix(rate.map { max(FeeRate(satPerKiloWeight: $0), .relayFloor) })
    hub.logger.warning(
      "fee rates are set by hand, as a test demands",
      metadata: ["perkw": "\(rate.map { "\($0)" } ?? "as the chain says")"])
    return ["perkw": .int(hub.fees.rate(within: 6).satPerKiloWeight)]
  }

  func devRevoked(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    try requireDeveloper()
    let id = try await channel(arguments).channel.id
    let (number, transaction) = try await node.publishRevoked(id, number: arguments.integer(ifPresent: "number"))
    return ["number": .unsigned(number), "txid": .text(transaction.txid), "tx": .hex(transaction.encoded)]
  }
}
