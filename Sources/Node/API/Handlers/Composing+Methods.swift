internal import BOLT
internal import Bitcoin
internal import Encoding
internal import GLC
internal import JSON
internal import Negotiation
internal import RPC
internal import Wallet
internal import Wire

// Channels that are composed with peers: which parts there are, proposals, and what is under way.

extension Handlers {
  private static func parts(_ parts: [ExtensionRegistry.Part]) -> JSONValue {
    .array(
      parts.map { part in
        [
          "name": .string(String(part.name.prefix(64).filter { $0.isASCII && !$0.isWhitespace })),
          "kind": .string("\(part.kind)"), "id": .int(part.id.rawValue),
        ]
      })
  }

  /// What this node can compose, and what each peer has said that it can.
  func composableParts() async -> (own: JSONValue, peers: JSONValue) {
    var peers: [JSONValue] = []
    for (peer, composition) in await node.compositions().sorted(by: { $0.key < $1.key }) {
      guard let catalogue = composition.catalogue else { continue }
      peers.append(["id": .text(peer), "parts": Self.parts(catalogue.parts)])
    }
    return (Self.parts(hub.registry.parts), .array(peers))
  }

  /// `fundchannel --stack`: the parts that the user names, agreed on with the peer.
  func fundComposed(
    _ text: String, _ peer: NodeID, _ order: OpenOrder, _ arguments: RPCArguments, _ context: RPCContext
  ) async throws -> JSONValue {
    for name in ["channel_type", "reserve"] where arguments.has(name) {
      throw RPCError(.invalidParams, "\(name): not together with a stack")
    }
    let description: StackDescription
    do throws(StackTextError) { description = try hub.registry.description(parsing: text) } catch {
      throw arguments.invalid("stack", "should be parts of a stack: \(error)")
    }
    let stack: ChannelStack
    do throws(ComposingError) {
      stack = try hub.registry.propose(description, hub.registry.setting(for: description))
    } catch {
      throw arguments.invalid("stack", "should be parts that fit together: \(error)")
    }
    let canBeAnnounced = stack.funding.scripts == .witnessScript
    let announce = try arguments.bool(ifPresent: "announce")
    guard announce != true || canBeAnnounced else {
      throw arguments.invalid("announce", "should be false: a taproot channel cannot be announced")
    }
    let wanted = ProposalOrder(
      stack: description, contribution: order.capacity,
      wished: try arguments.satoshi(ifPresent: "peer_amount") ?? .zero, pushed: order.pushed,
      isAnnounced: announce ?? (hub.settings.announcesChannels && canBeAnnounced), feeRate: order.feeRate,
      policy: order.policy, coins: order.coins, shutdownScript: order.shutdownScript)
    await context.progress("Composing the channel with the peer")
    let node = node
    let id = try await handedOver { try await node.propose(wanted, to: peer) }
    guard let channel = await node.channel(id), let funding = channel.funding,
      let transaction = funding.transaction
    else { throw RPCError(.failure, "the channel was opened and is gone already") }
    var object: JSONObject = [
      "tx": .hex(transaction.encoded), "txid": .text(funding.outPoint.txid), "outnum": .int(funding.outPoint.vout),
      "channel_id": .text(id), "stack": .string(hub.registry.text(of: description)),
      "mindepth": .int(channel.minimumDepth),
    ]
    if let script = channel.terms.local?.shutdownScript { object["close_to"] = .hex(script.bytes) }
    if let opening = await node.compositions()[peer]?.openings.values.first(where: { $0.channel == id })?.opening {
      object["proposal"] = Self.describe(opening, hub.registry)
    }
    return .object(object)
  }

  func bumpFunding(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let channel = try await channel(arguments).channel
    let rate = try feeRate(arguments)
    await context.progress("Agreeing on another funding transaction with the peer")
    let node = node
    let id = try await handedOver { try await node.replaceFunding(of: channel.id, feeRate: rate) }
    guard let funding = await node.channel(id)?.funding else {
      throw RPCError(.failure, "the channel was opened and is gone already")
    }
    return [
      "channel_id": .text(id), "txid": .text(funding.outPoint.txid), "outnum": .int(funding.outPoint.vout),
      "replaced": .text(channel.id),
    ]
  }

  func proposals(_ arguments: RPCArguments, _ context: RPCContext) async throws -> JSONValue {
    let writes = try arguments.bool(ifPresent: "psbt") ?? false
    var found: [JSONValue] = []
    for (peer, composition) in await node.compositions().sorted(by: { $0.key < $1.key }) {
      for (_, hosted) in composition.openings.sorted(by: { $0.key.array.lexicographicallyPrecedes($1.key.array) }) {
        guard case .object(var object) = Self.describe(hosted.opening, hub.registry) else { continue }
        object["peer_id"] = .text(peer)
        if let id = hosted.channel { object["channel_id"] = .text(id) }
        if writes, let psbts = hosted.opening.psbts {
          object["psbts"] = .array(psbts.map { .string($0.base64) })
        }
        found.append(.object(object))
      }
    }
    return ["proposals": .array(found)]
  }

  /// Readable by people: who puts in what, of what the channel is composed, and what the funding transaction is.
  private static func describe(_ opening: Opening, _ registry: ExtensionRegistry) -> JSONValue {
    let plan = opening.plan
    func contribution(_ party: Party) -> JSONValue { .msat(opening.terms[party]?.contribution ?? .zero) }
    var object: JSONObject = [
      "id": .text(opening.id), "stage": .string("\(opening.stage)"),
      "opener": .string(opening.isOpener ? "local" : "remote"), "round": .int(opening.round),
      "stack": .string(registry.text(of: opening.deal.stack)), "our_amount_msat": contribution(.local),
      "their_amount_msat": contribution(.remote), "push_msat": .msat(opening.deal.pushed),
      "funding_feerate_perkw": .int(opening.deal.fundingFeeRate.satPerKiloWeight),
      "commitment_feerate_perkw": .int(opening.deal.commitmentFeeRate.satPerKiloWeight),
      "inputs": .array(
        plan.inputs.map { input in
          [
            "txid": .text(input.outPoint.txid), "vout": .int(input.vout),
            "of": .string(input.serial.isMultiple(of: 2) ? "opener" : "acceptor"),
            "amount_msat": .msat(input.spent?.value ?? .zero),
          ]
        }),
      "outputs": .array(
        plan.outputs.map { output in
          [
            "script": .hex(output.output.scriptPubKey.bytes), "amount_msat": .msat(output.output.value),
            "of": .string(output.isChannel ? "both" : output.serial.isMultiple(of: 2) ? "opener" : "acceptor"),
          ]
        }),
      "parameters": .array(
        (opening.stack?.extensions ?? []).map { slot in
          ["extension": .string(slot.manifest.name), "ours": .hex(slot.encodedParameters)]
        }),
    ]
    if !plan.inputs.isEmpty { object["txid"] = .text(plan.transaction.txid) }
    if let refusal = opening.refusal { object["refusal"] = .string("\(refusal)") }
    return .object(object)
  }
}
