internal import RPC

extension NodeAPI {
  private static let condition = "Refused unless the node was started with `--dev-methods`, which is never on mainnet."

  static let developer: [RPCMethod] = [
    RPCMethod(
      "glc-dev-feerate", .developer, "Set all fee rates, as if the chain had said so", details: condition,
      parameters: [
        .optional(
          "perkw", .integerIn(0...10_000_000), default: "what the chain says", "Satoshi for 1000 weight units.")
      ],
      results: [RPCResult("perkw", "integer", "what confirmations are thought to cost now")]),
    RPCMethod(
      "glc-dev-revoked", .developer, "Publish a revoked commitment, and lose its money to the peer", details: condition,
      parameters: [
        .required("id", .channel, "The channel, or the peer when there is one channel with it."),
        .optional("number", .integer, default: "the last that is revoked", "The number of the commitment."),
      ],
      results: [
        RPCResult("number", "integer", "its number"), RPCResult("txid", "hex", "its id"),
        RPCResult("tx", "hex", "the transaction"),
      ]),
  ]
}
