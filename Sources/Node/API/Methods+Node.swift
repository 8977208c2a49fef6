internal import RPC

extension NodeAPI {
  static let node: [RPCMethod] = [
    RPCMethod(
      "getinfo", .node, "Show what this node is and how it is doing",
      results: [
        RPCResult("id", "node id", "the node's public key"),
        RPCResult("alias", "string", "its name in announcements"),
        RPCResult("color", "hex", "its colour in announcements"),
        RPCResult("num_peers", "integer", "peers, connected or with a channel"),
        RPCResult("num_pending_channels", "integer", "channels that are being opened"),
        RPCResult("num_active_channels", "integer", "channels that can pay"),
        RPCResult("num_inactive_channels", "integer", "channels that are closing or closed"),
        RPCResult("address[]", "object", "what is announced: type, address, port"),
        RPCResult("binding[]", "object", "where it listens: type, address, port"),
        RPCResult("version", "string", "the version of the software"),
        RPCResult("blockheight", "integer", "the height of the chain as the node knows it"),
        RPCResult("network", "string", "bitcoin, testnet4, signet or regtest"),
        RPCResult("fees_collected_msat", "msat", "earned by forwarding"),
        RPCResult("lightning-dir", "string", "the network's folder"),
        RPCResult("our_features", "object", "feature bits in hex: init, node, channel, invoice"),
        RPCResult("glc_rescan", "object", "the wallet reads blocks again: blockheight, of, problem", optional: true),
        RPCResult("warning_bitcoind_sync", "string", "the chain is behind, or away", optional: true),
        RPCResult("warning_lightningd_sync", "string", "the node is behind the chain", optional: true),
      ]),
    RPCMethod(
      "stop", .node, "Stop the node", details: "It replies first. Channels stay open; nothing is lost.",
      results: [RPCResult("result", "string", "\"Shutdown complete\"")], isSlow: true),
    RPCMethod(
      "listconfigs", .node, "List the options with their values and where they came from",
      parameters: [.optional("config", .string, default: "all", "One option.")],
      results: [
        RPCResult("configs", "object", "by the name of the option"),
        RPCResult("configs.NAME.value_str", "string", "its value"),
        RPCResult("configs.NAME.source", "string", "default, a file with its line, a variable or a flag"),
      ]),
    RPCMethod(
      "glc-loglevel", .node, "Show or set the log's levels while the node runs",
      parameters: [
        .optional("subsystem", .string, default: "all", "One subsystem, for example peers."),
        .optional(
          "level", .choice(["trace", "debug", "info", "notice", "warning", "error", "critical"]), default: "only show",
          "The new level."),
      ], results: [RPCResult("levels", "object", "the level of each subsystem")]),
  ]

  static let peers: [RPCMethod] = [
    RPCMethod(
      "connect", .peers, "Connect to a peer",
      details:
        "Address and port may be part of the id: NODE-ID@HOST:PORT. Without an address, those that the peer announced are tried.",
      parameters: [
        .required("id", .string, "The peer's node id, with @HOST:PORT or without."),
        .optional(
          "host", .string, default: "what the peer announced", "Where it listens: a name, an IP or an .onion address."),
        .optional("port", .integerIn(1...65_535), default: "the network's port", "The port it listens on."),
      ],
      results: [
        RPCResult("id", "node id", "the peer"),
        RPCResult("features", "hex", "what it offers"),
        RPCResult("direction", "string", "in or out: who connected"),
        RPCResult("address", "object", "type, address and port"),
      ], isSlow: true),
    RPCMethod(
      "disconnect", .peers, "Disconnect from a peer",
      parameters: [
        .required("id", .nodeID, "The peer."),
        .optional("force", .bool, default: "false", "Also when there are channels with it; they stay open."),
      ]),
    RPCMethod(
      "listpeers", .peers, "List peers that are connected or have a channel with us",
      parameters: [
        .optional("id", .nodeID, default: "all", "One peer."),
        .optional("level", .choice(["io", "trace", "debug", "info", "unusual"]), "Taken and not used."),
      ],
      results: [
        RPCResult("peers[].id", "node id", "the peer"),
        RPCResult("peers[].connected", "bool", "whether it is connected"),
        RPCResult("peers[].num_channels", "integer", "channels with it"),
        RPCResult("peers[].netaddr[]", "string", "its address", optional: true),
        RPCResult("peers[].remote_addr", "string", "our address as it sees it", optional: true),
        RPCResult("peers[].features", "hex", "what it offers", optional: true),
      ]),
    RPCMethod(
      "ping", .peers, "Measure whether a peer answers",
      details: "Peers that are silent are pinged by themselves.",
      parameters: [
        .required("id", .nodeID, "The peer."),
        .optional("len", .integerIn(0...65_529), default: "128", "Bytes that are sent."),
        .optional(
          "pongbytes", .integerIn(0...65_535), default: "128",
          "Bytes that are asked for; from 65532 on there is no answer."),
      ], results: [RPCResult("totlen", "integer", "the length of the answer")], isSlow: true),
  ]

  static let utility: [RPCMethod] = [
    RPCMethod(
      "decode", .utility, "Explain an invoice, an offer or another string of Lightning",
      parameters: [.required("string", .string, "The string.")],
      results: [
        RPCResult("type", "string", "what it is: bolt11 invoice, bolt12 offer, …"),
        RPCResult("valid", "bool", "whether it can be used"),
        RPCResult("amount_msat", "msat", "the amount, where it has one", optional: true),
        RPCResult("payee", "node id", "who is paid", optional: true),
        RPCResult("description", "string", "what for", optional: true),
        RPCResult("payment_hash", "hex", "the hash", optional: true),
      ]),
    RPCMethod(
      "decodepay", .utility, "Explain a BOLT 11 invoice", details: "Old; `decode` explains more.",
      parameters: [
        .required("bolt11", .string, "The invoice."),
        .optional("description", .string, "The text behind its description hash."),
      ],
      results: [
        RPCResult("currency", "string", "the network's prefix"), RPCResult("created_at", "seconds", "when it was made"),
        RPCResult("expiry", "seconds", "how long it can be paid"), RPCResult("payee", "node id", "who is paid"),
        RPCResult("amount_msat", "msat", "the amount", optional: true), RPCResult("payment_hash", "hex", "the hash"),
      ]),
    RPCMethod(
      "signmessage", .utility, "Sign a text with the node's key",
      parameters: [.required("message", .string, "The text, at most 65535 bytes.")],
      results: [
        RPCResult("signature", "hex", "the signature"), RPCResult("recid", "hex", "its recovery id"),
        RPCResult("zbase", "string", "both in z-base-32, for checkmessage"),
      ]),
    RPCMethod(
      "checkmessage", .utility, "Check a signature of signmessage",
      parameters: [
        .required("message", .string, "The text."), .required("zbase", .string, "The signature in z-base-32."),
        .optional("pubkey", .nodeID, default: "recovered, and looked up among known nodes", "Who should have signed."),
      ],
      results: [
        RPCResult("pubkey", "node id", "who signed"), RPCResult("verified", "bool", "whether the signature is right"),
      ]),
    RPCMethod(
      "waitblockheight", .utility, "Wait until the chain has reached a height",
      parameters: [
        .required("blockheight", .integerIn(0...0xffff_ffff), "The height."),
        .optional("timeout", .integerIn(0...0xffff_ffff), default: "60", "Seconds to wait at most."),
      ], results: [RPCResult("blockheight", "integer", "the height that was reached")], isSlow: true),
  ]
}
