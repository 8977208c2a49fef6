internal import BOLT
internal import Bitcoin
internal import Chain
internal import Configuration
internal import Encoding
internal import GLC
internal import JSON
internal import Payments
internal import Peers
internal import RPC
internal import Secp256k1
internal import Storage
internal import Wallet
internal import Wire

extension Handlers {
  // MARK: Node

  func getinfo(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let channels = await node.channels()
    let peers = Set(node.network.peers.map(\.nodeID)).union(channels.filter { $0.phase < .ended }.map(\.peer))
    let fees = try await hub.paymentTotals().fees
    let features = hub.settings.features
    var object: JSONObject = [
      "id": .text(node.nodeID), "alias": .string(node.alias), "color": .hex(node.color),
      "num_peers": .int(peers.count),
      "num_pending_channels": .int(channels.count { $0.phase <= .awaitingDepth }),
      "num_active_channels": .int(channels.count { $0.phase == .normal }),
      "num_inactive_channels": .int(channels.count { $0.phase > .normal && $0.phase < .ended }),
      "address": .array(hub.settings.announcedAddresses.map { .address($0) }),
      "binding": .array(node.addresses.map { .address($0) }),
      "version": .string(NodeAPI.version), "blockheight": .int(node.height),
      "network": .string(network == .bitcoin ? "bitcoin" : network.chainName),
      "fees_collected_msat": .msat(fees),
      "lightning-dir": .string(surroundings.configuration.networkDirectory),
      "our_features": [
        "init": features.hex, "node": features.features(in: .nodeAnnouncement).hex,
        "channel": features.features(in: .channelAnnouncement).hex, "invoice": features.features(in: .invoice).hex,
      ],
    ]
    if let rescan = await hub.rescan.progress { object["glc_rescan"] = .rescan(rescan) }
    if let problem = await node.chain.problem {
      object["warning_bitcoind_sync"] = .string("The chain is not followed any more: \(problem)")
      return .object(object)
    }
    do {
      let tip = try await hub.source.tip()
      if tip.height > node.height {
        object["warning_lightningd_sync"] = .string(
          "Still loading latest blocks from the chain: \(tip.height - node.height) to go.")
      }
    } catch {
      object["warning_bitcoind_sync"] = .string("The chain cannot be asked: \(error)")
    }
    return .object(object)
  }

  func stop(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    surroundings.stop()
    return ["result": "Shutdown complete"]
  }

  // MARK: Peers

  func connect(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let text = try arguments.string("id")
    let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    guard let peer = NodeID(text: parts[0]) else {
      throw arguments.invalid("id", "should be a node id, or one with @HOST:PORT")
    }
    var place = parts.count == 2 ? String(parts[1]) : nil
    if let host = try arguments.string(ifPresent: "host") {
      guard place == nil else { throw arguments.invalid("host", "should not be given twice") }
      place = host
    }
    let port = try arguments.integer(ifPresent: "port", as: UInt16.self)
    let connection = try await connect(to: peer, place: place, port: port, arguments)
    return [
      "id": .text(peer), "features": connection.theirFeatures.hex,
      "direction": connection.direction == .outgoing ? "out" : "in",
      "address": connection.address.map { .address($0) } ?? .null,
    ]
  }

  /// Connects, unless that is done already.
  func connect(to peer: NodeID, place: String?, port: UInt16?, _ arguments: RPCArguments) async throws -> PeerConnection
  {
    if let connection = node.network.peer(peer) { return connection }
    guard peer != node.nodeID else { throw arguments.invalid("id", "should be another node than this one") }
    var addresses: [NodeAddress] = []
    if let place {
      guard let address = NodeAddress(place: place, port: port, defaultPort: defaultPort) else {
        throw arguments.invalid("id", "should have a host and a port behind the @")
      }
      addresses = [address]
    } else {
      if let stored = try await hub.store.value(of: peer.publicKey.array, in: .peers) {
        addresses = (try? NodeAddresses(stored: stored).list().addresses) ?? []
      }
      addresses += await node.view.addresses(of: peer).filter { !addresses.contains($0) }
      guard !addresses.isEmpty else {
        throw RPCError(
          .connectNoKnownAddress, "Unable to connect, no address known for peer: give one as \(peer)@HOST:PORT")
      }
    }
    let (node, places) = (node, addresses)
    try await handedOver { try await node.connect(to: peer, at: places) }
    guard let connection = node.network.peer(peer) else {
      throw RPCError(.connectDisconnectedDuring, "the peer has disconnected at once")
    }
    return connection
  }

  private var defaultPort: UInt16 { surroundings.defaultPort }

  func disconnect(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let peer = NodeID(try arguments.publicKey("id"))
    guard node.network.peer(peer) != nil else { throw RPCError(.failure, "Peer not connected") }
    let isForced = try arguments.bool(ifPresent: "force") ?? false
    let hasChannels = hub.directory.all.values.contains { $0.peer == peer && $0.phase < .onchain }
    guard isForced || !hasChannels else {
      throw RPCError(
        .failure, "Peer has (at least one) channel in state CHANNELD_NORMAL: give force=true, they stay open")
    }
    node.disconnect(from: peer)
    for _ in 0..<500 where node.network.peer(peer) != nil { try await Task.sleep(for: .milliseconds(10)) }
    return [:]
  }

