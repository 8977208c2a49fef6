internal import RPC

extension NodeAPI {
  static let channels: [RPCMethod] = [
    RPCMethod(
      "fundchannel", .channels, "Open a channel with a peer that is connected",
      parameters: [
        .required("id", .string, "The peer's node id, with @HOST:PORT to connect first."),
        .required("amount", .satOrAll, "What we put in; \"all\" for everything the wallet has."),
        .feeRate,
        .optional("announce", .bool, default: "true", "Whether the channel is announced to the network."),
        .minconf, .utxos,
        .optional("push_msat", .msat, default: "0", "What the peer is given of it, for good."),
        .optional(
          "close_to", .string, default: "decided when it is closed",
          "The address that our part must go to when the channel is closed together."),
        .optional("request_amt", .sat, "Refused: liquidity cannot be bought yet."),
        .optional("compact_lease", .string, "Refused: liquidity cannot be bought yet."),
        .optional(
          "mindepth", .integerIn(0...144), default: "what the peer asks for", "Blocks until the channel is used."),
        .optional("reserve", .sat, default: "1 % of the channel", "What the peer must always keep."),
        .optional("channel_type", .list(.integer), default: "the best that both know", "The feature bits of the type."),
        .optional(
          "stack", .string, default: "a channel of the BOLTs",
          "What to compose the channel of, with a peer that composes channels too: \"musig2 + htlc + ptlc + anchors\"."),
        .optional("peer_amount", .sat, default: "0", "What the peer is asked to put in; only with a stack."),
      ],
      results: [
        RPCResult("tx", "hex", "the funding transaction"), RPCResult("txid", "hex", "its id"),
        RPCResult("outnum", "integer", "the output with the channel"),
        RPCResult("channel_id", "hex", "the channel"),
        RPCResult("channel_type", "object", "bits and names", optional: true),
        RPCResult("stack", "string", "what it is composed of", optional: true),
        RPCResult("proposal", "object", "what was agreed on, as in glc-proposals", optional: true),
        RPCResult("close_to", "hex", "the script our part goes to", optional: true),
        RPCResult("mindepth", "integer", "blocks until it is used", optional: true),
      ], isSlow: true),
    RPCMethod(
      "close", .channels, "Close a channel",
      details: "Together with the peer, where it is there; on our own after unilateraltimeout seconds.",
      parameters: [
        .required("id", .channel, "The channel, or the peer when there is one channel with it."),
        .optional(
          "unilateraltimeout", .integerIn(0...0xffff_ffff), default: "172800",
          "Seconds until we close on our own; 0 for never."),
        .optional("destination", .string, default: "the wallet", "The address that our part goes to."),
        .optional(
          "fee_negotiation_step", .string, "Taken and not used: fee ranges are negotiated."),
        .optional("wrong_funding", .outpoint, "Refused."),
        .optional("force_lease_closed", .bool, "Taken and not used."),
        .optional(
          "feerange", .list(.feeRate), "Taken and not used: the fee is what is normal."),
      ],
      results: [
        RPCResult("type", "string", "mutual, unilateral or unopened"),
        RPCResult("tx", "hex", "the closing transaction", optional: true),
        RPCResult("txid", "hex", "its id", optional: true),
        RPCResult("txs[]", "hex", "all of them", optional: true),
        RPCResult("txids[]", "hex", "their ids", optional: true),
      ], isSlow: true),
    RPCMethod(
      "glc-forceclose", .channels, "Close a channel on our own, at once",
      details:
        "For when the peer cannot be waited for: our part comes home after the delay that the peer has asked for.",
      parameters: [.required("id", .channel, "The channel, or the peer when there is one channel with it.")],
      results: [
        RPCResult("type", "string", "unilateral"), RPCResult("tx", "hex", "our commitment", optional: true),
        RPCResult("txid", "hex", "its id", optional: true), RPCResult("txs[]", "hex", "the same", optional: true),
        RPCResult("txids[]", "hex", "the same", optional: true),
      ]),
    RPCMethod(
      "listpeerchannels", .channels, "List channels with all that is known of them",
      parameters: [
        .optional("id", .nodeID, default: "all", "Only those with one peer."),
        .optional("short_channel_id", .shortChannelID, "Only one channel."),
      ],
      results: [
        RPCResult("channels[].peer_id", "node id", "the peer"),
        RPCResult("channels[].peer_connected", "bool", "whether it is connected"),
        RPCResult("channels[].state", "string", "for example CHANNELD_NORMAL"),
        RPCResult("channels[].channel_type", "object", "bits and names"),
        RPCResult("channels[].short_channel_id", "short channel id", "where it is in the chain", optional: true),
        RPCResult("channels[].channel_id", "hex", "its id"),
        RPCResult("channels[].funding_txid", "hex", "the funding transaction"),
        RPCResult("channels[].funding_outnum", "integer", "its output"),
        RPCResult("channels[].private", "bool", "whether it is not announced"),
        RPCResult("channels[].opener", "string", "local or remote"),
        RPCResult("channels[].alias", "object", "local and remote aliases"),
        RPCResult("channels[].to_us_msat", "msat", "ours"),
        RPCResult("channels[].total_msat", "msat", "its size"),
        RPCResult("channels[].spendable_msat", "msat", "what could be sent now"),
        RPCResult("channels[].receivable_msat", "msat", "what could be received now"),
        RPCResult("channels[].our_reserve_msat", "msat", "what we must keep"),
        RPCResult("channels[].their_reserve_msat", "msat", "what the peer must keep"),
        RPCResult("channels[].dust_limit_msat", "msat", "smaller outputs are left out of our commitment"),
        RPCResult("channels[].feerate", "object", "perkw and perkb"),
        RPCResult("channels[].fee_base_msat", "msat", "our fixed fee"),
        RPCResult("channels[].fee_proportional_millionths", "integer", "our proportional fee"),
        RPCResult("channels[].our_to_self_delay", "integer", "blocks that the peer waits for its money"),
        RPCResult("channels[].their_to_self_delay", "integer", "blocks that we wait for ours"),
        RPCResult("channels[].max_accepted_htlcs", "integer", "pending payments towards us, at most"),
        RPCResult(
          "channels[].htlcs[]", "object", "what is pending: direction, id, amount_msat, expiry, payment_hash, state"),
        RPCResult("channels[].status[]", "string", "what it is doing"),
        RPCResult("channels[].in_fulfilled_msat", "msat", "received through it"),
        RPCResult("channels[].out_fulfilled_msat", "msat", "sent through it"),
      ]),
    RPCMethod(
      "listclosedchannels", .channels, "List channels that are closed and resolved",
      parameters: [.optional("id", .nodeID, default: "all", "Only those with one peer.")],
      results: [
        RPCResult("closedchannels[].peer_id", "node id", "the peer"),
        RPCResult("closedchannels[].channel_id", "hex", "the channel"),
        RPCResult("closedchannels[].total_msat", "msat", "its size"),
        RPCResult("closedchannels[].final_to_us_msat", "msat", "ours at the end"),
        RPCResult("closedchannels[].close_cause", "string", "local, user, remote, protocol or onchain"),
      ]),
    RPCMethod(
      "listhtlcs", .channels, "List payments within channels, pending and done",
      parameters: [
        .optional("id", .channel, default: "all", "Only those of one channel."), .index, .start, .limit,
      ],
      results: [
        RPCResult("htlcs[].short_channel_id", "short channel id", "the channel"),
        RPCResult("htlcs[].id", "integer", "its number in the channel"),
        RPCResult("htlcs[].direction", "string", "in or out"),
        RPCResult("htlcs[].amount_msat", "msat", "the amount"),
        RPCResult("htlcs[].expiry", "integer", "the block at which it times out"),
        RPCResult("htlcs[].payment_hash", "hex", "the hash"),
        RPCResult("htlcs[].state", "string", "how far it is"),
      ]),
    RPCMethod(
      "setchannel", .channels, "Set what a channel charges and forwards",
      parameters: [
        .required("id", .string, "A channel, a peer for all channels with it, or \"all\"."),
        .optional("feebase", .msat, default: "what the configuration says", "The fixed fee."),
        .optional(
          "feeppm", .integerIn(0...1_000_000), default: "what the configuration says", "The fee in millionths."),
        .optional("htlcmin", .msat, default: "what it is now", "The smallest payment."),
        .optional("htlcmax", .msat, default: "what it is now", "The largest payment."),
        .optional(
          "enforcedelay", .integerIn(0...86_400), default: "600",
          "Taken and not used: the new fee holds at once."),
        .optional("ignorefeelimits", .bool, "Taken and not used."),
      ],
      results: [
        RPCResult("channels[].peer_id", "node id", "the peer"),
        RPCResult("channels[].channel_id", "hex", "the channel"),
        RPCResult("channels[].short_channel_id", "short channel id", "where it is in the chain", optional: true),
        RPCResult("channels[].fee_base_msat", "msat", "the fixed fee"),
        RPCResult("channels[].fee_proportional_millionths", "integer", "the proportional fee"),
        RPCResult("channels[].minimum_htlc_out_msat", "msat", "the smallest payment"),
        RPCResult("channels[].maximum_htlc_out_msat", "msat", "the largest payment"),
      ]),
  ]
}
