internal import RPC

extension NodeAPI {
  private static func invoiceResults(_ prefix: String) -> [RPCResult] {
    [
      RPCResult(prefix + "label", "string", "your name for it"),
      RPCResult(prefix + "bolt11", "string", "the invoice", optional: true),
      RPCResult(prefix + "payment_hash", "hex", "its hash"),
      RPCResult(prefix + "payment_point", "hex", RPCResult.paymentPoint, optional: true),
      RPCResult(prefix + "amount_msat", "msat", "the amount, where it has one", optional: true),
      RPCResult(prefix + "status", "string", "unpaid, paid or expired"),
      RPCResult(prefix + "description", "string", "what for"),
      RPCResult(prefix + "expires_at", "seconds", "until when it can be paid"),
      RPCResult(prefix + "pay_index", "integer", "its number among the invoices that were paid", optional: true),
      RPCResult(prefix + "amount_received_msat", "msat", "what came", optional: true),
      RPCResult(prefix + "paid_at", "seconds", "when", optional: true),
      RPCResult(prefix + "payment_preimage", "hex", "the proof of payment", optional: true),
      RPCResult(prefix + "created_index", "integer", RPCResult.createdIndex),
      RPCResult(prefix + "updated_index", "integer", RPCResult.updatedIndex, optional: true),
    ]
  }

  static let invoices: [RPCMethod] = [
    RPCMethod(
      "invoice", .invoices, "Ask to be paid",
      parameters: [
        .required("amount_msat", .msatOrAny, "How much; \"any\" for what the payer likes."),
        .required("label", .label, "A name of your own, used once."),
        .required("description", .string, "What for; the payer sees it."),
        .optional(
          "expiry", .integerIn(1...0xffff_ffff), default: "604800", "Seconds until it cannot be paid any more."),
        .optional("fallbacks", .list(.string), "Addresses for paying on the chain instead."),
        .optional(
          "preimage", .hex(count: 32), default: "random", "The secret. Who knows it can take the payment on its way."),
        .optional(
          "exposeprivatechannels", .json, default: "only when there are no others",
          "Whether channels that are not announced stand in it: true, false, or a list of short channel ids."),
        .optional("cltv", .integerIn(9...0xffff), default: "18", "Blocks that the last hop leaves us."),
        .optional("deschashonly", .bool, default: "false", "Only the hash of the description stands in it."),
        .optional(
          "ptlc", .bool, default: "false",
          "Ask for a payment locked by points: no two hops see the same lock. Only nodes that know it can pay."),
      ],
      results: [
        RPCResult("bolt11", "string", "the invoice"), RPCResult("payment_hash", "hex", "its hash"),
        RPCResult("payment_point", "hex", RPCResult.paymentPoint, optional: true),
        RPCResult("payment_secret", "hex", "its payment secret"),
        RPCResult("expires_at", "seconds", "until when it can be paid"),
        RPCResult("created_index", "integer", RPCResult.createdIndex),
        RPCResult("warning_capacity", "string", "no channel can receive so much", optional: true),
        RPCResult("warning_offline", "string", "the peers that could forward it are not connected", optional: true),
      ]),
    RPCMethod(
      "listinvoices", .invoices, "List invoices",
      parameters: [
        .optional("label", .label, "Only that of one label."), .optional("invstring", .string, "Only one invoice."),
        .optional("payment_hash", .hex(count: 32), "Only that of one hash."),
        .optional("offer_id", .hex(count: 32), "Only those of one offer."), .index, .start, .limit,
      ], results: invoiceResults("invoices[].")),
    RPCMethod(
      "delinvoice", .invoices, "Forget an invoice",
      parameters: [
        .required("label", .label, "Its label."),
        .required(
          "status", .choice(["paid", "expired", "unpaid"]), "How it must stand: so nothing is forgotten by mistake."),
        .optional("desconly", .bool, default: "false", "Refused: the invoice is forgotten as a whole."),
      ], results: invoiceResults("")),
    RPCMethod(
      "waitinvoice", .invoices, "Wait until an invoice is paid or expires",
      parameters: [.required("label", .label, "Its label.")], results: invoiceResults(""), isSlow: true),
    RPCMethod(
      "waitanyinvoice", .invoices, "Wait until the next invoice is paid",
      parameters: [
        .optional("lastpay_index", .integer, default: "0", "The pay_index of the last one that was seen."),
        .optional(
          "timeout", .integerIn(0...0xffff_ffff), default: "for ever", "Seconds to wait at most; 0 only looks."),
      ], results: invoiceResults(""), isSlow: true),
    RPCMethod(
      "glc-holdinvoice", .invoices, "Ask to be paid, and decide when the payment is there",
      details:
        "The payment waits here until `glc-holdinvoice-settle` or `glc-holdinvoice-cancel`, or until time runs out.",
      parameters: [
        .required(
          "payment_hash", .hex(count: nil),
          "The hash of a secret that need not be known yet; or a point whose discrete logarithm that is, for a payment locked by points."
        ),
        .required("amount_msat", .msat, "How much."), .required("label", .label, "A name of your own, used once."),
        .required("description", .string, "What for; the payer sees it."),
        .optional(
          "expiry", .integerIn(1...0xffff_ffff), default: "604800", "Seconds until it cannot be paid any more."),
        .optional("cltv", .integerIn(18...0xffff), default: "144", "Blocks in which to decide."),
      ],
      results: [
        RPCResult("bolt11", "string", "the invoice"), RPCResult("payment_hash", "hex", "its hash"),
        RPCResult("payment_point", "hex", RPCResult.paymentPoint, optional: true),
        RPCResult("expires_at", "seconds", "until when it can be paid"),
      ]),
    RPCMethod(
      "glc-holdinvoice-settle", .invoices, "Take a payment that waits",
      parameters: [.required("preimage", .hex(count: 32), "The secret.")],
      results: [
        RPCResult("payment_hash", "hex", "its hash"), RPCResult("amount_received_msat", "msat", "what was taken"),
      ]),
    RPCMethod(
      "glc-holdinvoice-cancel", .invoices, "Send a payment that waits back",
      parameters: [.required("payment_hash", .hex(count: 32), "The hash.")],
      results: [RPCResult("payment_hash", "hex", "the hash")]),
  ]

