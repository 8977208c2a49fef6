internal import Bitcoin
internal import Encoding
internal import JSON
internal import Payments
internal import RPC
internal import Wire

extension Handlers {
  func listnodes(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let only = try arguments.publicKey(ifPresent: "id").map { NodeID($0) }
    let nodes: [KnownNode]
    if let only { nodes = await node.view.node(only).map { [$0] } ?? [] } else { nodes = await node.view.nodes() }
    return [
      "nodes": .array(
        nodes.map { node in
          var object: JSONObject = ["nodeid": .text(node.id)]
          if let alias = node.alias { object["alias"] = .string(PeerText.safe(alias)) }
          if let color = node.color { object["color"] = .hex(color) }
          if let timestamp = node.timestamp { object["last_timestamp"] = .int(timestamp) }
          if let features = node.features {
            object["features"] = features.hex
            object["addresses"] = .array(node.addresses.map { .address($0) })
          }
          return .object(object)
        })
    ]
  }

  func listchannels(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let scid = try arguments.shortChannelID(ifPresent: "short_channel_id")
    let source = try arguments.publicKey(ifPresent: "source").map { NodeID($0) }
    let destination = try arguments.publicKey(ifPresent: "destination").map { NodeID($0) }
    guard [scid != nil, source != nil, destination != nil].count(where: { $0 }) <= 1 else {
      throw RPCError(.invalidParams, "Can only specify one of short_channel_id, source or destination")
    }
    let channels = await node.view.channels().filter { channel in
      (scid == nil || channel.shortChannelID == scid) && (source == nil || channel.source == source)
        && (destination == nil || channel.destination == destination)
    }
    return [
      "channels": .array(
        channels.map { channel in
          [
            "source": .text(channel.source), "destination": .text(channel.destination),
            "short_channel_id": .text(channel.shortChannelID),
            "direction": channel.source < channel.destination ? 0 : 1, "public": .bool(channel.isPublic),
            "amount_msat": .msat(channel.capacity), "message_flags": .int(channel.messageFlags),
            "channel_flags": .int(channel.channelFlags), "active": .bool(channel.isActive),
            "last_update": .int(channel.lastUpdate), "base_fee_millisatoshi": .int(channel.policy.feeBaseMsat),
            "fee_per_millionth": .int(channel.policy.feeProportionalMillionths),
            "delay": .int(channel.policy.cltvExpiryDelta),
            "htlc_minimum_msat": .msat(channel.policy.htlcMinimumMsat),
            "htlc_maximum_msat": .msat(channel.policy.htlcMaximumMsat), "features": channel.features.hex,
          ]
        })
    ]
  }

  func getroute(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let (nodes, channels) = try exclusions(arguments)
    let query = RouteQuery(
      target: NodeID(try arguments.publicKey("id")), amount: try arguments.milliSatoshi("amount_msat"),
      source: try arguments.publicKey(ifPresent: "fromid").map { NodeID($0) },
      finalDelay: try arguments.integer(ifPresent: "cltv", as: UInt32.self) ?? 9,
      maximumHops: Int(try arguments.integer(ifPresent: "maxhops") ?? 20), excludedNodes: nodes,
      excludedChannels: channels)
    let hops: [KnownHop]
    do { hops = try await node.view.route(query) } catch {
      throw RPCError(.payRouteNotFound, "Could not find a route")
    }
    return [
      "route": .array(
        hops.map { hop in
          [
            "id": .text(hop.node), "channel": .text(hop.channel.shortChannelID),
            "direction": .int(hop.channel.direction),
            "amount_msat": .msat(hop.amount), "delay": .int(hop.delay), "style": "tlv",
          ]
        })
    ]
  }
}

extension PeerText {
  /// An alias as it can be shown: BOLT 7 has it padded with zeros.
  static func safe(_ bytes: [UInt8]) -> String {
    var bytes = bytes
    while bytes.last == 0 { bytes.removeLast() }
    return NodeLogHandler.plain(String(decoding: bytes, as: UTF8.self))
  }
}
