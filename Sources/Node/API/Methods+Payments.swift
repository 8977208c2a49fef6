internal import RPC

extension NodeAPI {
  private static let payResult: [RPCResult] = [
    RPCResult("payment_preimage", "hex", "the proof of payment"),
    RPCResult("payment_hash", "hex", "its hash"),
    RPCResult("payment_point", "hex", RPCResult.paymentPoint, optional: true),
    RPCResult("destination", "node id", "who was paid", optional: true),
    RPCResult("amount_msat", "msat", "what arrived"),
    RPCResult("amount_sent_msat", "msat", "what was sent, fees included"),
    RPCResult("parts", "integer", "in how many parts"),
    RPCResult("status", "string", "complete"),
    RPCResult("created_at", "seconds", "when it was begun"),
  ]

  static let payments: [RPCMethod] = [
    RPCMethod(
      "pay", .payments, "Pay an invoice",
      details: "Waits until it is paid or has failed for good. Paying the same invoice again is safe: it is paid once.",
      parameters: [
        .required("bolt11", .string, "The invoice."),
        .optional("amount_msat", .msat, default: "what the invoice says", "For an invoice without amount."),
        .optional("label", .string, "A note of your own."),
        .optional(
          "riskfactor", .number, default: "10", "How much a day of locked money weighs against fees, in percent a year."
        ),
        .maxFeePercent, .retryFor, .maxDelay, .exemptFee,
        .optional("localinvreqid", .hex(count: 32), "Refused: BOLT 12 cannot be paid yet."),
        .optional("exclude", .list(.string), "Nodes and channels (SCID/DIRECTION) not to go through."),
        .maxFee,
        .optional("description", .string, "The text behind the invoice's description hash."),
        .optional("partial_msat", .msat, default: "all of it", "Pay only so much; others pay the rest."),
      ], results: payResult, isSlow: true),
    RPCMethod(
      "xpay", .payments, "Pay an invoice, with fewer knobs",
      parameters: [
        .required("invstring", .string, "The invoice."),
        .optional("amount_msat", .msat, default: "what the invoice says", "For an invoice without amount."),
        .optional("maxfee", .msat, default: "0.5 % and at least 5000 msat", "The most that may be paid in fees."),
        .optional("layers", .list(.string), "Refused: there are no layers."),
        .retryFor,
        .optional("partial_msat", .msat, default: "all of it", "Pay only so much; others pay the rest."),
        .maxDelay,
      ],
      results: [
        RPCResult("payment_preimage", "hex", "the proof of payment"),
        RPCResult("failed_parts", "integer", "attempts that failed"),
        RPCResult("successful_parts", "integer", "parts that arrived"),
        RPCResult("amount_msat", "msat", "what arrived"),
        RPCResult("amount_sent_msat", "msat", "what was sent, fees included"),
      ], isSlow: true),
    RPCMethod(
      "keysend", .payments, "Pay a node that gave no invoice",
      parameters: [
        .required("destination", .nodeID, "Who is paid."), .required("amount_msat", .msat, "How much."),
        .optional("label", .string, "A note of your own."),
        .maxFeePercent, .retryFor, .maxDelay, .exemptFee,
        .optional("routehints", .list(.json), "Channels that lead to a node without public ones."),
        .optional("extratlvs", .object, "More for the receiver: TLV types with values in hex."),
        .maxFee,
      ], results: payResult, isSlow: true),
    RPCMethod(
      "sendpay", .payments, "Send one part of a payment over a given route",
      details: "For programs that find routes on their own. Returns at once; `waitsendpay` tells how it ended.",
      parameters: [
        .required("route", .list(.object), "The hops as getroute gives them: id, channel, amount_msat, delay."),
        .required("payment_hash", .hex(count: 32), "The hash."),
        .optional("label", .string, "A note of your own."),
        .optional("amount_msat", .msat, default: "what the last hop gets", "The amount of the whole payment."),
        .optional("bolt11", .string, "The invoice, to be listed with it."),
        .optional("payment_secret", .hex(count: 32), "The invoice's payment secret."),
        .optional("partid", .integer, default: "0", "Which part of the payment it is."),
        .optional("localinvreqid", .hex(count: 32), "Refused: BOLT 12 cannot be paid yet."),
        .optional("groupid", .integer, default: "one of its own", "Which attempt at the payment it is."),
        .optional("payment_metadata", .hex(count: nil), "The invoice's metadata."),
        .optional("description", .string, "The text behind the invoice's description hash."),
        .optional("payment_point", .hex(count: 33), "The point, for a payment locked by points."),
      ],
      results: [
        RPCResult("id", "integer", "the number of the part"), RPCResult("payment_hash", "hex", "the hash"),
        RPCResult("status", "string", "pending or complete"), RPCResult("amount_sent_msat", "msat", "what was sent"),
        RPCResult("created_at", "seconds", "when"),
      ]),
    RPCMethod(
      "waitsendpay", .payments, "Wait until a part sent with sendpay has arrived or failed",
      parameters: [
        .required("payment_hash", .hex(count: 32), "The hash."),
        .optional("timeout", .integerIn(0...0xffff_ffff), default: "for ever", "Seconds to wait at most."),
        .optional("partid", .integer, default: "0", "Which part."),
        .optional("groupid", .integer, default: "the last one", "Which attempt."),
      ],
      results: [
        RPCResult("payment_preimage", "hex", "the proof of payment"), RPCResult("payment_hash", "hex", "the hash"),
        RPCResult("status", "string", "complete"), RPCResult("amount_sent_msat", "msat", "what was sent"),
        RPCResult("created_at", "seconds", "when it was begun"),
        RPCResult("completed_at", "seconds", "when it arrived"),
      ], isSlow: true),
    RPCMethod(
      "listpays", .payments, "List payments that were made, whole",
      parameters: [
        .optional("bolt11", .string, "Only those of one invoice."),
        .optional("payment_hash", .hex(count: 32), "Only those of one hash."),
        .optional("status", .choice(["pending", "complete", "failed"]), "Only those that stand so."),
        .index, .start, .limit,
      ],
      results: [
        RPCResult("pays[].payment_hash", "hex", "the hash"),
        RPCResult("pays[].payment_point", "hex", RPCResult.paymentPoint, optional: true),
        RPCResult("pays[].status", "string", "pending, complete or failed"),
        RPCResult("pays[].destination", "node id", "who was paid", optional: true),
        RPCResult("pays[].bolt11", "string", "the invoice", optional: true),
        RPCResult("pays[].label", "string", "your note", optional: true),
        RPCResult("pays[].amount_msat", "msat", "what arrived", optional: true),
        RPCResult("pays[].amount_sent_msat", "msat", "what was sent, fees included"),
        RPCResult("pays[].preimage", "hex", "the proof of payment", optional: true),
        RPCResult("pays[].created_at", "seconds", "when it was begun"),
        RPCResult("pays[].completed_at", "seconds", "when it arrived", optional: true),
      ]),
    RPCMethod(
      "listsendpays", .payments, "List the parts of payments that were sent",
      parameters: [
        .optional("bolt11", .string, "Only those of one invoice."),
        .optional("payment_hash", .hex(count: 32), "Only those of one hash."),
        .optional("status", .choice(["pending", "complete", "failed"]), "Only those that stand so."),
        .index, .start, .limit,
      ],
      results: [
        RPCResult("payments[].id", "integer", "the number of the part"),
        RPCResult("payments[].payment_hash", "hex", "the hash"),
        RPCResult("payments[].groupid", "integer", "which attempt"),
        RPCResult("payments[].partid", "integer", "which part", optional: true),
        RPCResult("payments[].status", "string", "pending, complete or failed"),
        RPCResult("payments[].amount_msat", "msat", "what arrives", optional: true),
        RPCResult("payments[].amount_sent_msat", "msat", "what was sent"),
        RPCResult("payments[].created_at", "seconds", "when it was sent"),
        RPCResult("payments[].payment_preimage", "hex", "the proof of payment", optional: true),
      ]),
    RPCMethod(
      "delpay", .payments, "Forget a payment that is over",
      parameters: [
        .required("payment_hash", .hex(count: 32), "The hash."),
        .required("status", .choice(["complete", "failed"]), "How it must have ended."),
        .optional("partid", .integer, "Refused: all parts are forgotten together."),
        .optional("groupid", .integer, default: "all", "Only one attempt."),
      ], results: [RPCResult("payments[]", "object", "what was forgotten, as in listsendpays")]),
    RPCMethod(
      "listforwards", .payments, "List payments that were forwarded, or could not be",
      parameters: [
        .optional("status", .choice(["offered", "settled", "local_failed", "failed"]), "Only those that stand so."),
        .optional("in_channel", .shortChannelID, "Only those that came from there."),
        .optional("out_channel", .shortChannelID, "Only those that went there."),
        .index, .start, .limit,
      ],
      results: [
        RPCResult("forwards[].in_channel", "short channel id", "from where"),
        RPCResult("forwards[].out_channel", "short channel id", "to where", optional: true),
        RPCResult("forwards[].in_msat", "msat", "what came"),
        RPCResult("forwards[].out_msat", "msat", "what went", optional: true),
        RPCResult("forwards[].fee_msat", "msat", "what stayed", optional: true),
        RPCResult("forwards[].status", "string", "offered, settled, local_failed or failed"),
        RPCResult("forwards[].failreason", "string", "why it failed here", optional: true),
        RPCResult("forwards[].received_time", "seconds", "when it came"),
        RPCResult("forwards[].resolved_time", "seconds", "when it was over", optional: true),
      ]),
    RPCMethod(
      "getroute", .payments, "Find a route to a node",
      parameters: [
        .required("id", .nodeID, "The node."), .required("amount_msat", .msat, "What should arrive."),
        .required("riskfactor", .number, "How much a day of locked money weighs against fees, in percent a year."),
        .optional("cltv", .integerIn(0...0xffff), default: "9", "Blocks that the receiver wants."),
        .optional("fromid", .nodeID, default: "this node", "Where the route begins."),
        .optional("fuzzpercent", .number, default: "5", "Taken and not used."),
        .optional("exclude", .list(.string), "Nodes and channels (SCID/DIRECTION) not to go through."),
        .optional("maxhops", .integerIn(1...27), default: "20", "How long it may be."),
      ],
      results: [
        RPCResult("route[].id", "node id", "the node at the end of the hop"),
        RPCResult("route[].channel", "short channel id", "the channel"),
        RPCResult("route[].direction", "integer", "0 from the lesser node id, 1 from the greater"),
        RPCResult("route[].amount_msat", "msat", "what it gets"),
        RPCResult("route[].delay", "integer", "blocks until it times out"),
        RPCResult("route[].style", "string", "tlv"),
      ]),
  ]
}
