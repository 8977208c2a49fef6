internal import RPC

extension NodeAPI {
  static let glc: [RPCMethod] = [
    RPCMethod(
      "glc-extensions", .glc, "List the extensions that channels here can be composed of",
      results: [
        RPCResult("extensions[].name", "string", "the extension"),
        RPCResult("extensions[].kind", "string", "funding, channel or transform"),
        RPCResult("extensions[].phase", "string", "when it adds to a commitment", optional: true),
        RPCResult("extensions[].summary", "string", "what it does"),
      ]),
    RPCMethod(
      "glc-stacks", .glc, "List the stacks that can be negotiated, and the channel types they are",
      results: [
        RPCResult("stacks[].name", "string", "the stack"),
        RPCResult("stacks[].channel_type", "object", "bits and names"),
        RPCResult("stacks[].extensions[]", "string", "what it is composed of"),
        RPCResult("parts[]", "object", "every part that a stack can have here: name, kind, id"),
        RPCResult("peers[].id", "node id", "a peer that composes channels too"),
        RPCResult("peers[].parts[]", "object", "what it has"),
      ]),
    RPCMethod(
      "glc-proposals", .glc, "Show the channels that are being composed with peers",
      details:
        "From the first question until the channel is used. As PSBTs, other tools can read them (bitcoin-cli decodepsbt).",
      parameters: [
        .optional(
          "psbt", .bool, default: "false",
          "Whether to write out the funding transaction and both first commitments as PSBTs.")
      ],
      results: [
        RPCResult("proposals[].peer_id", "node id", "the peer"),
        RPCResult("proposals[].id", "hex", "the negotiation"),
        RPCResult("proposals[].stage", "string", "how far it is"),
        RPCResult("proposals[].opener", "string", "local or remote"),
        RPCResult("proposals[].round", "integer", "proposals so far"),
        RPCResult("proposals[].stack", "string", "what the channel is composed of"),
        RPCResult("proposals[].our_amount_msat", "msat", "what we put in"),
        RPCResult("proposals[].their_amount_msat", "msat", "what the peer puts in"),
        RPCResult("proposals[].push_msat", "msat", "what the opener gives away of it"),
        RPCResult("proposals[].funding_feerate_perkw", "integer", "of the funding transaction"),
        RPCResult("proposals[].commitment_feerate_perkw", "integer", "of commitments"),
        RPCResult("proposals[].inputs[]", "object", "of the funding transaction: txid, vout, of, amount_msat"),
        RPCResult("proposals[].outputs[]", "object", "of the funding transaction: script, of, amount_msat"),
        RPCResult("proposals[].parameters[]", "object", "of each extension: extension, ours"),
        RPCResult("proposals[].txid", "hex", "the funding transaction", optional: true),
        RPCResult("proposals[].channel_id", "hex", "the channel", optional: true),
        RPCResult("proposals[].refusal", "string", "why it ended", optional: true),
        RPCResult("proposals[].psbts[]", "string", "in base64: funding, both commitments", optional: true),
      ]),
    RPCMethod(
      "glc-bumpfunding", .glc, "Replace the funding transaction of a composed channel by one that pays more",
      details:
        "As long as it is not confirmed. The new one makes a channel of its own; the one whose funding transaction is confirmed lives, the other "
        + "is forgotten six blocks later.",
      parameters: [.required("id", .channel, "The channel, or the peer when there is one channel with it."), .feeRate],
      results: [
        RPCResult("channel_id", "hex", "the channel that comes of it"),
        RPCResult("txid", "hex", "the funding transaction"), RPCResult("outnum", "integer", "its output"),
        RPCResult("replaced", "hex", "the channel before"),
      ], isSlow: true),
    RPCMethod(
      "glc-stack", .glc, "Show what a channel is composed of, and its commitment output by output",
      parameters: [.required("id", .channel, "The channel, or the peer when there is one channel with it.")],
      results: [
        RPCResult("channel_id", "hex", "the channel"), RPCResult("stack", "string", "the stack's name"),
        RPCResult("extensions[]", "string", "what it is composed of"),
        RPCResult("holder", "string", "local or remote: whose commitment"),
        RPCResult("commitment_number", "integer", "which one"), RPCResult("feerate_perkw", "integer", "its fee rate"),
        RPCResult("weight", "integer", "its weight when signed"), RPCResult("fee_msat", "msat", "its fee"),
        RPCResult("outputs[].name", "string", "what it is"), RPCResult("outputs[].extension", "string", "who added it"),
        RPCResult("outputs[].amount_msat", "msat", "its value"), RPCResult("outputs[].script", "hex", "its script"),
        RPCResult("outputs[].paths[]", "string", "the ways to spend it"),
      ]),
    RPCMethod(
      "glc-channel", .glc, "Show the commitments of a channel that are in force, as PSBTs if wished",
      details:
        "Each can be read by other tools (bitcoin-cli decodepsbt, analyzepsbt). Ours carries the other side's signatures: do not sign and "
        + "publish it, close the channel instead.",
      parameters: [
        .required("id", .channel, "The channel, or the peer when there is one channel with it."),
        .optional("psbt", .bool, default: "false", "Whether to write out each transaction as a PSBT."),
        .optional("output", .integer, default: "all", "Only the second stages of this output."),
      ],
      results: [
        RPCResult("channel_id", "hex", "the channel"),
        RPCResult("commitments[].holder", "string", "local or remote: who can publish it"),
        RPCResult("commitments[].number", "integer", "which one, from 0 upwards"),
        RPCResult("commitments[].txid", "hex", "its txid"),
        RPCResult("commitments[].stack", "string", "what it is composed of; during a change not all have the same"),
        RPCResult("commitments[].psbt", "string", "the transaction, in base64", optional: true),
        RPCResult("commitments[].second_stages[].output", "integer", "the output that it spends"),
        RPCResult("commitments[].second_stages[].path", "string", "what it does: timeout, success"),
        RPCResult("commitments[].second_stages[].txid", "hex", "its txid"),
        RPCResult("commitments[].second_stages[].psbt", "string", "the transaction, in base64", optional: true),
      ]),
    RPCMethod(
      "glc-upgrade", .glc, "Exchange the stack of an open channel, without a transaction on the chain",
      details:
        "Both nodes stop offering payments, agree on the new stack, sign commitments with it and revoke the old ones. What leaves the stack "
        + "must hold nothing; the funding output stays. After a lost connection the channel has one of both stacks, the same on both sides.",
      parameters: [
        .required("id", .channel, "The channel, or the peer when there is one channel with it."),
        .required("stack", .string, "What it is to be composed of, such as \"musig2 + htlc + ptlc + anchors\"."),
      ],
      results: [
        RPCResult("channel_id", "hex", "the channel"), RPCResult("stack", "string", "what it is now"),
        RPCResult("extensions[]", "string", "what it is composed of"),
      ], isSlow: true),
  ]