  func listpeers(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let only = try arguments.publicKey(ifPresent: "id").map { NodeID($0) }
    let channels = await node.channels().filter { $0.phase < .ended }
    let connections = Dictionary(node.network.peers.map { ($0.nodeID, $0) }) { first, _ in first }
    let all = Set(connections.keys).union(channels.map(\.peer)).filter { only == nil || $0 == only }
    var peers: [JSONValue] = []
    for peer in all.sorted() {
      let connection = connections[peer]
      var object: JSONObject = [
        "id": .text(peer), "connected": .bool(connection != nil),
        "num_channels": .int(channels.count { $0.peer == peer }),
      ]
      if let connection {
        object["netaddr"] = .array(connection.address.map { [.text($0)] } ?? [])
        if let seen = connection.ourAddressAsSeen { object["remote_addr"] = .text(seen) }
        object["features"] = connection.theirFeatures.hex
      }
      peers.append(.object(object))
    }
    return ["peers": .array(peers)]
  }

  func ping(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let peer = NodeID(try arguments.publicKey("id"))
    let length = try arguments.integer(ifPresent: "len", as: UInt16.self) ?? 128
    let pongBytes = try arguments.integer(ifPresent: "pongbytes", as: UInt16.self) ?? 128
    guard let connection = node.network.peer(peer) else { throw RPCError(.failure, "Peer not connected") }
    do throws(PeerCloseReason) {
      try await connection.ping(length: Int(length), pongBytes: pongBytes)
    } catch {
      throw RPCError(.failure, "no pong: \(error)")
    }
    // With its type and its length; nothing comes back where the specification says that nothing shall.
    return ["totlen": .int(pongBytes < 65_532 ? Int(pongBytes) + 4 : 0)]
  }

  // MARK: Utilities

  func signmessage(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let message = try arguments.string("message")
    guard message.utf8.count <= 65_535 else { throw arguments.invalid("message", "should have at most 65535 bytes") }
    let zbase = hub.keys.withNodeSecret { LightningSignedMessage.sign(message, with: $0) }
    let bytes = try ZBase32.decode(zbase)
    return [
      "signature": .hex(Array(bytes.dropFirst())), "recid": .hex([(bytes.first ?? 31) - 31]), "zbase": .string(zbase),
    ]
  }

  func checkmessage(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let key: PublicKey
    do {
      key = try LightningSignedMessage.recoverPublicKey(
        from: try arguments.string("zbase"), of: try arguments.string("message"))
    } catch is Secp256k1Error {
      throw arguments.invalid("zbase", "should be a signature in z-base-32")
    }
    if let expected = try arguments.publicKey(ifPresent: "pubkey") {
      return ["pubkey": .text(key), "verified": .bool(expected == key)]
    }
    let view = node.view
    let isKnown = await view.node(NodeID(key)) != nil || key == node.nodeID.publicKey
    guard isKnown else {
      throw RPCError(
        RPCErrorCode(rawValue: 1301), "pubkey not found in the graph: give the one that should have signed",
        data: ["claimed_key": .text(key)])
    }
    return ["pubkey": .text(key), "verified": true]
  }

  func waitblockheight(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let height = try arguments.integer("blockheight", as: UInt32.self)
    let seconds = try arguments.integer(ifPresent: "timeout") ?? 60
    let hub = hub
    let reached = try await firstOf(.seconds(Int64(clamping: seconds))) { () -> UInt32 in
      let events = hub.events.listen()
      if hub.height >= height { return hub.height }
      for await event in events {
        if case .block(let now) = event, now >= height { return now }
      }
      throw RPCError(.shuttingDown, "the node stops")
    }
    guard let reached else { throw RPCError(.waitTimedOut, "Timed out.") }
    return ["blockheight": .int(reached)]
  }
}

extension NodeSurroundings {
  var defaultPort: UInt16 { NodeConfiguration.defaultPort(configuration.network) }
}

extension NodeID {
  init?(text: some StringProtocol) {
    guard let bytes = try? Hex.decode(text), let key = PublicKey(parsing: bytes) else { return nil }
    self.init(key)
  }
}

extension NodeAddress {
  /// A host with or without a port.
  init?(place: String, port: UInt16?, defaultPort: UInt16) {
    guard let parsed = HostPort(place, defaultPort: port ?? defaultPort) else { return nil }
    self.init(HostPort(host: parsed.host, port: port ?? parsed.port))
  }

  init?(_ place: HostPort) {
    guard let address = try? NodeAddress(text: place.description) else { return nil }
    self = address
  }
}

extension Node {
  /// As announced.
  var alias: String { settings.alias ?? "glc-\("\(nodeID)".prefix(12))" }
  var color: [UInt8] { settings.color ?? Array(nodeID.publicKey.array[1..<4]) }
}
