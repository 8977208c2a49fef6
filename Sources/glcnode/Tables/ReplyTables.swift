/// A list of a reply as a table.
struct ReplyTable {
  /// The member that is the list.
  let member: String
  let title: String?
  /// What is said when the list is empty.
  let empty: String
  let columns: [Column]
  /// Columns whose sum is shown.
  let summed: Set<String>

  init(_ member: String, title: String? = nil, empty: String, sums summed: Set<String> = [], _ columns: [Column]) {
    self.member = member
    self.title = title
    self.empty = empty
    self.columns = columns
    self.summed = summed
  }
}

/// Which members of long lists people want to see.
enum ReplyTables {
  static let tables: [String: [ReplyTable]] = [
    "listpeers": [
      ReplyTable(
        "peers", empty: "no peers; `glcnode connect NODE-ID@HOST:PORT` makes one",
        [
          Column("peer", "id", .id), Column("connected", "connected", .bool),
          Column("channels", "num_channels", .number),
          Column("address", "netaddr"), Column("our address there", "remote_addr"),
        ])
    ],
    "listpeerchannels": [
      ReplyTable(
        "channels", empty: "no channels; `glcnode fundchannel PEER AMOUNT` opens one",
        sums: ["to_us_msat", "spendable_msat", "receivable_msat"],
        [
          Column("peer", "peer_id", .id), Column("channel", "short_channel_id"), Column("state", "state", .state),
          Column("online", "peer_connected", .bool), Column("ours", "to_us_msat", .msat),
          Column("size", "total_msat", .msat),
          Column("can send", "spendable_msat", .msat), Column("can receive", "receivable_msat", .msat),
          Column("private", "private", .bool), Column("opener", "opener"),
        ])
    ],
    "listclosedchannels": [
      ReplyTable(
        "closedchannels", empty: "no closed channels",
        [
          Column("peer", "peer_id", .id), Column("channel", "short_channel_id"), Column("size", "total_msat", .msat),
          Column("ours at the end", "final_to_us_msat", .msat), Column("cause", "close_cause"),
        ])
    ],
    "listfunds": [
      ReplyTable(
        "outputs", title: "On the chain", empty: "nothing; `glcnode newaddr` gives an address", sums: ["amount_msat"],
        [
          Column("transaction", "txid", .id), Column("output", "output", .number),
          Column("amount", "amount_msat", .msat),
          Column("status", "status", .state), Column("block", "blockheight", .number),
          Column("set aside", "reserved", .bool),
          Column("address", "address"),
        ]),
      ReplyTable(
        "channels", title: "In channels", empty: "no channels", sums: ["our_amount_msat"],
        [
          Column("peer", "peer_id", .id), Column("channel", "short_channel_id"),
          Column("ours", "our_amount_msat", .msat),
          Column("size", "amount_msat", .msat), Column("state", "state", .state), Column("online", "connected", .bool),
        ]),
    ],
    "listinvoices": [
      ReplyTable(
        "invoices", empty: "no invoices; `glcnode invoice AMOUNT LABEL DESCRIPTION` makes one",
        [
          Column("label", "label"), Column("amount", "amount_msat", .msat), Column("status", "status", .state),
          Column("received", "amount_received_msat", .msat), Column("paid", "paid_at", .time),
          Column("expires", "expires_at", .time), Column("hash", "payment_hash", .id),
          Column("description", "description"),
        ])
    ],
    "listpays": [
      ReplyTable(
        "pays", empty: "no payments",
        [
          Column("begun", "created_at", .time), Column("status", "status", .state),
          Column("arrived", "amount_msat", .msat),
          Column("sent", "amount_sent_msat", .msat), Column("to", "destination", .id),
          Column("hash", "payment_hash", .id),
          Column("label", "label"),
        ])
    ],
    "listsendpays": [
      ReplyTable(
        "payments", empty: "nothing was sent",
        [
          Column("part", "id", .number), Column("sent at", "created_at", .time), Column("status", "status", .state),
          Column("arrived", "amount_msat", .msat), Column("sent", "amount_sent_msat", .msat),
          Column("to", "destination", .id),
          Column("hash", "payment_hash", .id), Column("label", "label"),
        ])
    ],
    "listforwards": [
      ReplyTable(
        "forwards", empty: "nothing was forwarded", sums: ["fee_msat"],
        [
          Column("when", "received_time", .time), Column("from", "in_channel"), Column("to", "out_channel"),
          Column("came", "in_msat", .msat), Column("went", "out_msat", .msat), Column("fee", "fee_msat", .msat),
          Column("status", "status", .state), Column("reason", "failreason"),
        ])
    ],
    "listhtlcs": [
      ReplyTable(
        "htlcs", empty: "no payments in channels",
        [
          Column("channel", "short_channel_id"), Column("number", "id", .number), Column("direction", "direction"),
          Column("amount", "amount_msat", .msat), Column("until block", "expiry", .number),
          Column("state", "state", .state),
          Column("hash", "payment_hash", .id),
        ])
    ],
    "listnodes": [
      ReplyTable(
        "nodes", empty: "no nodes are known",
        [
          Column("node", "nodeid", .id), Column("alias", "alias"), Column("color", "color"),
          Column("announced", "last_timestamp", .time), Column("features", "features", .id),
        ])
    ],
    "listchannels": [
      ReplyTable(
        "channels", empty: "no channels are known",
        [
          Column("channel", "short_channel_id"), Column("from", "source", .id), Column("to", "destination", .id),
          Column("size", "amount_msat", .msat), Column("active", "active", .bool),
          Column("base fee", "base_fee_millisatoshi", .msat), Column("ppm", "fee_per_millionth", .number),
          Column("blocks", "delay", .number), Column("least", "htlc_minimum_msat", .msat),
          Column("most", "htlc_maximum_msat", .msat),
          Column("updated", "last_update", .time),
        ])
    ],
    "listtransactions": [
      ReplyTable(
        "transactions", empty: "no transactions",
        [
          Column("transaction", "hash", .id), Column("block", "blockheight", .number),
          Column("place", "txindex", .number),
          Column("lock time", "locktime", .number),
        ])
    ],
    "getroute": [
      ReplyTable(
        "route", empty: "no hops",
        [
          Column("channel", "channel"), Column("to", "id", .id), Column("amount", "amount_msat", .msat),
          Column("blocks", "delay", .number),
        ])
    ],
    "setchannel": [
      ReplyTable(
        "channels", empty: "no channels",
        [
          Column("peer", "peer_id", .id), Column("channel", "short_channel_id"),
          Column("base fee", "fee_base_msat", .msat),
          Column("ppm", "fee_proportional_millionths", .number), Column("least", "minimum_htlc_out_msat", .msat),
          Column("most", "maximum_htlc_out_msat", .msat),
        ])
    ],
    "glc-extensions": [
      ReplyTable(
        "extensions", empty: "none",
        [
          Column("extension", "name"), Column("kind", "kind"), Column("phase", "phase"),
          Column("what it does", "summary"),
        ])
    ],
    "glc-stacks": [
      ReplyTable(
        "stacks", empty: "none",
        [Column("stack", "name"), Column("channel type", "channel_type.names"), Column("extensions", "extensions")]),
      ReplyTable(
        "parts", title: "Parts that channels can be composed of", empty: "none",
        [Column("part", "name"), Column("kind", "kind"), Column("number", "id", .number)]),
      ReplyTable(
        "peers", title: "Peers that compose channels too", empty: "none", [Column("peer", "id", .id)]),
    ],
    "glc-proposals": [
      ReplyTable(
        "proposals", empty: "nothing is being composed",
        [
          Column("peer", "peer_id", .id), Column("stack", "stack"), Column("stage", "stage"),
          Column("opener", "opener"), Column("ours", "our_amount_msat", .msat),
          Column("theirs", "their_amount_msat", .msat), Column("funding", "txid", .id),
        ])
    ],
    "glc-stack": [
      ReplyTable(
        "outputs", title: "Outputs of the commitment", empty: "none", sums: ["amount_msat"],
        [
          Column("output", "name"), Column("extension", "extension"), Column("amount", "amount_msat", .msat),
          Column("ways to spend it", "paths"),
        ])
    ],
    "glc-mempool": [
      ReplyTable(
        "transactions", empty: "no transaction waits",
        [
          Column("transaction", "txid", .id), Column("fee", "fee_msat", .msat), Column("weight", "weight", .number),
          Column("version", "version", .number),
        ])
    ],
  ]
}