  static let chain: [RPCMethod] = [
    RPCMethod(
      "glc-chain", .chain, "Show the chain that the node follows",
      results: [
        RPCResult("source", "string", "embedded or bitcoind"), RPCResult("network", "string", "its network"),
        RPCResult("blockheight", "integer", "its height"), RPCResult("blockhash", "hex", "its tip"),
        RPCResult("mempool", "integer", "transactions that wait", optional: true),
        RPCResult("rescan", "object", "the wallet reads blocks again: blockheight, of, problem", optional: true),
      ]),
    RPCMethod(
      "glc-rescan", .chain, "Have the wallet read blocks once more",
      details:
        "For a seed that has a history from before this node. It goes on beside everything else, and after a restart; `getinfo` and `glc-chain` tell how far it is.",
      parameters: [
        .optional("blockheight", .integerIn(0...0xffff_fffe), default: "the wallet's birth", "The first block.")
      ],
      results: [
        RPCResult("from", "integer", "the first block"), RPCResult("to", "integer", "the last block, for now"),
      ]),
    RPCMethod(
      "glc-generate", .chain, "Make blocks on the embedded chain",
      parameters: [
        .optional("blocks", .integerIn(1...10_000), default: "1", "How many."),
        .optional("address", .string, default: "nobody's", "Who gets their coins."),
      ],
      results: [
        RPCResult("blockhashes[]", "hex", "the new blocks"), RPCResult("blockheight", "integer", "the height now"),
      ],
      isSlow: true),
    RPCMethod(
      "glc-faucet", .chain, "Give coins of the embedded chain to an address",
      details: "Mines a block with the payment, so that the coins can be spent at once.",
      parameters: [
        .optional("satoshi", .sat, default: "1btc", "How much."),
        .optional("address", .string, default: "a new one of the wallet", "Who gets it."),
      ],
      results: [
        RPCResult("txid", "hex", "the payment"), RPCResult("address", "string", "who got it"),
        RPCResult("amount_msat", "msat", "how much"), RPCResult("blockheight", "integer", "the height now"),
      ]),
    RPCMethod(
      "glc-mempool", .chain, "List the transactions of the embedded chain that wait for a block",
      results: [
        RPCResult("transactions[].txid", "hex", "the transaction"),
        RPCResult("transactions[].fee_msat", "msat", "its fee"),
        RPCResult("transactions[].weight", "integer", "its weight"),
        RPCResult("transactions[].version", "integer", "its version"),
      ]),
    RPCMethod(
      "glc-reorg", .chain, "Replace the last blocks of the embedded chain by others",
      parameters: [
        .required("depth", .integerIn(1...1000), "How many blocks are taken off."),
        .optional("blocks", .integerIn(1...2000), default: "one more than depth", "How many come instead."),
        .optional(
          "mempool", .bool, default: "true",
          "Whether the transactions of the old blocks wait for the new ones; false is refused, they cannot be lost yet."
        ),
      ], results: [RPCResult("blockheight", "integer", "the height now"), RPCResult("blockhash", "hex", "the new tip")]),
  ]
}