  static let network: [RPCMethod] = [
    RPCMethod(
      "listnodes", .network, "List the nodes of the network",
      parameters: [.optional("id", .nodeID, default: "all", "One node.")],
      results: [
        RPCResult("nodes[].nodeid", "node id", "the node"),
        RPCResult("nodes[].alias", "string", "its name", optional: true),
        RPCResult("nodes[].color", "hex", "its colour", optional: true),
        RPCResult("nodes[].last_timestamp", "seconds", "when it last announced itself", optional: true),
        RPCResult("nodes[].features", "hex", "what it offers", optional: true),
        RPCResult("nodes[].addresses[]", "object", "type, address and port", optional: true),
      ]),
    RPCMethod(
      "listchannels", .network, "List the channels of the network, each direction by itself",
      parameters: [
        .optional("short_channel_id", .shortChannelID, "Only one channel."),
        .optional("source", .nodeID, "Only those that lead away from a node."),
        .optional("destination", .nodeID, "Only those that lead to a node."),
      ],
      results: [
        RPCResult("channels[].source", "node id", "where it begins"),
        RPCResult("channels[].destination", "node id", "where it ends"),
        RPCResult("channels[].short_channel_id", "short channel id", "the channel"),
        RPCResult("channels[].direction", "integer", "0 from the lesser node id, 1 from the greater"),
        RPCResult("channels[].public", "bool", "whether it is announced"),
        RPCResult("channels[].amount_msat", "msat", "its size"),
        RPCResult("channels[].active", "bool", "whether it is in use"),
        RPCResult("channels[].last_update", "seconds", "when its policy was announced"),
        RPCResult("channels[].base_fee_millisatoshi", "integer", "the fixed fee"),
        RPCResult("channels[].fee_per_millionth", "integer", "the proportional fee"),
        RPCResult("channels[].delay", "integer", "the blocks it wants"),
        RPCResult("channels[].htlc_minimum_msat", "msat", "the smallest payment"),
        RPCResult("channels[].htlc_maximum_msat", "msat", "the largest payment"),
      ]),
  ]
}
