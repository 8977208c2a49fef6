internal import RPC

extension NodeAPI {
  static let wallet: [RPCMethod] = [
    RPCMethod(
      "newaddr", .wallet, "Get an address to send money to the wallet",
      parameters: [
        .optional(
          "addresstype", .choice(["p2tr", "bech32", "all"]), default: "p2tr", "Taproot, segwit, or one of each.")
      ],
      results: [
        RPCResult("p2tr", "string", "a taproot address", optional: true),
        RPCResult("bech32", "string", "a segwit address", optional: true),
      ]),
    RPCMethod(
      "listfunds", .wallet, "List the wallet's outputs and what is in channels",
      parameters: [.optional("spent", .bool, default: "false", "Also what is spent.")],
      results: [
        RPCResult("outputs[].txid", "hex", "the transaction"), RPCResult("outputs[].output", "integer", "its output"),
        RPCResult("outputs[].amount_msat", "msat", "the amount"),
        RPCResult("outputs[].scriptpubkey", "hex", "the script"),
        RPCResult("outputs[].address", "string", "the address", optional: true),
        RPCResult("outputs[].status", "string", "unconfirmed, confirmed, spent or immature"),
        RPCResult("outputs[].blockheight", "integer", "its block", optional: true),
        RPCResult("outputs[].reserved", "bool", "whether it is set aside"),
        RPCResult("channels[].peer_id", "node id", "the peer"),
        RPCResult("channels[].connected", "bool", "whether it is connected"),
        RPCResult("channels[].state", "string", "for example CHANNELD_NORMAL"),
        RPCResult("channels[].channel_id", "hex", "the channel"),
        RPCResult("channels[].short_channel_id", "short channel id", "where it is in the chain", optional: true),
        RPCResult("channels[].our_amount_msat", "msat", "ours"),
        RPCResult("channels[].amount_msat", "msat", "its size"),
        RPCResult("channels[].funding_txid", "hex", "the funding transaction"),
        RPCResult("channels[].funding_output", "integer", "its output"),
      ]),
    RPCMethod(
      "withdraw", .wallet, "Send money from the wallet to an address",
      parameters: [
        .required("destination", .string, "The address."),
        .required("satoshi", .satOrAll, "How much; \"all\" empties the wallet, fees are taken from it."), .feeRate,
        .minconf, .utxos,
      ],
      results: [
        RPCResult("tx", "hex", "the transaction"), RPCResult("txid", "hex", "its id"),
        RPCResult("psbt", "base64", "as a PSBT"),
      ]),
    RPCMethod(
      "feerates", .wallet, "Show fee rates as the node estimates them",
      parameters: [.required("style", .choice(["perkw", "perkb"]), "For 1000 weight units or 1000 vbytes.")],
      results: [
        RPCResult("perkw|perkb.opening", "integer", "for opening channels"),
        RPCResult("perkw|perkb.mutual_close", "integer", "for closing together"),
        RPCResult("perkw|perkb.unilateral_close", "integer", "for closing alone"),
        RPCResult("perkw|perkb.penalty", "integer", "for punishing"),
        RPCResult("perkw|perkb.min_acceptable", "integer", "the least a peer may ask for"),
        RPCResult("perkw|perkb.max_acceptable", "integer", "the most"),
        RPCResult("perkw|perkb.floor", "integer", "below it nothing is relayed"),
        RPCResult("perkw|perkb.estimates[]", "object", "blockcount, feerate, smoothed_feerate"),
        RPCResult("onchain_fee_estimates", "object", "what transactions would cost, in satoshi"),
      ]),
    RPCMethod(
      "listtransactions", .wallet, "List the wallet's transactions",
      results: [
        RPCResult("transactions[].hash", "hex", "the transaction's id"),
        RPCResult("transactions[].rawtx", "hex", "the transaction"),
        RPCResult("transactions[].blockheight", "integer", "its block; 0 for none yet"),
        RPCResult("transactions[].txindex", "integer", "its place in the block"),
        RPCResult("transactions[].locktime", "integer", "its lock time"),
        RPCResult("transactions[].version", "integer", "its version"),
        RPCResult("transactions[].inputs[]", "object", "txid, index, sequence"),
        RPCResult("transactions[].outputs[]", "object", "index, amount_msat, scriptPubKey"),
      ]),
    RPCMethod(
      "fundpsbt", .wallet, "Make a PSBT with inputs of the wallet for an amount",
      details:
        "It has no outputs but for change; add your own, then use `signpsbt` and `sendpsbt`. With \"all\", the excess is what there is.",
      parameters: [
        .required("satoshi", .satOrAll, "What its outputs will need."), .required("feerate", .feeRate, "The fee rate."),
        .required("startweight", .integerIn(0...4_000_000), "The weight of everything but the inputs."), .minconf,
        .optional(
          "reserve", .integerIn(0...100_000), default: "72", "Set the inputs aside for so many blocks; 0 for not."),
        .optional("locktime", .integerIn(0...0xffff_ffff), default: "the current height", "The lock time."),
        .optional(
          "min_witness_weight", .integerIn(0...4_000_000), default: "what it is",
          "The least weight counted for a witness."),
        .optional("excess_as_change", .bool, default: "false", "Add an output for what is too much."),
        .optional("nonwrapped", .bool, default: "false", "Only native segwit inputs."),
        .optional(
          "opening_anchor_channel", .bool, default: "false", "Leave the reserve for closing anchor channels alone."),
      ],
      results: [
        RPCResult("psbt", "base64", "the PSBT"), RPCResult("feerate_per_kw", "integer", "the fee rate"),
        RPCResult("estimated_final_weight", "integer", "its weight when it is signed"),
        RPCResult("excess_msat", "msat", "what is too much"),
        RPCResult("change_outnum", "integer", "the change", optional: true),
        RPCResult("reservations[]", "object", "what was set aside: txid, vout, reserved, reserved_to_block"),
      ]),
    RPCMethod(
      "signpsbt", .wallet, "Sign the wallet's inputs of a PSBT",
      parameters: [
        .required("psbt", .string, "The PSBT in base64."),
        .optional("signonly", .list(.integer), default: "all of the wallet's", "Only these inputs."),
      ], results: [RPCResult("signed_psbt", "base64", "the PSBT with signatures")]),
    RPCMethod(
      "sendpsbt", .wallet, "Finish a signed PSBT and send its transaction",
      parameters: [
        .required("psbt", .string, "The PSBT in base64."),
        .optional("reserve", .integerIn(0...100_000), default: "72", "Set its inputs aside for so many blocks."),
      ], results: [RPCResult("tx", "hex", "the transaction"), RPCResult("txid", "hex", "its id")]),
    RPCMethod(
      "reserveinputs", .wallet, "Set the inputs of a PSBT aside",
      parameters: [
        .required("psbt", .string, "The PSBT in base64."),
        .optional("exclusive", .bool, default: "true", "Refuse when one is set aside already."),
        .optional("reserve", .integerIn(1...100_000), default: "72", "For so many blocks."),
      ], results: [RPCResult("reservations[]", "object", "txid, vout, was_reserved, reserved, reserved_to_block")]),
    RPCMethod(
      "unreserveinputs", .wallet, "Give the inputs of a PSBT free again",
      parameters: [
        .required("psbt", .string, "The PSBT in base64."),
        .optional("reserve", .integerIn(1...100_000), default: "72", "Blocks to take off."),
      ], results: [RPCResult("reservations[]", "object", "txid, vout, was_reserved, reserved, reserved_to_block")]),
    RPCMethod(
      "glc-bumpfee", .wallet, "Raise the fee of a transaction that waits",
      parameters: [
        .required("txid", .hex(count: 32), "The transaction."), .required("feerate", .feeRate, "The new fee rate."),
      ],
      results: [
        RPCResult("txid", "hex", "the transaction that replaces or pulls it"),
        RPCResult("tx", "hex", "that transaction"),
      ]),
    RPCMethod(
      "glc-seed", .wallet, "Show the words from which the wallet can be restored",
      details: "Whoever sees them can take the money. Channels are not in them.",
      parameters: [
        .required("confirm", .choice(["show"]), "The word \"show\", so that it does not happen by mistake.")
      ],
      results: [
        RPCResult("words", "string", "the words"), RPCResult("birthday", "integer", "the height when they were made"),
      ]),
  ]
}
